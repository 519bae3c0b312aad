"""What is removed for good leaves no row behind."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.testing.purge import fill
from projrun.tracking.life_cycle import LifeCycle
from projrun.tracking.parts import part_of
from projrun.tracking.purge import Purge
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.users import Users


def rows(database: Path) -> dict[str, list[Any]]:
    """All of the store, by table."""
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1"
        ).fetchall()
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for (name,) in tables
        }


@pytest.mark.parametrize("one_by_one", [False, True])
def test_an_experiment_leaves_no_row(tmp_path: Path, one_by_one: bool) -> None:
    database = tmp_path / "store.db"
    with closing(SqlStore.open(database)) as store:
        fill(store, store.create_experiment("stays"))
        part_of(store, Users).create_user("ann", "")
        part_of(store, Users).grant("ann", "experiment", "1", "READ")
        before = rows(database)
        experiment = store.create_experiment("goes", "s3://bucket/goes")
        for _ in range(2):
            fill(store, experiment)
        part_of(store, Users).grant("ann", "experiment", experiment, "MANAGE")
        assert all(
            len(rows(database)[table]) > len(before[table]) for table in ("points", "grants", "traces")
        )
        part_of(store, LifeCycle).delete_experiment(experiment)
        purge = part_of(store, Purge)
        found = purge.find_deleted()
        assert [place.rpartition("/")[0] for place in found[-1].places] == [
            f"s3://bucket/goes/traces/{trace}" for trace in _traces(database, experiment)
        ]
        for deleted in found if one_by_one else found[-1:]:
            purge.remove(deleted)
    assert rows(database) == before


def _traces(database: Path, experiment: str) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute(
            "SELECT trace_id FROM traces WHERE experiment_id = ? ORDER BY id", (experiment,)
        )
        return [row[0] for row in found.fetchall()]
