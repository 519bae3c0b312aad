"""A run's record is read once, and doubted."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.running.rerun.record import read_record
from tests.running.rerun.records import COMMIT, recorded


def test_what_is_read() -> None:
    record = read_record(
        recorded(
            {"alpha": "1", "long": "x", "logged": "by the script"},
            projrun__parameters='["long", "alpha"]',
            projrun__param__long__truncated="9000",
            projrun__env_manager="uv",
            mlflow__project__env="virtualenv",
            projrun__source__dirty="true",
            projrun__source__patch="complete",
            projrun__caller_directory="/home/ann",
            projrun__limits='{"timeout": "30m", "backend": "other"}',
        )
    )
    assert (record.entry_point, record.commit, record.experiment_id) == ("main", COMMIT, "7")
    assert record.given == ("long", "alpha")
    assert record.truncated == {"long"}
    assert record.manager == "uv"
    assert record.limits == {"timeout": "30m"}
    assert (record.dirty, record.patch) == (True, "complete")
    assert record.caller_directory == Path("/home/ann")
    assert record.shown == f"run quiet-owl ({'4f' * 16})"


def test_a_record_of_mlflow_says_less() -> None:
    record = read_record(
        recorded({"a": "1"}, projrun__version=None, projrun__parameters=None, mlflow__project__env="conda")
    )
    assert (record.version, record.given, record.manager) == (None, None, "conda")


def test_a_deleted_run() -> None:
    with pytest.raises(RequestError, match="was deleted"):
        read_record(recorded()._replace(lifecycle_stage="deleted"))


@pytest.mark.parametrize("tag", ["mlflow__project__entryPoint", "mlflow__source__name"])
def test_a_run_of_no_project(tag: str) -> None:
    with pytest.raises(RequestError, match="not a project run"):
        read_record(recorded(**{tag: None}))


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("mlflow__source__git__commit", "main"),
        ("mlflow__source__git__commit", "--upload-pack=touch /tmp/x"),
        ("mlflow__source__git__commit", COMMIT[:7]),
        ("projrun__source__archive", "sha256:../../x"),
        ("projrun__limits", "[]"),
        ("projrun__limits", '{"timeout": 5}'),
        ("projrun__source__archive", "main"),
        ("projrun__parameters", "{"),
        ("projrun__parameters", '{"alpha": 1}'),
        ("projrun__parameters", "[1]"),
        ("projrun__parameters", "[" * 100_000),
    ],
)
def test_tags_that_projrun_never_records_are_refused(tag: str, value: str) -> None:
    with pytest.raises(RequestError, match=tag.replace("__", ".")):
        read_record(recorded(**{tag: value}))


def test_a_runs_name_makes_no_line_of_its_own() -> None:
    named = recorded()._replace(run_name="owl\nprojrun: error: none")
    assert read_record(named).shown == f"run owl projrun: error: none ({named.run_id})"
    with pytest.raises(RequestError) as raised:
        read_record(named._replace(lifecycle_stage="deleted"))
    assert "\n" not in raised.value.message


def test_a_relative_caller_directory_is_not_looked_at() -> None:
    assert read_record(recorded(projrun__caller_directory="elsewhere")).caller_directory is None
