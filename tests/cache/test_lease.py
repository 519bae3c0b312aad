"""The mark of an active run: held while its runner lives, found when it died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from projrun.cache.lease import Lease, Mark, lease_of, new_origin_id
from projrun.cache.locks import is_locked
from projrun.cache.lost_leases import abandoned, damaged, take_over

HOLD = """
import sys, time
from pathlib import Path
from projrun.cache.lease import Lease, Mark
lease = Lease(Path(sys.argv[1]), Mark("r1", "store"))
print("held", flush=True)
time.sleep(60)
"""


def mark(run_id: str = "r1", store: str = "store") -> Mark:
    return Mark(run_id, store)


def test_a_released_lease_leaves_nothing(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "r1", mark())
    lease.log_file.write_bytes(b"output")
    lease.release()
    assert list(tmp_path.iterdir()) == []


def test_a_lease_that_is_held_is_not_abandoned_and_not_taken_twice(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "r1", mark())
    assert list(abandoned(tmp_path, "store")) == []
    with pytest.raises(BlockingIOError, match="r1"):
        Lease(tmp_path / "r1", mark())
    lease.release()


def test_a_killed_runners_lease_is_found_by_the_store_that_it_records_in(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "r1")], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    with holder:
        assert holder.stdout.readline() == "held\n"
        assert list(abandoned(tmp_path, "store")) == []
        holder.kill()
    assert list(abandoned(tmp_path, "another store")) == []
    (lease,) = abandoned(tmp_path, "store")
    assert lease.mark == mark()
    lease.release()
    assert list(abandoned(tmp_path, "store")) == []


def test_an_end_that_was_not_delivered_is_kept_for_the_next_command(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "r1", mark())
    ended = mark()._replace(status="FAILED", reason="exit code 3", exit_code=3, end_time=7)
    lease.note(ended)
    lease.release(keep=True)
    (found,) = abandoned(tmp_path, "store")
    assert found.mark == ended
    found.release()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"other": 1}'])
def test_a_folder_that_is_not_ours_is_passed_over(tmp_path: Path, content: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "run.json").write_text(content)
    (tmp_path / "y.parameters.json").write_text("{}")
    assert list(abandoned(tmp_path, "store")) == []


def test_no_folder_means_no_leases(tmp_path: Path) -> None:
    assert list(abandoned(tmp_path / "missing", "store")) == []


def test_what_a_run_left_beside_its_output_goes_too(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "r1", mark())
    (lease.scratch / "requirements.lock.txt").write_text("numpy==2.0\n")
    (lease.folder / "surprise").touch()
    lease.release()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_ends_while_it_is_looked_at_is_not_lost(tmp_path: Path) -> None:
    Lease(tmp_path / "r1", mark("r1")).release(keep=True)
    second = Lease(tmp_path / "r2", mark("r2"))
    found = abandoned(tmp_path, "store")
    next(found).release()
    second.release()
    assert list(found) == []
    assert take_over(tmp_path / "r2") is None
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_removed_before_it_could_be_locked_is_no_lease(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "r1", mark())
    with (tmp_path / "r1" / "run.json").open("r+") as opened_before:
        lease.release()
        assert os.fstat(opened_before.fileno()).st_nlink == 0
    assert take_over(tmp_path / "r1") is None
    assert not (tmp_path / "r1").exists()


def test_the_end_is_read_after_the_lock_is_taken(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "r1", mark())
    ended = mark()._replace(status="FAILED", reason="x", exit_code=1, end_time=7)
    lease.note(ended)
    lease.note(mark())
    lease.release(keep=True)
    taken = take_over(tmp_path / "r1")
    assert taken is not None
    assert taken.mark == mark()  # shorter than what was written before it
    taken.release()


def test_a_lease_is_found_by_the_stores_id_of_its_run(tmp_path: Path) -> None:
    origin = new_origin_id()
    assert len(origin) == 32
    assert origin != new_origin_id()
    lease = Lease(tmp_path / origin, Mark("", "store", origin_id=origin))
    assert lease_of(tmp_path, "r1") is None
    lease.note(lease.mark._replace(run_id="r1"))
    assert lease_of(tmp_path, "r1") == tmp_path / origin
    lease.release()
    assert lease_of(tmp_path, "r1") is None


def test_whoever_reads_a_mark_while_it_changes_finds_one(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "r1", mark()._replace(reason="x" * 500))
    lease.note(mark())
    assert lease_of(tmp_path, "r1") is not None
    lease.note(mark()._replace(reason="x" * 5000))
    assert lease_of(tmp_path, "r1") is not None
    lease.release()


ADOPT = """
import sys
from pathlib import Path
from projrun.cache.lost_leases import adopt
lease = adopt(Path(sys.argv[1]), int(sys.argv[2]))
assert lease is not None and adopt(Path(sys.argv[1]), 0) is None
print("adopted", flush=True)
sys.stdin.read()
lease.release()
"""


@pytest.mark.processes
def test_a_lease_passes_to_another_process_and_is_held_at_every_moment(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "r1", mark())
    argv = [sys.executable, "-c", ADOPT, str(lease.folder), str(lease.descriptor)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, pass_fds=[lease.descriptor]) as other:
        lease.release(keep=True)
        assert is_locked(tmp_path / "r1" / "run.json")
        assert other.stdout is not None
        assert other.stdout.readline() == "adopted\n"
        assert list(abandoned(tmp_path, "store")) == []
    assert other.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_output_that_no_store_takes_is_moved_where_it_stays(tmp_path: Path) -> None:
    lease = Lease(tmp_path / "active" / "r1", mark())
    lease.log_file.write_bytes(b"output")
    kept = lease.keep_log(tmp_path / "logs")
    assert kept.read_bytes() == b"output"
    lease.log_file.write_bytes(b"of another attempt")
    assert lease.keep_log(tmp_path / "logs", ".2.log") != kept
    lease.release()
    assert kept.read_bytes() == b"output"


REMOVE = """
import os, shutil, signal, sys
from pathlib import Path
from projrun.cache.lease import Lease, Mark
lease = Lease(Path(sys.argv[1]), Mark("r1", "store"))
for folder in ("artifacts/a", "scratch"):
    (lease.folder / folder).mkdir(parents=True)
    (lease.folder / folder / "file").touch()
