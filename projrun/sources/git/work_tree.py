"""The state of a local git work tree: commit, branch, remote, uncommitted changes. On the hot path.

Two short git processes (no single command gives both the remote's URL and the state). A repository's own
configuration is hostile input: nothing that it names is run.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType

from projrun.credentials import redact_uri
from projrun.sources.git.command import filters_off, git_environ
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_TIMEOUT = 5.0
"""Seconds: a huge work tree, or one on a slow network folder, must not hold up the run."""

_SETTINGS = r"^(remote\..*\.url|filter\..*|core\.hookspath)$"
_SHARED_SCOPES = ("system", "global", "command")
_FIELDS = {"1": 8, "u": 10}
"""The fields before the path in an entry of `git status --porcelain=v2`: a change, a conflict."""


_SETTLED = (("diff.orderFile", os.devnull),)
"""`git status` reads it too, and fails where it is missing."""


class WorkTree(NamedTuple):
    """What git says of the project's folder."""

    commit: str | None = None
    """None before the first commit, and for a folder that the repository ignores."""
    branch: str | None = None
    repository: str | None = None
    changed: tuple[str, ...] = ()
    """Uncommitted changes below the project's folder: paths of files in the commit or the index, from the top."""
    untracked: tuple[str, ...] = ()
    """New files below it that are not ignored; a folder that is new as a whole once, with a slash at its end."""
    warnings: tuple[str, ...] = ()
    filters_off: tuple[tuple[str, str], ...] = ()
    """The git settings that switch off the content filters of the repository's configuration."""

    @property
    def dirty(self) -> bool:
        """Whether there are uncommitted changes. A submodule counts when it is at another commit than recorded."""
        return bool(self.changed or self.untracked)


class GitFailure(Exception):
    """Why git failed, in one line."""


class _GitTimeout(GitFailure):
    """It took too long."""


class _Setting(NamedTuple):
    scope: str
    key: str
    value: str


def find_top(directory: Path) -> Path | None:
    """The top of the work tree that holds a folder, judged by the folders alone; `directory` is real."""
    for candidate in (directory, *directory.parents):
        mark = candidate / ".git"
        try:
            if mark.is_file() or (mark / "HEAD").is_file():
                return candidate
        except OSError:  # a folder above that may not be entered
            return None
    return None


class _Question(NamedTuple):
    """A git process: its words after `git`, and its environment."""

    words: list[str]
    environ: Mapping[str, str]


