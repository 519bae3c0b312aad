"""The commit of a short hash. Imported only if one is given."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from projrun.errors import SourceError
from projrun.sources.git.mirror import Mirror, with_mirror
from projrun.sources.git.process import Git, GitError
from projrun.sources.git.remote import Remote
from projrun.sources.git.wanted import UNMISTAKABLE, unknown_version


def complete_hash(remote: Remote, short: str, hash_length: int) -> str:
    """The whole hash; `hash_length` is that of the repository's hashes, 0 where it is not known.

    The history is fetched if no known commit matches. Raises SourceError if no commit matches, or several
    do.
    """
    if remote.is_local:
        found = _matches(_local_git(remote), remote, short)
    else:
        found = _fetched(remote, short, hash_length) or with_mirror(
            remote, hash_length, lambda mirror: _in_history(mirror, remote, short), history=True
        )
    if found is None:
        raise unknown_version(remote, short)
    return found


def _fetched(remote: Remote, short: str, hash_length: int) -> str | None:
    """Among the commits that were fetched."""
    if len(short) < UNMISTAKABLE:
        return None
    return with_mirror(remote, hash_length, lambda mirror: _matches(mirror.git, remote, short))


def _in_history(mirror: Mirror, remote: Remote, short: str) -> str | None:
    found = _matches(mirror.git, remote, short) if len(short) >= UNMISTAKABLE else None
    if found is not None:
        return found
    mirror.fetch_history()
    return _matches(mirror.git, remote, short)


def _matches(git: Git, remote: Remote, short: str) -> str | None:
    try:
        return git.run("rev-parse", "--verify", f"{short}^{{commit}}").strip()
    except GitError as error:
        if "ambiguous" not in str(error):
            return None
        raise SourceError(
            f"{short!r} is ambiguous: it matches several commits of {remote.shown}",
            hint="give more digits",
            detail=str(error),
        ) from None


def _local_git(remote: Remote) -> Git:
    """Git in a repository of this machine: its history needs no copy.

    No protocol is allowed: a repository that says it is a partial clone names the command that fetches the rest.
    """
    top = Path(url2pathname(urlsplit(remote.location).path))
    inner = top / ".git"
    return Git(inner if inner.exists() else top, remote.options.environ)
