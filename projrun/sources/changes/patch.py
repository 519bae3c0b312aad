"""The uncommitted changes of a local work tree as a diff that `git apply` takes, from the top of the work tree.

Nothing is written into the user's repository, and nothing that its configuration names is run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from projrun.sources.changes.diff_format import (
    Unfit,
    check_section,
    first_line,
    new_file,
    quoted,
    sections,
    unmistakable,
)
from projrun.sources.changes.sensitive import is_sensitive_name
from projrun.sources.git.command import git_environ
from projrun.sources.git.output import GitOutput
from projrun.sources.git.work_tree import GitFailure, WorkTree
from projrun.tuples import NamedTuple

LARGEST_PATCH = 5 * 1024 * 1024
LARGEST_FILE = 1024 * 1024
_MOST_NEW_FILES = 2000
_MOST_EXCLUDED = 500
_MOST_NAMED = 1000
_LONGEST_NAME = 40
_TIMEOUT = 10.0
_FULL = f"the patch is full: {LARGEST_PATCH // 1024**2} MiB"

_SETTINGS = (
    ("core.bigFileThreshold", str(LARGEST_FILE)),  # what is larger counts as binary, in the commit too
    ("core.quotePath", "true"),
    ("core.safecrlf", "false"),
    ("diff.autoRefreshIndex", "false"),  # else it writes the index, optional locks or not
    ("diff.suppressBlankEmpty", "false"),
)
_DIFF = (
    *(
        "--no-optional-locks",
        "diff",
        "--patch",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--no-renames",
    ),
    *("--no-relative", "--src-prefix=a/", "--dst-prefix=b/", "--unified=3", "--inter-hunk-context=0"),
    *("--ignore-submodules=dirty", "--submodule=short", "--no-function-context", "-O/dev/null"),
)
_UNTRACKED = ("ls-files", "-z", "--others", "--exclude-standard", "--full-name", "--", ".")
_OVERRIDING = (
    "GIT_DIFF",
    "GIT_EXTERNAL_DIFF",
    "GIT_LITERAL_PATH",
    "GIT_GLOB_PATH",
    "GIT_NOGLOB_PATH",
    "GIT_ICASE_PATH",
)
"""Prefixes of variables that change a diff."""


class LeftOut(NamedTuple):
    """A file whose changes are not in the patch."""

    path: str
    reason: str


class Patch(NamedTuple):
    """Uncommitted changes."""

    text: bytes
    """A few lines that begin with `#`, then what `git apply` takes; no more than `LARGEST_PATCH` of it."""
    left_out: tuple[LeftOut, ...]
    complete: bool
    """Whether all changes are in it."""

    @property
    def summary(self) -> str:
        """`complete`, or `partial: ` and what is left out, in 250 characters at most."""
        if self.complete:
            return "complete"
        named = [f"{_shortened(path)} ({reason})" for path, reason in self.left_out[:3]]
        more = len(self.left_out) - len(named)
        return f"partial: without {', '.join(named)}" + (f" and {more} more" if more else "")


def take_patch(top: Path, directory: Path, tree: WorkTree, environ: Mapping[str, str]) -> Patch:
    """The changes of the project's folder against `tree.commit`, new files that are not ignored included.

    Left out, and named: binary files, those over `LARGEST_FILE`, those that look as if they held secrets, and what
    goes beyond `LARGEST_PATCH`. Raises GitFailure if git fails.
    """
    return _Taker(top, directory, tree, environ).take()


class _Taker:
    def __init__(self, top: Path, directory: Path, tree: WorkTree, environ: Mapping[str, str]) -> None:
        self._top, self._directory, self._tree = top, directory, tree
        kept = {key: value for key, value in environ.items() if not key.startswith(_OVERRIDING)}
        self._environ = git_environ(kept, protocols="none", settings=(*tree.filters_off, *_SETTINGS))
        self._sections: list[bytes] = []
        self._room = LARGEST_PATCH
        self._left_out: dict[str, str] = {}
        self._kept: frozenset[str] = frozenset()
        """The changed files that are left out: where one was deleted, the patch leaves the commit's."""
        self._forgotten: list[str] = []
        """Files that are on disk and in the commit, but no longer in the index: to git, deleted."""

    def take(self) -> Patch:
        excluded = self._exclude()
        words = [*_DIFF, self._tree.commit or "HEAD", "--", ".", *excluded]
        with self._git(words) as changes, self._new_files() as untracked:
            self._add_changes(*changes.read())
            self._kept = frozenset(self._left_out)
            listed, whole = (b"", True) if untracked is None else untracked.read()
        self._add_new_files([os.fsdecode(name) for name in listed.split(b"\0")[:-1]], whole)
        left_out = tuple(LeftOut(path, self._left_out[path]) for path in sorted(self._left_out))
        return Patch(self._header(left_out) + b"".join(self._sections), left_out, not left_out)

    def _new_files(self) -> GitOutput | nullcontext[None]:
        # `git status` is silent on new files in the place of others: a folder where a file was.
        moved = (path for path in self._tree.changed if not (self._top / path).is_file())
        return self._git(_UNTRACKED) if self._tree.untracked or any(moved) else nullcontext()

    def _git(self, words: list[str] | tuple[str, ...]) -> GitOutput:
        return GitOutput(self._directory, words, self._environ, limit=LARGEST_PATCH, timeout=_TIMEOUT)

    def _exclude(self) -> list[str]:
        """The pathspecs of changed files that git must not even read."""
        for path in self._tree.changed:
            if is_sensitive_name(path):
                self._left_out[path] = "may hold secrets"
            elif _size(self._top / path) > LARGEST_FILE:
                self._left_out[path] = "too large"
        if len(self._left_out) > _MOST_EXCLUDED:
            raise GitFailure(f"more than {_MOST_EXCLUDED} changed files are too large or may hold secrets")
        return [f":(top,exclude,literal){path}" for path in self._left_out]

    def _add_changes(self, diff: bytes, whole: bool) -> None:
        paths = {first_line(path): path for path in self._tree.changed}
        by_path: dict[str, list[bytes]] = {}
        for section in sections(diff, whole=whole):
            line = section.partition(b"\n")[0]
            by_path.setdefault(paths.get(line) or line.decode(), []).append(section)
        for path, parts in by_path.items():  # a file that became a link has two
            self._add(path, parts)
        if not whole:
            cut = [path for path in self._tree.changed if path not in by_path]
            self._left_out.update((path, _FULL) for path in cut if path not in self._left_out)

    def _add(self, path: str, parts: list[bytes]) -> None:
        try:
            for part in parts:
                check_section(part)
        except Unfit as unfit:
            self._left_out[path] = str(unfit)
            return
        self._append(path, b"".join(unmistakable(part, path) for part in parts))
        place = self._top / path
        if b"\ndeleted file mode " in parts[-1] and (place.is_file() or place.is_symlink()):
            self._forgotten.append(path)

    def _add_new_files(self, names: list[str], whole: bool) -> None:
        for number, path in enumerate(dict.fromkeys((*names, *self._forgotten))):
            if number >= _MOST_NEW_FILES:
                self._left_out[path] = f"more than {_MOST_NEW_FILES} new files"
            else:
                self._add_new_file(path)
        if not whole:
            self._left_out["..."] = "too many new files"

    def _add_new_file(self, path: str) -> None:
        try:
            if path.endswith("/"):
                raise Unfit("a nested repository")
            if is_sensitive_name(path):
                raise Unfit("may hold secrets")
            if self._is_blocked(path):
                raise Unfit("replaces something that is left out")
            section = new_file(self._top, path, LARGEST_FILE)
        except Unfit as unfit:
            self._left_out.setdefault(path, str(unfit))
        else:
            self._append(path, section)

    def _is_blocked(self, path: str) -> bool:
        """Whether a file that the patch does not delete is where the new one, or its folder, must be."""
        return any(f"{path}/".startswith(f"{other}/") or other.startswith(f"{path}/") for other in self._kept)

    def _append(self, path: str, section: bytes) -> None:
        if len(section) > self._room:
            self._left_out[path] = _FULL
        else:
            self._sections.append(section)
            self._room -= len(section)

    def _header(self, left_out: tuple[LeftOut, ...]) -> bytes:
        lines = [f"# The uncommitted changes of a run's source, against commit {self._tree.commit}."]
        lines += [f"# Left out: {_named(path)} ({reason})" for path, reason in left_out[:_MOST_NAMED]]
        if len(left_out) > _MOST_NAMED:
            lines.append(f"# Left out: {len(left_out) - _MOST_NAMED} more")
        return "".join(f"{line}\n" for line in lines).encode()


def _size(place: Path) -> int:
    try:
        return place.lstat().st_size
    except OSError:
        return 0


def _named(path: str) -> str:
    return quoted(os.fsencode(path)).decode()


def _shortened(path: str) -> str:
    name = _named(path)
    return name if len(name) <= _LONGEST_NAME else f"...{name[-_LONGEST_NAME:]}"
