"""The commit of a branch, a tag, a hash or a web address, resolved in one connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from projrun.errors import RequestError, SourceError
from projrun.sources.version import is_commit, is_full_commit, is_reference_name

if TYPE_CHECKING:
    from projrun.sources.git.remote import Remote

_DEEPEST_NAME = 20
"""Parts of a web address that the name of a branch or a tag may have."""

UNMISTAKABLE = 7
"""Digits of a short hash (git's own length) that is taken for the only one where a part of the history has it."""


class CommitNotThereError(Exception):
    """The remote has no such commit (any more)."""


class Wanted(NamedTuple):
    """One way to read the requested version."""

    version: str | None
    """A branch, a tag or a commit; None for the default branch."""
    subdirectory: str = ""

    @property
    def full_commit(self) -> str | None:
        """The commit, if its whole hash is given: no server is needed."""
        return self.version.lower() if self.version and is_full_commit(self.version) else None


class Target(NamedTuple):
    """A commit, and by what name it is known."""

    commit: str
    wanted: Wanted
    branch: str | None = None
    """The branch to be on; else no branch (a detached HEAD)."""
    reference: str | None = None
    """The remote's name for it; None for one that was given as a hash."""


def web_versions(web_path: str) -> tuple[Wanted, ...]:
    """The possible readings of a web address' `REF/DIR`, the longest REF first. RequestError for none."""
    parts = [part for part in web_path.split("/") if part]
    ends = range(min(len(parts), _DEEPEST_NAME), 0, -1)
    splits = [("/".join(parts[:end]), "/".join(parts[end:])) for end in ends]
    found = tuple(Wanted(name, rest) for name, rest in splits if is_reference_name(name))
    if not found:
        raise RequestError(f"{web_path!r} is not a branch, tag or commit")
    return found


def find_target(remote: Remote, wanted: Sequence[Wanted]) -> Target:
    """The commit that the remote has for the first of the versions that it knows.

    Branches take precedence over tags, tags over hashes; what a local repository knows of its own remotes comes
    last. Raises SourceError for a version that does not exist.
    """
    found = remote.references("HEAD", *(name for item in wanted for name in _names(item.version)))
    for item in wanted:
        target = _default(found, item) if item.version in (None, "HEAD") else _named(found, item)
        if target is not None:
            return target
    shortest = wanted[-1]
    if shortest.version is None:
        raise SourceError(
            f"{remote.shown} has no commit on its default branch", hint="give a branch with --version"
        )
    if is_full_commit(shortest.version):  # of a web address, of which nothing longer is a branch or a tag
        return Target(shortest.version.lower(), shortest)
    if is_commit(shortest.version):
        from projrun.sources.git.short_hashes import complete_hash

        return Target(complete_hash(remote, shortest.version.lower(), len(found.get("HEAD", ""))), shortest)
    raise unknown_version(remote, shortest.version)


def unknown_version(remote: Remote, version: str) -> SourceError:
    """The error for a version that the remote does not have, with similar ones."""
    from projrun.suggestions import did_you_mean

    names = [name for name in remote.references("refs/heads/*", "refs/tags/*") if name.startswith("refs/")]
    known = {name.split("/", 2)[2].removesuffix("^{}") for name in names}
    return SourceError(
        f"{remote.shown} has no branch, tag or commit {version!r}{did_you_mean(version, known)}",
        hint="a commit must be on a branch or a tag to be found by its hash" if is_commit(version) else "",
    )


def _names(version: str | None) -> tuple[str, ...]:
    if version is None or version == "HEAD":
        return ()
    branch, tag, tracking = _references(version)
    return branch, tag, f"{tag}^{{}}", tracking


def _references(version: str) -> tuple[str, str, str]:
    return f"refs/heads/{version}", f"refs/tags/{version}", f"refs/remotes/origin/{version}"


def _named(found: Mapping[str, str], wanted: Wanted) -> Target | None:
    branch, tag, tracking = _references(wanted.version or "")
    if branch in found:
        return Target(found[branch], wanted, wanted.version, branch)
    if tag in found:
        return Target(found.get(f"{tag}^{{}}", found[tag]), wanted, None, tag)
    if tracking in found:
        return Target(found[tracking], wanted, wanted.version, tracking)
    return None


def _default(found: Mapping[str, str], wanted: Wanted) -> Target | None:
    if "HEAD" not in found:
        return None
    branch = found.get("symbolic HEAD", "").removeprefix("refs/heads/")
    # The name is the server's to choose: as hostile as the user's text.
    usable = is_reference_name(branch) and branch.isprintable()
    return Target(found["HEAD"], wanted, branch if usable else None, "HEAD")
