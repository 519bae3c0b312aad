"""`projrun sync`: what waits is delivered or named, with the reason."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from projrun.cache.lease import Lease, Mark
from projrun.cli.execution import execute
from projrun.journal.journal import Journal
from projrun.tracking.entities import Param, Run, Tag
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.uri import parse_tracking_uri
from tests.support.stores import new_store
from tests.tracking.loopback import closed_port

ORIGIN_ID = "5" * 32


class Bench:
    """A home folder in which the records of runs wait."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.active = folder / "home" / "active"
        self.uri = f"sqlite:///{folder / 'store.db'}"
        self.store = SqlStore.open(new_store(folder / "store.db"))
        self._capsys = capsys

    def waiting(self, origin_id: str, uri: str, run: Run) -> Lease:
        """A run that ended while its store was away."""
        store = parse_tracking_uri(uri).shown
        mark = Mark(
            run.run_id, store, "FAILED", "exit code 3", 3, 9, origin_id=origin_id, run_name=run.run_name
        )
        lease = Lease(self.active / origin_id, mark)
        with Journal(lease.folder) as journal:
            journal.hold(run, params=[Param("alpha", "1")], tags=[Tag("late", "yes"), Tag("later", "yes")])
            file = lease.folder / "file"
            file.write_bytes(bytes(2000))
            journal.hold_artifact(run, file, "logs/output.log")
        return lease

    def sync(self, *words: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        code = execute(["sync", *words])
        return code, *self._capsys.readouterr()

    def json(self, *words: str) -> tuple[int, Any]:
        """Exit code and the document."""
        code, out, _ = self.sync(*words, "--json")
        return code, json.loads(out)


@pytest.fixture
def bench(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Bench]:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    made = Bench(tmp_path, capsys)
    with closing(made.store):
        yield made


def made(bench: Bench) -> Run:
    return bench.store.create_run("0", start_time=1)


@pytest.fixture
def run(bench: Bench) -> Run:
    return bench.store.create_run("0", run_name="calm-otter", start_time=1)


def test_what_was_delivered_is_said_once(bench: Bench, run: Run) -> None:
    bench.waiting(ORIGIN_ID, bench.uri, run).release(keep=True)
    code, out, _ = bench.sync()
    assert (code, out) == (
        0,
        f"delivered run calm-otter ({run.run_id}): 1 param, 2 tags, 1 artifact (2 kB)\n",
    )
    found = bench.store.get_run(run.run_id)
    assert (found.status, found.tag("late"), found.params) == ("FAILED", "yes", (Param("alpha", "1"),))
    assert bench.sync() == (0, "", "nothing waits\n")
    assert bench.sync("3f2a", "81c0") == (0, "", "nothing of run 3f2a, 81c0 waits\n")


def test_json_names_all_of_it(bench: Bench, run: Run) -> None:
    bench.waiting(ORIGIN_ID, bench.uri, run).release(keep=True)
    code, document = bench.json("555")
    identity = {
        "run_id": run.run_id, "origin_id": ORIGIN_ID, "run_name": "calm-otter", "tracking_uri": bench.uri,
    }  # fmt: skip
    counts = {"params": 1, "metrics": 0, "tags": 2, "artifacts": 1, "bytes": 2000, "refused": []}
    assert code == 0
    assert document == {
        "delivered": [{**identity, **counts, "run_ids": {run.run_id: run.run_id}}],
        "waiting": [],
        "logged": [],
    }


def test_a_server_that_is_away_keeps_only_its_own_runs(bench: Bench, run: Run) -> None:
    with closed_port() as away:
        for number in "67":
            bench.waiting(number * 32, away, run._replace(run_id=number * 32)).release(keep=True)
        bench.waiting(ORIGIN_ID, bench.uri, run).release(keep=True)
        code, document = bench.json()
        assert code == 5
        assert [one["run_id"] for one in document["delivered"]] == [run.run_id]
        assert [one["tracking_uri"] for one in document["waiting"]] == [away, away]
        assert "cannot be reached" in document["waiting"][0]["reason"]
        code, out, _ = bench.sync()
        assert code == 5
        assert out.startswith(f"waits: run calm-otter ({'6' * 32}) for {away}: the tracking server")
        assert bench.sync("--tracking-uri", bench.uri) == (0, "", "nothing waits\n")
        assert len(list(bench.active.iterdir())) == 2


def test_one_run_is_chosen_by_either_id(bench: Bench, run: Run) -> None:
    other = bench.store.create_run("0", start_time=1)
    bench.waiting(ORIGIN_ID, bench.uri, run).release(keep=True)
    bench.waiting("6" * 32, bench.uri, other).release(keep=True)
    assert [one["run_id"] for one in bench.json(other.run_id)[1]["delivered"]] == [other.run_id]
    assert [one["run_id"] for one in bench.json(ORIGIN_ID)[1]["delivered"]] == [run.run_id]


def test_an_active_run_delivers_itself(bench: Bench, run: Run) -> None:
    lease = bench.waiting(ORIGIN_ID, bench.uri, run)
    assert bench.sync() == (0, "", "nothing waits\n")
    code, out, _ = bench.sync(run.run_id)
    assert (code, out) == (
        5,
        f"waits: run calm-otter ({run.run_id}) is active and delivers its record itself\n",
    )
    lease.release()


def test_a_run_whose_lease_is_damaged_is_named(bench: Bench) -> None:
    lease = bench.waiting(ORIGIN_ID, bench.uri, bench.store.create_run("0", start_time=1))
    file = lease.folder / "run.json"
    lease.release(keep=True)
    file.write_text("")
    os.utime(file, (1, 1))
    assert bench.sync()[:2] == (5, f"waits: run {ORIGIN_ID}: {file} is damaged\n")
    assert (lease.folder / "journal.db").exists()


def test_what_is_discarded_is_gone_and_the_rest_waits(bench: Bench) -> None:
    kept, given_up = (bench.waiting(origin, bench.uri, made(bench)) for origin in ("a6" * 16, "a7" * 16))
    for lease in (kept, given_up):
        lease.release(keep=True)
    damaged = given_up.folder / "run.json"
    damaged.write_text("")
    os.utime(damaged, (1, 1))
    assert bench.sync("--discard")[0] == 2
    assert bench.sync("--discard", "none")[::2] == (0, "nothing of run none waits\n")
    code, _, err = bench.sync("--discard", "a")
    assert (code, "'a' is ambiguous" in err) == (2, True)
    assert bench.sync("--discard", "a7" * 16) == (0, f"discarded what waited of run {'a7' * 16}\n", "")
    assert (kept.folder.exists(), given_up.folder.exists()) == (True, False)
    code, document = bench.json("--discard", "a6" * 16)
    assert (code, [run["origin_id"] for run in document["discarded"]]) == (0, ["a6" * 16])
    assert list(bench.active.iterdir()) == []


def test_what_a_process_holds_is_not_discarded(bench: Bench) -> None:
    lease = bench.waiting(ORIGIN_ID, bench.uri, made(bench))
    code, out, _ = bench.sync("--discard", ORIGIN_ID)
    assert (code, out.startswith("waits: run ")) == (5, True)
    assert lease.folder.exists()
    lease.release()


def test_what_another_process_delivers_waits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with_lease = bench.waiting(ORIGIN_ID, bench.uri, bench.store.create_run("0", start_time=1))
    monkeypatch.setattr("projrun.running.record.outbox.is_held", lambda folder: False)  # a moment before
    code, out, _ = bench.sync()
    assert (code, "another process delivers it" in out) == (5, True)
    with_lease.release()
