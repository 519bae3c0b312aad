"""The mark of an active run: held while its runner lives, found when it died."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from projrun.lease import Lease, Mark, abandoned

HOLD = """
import sys, time
from pathlib import Path
from projrun.lease import Lease, Mark
lease = Lease(Path(sys.argv[1]), Mark("r1", "store", "mlflow-artifacts:/0/r1/artifacts"))
print("held", flush=True)
time.sleep(60)
"""


def mark(run_id: str = "r1", store: str = "store") -> Mark:
    return Mark(run_id, store, "mlflow-artifacts:/0/r1/artifacts")


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
    lease.end(ended)
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
