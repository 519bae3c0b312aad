"""docs/json.md says which keys `--json` has: each command of its table is run and compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.cli.execution import execute
from projrun.tracking.entities import Dataset, Metric, Param
from projrun.tracking.inputs import Inputs
from projrun.tracking.parts import part_of
from projrun.tracking.sql.store import SqlStore
from tests.support.guard import REPOSITORY
from tests.support.projects import write_project
from tests.support.stores import new_store

TEXT = (REPOSITORY / "docs" / "json.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `projrun ([^`]+)` \| (.+) \|$", TEXT, re.MULTILINE)
WORDS = {"RUN": "-1", "OTHER": "-2", "EXPERIMENT": "Default", "TEXT": "text", "PATH": "file.txt", "NAME": "renamed",
         "RULE": "metrics.rmse > 1", "PROJECT": "project"}  # fmt: skip


def keys(text: str) -> list[str]:
    return re.findall(r"`(\w+)`", text)


RECORDS = {name: keys(TEXT.split(f"\n{name}: ")[1].split(".\n")[0]) for name in ("RUN", "EXPERIMENT")}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    """Two runs, of which the last has something of everything."""
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROJRUN_ENV_MANAGER", "local")
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path / "project", "entry_points: {main: {command: 'true'}}\n")
    with closing(SqlStore.open(new_store(tmp_path / "home" / "projrun.db"))) as store:
        for start in (1, 2):
            run = store.create_run("0", start_time=start)
            store.log_batch(run.run_id, metrics=[Metric("rmse", start, start)], params=[Param("alpha", "1")])
            store.update_run(run.run_id, status="FINISHED", end_time=start)
        part_of(store, Inputs).log_inputs(run.run_id, [Dataset("wine", "abc", "local", "{}")])
        (tmp_path / "uploaded").write_text("text", encoding="utf-8")
        store.artifacts(run.artifact_uri).upload(tmp_path / "uploaded", "file.txt")
        yield store


def documented(text: str) -> tuple[list[str], dict[str, list[str]]]:
    """The keys of the object, and those of the objects in its lists, where the table says them."""
    inner: dict[str, list[str]] = {}
    for lead, content in re.findall(r"((?:`\w+` and )*`\w+`) \(([^)]+)\)", text):
        record = content.rpartition(" of ")[2] if content.startswith("a list of ") else ""
        for name in keys(lead):
            inner[name] = RECORDS[record] if record else keys(content)
    outer = keys(re.sub(r" \([^)]+\)", "", text))
    first = text.split()[0]
    return [*RECORDS.get(first, ()), *outer], inner


def inner_keys(value: Any) -> list[str]:
    return list(value[0] if isinstance(value, list) else value)


@pytest.mark.parametrize(("line", "said"), ROWS, ids=[line for line, _ in ROWS])
def test_a_command_has_the_documented_keys(
    line: str, said: str, store: SqlStore, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [WORDS.get(word, word) for word in line.split()]
    assert execute([*words, "--json"]) in (0, 6)
    document = json.loads(capsys.readouterr().out)
    outer, inner = documented(said)
    assert sorted(document) == sorted(outer)
    for name, expected in inner.items():
        if document[name]:
            assert sorted(inner_keys(document[name])) == sorted(expected), name
