"""What a run in a process of its own is told, and what other people's processes can see of it."""

from __future__ import annotations

import os
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import projrun
from tests.sources.git_servers import GitServer, file_server, git, make_repository, serving

PASSWORD = "s3cret-of-ada"
COMMAND = (
    "env > $WHERE/environment; cat data.txt > $WHERE/data; while test ! -e $WHERE/end; do sleep 0.02; done"
)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROJRUN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PROJRUN_ENV_MANAGER", "local")
    monkeypatch.setenv("WHERE", str(tmp_path))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A repository whose project waits in `examples/train` until a file `end` is there."""
    work = make_repository(tmp_path / "work", dict(os.environ))
    folder = work.path / "examples" / "train"
    (folder / "MLproject").write_text(
        f"name: waits\nentry_points:\n  main:\n    command: |\n      {COMMAND}\n"
    )
    (folder / "data.txt").write_text("planned")
    work.git("add", "--all")
    work.git("commit", "--quiet", "-m", "waits")
    return work.path


@pytest.fixture
def server(tmp_path: Path, work: Path) -> Iterator[GitServer]:
    """A git server with the repository as `owner/repo.git`, for whom has the password."""
    git(
        tmp_path,
        "clone",
        "--quiet",
        "--bare",
        str(work),
        str(tmp_path / "served/owner/repo.git"),
        environ=os.environ,
    )
    served = GitServer(tmp_path / "served", dict(os.environ))
    served.credentials = f"ada:{PASSWORD}"
    with serving(served):
        yield served


def waiting(uri: str, tmp_path: Path) -> projrun.SubmittedRun:
    """The submitted run of a project, which has begun."""
    run = projrun.run(uri, synchronous=False)
    deadline = time.monotonic() + 120
    while not (tmp_path / "data").exists() and run.get_status() == "RUNNING":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return run


def command_lines() -> list[str]:
    """The machine's process list."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return lines


def end(run: projrun.SubmittedRun, tmp_path: Path) -> None:
    """Let the project end; it ran what was planned."""
    (tmp_path / "end").touch()
    assert run.wait() is True
    assert (tmp_path / "data").read_text().strip() == "planned"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "address", ["owner/repo.git#examples/train", "owner/repo/-/tree/main/examples/train"]
)
def test_no_password_shows_in_the_process_list(server: GitServer, tmp_path: Path, address: str) -> None:
    uri = server.url(address).replace("http://", f"http://ada:{PASSWORD}@")
    run = waiting(uri, tmp_path)
    try:
        lines = command_lines()
        assert any(run.run_id in line and server.address in line for line in lines)
        assert not any(PASSWORD in line for line in {*lines, *server.command_lines})
    finally:
        end(run, tmp_path)
    assert PASSWORD not in (tmp_path / "environment").read_text()
    assert "PROJRUN_SUBMITTED" not in (tmp_path / "environment").read_text()


@pytest.mark.parametrize(
    "address", ["owner/repo.git#examples/train", "owner/repo/-/tree/main/examples/train"]
)
def test_a_branch_that_moves_is_not_asked_again(server: GitServer, tmp_path: Path, address: str) -> None:
    run = projrun.run(server.url(address).replace("http://", f"http://ada:{PASSWORD}@"), synchronous=False)
    asked = len(server.authorizations)
    end(run, tmp_path)
    assert len(server.authorizations) == asked


@pytest.mark.processes
def test_an_archive_that_changes_is_not_fetched_again(tmp_path: Path, work: Path) -> None:
    with zipfile.ZipFile(tmp_path / "project.zip", "w") as archive:
        for name in ("MLproject", "data.txt"):
            archive.write(work / "examples" / "train" / name, name)
    served = file_server(tmp_path)
    with serving(served):
        uri = f"http://127.0.0.1:{served.server_address[1]}/project.zip"
        run = projrun.run(uri, synchronous=False)
        (tmp_path / "project.zip").write_bytes(b"another")
        end(run, tmp_path)
