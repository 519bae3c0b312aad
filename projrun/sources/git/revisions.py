"""The commit of a branch, a tag, a hash or a web address, resolved in one connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from projrun.errors import SourceError
from projrun.sources.git.remote import Remote
from projrun.sources.git.wanted import Target, Wanted, unknown_version
from projrun.sources.version import is_commit, is_full_commit, is_reference_name

_TAGS, _BRANCHES, _TRACKED = "refs/tags/", "refs/heads/", "refs/remotes/origin/"


def find_target(remote: Remote, wanted: Sequence[Wanted]) -> Target:
    """The commit that the remote has for the first of the versions that it knows.

    Tags take precedence over branches (gitrevisions(7)), both over hashes; what a local repository knows of its own
    remotes comes last. Raises SourceError for a version that does not exist.
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


def _names(version: str | None) -> tuple[str, ...]:
    if version is None or version == "HEAD":
        return ()
    return tuple(name for reference in _references(version) for name in (reference, f"{reference}^{{}}"))


def _references(version: str) -> tuple[str, ...]:
    """The names that a version may stand for, in the order in which they count."""
    if version.startswith("refs/"):
        return (version,)
    return f"{_TAGS}{version}", f"{_BRANCHES}{version}", f"{_TRACKED}{version}"


def _named(found: Mapping[str, str], wanted: Wanted) -> Target | None:
    names = [name for name in _references(wanted.version or "") if name in found]
    if not names:
        return None
    name = names[0]
    branch = next((name[len(kind) :] for kind in (_BRANCHES, _TRACKED) if name.startswith(kind)), None)
    both = name.startswith(_TAGS) and f"{_BRANCHES}{wanted.version}" in names
    # An annotated tag is an object of its own: `^{}` is the commit.
    return Target(found.get(f"{name}^{{}}", found[name]), wanted, branch, name, also_a_branch=both)


def _default(found: Mapping[str, str], wanted: Wanted) -> Target | None:
    if "HEAD" not in found:
        return None
    branch = found.get("symbolic HEAD", "").removeprefix("refs/heads/")
    # The name is the server's to choose: as hostile as the user's text.
    usable = is_reference_name(branch) and branch.isprintable()
    return Target(found["HEAD"], wanted, branch if usable else None, "HEAD")
