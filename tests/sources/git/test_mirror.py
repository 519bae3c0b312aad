from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from projrun.errors import SourceError
from projrun.sources.git.fetch import fetch_repository
from projrun.sources.git.mirror import Mirror, with_mirror
from projrun.sources.git.mirror_lock import mirror_lock
from projrun.sources.git.process import GitError
from projrun.sources.git.remote import Remote
from projrun.sources.options import FetchOptions
from tests.execution.supervision.support import eventually, is_running, process_state, read_pid
from tests.sources.git_servers import GitServer, Repository, git, make_repository


@pytest.fixture
def options(tmp_path: Path, environ: dict[str, str]) -> FetchOptions:
    """Fetching into a cache of the test's own."""
    return FetchOptions(tmp_path / "cache", environ, tmp_path, own_copy=False)


@pytest.fixture
def remote(server: GitServer, options: FetchOptions) -> Remote:
    """The served repository, of which the first commit was fetched."""
    remote = Remote(server.url("repository.git"), options)
    fetch_repository(remote.location, "v1", options)
    server.requests.clear()
    return remote


def mirror_of(remote: Remote) -> Path:
    return remote.folder / "sha1.git"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def pack(mirror: Path, suffix: str = "pack") -> Path:
    (file,) = mirror.glob(f"objects/pack/*.{suffix}")
    file.chmod(0o600)
    return file


def truncate(mirror: Path) -> None:
    """What a power failure does to the newest files."""
    os.truncate(pack(mirror), 40)


def empty_index(mirror: Path) -> None:
    pack(mirror, "idx").write_bytes(b"")


