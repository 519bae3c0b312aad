"""Submodules of a checkout, put in their folders without `git submodule`.

That command starts other git processes that know nothing of our settings and of the user's trust policy, and obeys
`.gitmodules`, which is hostile input. Here each one is fetched as a project of its own would be.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from projrun.credentials import redact_uri
from projrun.errors import SourceError
from projrun.sources.address import read_address
from projrun.sources.git_process import Git, GitError
from projrun.sources.submodule_address import resolve_address
from projrun.sources.tree_copy import copy_tree
from projrun.sources.uri import GIT_SCHEMES

FetchCommit = Callable[[str, str], Path]
"""From a repository's address and a full commit to the folder of its checkout, submodules and all."""

_GITLINK = "160000"
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
    submodule, for an address or a folder that is refused, and where `fetch_commit` does.
    """
    known = _read_gitmodules(git, tree, redact_uri(location))
    if not known:
        return
    origin = _Origin.of(git, location)
    for path, commit in _gitlinks(git):
        submodule = known.get(path)
        if submodule is not None and submodule.update != "none":
            try:
                place = _empty_folder(tree, path)
                checkout = fetch_commit(origin.address_of(git, submodule, commit), commit)
                _fill(place, checkout)
            except SourceError as error:
                message = f"submodule {path!r} of {redact_uri(location)}: {error.message}"
                raise SourceError(message, hint=error.hint, detail=error.detail) from None


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
    folder: Path | None = None
    """The git folder of a repository of this machine."""

    @classmethod
    def of(cls, git: Git, location: str) -> _Origin:
        address = read_address(location)
        if address.protocol != "file":
            return cls(location)
        path = Path(unquote(address.path) if location.startswith("file:") else address.path)
        folder = _git_folder(path)
        return cls(_own_remote(git, folder, path) or path.as_uri(), folder)

    def address_of(self, git: Git, submodule: _Submodule, commit: str) -> str:
        """Where to fetch a submodule from. Raises SourceError for an address that is refused."""
        if self.folder is not None:
            kept = _inside(self.folder / "modules", submodule.name)
            if kept is not None and _has_commit(git, kept, commit):
                return kept.as_uri()  # the user has it here, maybe not pushed yet
        url = resolve_address(submodule.url, self.base)
        protocol = read_address(url).protocol
        if protocol in GIT_SCHEMES or (protocol == "file" and self.folder is not None):
            return url if "://" in url or protocol != "file" else Path(url).absolute().as_uri()
        what = "a folder of this machine" if protocol == "file" else f"{protocol}:, no protocol projrun knows"
        raise SourceError(f"{redact_uri(submodule.url)!r} is refused: it is {what}")


def _git_folder(path: Path) -> Path:
    """Where a repository of this machine keeps what it knows, `modules` among it."""
    mark = path / ".git"
    if mark.is_file():  # a linked work tree, or a submodule
        linked = path / mark.read_text(encoding="utf-8", errors="surrogateescape")[len("gitdir: ") :].strip()
        common = linked / "commondir"
        return linked / common.read_text(encoding="utf-8").strip() if common.is_file() else linked
    return mark if mark.is_dir() else path


def _own_remote(git: Git, folder: Path, path: Path) -> str | None:
    """The address that a repository of this machine was itself cloned from."""
    try:
        told = git.run(
            "config", "--file", str(folder / "config"), "--no-includes", "--get", "remote.origin.url"
        )
    except GitError:
        return None
    url = told.removesuffix("\n")
    try:
        local = read_address(url).protocol == "file" and "://" not in url
    except SourceError:
        return None
    return Path(os.path.normpath(path / url)).as_uri() if local else url


def _has_commit(git: Git, folder: Path, commit: str) -> bool:
    try:
        Git(folder, git.environ).run("cat-file", "-e", f"{commit}^{{commit}}")
    except GitError:
        return False
    return True


def _empty_folder(tree: Path, path: str) -> Path:
    """The folder that git made for a submodule. Raises SourceError for one outside of the tree, or with files in it."""
    place = _inside(tree, path)
    if place is None:
        raise SourceError("its folder leads out of the checkout and is refused")
    if place.is_dir() and any(place.iterdir()):
        raise SourceError("its folder holds files of the checkout")
    return place


def _inside(top: Path, path: str) -> Path | None:
    """A path below a folder; None where it climbs, passes through a symbolic link, or through a git folder."""
    place = top
    for part in path.split("/"):
        if part in ("", ".", "..") or "\\" in part or _is_git_folder(part):
            return None
        place /= part
        if place.is_symlink():
            return None
    return place


def _is_git_folder(name: str) -> bool:
    """Whether some file system takes a name for `.git`: case, ends and invisible characters do not count on all."""
    visible = "".join(letter for letter in name if unicodedata.category(letter) != "Cf")
    return visible.partition(":")[0].rstrip(" .").lower() in (".git", "git~1")


def _fill(place: Path, checkout: Path) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            place.rmdir()
        copy_tree(checkout, place)
    except OSError as error:
        raise SourceError(f"cannot copy it into {place}: {error.strerror}") from error