shutil.rmtree = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
lease.release()
"""


def test_a_runner_that_is_killed_while_it_removes_its_lease_leaves_one_that_is_found(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", REMOVE, str(tmp_path / "r1")], check=False)
    assert done.returncode == -signal.SIGKILL
    (lease,) = abandoned(tmp_path, "store")
    lease.release()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", '{"run_id": "r1", "st', "\0" * 300])
def test_a_lease_that_cannot_be_read_is_found(tmp_path: Path, text: str) -> None:
    lease = Lease(tmp_path / "r1", mark())
    lease.log_file.write_bytes(b"output")
    (tmp_path / "r1" / "run.json").write_text(text)
    assert damaged(tmp_path) == []  # held
    lease.release(keep=True)
    assert damaged(tmp_path) == [tmp_path / "r1"]


@pytest.mark.parametrize("files", [(), ("run.json",)])
def test_a_lease_of_a_runner_that_was_killed_at_once_is_removed(
    tmp_path: Path, files: tuple[str, ...]
) -> None:
    (tmp_path / "r1").mkdir()
    for name in files:
        (tmp_path / "r1" / name).touch()
    assert damaged(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_a_lease_that_is_being_made_is_not_lost_to_a_command_that_looks_for_dead_ones(tmp_path: Path) -> None:
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            assert damaged(tmp_path) == []

    with ThreadPoolExecutor(1) as beside:
        looking = beside.submit(look)
        try:
            for number in range(300):
                lease = Lease(tmp_path / f"r{number}", mark())
                assert lease_of(tmp_path, "r1") == lease.folder
                lease.release()
        finally:
            over.set()
        looking.result()