def flip(mirror: Path) -> None:
    """A disk that forgets, in the middle of a file's content."""
    content = bytearray(pack(mirror).read_bytes())
    content[len(content) // 2] ^= 0xFF
    pack(mirror).write_bytes(content)


def empty_reference(mirror: Path) -> None:
    (file,) = (mirror / "refs/projrun/commits").iterdir()
    file.write_bytes(b"")


def empty_configuration(mirror: Path) -> None:
    (mirror / "config").write_text("[core\n")


def no_objects(mirror: Path) -> None:
    for file in (mirror / "objects/pack").iterdir():
        file.unlink()


@pytest.mark.parametrize(
    "damage", [truncate, empty_index, flip, empty_reference, empty_configuration, no_objects]
)
@pytest.mark.parametrize("version", ["main", "feature", "v1"])
def test_a_damaged_mirror_is_fetched_anew(
    remote: Remote, repository: Repository, damage: Callable[[Path], None], version: str
) -> None:
    damage(mirror_of(remote))
    subprocess.run(["rm", "-r", str(remote.options.cache / "checkouts")], check=True)
    fetched = fetch_repository(remote.location, version, remote.options)
    expected = {"main": "third", "feature": "feature", "v1": "first"}[version]
    assert (fetched.tree / "data.txt").read_text() == expected
    assert git(fetched.tree, "fsck", "--strict", environ=repository.environ) == ""
    assert not list(remote.folder.glob("*.damaged"))
    fetch_repository(remote.location, repository.second, remote.options)  # and it goes on so


def test_a_server_that_is_down_costs_no_mirror(remote: Remote, server: GitServer) -> None:
    before = contents(mirror_of(remote))
    server.shutdown()
    server.server_close()
    with pytest.raises(SourceError, match="could not fetch"):
        fetch_repository(remote.location, "0" * 40, remote.options)
    assert contents(mirror_of(remote)) == before


def test_a_fault_elsewhere_costs_no_mirror(remote: Remote) -> None:
    """A server's strange answer is no reason to lose what is there: the new mirror had no more success."""
    before = contents(mirror_of(remote))
    seen: list[bool] = []

    def work(mirror: Mirror) -> None:
        seen.append((mirror.folder / "refs/projrun").exists())
        raise GitError("fatal: strange")

    with pytest.raises(SourceError, match="strange"):
        with_mirror(remote, 40, work)
    assert seen == [True, False]
    assert contents(mirror_of(remote)) == before


LEFT = ("shallow.lock", "config.lock", "HEAD.lock", "packed-refs.lock")


def test_what_a_killed_git_left_is_in_nobodys_way(remote: Remote, repository: Repository) -> None:
    mirror = mirror_of(remote)
    reference = f"refs/projrun/commits/{repository.third}"
    left = [
        mirror / name for name in (*LEFT, f"{reference}.lock", "objects/pack/tmp_pack_x", "objects/tmp_obj_x")
    ]
    left.append(mirror / "objects/pack/pack-1.keep")
    for file in left:
        file.write_text("left")
    (mirror / "objects/tmp_objdir-incoming-x").mkdir()
    branch = mirror / "refs/projrun/heads/tmp_branch.keep"
    branch.parent.mkdir()
    branch.write_text(repository.first)
    assert fetch_repository(remote.location, "main", remote.options).commit == repository.third
    assert [file for file in (*left, mirror / "objects/tmp_objdir-incoming-x") if file.exists()] == []
    assert branch.exists()


def test_a_repository_that_began_anew(
    remote: Remote, server: GitServer, environ: dict[str, str], tmp_path: Path
) -> None:
    """Nothing in common with what the mirror has."""
    other = make_repository(tmp_path / "other", {**environ, "GIT_AUTHOR_NAME": "somebody else"})
    subprocess.run(["rm", "-r", str(server.root / "repository.git")], check=True)
    git(tmp_path, "clone", "--quiet", "--bare", "other", str(server.root / "repository.git"), environ=environ)
    assert fetch_repository(remote.location, "main", remote.options).commit == other.third
    assert fetch_repository(remote.location, other.second[:6], remote.options).commit == other.second


def test_the_mirror_is_private_and_runs_nothing(remote: Remote, environ: dict[str, str]) -> None:
    mirror = mirror_of(remote)
    assert remote.folder.stat().st_mode & 0o777 == 0o700
    assert not (mirror / "hooks").exists()
    assert remote.location not in (mirror / "config").read_text()


def test_hashes_of_sha256(
    server: GitServer, options: FetchOptions, environ: dict[str, str], tmp_path: Path
) -> None:
    made = make_repository(tmp_path / "new", {**environ, "GIT_DEFAULT_HASH": "sha256"})
    git(tmp_path, "clone", "--quiet", "--bare", "new", str(server.root / "new.git"), environ=environ)
    for version in ("main", made.third, made.third[:7], made.second[:6]):
        fetched = fetch_repository(server.url("new.git"), version, options)
        assert fetched.commit == (made.second if version == made.second[:6] else made.third)
        assert len(git(fetched.tree, "rev-parse", "HEAD", environ=environ)) == 64


class TestOldServer:
    """It knows no protocol version 2, and gives out no commit by its hash."""

    @pytest.fixture(autouse=True)
    def _old(self, server: GitServer) -> None:
        server.protocol_2 = False

    def test_the_tip_of_a_branch_is_fetched_without_its_history(
        self, server: GitServer, options: FetchOptions, repository: Repository
    ) -> None:
        remote = Remote(server.url("repository.git"), options)
        for version in ("main", "v1"):
            fetch_repository(remote.location, version, options)
        known = git(mirror_of(remote), "rev-list", "--all", environ=repository.environ).split()
        assert set(known) == {repository.third, repository.first}

    def test_an_old_commit(self, server: GitServer, options: FetchOptions, repository: Repository) -> None:
        url = server.url("repository.git")
        fetch_repository(url, "main", options)  # the mirror is shallow now
        assert fetch_repository(url, repository.second, options).commit == repository.second
        assert fetch_repository(url, repository.feature[:6], options).commit == repository.feature

    def test_a_commit_that_is_not_there(self, server: GitServer, options: FetchOptions) -> None:
        with pytest.raises(SourceError, match="has no branch, tag or commit"):
            fetch_repository(server.url("repository.git"), "0" * 39 + "1", options)


def test_a_tag_of_something_else(remote: Remote, server: GitServer, repository: Repository) -> None:
    bare = server.root / "repository.git"
    git(bare, "tag", "text", "main:data.txt", environ=repository.environ)
    with pytest.raises(SourceError, match="commit of text") as raised:
        fetch_repository(remote.location, "text", remote.options)
    assert "no commit" in raised.value.message


RUNNER = """
import os, sys
from pathlib import Path
from projrun.sources.git.fetch import fetch_repository
from projrun.sources.options import FetchOptions
url, commit, cache = sys.argv[1:]
fetch_repository(url, commit, FetchOptions(Path(cache), os.environ, Path("/")))
"""


@pytest.mark.processes
def test_the_git_of_a_killed_runner_ends_before_others_get_the_lock(
    options: FetchOptions, tmp_path: Path
) -> None:
    ssh = tmp_path / "ssh"  # a server that is silent, and a helper that does not mind SIGTERM
    ssh.write_text("#!/bin/sh\ntrap '' TERM\necho $$ > \"$0.pid\"\nexec sleep 60\n")
    ssh.chmod(0o755)
    url, environ = "ssh://host.invalid/r.git", {**options.environ, "GIT_SSH": str(ssh)}
    argv = [sys.executable, "-c", RUNNER, url, "1" * 40, str(options.cache)]
    runner = subprocess.Popen(argv, env=environ)
    helper = read_pid(tmp_path / "ssh.pid")
    # The runner tells its guard of git when it has started it; then it waits for git.
    eventually(lambda: process_state(runner.pid) == "S", "the runner's waiting")
    runner.kill()
    runner.wait()
    assert is_running(helper)
    remote = Remote(url, options)
    with mirror_lock(remote.folder, remote.waiting):
        # From the last signal to the end, on a busy machine; the first one comes a second before it.
        eventually(lambda: not is_running(helper), "the end of the helper")


def test_who_waits_for_the_lock_says_so(options: FetchOptions) -> None:
    from contextlib import contextmanager
    from threading import Event, Thread

    told, entered = [], Event()

    @contextmanager
    def activity(text: str):  # type: ignore[no-untyped-def]
        told.append(text)
        yield

    remote = Remote("https://user:secret@host.invalid/r.git", options._replace(activity=activity))

    def enter() -> None:
        with mirror_lock(remote.folder, remote.waiting):
            entered.set()

    with mirror_lock(remote.folder, remote.waiting):
        thread = Thread(target=enter)
        thread.start()
        while not told:
            time.sleep(0.01)
        assert not entered.is_set()
    thread.join()
    assert entered.is_set()
    assert told == ["waiting for another process that fetches https://host.invalid/r.git"]


def test_what_does_not_fit_on_the_disk_takes_no_room(
    server: GitServer, repository: Repository, options: FetchOptions, tmp_path: Path
) -> None:
    (repository.path / "data.txt").write_bytes(os.urandom(300_000))
    repository.git("commit", "--quiet", "--all", "-m", "large")
    repository.git("push", "--quiet", str(server.root / "repository.git"), "main")
    program = tmp_path / "small" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ntrap "" XFSZ\nulimit -f 100\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o700)
    environ = {**options.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    url = server.url("repository.git")
    with pytest.raises(SourceError, match="File too large"):
        fetch_repository(url, None, options._replace(environ=environ))
    files = [file for file in options.cache.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 10_000
    assert fetch_repository(url, None, options).tree.is_dir()
