"""Hostile sources, by the command line: each is refused in words that help, and none of them runs anything."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.sources.git_servers import GitServer, git, serving
from tests.support.projects import write_project
from tests.support.source_bench import Person

pytestmark = pytest.mark.integration

RUNS = "entry_points: {main: {command: 'echo ran'}}\n"
TOUCHES = "entry_points: {main: {command: 'touch \"$MARKER\"'}}\n"


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    """What hostile sources try to make; nothing may have made it at the end."""
    file = tmp_path / "marker"
    yield file
    assert not file.exists(), "a hostile source ran a command"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    """A git server that has a good project, with a tag and links that lead out."""
    folder = write_project(tmp_path / "served" / "good", TOUCHES)
    (folder / "out").symlink_to("/")
    (folder / "beside").symlink_to("../..")
    (folder / "loop").symlink_to("loop")
    _commit_all(folder)
    server = GitServer(folder.parent, dict(os.environ))
    with serving(server):
        yield server


def _commit_all(folder: Path) -> str:
    git(folder, "init", "--quiet", environ=os.environ)
    git(folder, "add", "--all", environ=os.environ)
    git(folder, "commit", "--quiet", "-m", "all", environ=os.environ)
    git(folder, "tag", "v1", environ=os.environ)
    return git(folder, "rev-parse", "HEAD", environ=os.environ)


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("--upload-pack=touch {marker}", "starts with '-'"),
        ("-u touch {marker}", "starts with '-'"),
        ("-oProxyCommand=touch:o/r.git", "starts with '-'"),
        ("git@-oProxyCommand=touch:o/r.git", "has no host"),
        ("git@127.0.0.1:-oProxyCommand=touch {marker}", "starts with '-'"),
        ("ssh://-oProxyCommand=touch%20{marker}/o/r.git", "has no host"),
        ("ssh://-oProxyCommand=touch@127.0.0.1/o/r.git", "has no host"),
        ("ext::sh -c touch% {marker}", "'ext::'"),
        ("fd::7", "'fd::'"),
        ("https::ext::sh -c touch% {marker}", "'https:"),
        ("gopher://127.0.0.1/o/r.git", "'gopher'"),
        ("https://127.0.0.1/o\n/r.git", "control characters"),
        ("https://127.0.0.1/o\x1b[2J/r.git", "control characters"),
    ],
)
def test_an_uri(uri: str, said: str, marker: Path, person: Person) -> None:
    done = person.run(uri.format(marker=marker))
    assert (done.returncode, said in done.stderr) == (3, True), done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    "version",
    [
        "--upload-pack=touch {marker}",
        "-x",
        "../../../etc/passwd",
        "main..v1",
        "v1~1",
        "v1^{{commit}}",
        "main:refs/heads/other",
        "refs/heads/*",
        "@{{-1}}",
        "v1\x01",
        "v1\n",
        "",
    ],
)
def test_a_version(version: str, marker: Path, server: GitServer, person: Person) -> None:
    done = person.run(
        server.url("good/.git"), f"--version={version.format(marker=marker)}", MARKER=str(marker)
    )
    assert done.returncode == 2, done.stderr
    assert "is not the name of a branch, a tag or a commit" in done.stderr
    assert server.requests == []


@pytest.mark.parametrize(
    "subdirectory",
    ["/etc", "..", "../..", "x/../../..", "out", "out/etc", "beside", "loop", "C:/x", "x\\..\\..", "-x"],
)
def test_a_subfolder(subdirectory: str, marker: Path, server: GitServer, person: Person) -> None:
    done = person.run(f"{server.url('good/.git')}#{subdirectory}", MARKER=str(marker))
    assert done.returncode == 2, done.stderr
    # `#/etc` is the project's own folder `etc`, as in MLflow.
    assert subdirectory.removeprefix("/") in done.stderr or "\\\\" in done.stderr
    assert person.remaining_copies() == []


@pytest.mark.parametrize("url", ["ext::sh -c touch% {marker}", "-x", "--upload-pack=touch {marker}", "fd::3"])
def test_a_submodule(url: str, marker: Path, server: GitServer, person: Person) -> None:
    folder = write_project(server.root / "outer", RUNS)
    _commit_all(folder)
    (folder / ".gitmodules").write_text(
        f'[submodule "inner"]\n\tpath = inner\n\turl = "{url.format(marker=marker)}"\n'
    )
    inner = git(server.root / "good", "rev-parse", "HEAD", environ=os.environ)
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{inner},inner", environ=os.environ)
    git(folder, "add", ".gitmodules", environ=os.environ)
    git(folder, "commit", "--quiet", "-m", "submodule", environ=os.environ)
    done = person.run(server.url("outer/.git"))
    assert (done.returncode, "inner" in done.stderr) == (3, True), done.stderr
    assert "ran" not in done.stdout


@pytest.mark.parametrize("version", [[], ["--version", "v1"]])
@pytest.mark.parametrize("remote", [False, True])
def test_what_a_repository_would_run(
    version: list[str], remote: bool, marker: Path, server: GitServer, person: Person
) -> None:
    """Its configuration, hooks, file system monitor and filters: in a local folder, and in one that is served."""
    folder = write_project(server.root / "armed", RUNS)
    (folder / ".gitattributes").write_text("* filter=armed diff=armed\n")
    _commit_all(folder)
    _arm(folder, marker)
    done = person.run(server.url("armed/.git") if remote else folder, *version).check()
    assert "ran\n" in done.stdout


def test_what_a_repository_would_run_is_real(tmp_path: Path) -> None:
    """The test above could not fail if git itself ran nothing of it."""
    for number, words in enumerate((["status"], ["diff", "HEAD~0"], ["checkout", "--force", "v1"])):
        marker, folder = tmp_path / f"marker-{number}", write_project(tmp_path / f"armed-{number}", RUNS)
        (folder / ".gitattributes").write_text("* filter=armed diff=armed\n")
        _commit_all(folder)
        _arm(folder, marker)
        with suppress(subprocess.CalledProcessError):
            git(folder, *words, environ=os.environ)
        assert marker.exists(), words


def _arm(folder: Path, marker: Path) -> None:
    script = folder.parent / "armed.sh"
    script.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    script.chmod(0o755)
    for key in (
        *("core.fsmonitor", "core.sshCommand", "core.pager", "core.askPass", "diff.external"),
        *("filter.armed.smudge", "filter.armed.clean", "filter.armed.process"),
        *("diff.armed.command", "diff.armed.textconv", "uploadpack.packObjectsHook", "credential.helper"),
    ):
        git(folder, "config", key, str(script), environ=os.environ)
    for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        file = folder / ".git" / "hooks" / hook
        file.parent.mkdir(exist_ok=True)
        shutil.copy(script, file)


def test_a_redirect_to_another_host_gets_no_credentials(
    marker: Path, server: GitServer, person: Person
) -> None:
    thief = GitServer(server.root, dict(os.environ))
    thief.credentials = "me:other"
    server.redirect = f"http://localhost:{thief.server_address[1]}"
    with serving(thief):
        address = server.url("good/.git").replace("//", "//me:secret-word@")
        done = person.run(address, MARKER=str(marker))
    assert done.returncode == 3
    assert "secret-word" not in done.stderr
    assert thief.authorizations in ([], [None])


Members = Callable[[Path], None]


def _zip(*members: tuple[zipfile.ZipInfo, bytes]) -> Members:
    def write(file: Path) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("top/MLproject", TOUCHES)
            for info, content in members:
                archive.writestr(info, content, compress_type=zipfile.ZIP_DEFLATED)

    return write


def _tar(*members: tarfile.TarInfo) -> Members:
    def write(file: Path) -> None:
        project = tarfile.TarInfo("top/MLproject")
        project.size = len(TOUCHES)
        with tarfile.open(file, "w:gz") as archive:
            archive.addfile(project, io.BytesIO(TOUCHES.encode()))
            for member in members:
                archive.addfile(member, io.BytesIO(b"x" * member.size))

    return write


def _zip_link(target: str) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo("top/link")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info, target.encode()


def _tar_member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


ARCHIVES = {
    "climbs.zip": (_zip((zipfile.ZipInfo("top/../../climbed"), b"x")), "by '..'"),
    "absolute.zip": (_zip((zipfile.ZipInfo("/tmp/projrun-absolute"), b"x")), "absolute name"),
    "backslash.zip": (_zip((zipfile.ZipInfo("top\\..\\..\\climbed"), b"x")), "backslash"),
    "twice.zip": (_zip((zipfile.ZipInfo("top/a"), b"1"), (zipfile.ZipInfo("top/./a"), b"2")), "twice"),
    "link.zip": (_zip(_zip_link("../../..")), "leads out"),
    "bomb.zip": (_zip((zipfile.ZipInfo("top/zeros"), bytes(300_000_000))), "times its own size"),
    "climbs.tar.gz": (_tar(_tar_member("top/../../climbed")), "by '..'"),
    "absolute.tar.gz": (_tar(_tar_member("/tmp/projrun-absolute")), "absolute name"),
    "link.tar.gz": (_tar(_tar_member("top/link", tarfile.SYMTYPE, "/etc")), "leads out"),
    "hard-link.tar.gz": (_tar(_tar_member("top/link", tarfile.LNKTYPE, "../../../etc/passwd")), "leads out"),
    "device.tar.gz": (_tar(_tar_member("top/null", tarfile.CHRTYPE)), "not a file, folder or link"),
    "pipe.tar.gz": (_tar(_tar_member("top/pipe", tarfile.FIFOTYPE)), "not a file, folder or link"),
    "twice.tar.gz": (_tar(_tar_member("top/a"), _tar_member("top/a")), "twice"),
}


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive(name: str, marker: Path, tmp_path: Path, person: Person) -> None:
    file = tmp_path / name
    write, said = ARCHIVES[name]
    write(file)
    before = {entry.name for entry in tmp_path.iterdir()}
    done = person.run(file, MARKER=str(marker))
    assert done.returncode == 3, done.stderr
    assert f"{name} is refused" in done.stderr
    assert said in done.stderr
    assert person.complete_checkouts() == []
    assert {entry.name for entry in tmp_path.iterdir()} == before
    assert not list(person.cache.rglob("climbed"))
    assert not Path("/tmp/projrun-absolute").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("folder", ["checkouts", "repositories", "copies"])
def test_a_cache_that_somebody_else_owns(
    folder: str, marker: Path, server: GitServer, person: Person
) -> None:
    (person.cache / folder).mkdir(parents=True)
    os.chown(person.cache / folder, 1234, 1234)
    done = person.run(server.url("good/.git"), MARKER=str(marker))
    assert (done.returncode, folder in done.stderr) == (3, True), done.stderr
