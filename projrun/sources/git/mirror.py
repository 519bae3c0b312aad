"""The mirror of a repository: a bare repository with only the requested commits.

Short hashes need another one, of the history alone.

Imported only when something is to be fetched. It is a cache: a damaged one is fetched again.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from projrun.cache.entries import DESCRIPTION, describe
from projrun.cache.removal import remove_folder
from projrun.directories import make_private
from projrun.sources.git.command import REMOTE
from projrun.sources.git.failures import failure, is_explained
from projrun.sources.git.mirror_lock import mirror_lock
from projrun.sources.git.process import GitError
from projrun.sources.git.remote import Remote
from projrun.sources.git.wanted import CommitNotThereError
from projrun.sources.trusted_folders import check_owned

_SHA256_LENGTH = 64
_EVERYTHING = (
    "+refs/heads/*:refs/projrun/heads/*",
    "+refs/tags/*:refs/projrun/tags/*",
    "+refs/remotes/*:refs/projrun/remotes/*",  # what a local repository knows of its own remotes
)
_NO_LIMIT = "--depth=2147483647"
"""The depth of `git fetch --unshallow`, which refuses a complete history."""

_Result = TypeVar("_Result")


class Mirror:
    """A mirror that this process has locked; see `with_mirror`."""

    def __init__(
        self, remote: Remote, hash_length: int, kept_open: tuple[int, ...], *, history: bool = False
    ) -> None:
        """`hash_length` is that of the repository's hashes, 0 where it is not known."""
        self.format = "sha256" if hash_length == _SHA256_LENGTH else "sha1"
        self.folder = remote.folder / f"{self.format}{'-history' if history else ''}.git"
        self.git = remote.git(self.folder)
        self._fetching_git = remote.git(self.folder, kept_open=kept_open)
        self._remote = remote

    def prepare(self) -> None:
        """Create it, or finish what a killed process began. Raises GitError."""
        _remove_leftovers(self.folder)
        make_private(self.folder)
        self.git.run("init", "--quiet", "--bare", "--template=", f"--object-format={self.format}")

    def reference(self, commit: str) -> str:
        """The mirror's own name for a commit, which keeps it."""
        return f"refs/projrun/commits/{commit}"

    def provide(self, commit: str, reference: str | None) -> None:
        """Ensure that it has a commit with its files; `reference` is the remote's name for it, where it has one.

        Asks the remote only where it must. Raises GitError, CommitNotThereError, or SourceError when offline.
        """
        if not self._has(commit):
            self._fetch_commit(commit, reference)
        self.git.run("update-ref", self.reference(commit), commit)

    def fetch_history(self) -> None:
        """Fetch all commits, without files if the server supports that: for a mirror of the history alone.

        Raises GitError, or SourceError when offline.
        """
        self._fetch("--prune", "--update-shallow", "--filter=tree:0", refspecs=_EVERYTHING)

    def _fetch_commit(self, commit: str, reference: str | None) -> None:
        kept = self.reference(commit)
        if not self._fetch_shallow(f"+{commit}:{kept}") and not (
            reference is not None
            and self._fetch_shallow(f"+{reference}:{kept}")
            and self._resolves(kept, commit)
        ):
            self._fetch_everything()
        if not self._resolves(commit, commit):
            self.git.run("update-ref", "-d", kept)
            raise CommitNotThereError

    def _fetch_shallow(self, refspec: str) -> bool:
        """False for a server without shallow fetches, or without fetching commits by hash."""
        try:
            self._fetch("--depth=1", refspecs=(refspec,))
        except GitError as error:
            if "not our ref" in str(error):
                raise CommitNotThereError from None
            if is_explained(str(error)):
                raise
            return False
        return True

    def _fetch_everything(self) -> None:
        deepen = (_NO_LIMIT,) if (self.folder / "shallow").exists() else ()
        self._fetch("--prune", "--update-shallow", *deepen, refspecs=_EVERYTHING)

    def _fetch(self, *options: str, refspecs: tuple[str, ...]) -> None:
        words = ("--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", *options)
        with self._remote.contact() as meter:
            loudness = "--quiet" if meter is None else "--progress"  # with both, git says half of it
            self._fetching_git.run(
                "fetch", loudness, *words, "--end-of-options", REMOTE, *refspecs, meter=meter
            )

    def _has(self, commit: str) -> bool:
        """Whether one of its references leads to the commit: an unreferenced one may lack its files."""
        words = ("for-each-ref", "--count=1", f"--contains={commit}", "refs/projrun/")
        try:
            return bool(self.git.run(*words))
        except GitError:
            return False

    def _resolves(self, name: str, commit: str) -> bool:
        try:
            found = self.git.run("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
        except GitError:
            return False
        return found.strip() == commit


def with_mirror(
    remote: Remote, hash_length: int, work: Callable[[Mirror], _Result], *, history: bool = False
) -> _Result:
    """The result of `work` on the locked mirror; repeated with a new mirror if the old one was damaged.

    `history` is for the other mirror, which has all commits and not their files.
    Raises SourceError with git's own words, CommitNotThereError, and OSError for a cache that cannot be written.
    """
    check_owned(remote.folder)
    with mirror_lock(remote.folder, remote.waiting) as kept_open:
        mirror = Mirror(remote, hash_length, kept_open, history=history)
        remove_folder(_aside(mirror))  # of a killed process
        was_there = mirror.folder.exists()
        _describe(remote)
        try:
            try:
                mirror.prepare()
                return work(mirror)
            except GitError as error:
                if not was_there or is_explained(str(error)):
                    raise
                return _work_anew(mirror, work)
        except GitError as error:
            _remove_leftovers(mirror.folder)  # a part of a pack, say, on a disk that is full now
            raise failure(remote.shown, mirror.git, str(error)) from None


def _work_anew(mirror: Mirror, work: Callable[[Mirror], _Result]) -> _Result:
    """The old mirror comes back where that fails too: the fault may be another's, and the mirror whole."""
    aside = _aside(mirror)
    mirror.folder.rename(aside)
    try:
        mirror.prepare()
        result = work(mirror)
    except BaseException:
        remove_folder(mirror.folder)
        aside.rename(mirror.folder)
        raise
    remove_folder(aside)
    return result


def _aside(mirror: Mirror) -> Path:
    return mirror.folder.with_suffix(".damaged")


def _describe(remote: Remote) -> None:
    """Record whose mirror it is, and its last use, for `projrun cache`."""
    file = remote.folder / DESCRIPTION
    make_private(remote.folder)
    if describe(remote.folder):
        os.utime(file)
        return
    facts = {"kind": "repository", "source": remote.shown, "created": int(time.time())}
    file.write_text(json.dumps(facts, indent=2), encoding="utf-8")


def _remove_leftovers(folder: Path) -> None:
    """Leftovers of a killed git: no other process works here."""
    for place, folders, files in os.walk(folder):
        in_objects = Path(place).is_relative_to(folder / "objects")  # elsewhere are branches, of any name
        for name in [*folders, *files]:
            temporary = in_objects and (name.startswith(("tmp_", ".tmp-")) or name.endswith(".keep"))
            if temporary or name.endswith(".lock"):
                _remove(Path(place, name))


def _remove(path: Path) -> None:
    if path.is_dir():
        remove_folder(path)
    else:
        path.unlink(missing_ok=True)
