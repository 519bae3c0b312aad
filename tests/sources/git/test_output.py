from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from projrun.sources.git.output import GitOutput
from projrun.sources.git.work_tree import GitFailure


def started(tmp_path: Path, script: str, *, limit: int = 1000, timeout: float = 30) -> GitOutput:
    """A `git` that is this shell script."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    environ = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    return GitOutput(tmp_path, ["words"], environ, limit=limit, timeout=timeout)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").is_dir() else True


def test_all_that_it_prints(tmp_path: Path) -> None:
    with started(tmp_path, 'echo "$@"; echo warning >&2') as output:
        assert output.read() == (f"-C {tmp_path} words\n".encode(), True)


def test_no_more_than_the_limit(tmp_path: Path) -> None:
    with started(tmp_path, "exec yes", limit=5) as output:
        assert output.read() == (b"y\ny\ny", False)
    with started(tmp_path, "printf 12345", limit=5) as output:
        assert output.read() == (b"12345", True)


def test_its_own_words_when_it_fails(tmp_path: Path) -> None:
    with (
        started(tmp_path, "echo some; echo 'hint: x' >&2; echo 'fatal: no' >&2; exit 128") as output,
        pytest.raises(GitFailure, match=r"^fatal: no$"),
    ):
        output.read()


def test_much_talk_does_not_stop_it(tmp_path: Path) -> None:
    with started(tmp_path, "yes | head -c 300000 >&2; echo done") as output:
        assert output.read() == (b"done\n", True)


def test_what_takes_too_long_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    with (
        started(tmp_path, f"sleep 60 & echo $! > {tmp_path}/pid; wait", timeout=0.5) as output,
        pytest.raises(GitFailure, match="took longer than"),
    ):
        output.read()
    assert time.monotonic() - began < 20
    pid = int((tmp_path / "pid").read_text())
    for _ in range(100):
        if not is_alive(pid):
            break
        time.sleep(0.05)
    assert not is_alive(pid)


def test_no_process_is_left_when_nobody_reads(tmp_path: Path) -> None:
    began = time.monotonic()
    with started(tmp_path, "exec sleep 60"):
        pass
    assert time.monotonic() - began < 20


def test_git_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(GitFailure, match="cannot be started"):
        GitOutput(tmp_path, [], {"PATH": str(tmp_path)}, limit=1, timeout=1)
