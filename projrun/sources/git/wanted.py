"""What was asked for of a repository, what it was found to be, and the error for what is not there."""

from __future__ import annotations

from typing import NamedTuple

from projrun.errors import RequestError, SourceError
from projrun.sources.git.remote import Remote
from projrun.sources.version import is_commit, is_full_commit, is_reference_name
from projrun.suggestions import did_you_mean

_DEEPEST_NAME = 20
"""Parts of a web address that the name of a branch or a tag may have."""

UNMISTAKABLE = 7
"""Digits of a short hash (git's own length) that is taken for the only one where a part of the history has it."""


class CommitNotThereError(Exception):
    """The remote has no such commit (any more)."""


class Wanted(NamedTuple):
    """One way to read the requested version."""

    version: str | None
    """A branch, a tag, a full reference (`refs/pull/1/head`) or a commit; None for the default branch."""
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
    also_a_branch: bool = False
    """A tag whose name is that of a branch, too."""


def web_versions(web_path: str) -> tuple[Wanted, ...]:
    """The possible readings of a web address' `REF/DIR`, the longest REF first. RequestError for none."""
    parts = [part for part in web_path.split("/") if part]
    ends = range(min(len(parts), _DEEPEST_NAME), 0, -1)
    splits = [("/".join(parts[:end]), "/".join(parts[end:])) for end in ends]
    found = tuple(Wanted(name, rest) for name, rest in splits if is_reference_name(name))
    if not found:
        raise RequestError(f"{web_path!r} is not a branch, tag or commit")
    return found


def unknown_version(remote: Remote, version: str) -> SourceError:
    """The error for a version that the remote does not have, with similar ones."""
    names = [name for name in remote.references("refs/heads/*", "refs/tags/*") if name.startswith("refs/")]
    known = {name.split("/", 2)[2].removesuffix("^{}") for name in names}
    return SourceError(
        f"{remote.shown} has no branch, tag or commit {version!r}{did_you_mean(version, known)}",
        hint="a commit must be on a branch or a tag to be found by its hash" if is_commit(version) else "",
    )
