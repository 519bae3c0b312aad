"""The cached checkout of a commit: created once from the mirror, complete, and never written to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from projrun.cache.entries import ContentCache
from projrun.cache.removal import remove_folder
from projrun.errors import SourceError
from projrun.sources.git.command import filters_off
from projrun.sources.git.remote import Remote
from projrun.sources.git.wanted import CommitNotThereError, unknown_version
from projrun.sources.lfs.choice import skips_lfs
from projrun.sources.places import TREE, checkouts
from projrun.sources.version import is_reference_name

if TYPE_CHECKING:
    from projrun.sources.git.mirror import Mirror
    from projrun.sources.git.process import Git

_FORMAT = "1"
"""Changed with what a checkout holds, so that older ones are not used."""

_SETTINGS = (
    ("core.logAllRefUpdates", "false"),
    ("fetch.unpackLimit", "1"),  # one file for each run to copy
    ("init.defaultRefFormat", "files"),  # `enter_branch` writes them
)
_DEEPEST = 10
"""Submodules of submodules: each level is a chain of calls, and its files are copied once more."""


def checkout_of(remote: Remote, commit: str, reference: str | None = None, *, depth: int = 0) -> Path:
    """The files of a commit, with a `.git` of their own that has this commit alone, and no branch.

    `reference` is the remote's name for the commit, where it has one: for servers that give out no commit by its
    hash; `depth` says in how many others it is nested as a submodule. A cached one is used without any process. Raises
    SourceError, CommitNotThereError, and OSError.
    """
    cache = ContentCache(checkouts(remote.options.cache), probe=TREE)
    facts = {"kind": "git", "source": remote.shown, "commit": commit}
    with ExitStack() as waiting:

        def wait() -> None:
            waiting.enter_context(remote.waiting())

        def build(entry: Path) -> None:
            waiting.close()
            _build(remote, commit, reference, entry / TREE, depth)

        entry, _ = cache.get_or_build(_key(remote, commit), build, waiting=wait, facts=facts)
    return entry / TREE


def enter_branch(tree: Path, commit: str, branch: str) -> None:
    """Put a copy of a checkout on a branch, as the files of git's own format say it; no process is needed.

    The cached checkout is on none, since the same commit may be on several.
    """
    head = tree / ".git" / "HEAD"
    if not is_reference_name(branch):  # it becomes a path
        return
    try:
        if head.read_text(encoding="utf-8").strip() != commit:  # another format of git's, chosen by the user
            return
        file = tree / ".git" / "refs" / "heads" / branch
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{commit}\n", encoding="ascii")
        head.write_bytes(
            f"ref: refs/heads/{branch}\n".encode("utf-8", "surrogateescape")
        )  # any bytes, to git
    except OSError:
        return  # a name that the file system does not take


def _key(remote: Remote, commit: str) -> str:
    pointers = ("pointers",) if skips_lfs(remote.options.environ) else ()
    text = "\0".join((_FORMAT, remote.url, commit, *pointers))
    return sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _build(remote: Remote, commit: str, reference: str | None, tree: Path, depth: int) -> None:
    from projrun.sources.git.failures import failure
    from projrun.sources.git.mirror import with_mirror
    from projrun.sources.git.process import GitError
    from projrun.sources.git.submodules import add_submodules
    from projrun.sources.lfs.fetch import fetch_lfs_files

    git = with_mirror(remote, len(commit), partial(_take, remote, commit, reference, tree))
    try:
        options, storage = remote.options, remote.folder / "lfs"
        with options.activity(f"fetching the large files of {remote.shown}"):
            fetch_lfs_files(git, tree, remote.location, options.policy, storage, offline=options.offline)
        add_submodules(git, tree, remote.location, partial(_submodule, remote, depth + 1))
    except GitError as error:
        raise failure(remote.shown, git, str(error)) from None


def _submodule(remote: Remote, depth: int, location: str, commit: str) -> Path:
    """The checkout of a submodule, whose address the policy has to allow like any other."""
    if depth > _DEEPEST:
        raise SourceError(f"is refused: it is more than {_DEEPEST} submodules deep")
    theirs = Remote(location, remote.options)
    try:
        return checkout_of(theirs, commit, depth=depth)
    except CommitNotThereError:
        raise unknown_version(theirs, commit) from None


def _take(remote: Remote, commit: str, reference: str | None, tree: Path, mirror: Mirror) -> Git:
    """Make the tree from the mirror; gives the git that works in it."""
    mirror.provide(commit, reference)
    remove_folder(tree)  # what a damaged mirror gave
    tree.mkdir(mode=0o700)
    git = _tree_git(remote, tree)
    git.run("init", "--quiet", "--template=", f"--object-format={mirror.format}")
    git.run("remote", "add", "--", "origin", remote.shown)
    # A copy has other inodes and times of change; without this, git would read all its files to see no difference.
    git.run("config", "core.checkStat", "minimal")
    git.run("config", "core.trustctime", "false")
    # Only now is known what the user's git configuration includes for this place and this remote.
    git = _tree_git(remote, tree, _without_filters(git))
    words = ("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
    git.run(*words, "--end-of-options", mirror.folder.resolve().as_uri(), mirror.reference(commit))
    git.run("checkout", "--quiet", "--force", "--no-recurse-submodules", "--detach", commit, "--")
    return git


def _tree_git(remote: Remote, tree: Path, settings: Sequence[tuple[str, str]] = ()) -> Git:
    from projrun.sources.git.process import Git

    everything = (*_SETTINGS, *settings)
    environ = remote.options.environ
    return Git(tree / ".git", environ, work_tree=tree, protocols="file", settings=everything)


def _without_filters(git: Git) -> tuple[tuple[str, str], ...]:
    """The filters of the user's git configuration never run at a stranger's request."""
    from projrun.sources.git.process import GitError

    try:
        keys = git.run("config", "--null", "--name-only", "--get-regexp", r"^filter\.").split("\0")
    except GitError:  # there is none
        return ()
    return filters_off(filter(None, keys))