class WorkTreeInquiry:
    """What git says of the project's folder below `top`, asked in the `with` block while the caller does other things.

    However the block ends, no git process is left. `shield` keeps interrupts away while a process starts.
    """

    def __init__(
        self,
        top: Path,
        directory: Path,
        environ: Mapping[str, str],
        shield: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.directory = directory
        self._questions = _questions(top, directory, environ)
        self._shield = shield
        self._process: subprocess.Popen[bytes] | None = None
        self._state: WorkTree | None = None

    def __enter__(self) -> WorkTreeInquiry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            with self._process:  # which waits for its end
                self._process.kill()

    def proceed(self) -> None:
        """Wait for the answer to the last question, if there is one, and ask the next."""
        answer = None if self._process is None else self._answer(self._process)
        while self._state is None:
            try:
                question = self._next_question(answer)
                with self._shield():
                    self._process = _start(self.directory, question)
                return
            except StopIteration as end:
                self._state = end.value
            except GitFailure as failure:
                answer = failure

    def state(self) -> WorkTree:
        """The answer. Never fails: what could not be determined is a warning."""
        while self._state is None:
            self.proceed()
        return self._state

    def _next_question(self, answer: str | GitFailure | None) -> _Question:
        return (
            self._questions.throw(answer) if isinstance(answer, GitFailure) else self._questions.send(answer)
        )

    def _answer(self, process: subprocess.Popen[bytes]) -> str | GitFailure:
        try:
            return _output(process, self.directory)
        except GitFailure as failure:
            return failure


def read_work_tree(top: Path, directory: Path, environ: Mapping[str, str]) -> WorkTree:
    """Ask git about the project's folder below `top`. Never fails: what could not be determined is a warning."""
    with WorkTreeInquiry(top, directory, environ) as inquiry:
        return inquiry.state()


def _questions(top: Path, directory: Path, environ: Mapping[str, str]) -> Generator[_Question, Any, WorkTree]:
    """Yields each question, is sent its answer or thrown why there is none, and returns what they come to."""
    folder = directory.relative_to(top).as_posix()
    repository = None
    try:
        settings = _parse_settings((yield _settings_question(environ)))
        repository = _repository(settings)
        filters = _without_filters(settings)
        try:
            state = _parse_status((yield _status_question(environ, filters, ".")), folder)
        except _GitTimeout as failure:
            # A path in no work tree: git prints the commit and compares no files.
            state = _parse_status((yield _status_question(environ, filters, ".git")), folder)
            state = state._replace(warnings=(f"uncommitted changes in {top} are not detected: {failure}",))
        return state._replace(repository=repository, filters_off=filters)
    except GitFailure as failure:
        return WorkTree(repository=repository, warnings=(f"the commit of {top} is not recorded: {failure}",))


def read_repository(directory: Path, environ: Mapping[str, str]) -> str | None:
    """The URL of the first remote, without credentials; None if there is none, or git fails."""
    try:
        process = _start(directory, _settings_question(environ))
        return _repository(_parse_settings(_output(process, directory)))
    except GitFailure:
        return None


def _settings_question(environ: Mapping[str, str]) -> _Question:
    words = ["config", "--show-scope", "--null", "--get-regexp", _SETTINGS]
    return _Question(words, git_environ(environ, protocols="none"))


def _parse_settings(output: str) -> tuple[_Setting, ...]:
    fields = output.split("\0")
    settings = tuple(
        _Setting(scope, *item.partition("\n")[::2])
        for scope, item in zip(fields[::2], fields[1::2], strict=False)
    )
    if ("command", "core.hookspath") not in [(setting.scope, setting.key) for setting in settings]:
        raise GitFailure("git is older than 2.31")  # it did not read what `git_environ` set
    return settings


def _repository(settings: tuple[_Setting, ...]) -> str | None:
    """The first remote's URL, as MLflow takes it."""
    urls = [setting.value for setting in settings if setting.key.startswith("remote.") and setting.value]
    return _readable(redact_uri(urls[0])) if urls else None


def _without_filters(settings: tuple[_Setting, ...]) -> tuple[tuple[str, str], ...]:
    """`git status` runs the content filters that a repository's own configuration names: switch those off."""
    return filters_off(
        setting.key
        for setting in settings
        if setting.key.startswith("filter.") and setting.scope not in _SHARED_SCOPES
    )


def _status_question(
    environ: Mapping[str, str], settings: tuple[tuple[str, str], ...], path: str
) -> _Question:
    words = ["--no-optional-locks", "--literal-pathspecs", "status", "--porcelain=v2", "--branch", "-z"]
    words += ["--no-ahead-behind", "--no-renames", "--ignore-submodules=dirty", "--untracked-files=normal"]
    words += ["--ignored=matching", "--", path]
    return _Question(words, git_environ(environ, protocols="none", settings=(*settings, *_SETTLED)))


def _start(directory: Path, question: _Question) -> subprocess.Popen[bytes]:
    argv = ["git", "-C", str(directory), *question.words]
    pipe = subprocess.PIPE
    try:
        return subprocess.Popen(
            argv, env=question.environ, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )
    except FileNotFoundError:
        raise GitFailure("git is not installed") from None
    except OSError as error:
        raise GitFailure(f"git cannot be started: {error.strerror}") from None


def _output(process: subprocess.Popen[bytes], directory: Path) -> str:
    with process:
        try:
            output, messages = process.communicate(timeout=_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise _GitTimeout(f"git took longer than {_TIMEOUT:.0f} s") from None
        except BaseException:
            process.kill()
            raise
    if process.returncode > 1:  # 1 is `git config` without a match
        raise GitFailure(reason(messages.decode(errors="replace"), directory))
    return output.decode(errors="surrogateescape")


def reason(stderr: str, directory: Path) -> str:
    """The line of git's output that says why it failed."""
    if "dubious ownership" in stderr or "unsafe repository" in stderr:
        return (
            f"git does not trust {directory}, which someone else owns; see `git help config`, safe.directory"
        )
    lines = stderr.strip().splitlines() or ["git failed without a message"]
    return next((line for line in lines if line.startswith("fatal:")), lines[-1])


def _parse_status(status: str, folder: str) -> WorkTree:
    """`folder` is the project's folder below the top, `.` for the top itself."""
    headers: dict[str, str] = {}
    changed, untracked, ignored = [], [], False
    for entry in status.split("\0"):
        if entry.startswith("# "):
            key, _, value = entry[2:].partition(" ")
            headers[key] = value
        elif entry.startswith("! "):
            ignored = ignored or f"{folder}/".startswith(entry[2:])
        elif entry.startswith("? "):
            untracked.append(entry[2:])
        elif entry:
            changed.append(entry.split(" ", _FIELDS.get(entry[0], 8))[-1])
    changes = ((), ()) if ignored else (tuple(changed), tuple(untracked))
    commit, branch = headers.get("branch.oid", "(initial)"), headers.get("branch.head")
    if ignored or commit == "(initial)":
        return WorkTree(None, None, None, *changes)
    on_branch = branch is not None and branch != "(detached)"
    return WorkTree(commit, _readable(branch or "") if on_branch else None, None, *changes)


def _readable(text: str) -> str:
    """Bytes that are no UTF-8 matter in paths alone."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
