"""Submodules of a checkout, put in their folders without `git submodule`.

That command starts other git processes without our settings and the user's trust policy, and obeys
`.gitmodules`, which is hostile input. Here each one is fetched like a project.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from projrun.credentials import redact_uri
from projrun.errors import SourceError
from projrun.sources.address import read_address
from projrun.sources.copies.tree import copy_tree
from projrun.sources.git.local_repository import LocalRepository
from projrun.sources.git.process import Git, GitError
from projrun.sources.git.submodule_address import resolve_address
from projrun.sources.git.tree_path import inside
from projrun.sources.kinds import GIT_SCHEMES

FetchCommit = Callable[[str, str], Path]
"""From a repository's address and a full commit to the folder of its checkout, submodules and all."""

_GITLINK = "160000"
_MOST = 1000
"""Submodules in one checkout, each occurrence counted: ten in each of ten in each of ten … would fill any disk."""
_COUNT = "submodules"
"""The file beside a checkout that says how many it has, those of its submodules included."""
_KEYS = r"^submodule\..*\.(path|url|update)$"


class _Submodule(NamedTuple):
    """An entry of `.gitmodules`, none of it to be trusted."""

    name: str
    path: str
    url: str
    update: str


def add_submodules(git: Git, tree: Path, location: str, fetch_commit: FetchCommit) -> None:
    """Fill the folders of the submodules of a checkout in `tree`, whose index `git` reads.

    `location` is the repository's own address, with its credentials: relative addresses are relative to it. A commit
    that `.gitmodules` says nothing of leaves its folder empty, as in git. Raises SourceError, which names the
    submodule, for an address or a folder that is refused, for too many, and where `fetch_commit` does; OSError.
    """
    known = _read_gitmodules(git, tree, redact_uri(location))
    if not known:
        return
    origin = _Origin.of(git, location)
    count = 0
    for path, commit in _gitlinks(git):
        submodule = known.get(path)
        if submodule is not None and submodule.update != "none":
            try:
                place = _empty_folder(tree, path)
                checkout = fetch_commit(origin.address_of(git, submodule, commit), commit)
                count += 1 + _count_in(checkout)
                _check_count(count)
                _fill(place, checkout)
            except SourceError as error:
                message = f"submodule {path!r} of {redact_uri(location)}: {error.message}"
                raise SourceError(message, hint=error.hint, detail=error.detail) from None
    tree.with_name(_COUNT).write_text(str(count), encoding="ascii")


def _count_in(checkout: Path) -> int:
    file = checkout.with_name(_COUNT)
    return int(file.read_text(encoding="ascii")) if file.is_file() else 0


def _check_count(count: int) -> None:
    if count > _MOST:
        raise SourceError(f"is refused: more than {_MOST:,} submodules, nested ones included")


def _read_gitmodules(git: Git, tree: Path, shown: str) -> dict[str, _Submodule]:
    """What it says of each path."""
    file = tree / ".gitmodules"
    if file.is_symlink():
        raise SourceError(f"{shown}: .gitmodules is a symbolic link, which git does not follow either")
    if not file.is_file():
        return {}
    try:
        told = git.run("config", "--file", str(file), "--no-includes", "--null", "--get-regexp", _KEYS)
    except GitError as error:
        if str(error):
            reason = str(error).replace(str(file), file.name)
            raise SourceError(f"{shown}: .gitmodules cannot be read: {reason}") from None
        return {}  # it has no such key
    values: dict[str, dict[str, str]] = {}
    for item in told.split("\0"):
        key, _, value = item.partition("\n")
        name, _, variable = key.partition(".")[2].rpartition(".")
        values.setdefault(name, {})[variable] = value
    found = [_submodule(name, entry) for name, entry in values.items() if name]
    return {submodule.path: submodule for submodule in found if submodule.path and submodule.url}


def _submodule(name: str, entry: dict[str, str]) -> _Submodule:
    path = entry.get("path", "").rstrip("/")
    return _Submodule(name, path, entry.get("url", ""), entry.get("update", ""))


def _gitlinks(git: Git) -> list[tuple[str, str]]:
    """Path and commit of each."""
    entries = git.run("ls-files", "--stage", "-z").split("\0")
    links = [entry for entry in entries if entry.startswith(f"{_GITLINK} ")]
    return [(path, head.split(" ")[1]) for head, _, path in (entry.partition("\t") for entry in links)]


class _Origin(NamedTuple):
    """Where the repository came from that has the submodules."""

    base: str
    """The address that relative ones are relative to."""
    local: LocalRepository | None = None

    @classmethod
    def of(cls, git: Git, location: str) -> _Origin:
        local = LocalRepository.at(location)
        return cls(location) if local is None else cls(local.remote(git) or local.path.as_uri(), local)

    def address_of(self, git: Git, submodule: _Submodule, commit: str) -> str:
        """Where to fetch a submodule from. Raises SourceError for an address that is refused."""
        kept = self.local and self.local.submodule(git, submodule.name, commit)
        if kept is not None:
            return kept.as_uri()  # the user has it here, maybe not pushed yet
        url = resolve_address(submodule.url, self.base)
        protocol = read_address(url).protocol
        if protocol in GIT_SCHEMES:
            return url
        if protocol == "file" and self.local is not None:
            # Relative to the repository that has it, where `git submodule` runs, never to the caller's folder.
            return url if "://" in url else Path(os.path.normpath(self.local.path / url)).as_uri()
        what = "a folder of this machine" if protocol == "file" else f"{protocol}:, an unknown protocol"
        raise SourceError(f"{redact_uri(submodule.url)!r} is refused: it is {what}")


def _empty_folder(tree: Path, path: str) -> Path:
    """The folder that git made for a submodule. Raises SourceError for one outside of the tree, or with files in it."""
    place = inside(tree, path)
    if place is None:
        raise SourceError("its folder leads out of the checkout and is refused")
    if place.is_dir() and any(place.iterdir()):
        raise SourceError("its folder contains files of the checkout")
    return place


def _fill(place: Path, checkout: Path) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            place.rmdir()
        copy_tree(checkout, place)
    except OSError as error:
        raise SourceError(f"cannot copy it into {place}: {error.strerror}") from error
