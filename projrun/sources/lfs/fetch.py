"""The files that a repository keeps in Git LFS: fetched with git-lfs, and put in place of their pointers.

git-lfs fetches; where from is decided here, since `.lfsconfig` is hostile input. The addresses that the LFS server
gives for the files themselves are followed, as in git-lfs: each file is identified by its hash.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from projrun.credentials import redact_uri
from projrun.directories import make_private
from projrun.errors import SourceError
from projrun.sources.address import read_address
from projrun.sources.copies.reflinks import clone_contents
from projrun.sources.git.access import access_to
from projrun.sources.git.failures import failure
from projrun.sources.git.local_repository import LocalRepository
from projrun.sources.git.process import Git, GitError
from projrun.sources.git.tree_path import inside
from projrun.sources.lfs.choice import skips_lfs
from projrun.sources.lfs.credentials import ASK_ONCE, ask_once
from projrun.sources.policy import TrustPolicy, place_of

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?P<extensions>(?:ext-[^\n]*\n)*)"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>\d+)\n?"
)
_LONGEST_POINTER = 1024
"""Bytes (git-lfs' specification)."""
_REMOTE_PROTOCOLS = ("https", "http", "ssh")
_PIECE = 1 << 20
"""Bytes."""
_POINTERS = "set GIT_LFS_SKIP_SMUDGE=1 to run with pointers in place of the files"
_AT_ONCE = 500
"""Paths on one command line."""


class _Pointer(NamedTuple):
    """A file of the tree that stands for one stored elsewhere."""

    path: str
    file: Path
    oid: str


def fetch_lfs_files(
    git: Git, tree: Path, location: str, policy: TrustPolicy, storage: Path, *, offline: bool = False
) -> None:
    """Put the files in place that the checkout in `tree`, at `git`'s HEAD, has in Git LFS.

    `location` is the repository's own address, with its credentials; `storage` keeps what was fetched. What
    `.lfsconfig` excludes stays a pointer, as does everything with GIT_LFS_SKIP_SMUDGE. Raises SourceError for an LFS
    server that is refused or may not be asked now, and where fetching failed.
    """
    if skips_lfs(git.caller_environ):
        return
    pointers = list(_pointers(git, tree))
    if not pointers:
        return
    local = LocalRepository.at(location)
    stores = [storage, *([] if local is None else [local.git_folder / "lfs"])]
    if any(_kept(pointer, stores) is None for pointer in pointers):
        server = _server(git, tree, location, local)
        shown = f"the Git LFS files of {redact_uri(location)}"
        _check(server, local, policy, shown, offline=offline)
        _fetch(git, tree, server, storage, shown)
    replaced = [pointer for pointer in pointers if _replace(pointer, stores)]
    _remember_state(git, tree, storage, [pointer.path for pointer in replaced])


def _pointers(git: Git, tree: Path) -> Iterator[_Pointer]:
    listed = git.run("--no-literal-pathspecs", "ls-files", "-z", "--", ":(attr:filter=lfs)").split("\0")
    for path in filter(None, listed):
        file = inside(tree, path)
        if file is None or not file.is_file() or file.stat().st_size > _LONGEST_POINTER:
            continue
        match = _POINTER.fullmatch(file.read_bytes())
        if match is not None and match["extensions"]:
            raise SourceError(f"{path} uses a Git LFS extension, which projrun does not support")
        if match is not None:
            yield _Pointer(path, file, match["oid"].decode())


def _fetch(git: Git, tree: Path, server: str, storage: Path, shown: str) -> None:
    if shutil.which("git-lfs", path=git.environ.get("PATH")) is None:
        raise SourceError(
            f"could not fetch {shown}: git-lfs is not installed",
            hint=f"install git-lfs, or {_POINTERS}",
        )
    access = access_to(server, git.caller_environ)
    settings = (
        ("lfs.url", access.url),  # takes precedence over `.lfsconfig`
        ("lfs.storage", str(storage)),
        *ASK_ONCE,
    )
    fetching = Git(
        git.git_directory,
        git.caller_environ,
        work_tree=tree,
        access=access,
        protocols=":".join((*_REMOTE_PROTOCOLS, "file")),
        settings=settings,
    )
    refusals = storage / f"refusals-{os.urandom(4).hex()}"
    make_private(refusals)
    ask_once(fetching, refusals)
    config = git.git_directory / "config"
    before = config.read_bytes()  # a checkout must not keep what git-lfs learns about its servers
    try:
        fetching.run("lfs", "fetch", "origin", "HEAD")
    except GitError as error:
        reached = Git(git.git_directory, git.caller_environ, access=access)
        raise failure(shown, reached, str(error)) from None
    finally:
        shutil.rmtree(refusals, ignore_errors=True)
        config.write_bytes(before)


def _server(git: Git, tree: Path, location: str, local: LocalRepository | None) -> str:
    """The address of the LFS server: what is configured, else what belongs to the repository's own address."""
    for source in ((), ("--file", str(tree / ".lfsconfig"), "--no-includes")):
        for key in ("lfs.url", "remote.origin.lfsurl"):
            with suppress(GitError):
                found = git.run("config", *source, "--get", key).removesuffix("\n")
                return _with_credentials(found, location)
    if local is not None:
        location = local.remote(git) or location
    return _default_server(location)


def _with_credentials(server: str, location: str) -> str:
    """With those of the repository's own address, where it is the same server and none are given."""
    theirs, mine = read_address(server), read_address(location)
    same = theirs.protocol in ("http", "https") and theirs[:3] == mine[:3]
    scheme, mark, rest = server.partition("://")
    user, at, _ = location.partition("://")[2].partition("/")[0].rpartition("@")
    return f"{scheme}{mark}{user}{at}{rest}" if same and "@" not in rest.partition("/")[0] else server


def _default_server(location: str) -> str:
    """By git-lfs' rule (its documentation, "Server Discovery")."""
    address = read_address(location)
    if address.protocol not in ("http", "https", "git"):
        return location
    base = location.partition("?")[0].rstrip("/")
    if address.protocol == "git":
        base = f"https://{address.host}{address.path.partition('?')[0].rstrip('/')}"
    return (base if base.endswith(".git") else f"{base}.git") + "/info/lfs"


def _check(
    server: str, local: LocalRepository | None, policy: TrustPolicy, shown: str, *, offline: bool
) -> None:
    protocol, host = place_of(server)
    if protocol not in _REMOTE_PROTOCOLS and not (protocol == "file" and local is not None):
        raise SourceError(
            f"the Git LFS server {redact_uri(server)!r} is refused: it is not an https:// or ssh:// address",
            hint=_POINTERS,
        )
    policy.check_place(protocol, host)
    if offline and protocol != "file":
        raise SourceError(
            f"{shown} are not cached, and --offline contacts no server",
            hint=f"run once without --offline, or {_POINTERS}",
        )


def _kept(pointer: _Pointer, stores: list[Path]) -> Path | None:
    oid = pointer.oid
    files = [store / "objects" / oid[:2] / oid[2:4] / oid for store in stores]
    return next((file for file in files if file.is_file()), None)


def _replace(pointer: _Pointer, stores: list[Path]) -> bool:
    """Put the file in the place of its pointer; False where it was not fetched, since `.lfsconfig` excludes it."""
    source = _kept(pointer, stores)
    if source is None:
        return False
    status = pointer.file.stat()
    beside = pointer.file.with_name(f"{pointer.file.name}.{os.urandom(4).hex()}")
    with source.open("rb") as reading, beside.open("xb") as writing:
        hashed = hashlib.sha256()
        while piece := reading.read(_PIECE):
            hashed.update(piece)
        if hashed.hexdigest() != pointer.oid:
            raise SourceError(f"{source} is damaged", hint="remove it, and it is fetched again")
        if not clone_contents(reading.fileno(), writing.fileno()):
            reading.seek(0)
            shutil.copyfileobj(reading, writing, _PIECE)
    beside.chmod(status.st_mode & 0o777)
    # Older than git's index, which then needs no look into the file to know that it did not change.
    past = status.st_mtime_ns - 2_000_000_000
    os.utime(beside, ns=(past, past))
    beside.replace(pointer.file)
    return True


def _remember_state(git: Git, tree: Path, storage: Path, paths: list[str]) -> None:
    """Let git's index know the files as they are now: none has changed since the commit."""
    settings = (
        ("filter.lfs.process", "git-lfs filter-process"),
        ("filter.lfs.required", "true"),
        ("lfs.storage", str(storage)),
    )
    knowing = Git(git.git_directory, git.caller_environ, work_tree=tree, settings=settings)
    for first in range(0, len(paths), _AT_ONCE):
        with suppress(GitError):  # no git-lfs: it was all in the cache; such files look changed then
            knowing.run("update-index", "--", *paths[first : first + _AT_ONCE])
