"""What projrun answers to a command line that only reads, without a process: half of all command lines in tests."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from projrun.cli.execution import execute
from tests.support.commands import Completed
from tests.support.guard import restore_environment

_QUESTIONS = {("runs", "list"), ("runs", "show"), ("runs", "diff"), ("cache", "list"), ("cache", "show")}


def ask_projrun(*words: str | Path, environ: Mapping[str, str] | None = None) -> Completed:
    """As `run_projrun` of a command that reads what is recorded or cached; its own tests start processes."""
    line = [str(word) for word in words]
    assert tuple(line[:2]) in _QUESTIONS, "what changes something is a process of its own"
    stdout, stderr = _stream(), _stream()
    with _environment(environ or {}), redirect_stdout(stdout), redirect_stderr(stderr):
        code = execute(line)
    return Completed(code, _text(stdout), _text(stderr))


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


@contextmanager
def _environment(laid_over: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environb)
    os.environ.update(laid_over)
    try:
        yield
    finally:
        restore_environment(before)
