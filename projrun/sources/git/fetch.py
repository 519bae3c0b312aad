"""Fetching a commit of a git repository, by way of the cache. Imported only for git projects.

The second hot path: for a commit that is cached no git runs, for a branch one `git ls-remote`.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import localtime, strftime

from projrun.errors import SourceError
from projrun.sources.cached_tree import CachedTree
from projrun.sources.git.checkouts import checkout_of
from projrun.sources.git.known_revisions import Resolution, recall, remember
from projrun.sources.git.remote import Remote
from projrun.sources.git.revisions import find_target
from projrun.sources.git.wanted import (
    UNMISTAKABLE,
    CommitNotThereError,
    Target,
    Wanted,
    unknown_version,
    web_versions,
)
from projrun.sources.options import FetchOptions
from projrun.sources.version import is_commit

_ATTEMPTS = 3
"""How often a branch may move between resolving and fetching it."""


def fetch_repository(
    location: str, version: str | None, options: FetchOptions, *, web_path: str = ""
) -> CachedTree:
    """The checkout of a version (a branch, a tag, a commit, full or short; None: the default branch).

    `web_path` is the `REF/DIR` of a web address, where REF may hold slashes. Raises SourceError with git's own
    words.
    """
    remote = Remote(location, options)
    wanted = web_versions(web_path) if web_path else (Wanted(version),)
    options.policy.check_pinned(remote.shown, pinned=wanted[-1].full_commit is not None)
    try:
        return _fetch(remote, wanted)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise SourceError(
            f"cannot keep a checkout in {options.cache}: {error.strerror or error}{where}",
            hint="set PROJRUN_CACHE_DIR to a writable folder with free space",
        ) from error


def _fetch(remote: Remote, wanted: Sequence[Wanted]) -> CachedTree:
    gone: list[str] = []
    while True:
        known = _known(remote, wanted)
        target = known.target if known is not None else find_target(remote, wanted)
        try:
            tree = checkout_of(remote, target.commit, target.reference)
        except CommitNotThereError:
            if target.reference is None:
                raise unknown_version(remote, target.wanted.version or "") from None
            if target.commit in gone or len(gone) == _ATTEMPTS:
                raise _no_commit(remote, target) from None
            gone.append(target.commit)  # the branch was moved since: ask where it is now
            continue
        if known is None:
            remember(remote, target)
        notes = (_offline_note(remote, target, known),) if _is_offline(remote) else ()
        return CachedTree(
            tree,
            target.commit,
            target.branch,
            target.wanted.version,
            target.wanted.subdirectory,
            warnings=_ambiguities(remote, target),
            notes=notes,
        )


def _ambiguities(remote: Remote, target: Target) -> tuple[str, ...]:
    name = target.wanted.version
    if not target.also_a_branch:
        return ()
    return (
        f"{name!r} is a tag and a branch of {remote.shown}: using the tag; refs/heads/{name} is the branch",
    )


def _no_commit(remote: Remote, target: Target) -> SourceError:
    name = target.wanted.version or "the default branch"
    return SourceError(
        f"{remote.shown} does not give out the commit of {name}, {target.commit}: it is gone, or no commit",
        hint="give another --version",
    )


def _is_offline(remote: Remote) -> bool:
    return remote.options.offline and not remote.is_local


def _known(remote: Remote, wanted: Sequence[Wanted]) -> Resolution | None:
    """What is known without asking the remote, or may not ask it; None if the remote must be asked."""
    shortest = wanted[-1]
    if shortest.full_commit is not None:
        return Resolution(Target(shortest.full_commit, shortest), 0.0)
    if _is_offline(remote):
        return _offline(remote, wanted)
    if shortest.version is not None and is_commit(shortest.version) and len(shortest.version) >= UNMISTAKABLE:
        known = recall(remote, shortest)
        return known if known is not None and known.target.reference is None else None
    return None


def _offline(remote: Remote, wanted: Sequence[Wanted]) -> Resolution:
    found = (recall(remote, item) for item in wanted)
    known = next((resolution for resolution in found if resolution is not None), None)
    shortest = wanted[-1]
    if known is None and shortest.version is not None and is_commit(shortest.version):
        from projrun.sources.git.short_hashes import complete_hash

        known = Resolution(Target(complete_hash(remote, shortest.version.lower(), 0), shortest), 0.0)
    if known is None:
        raise SourceError(
            f"{_described(remote, shortest)} is not cached, and --offline contacts no server",
            hint="run once without --offline",
        )
    return known


def _described(remote: Remote, wanted: Wanted) -> str:
    return f"{remote.shown} at {wanted.version}" if wanted.version else remote.shown


def _offline_note(remote: Remote, target: Target, known: Resolution | None) -> str:
    using = f"offline: using {remote.shown} at {target.commit}"
    if target.reference is None or known is None:
        return using
    name = f"branch {target.branch}" if target.branch else target.wanted.version or "the default branch"
    return f"{using} ({name} as of {strftime('%Y-%m-%d %H:%M', localtime(known.when))})"
