"""Active runs by their leases: those whose runner lives, by id, prefix or `latest`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from projrun.cache.lease import Lease, Mark
from projrun.errors import RequestError
from projrun.running.record.active import active_runs, find_active

HERE = os.uname().nodename


@pytest.fixture
def active(tmp_path: Path) -> Iterator[Path]:
    """Runs ab1, ab2 (the newest of `store`), cd3 (of another store), and one whose runner is gone."""
    with ExitStack() as stack:
        for since, (run_id, store) in enumerate((("ab1", "store"), ("ab2", "store"), ("cd3", "other"))):
            lease = Lease(
                tmp_path / run_id,
                Mark(run_id, store, since=since, pid=os.getpid(), host=HERE, origin_id=f"o{run_id}"),
            )
            stack.callback(lease.release)
        Lease(tmp_path / "dead", Mark("dead", "store", since=9)).release(keep=True)
        (tmp_path / "request.json").write_text("{}")
        yield tmp_path


def test_only_runs_whose_runner_lives_newest_first(active: Path) -> None:
    assert [run.mark.run_id for run in active_runs(active)] == ["cd3", "ab2", "ab1"]
    assert all(run.is_here for run in active_runs(active))


def test_no_folder_means_no_runs(tmp_path: Path) -> None:
    assert active_runs(tmp_path / "missing") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ab1", "ab1"),
        ("c", "cd3"),
        ("oab2", "ab2"),
        ("ocd", "cd3"),
        ("latest", "ab2"),
        ("dead", None),
        ("x", None),
        ("", None),
    ],
)
def test_finding(active: Path, text: str, found: str | None) -> None:
    run = find_active(active, text, "store")
    assert (run and run.mark.run_id) == found


def test_a_whole_name_before_the_beginning_of_another_runs_id(active: Path) -> None:
    lease = Lease(active / "ef4", Mark("ef4", "store", run_name="ab1x", since=4, pid=os.getpid(), host=HERE))
    other = Lease(active / "ab1x5", Mark("ab1x5", "store", since=5, pid=os.getpid(), host=HERE))
    try:
        run = find_active(active, "ab1x", "store")
        assert run is not None
        assert run.mark.run_id == "ef4"
    finally:
        lease.release()
        other.release()


def test_a_prefix_of_several(active: Path) -> None:
    with pytest.raises(RequestError, match="'ab' is ambiguous"):
        find_active(active, "ab", "store")


def test_what_it_is_doing(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "r1", Mark("r1", "store"))
    assert active_runs(tmp_path)[0].doing == "preparing"
    lease.log_file.touch()
    assert active_runs(tmp_path)[0].doing == "running"
    lease.note(lease.mark._replace(status="FAILED"))
    assert active_runs(tmp_path)[0].doing == "recording"
    lease.release()


def test_a_runner_on_another_machine_is_not_here(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "r1", Mark("r1", "store", pid=os.getpid(), host="elsewhere"))
    assert not active_runs(tmp_path)[0].is_here
    lease.release()
