"""A repository of 1,000 commits and 200 MB of history whose newest tree is small; made once, kept in `.cache`."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from tests.support.guard import PACKAGE_CACHE

COMMITS = 1000
FILES = 8
FILE_SIZE = 200_000
PROJECT = """\
name: long
entry_points:
  main: {command: "cat version.txt"}
"""
_MADE = 2
"""Raised where what is made changes: the cached one is made anew."""
_PERSON = b"Test Person <test@example.invalid>"


class LongHistory(NamedTuple):
    """A bare repository with the one branch `main`; `version.txt` holds each commit's number, from 0."""

    path: Path
    commits: tuple[str, ...]
    """The first one first."""

    @property
    def tip(self) -> str:
        """The newest commit."""
        return self.commits[-1]

    def size(self) -> int:
        """Bytes of its packs."""
        return sum(file.stat().st_size for file in self.path.glob("objects/pack/*.pack"))


def long_history(environ: Mapping[str, str]) -> LongHistory:
    """The repository, made where it is not there yet; several processes may ask at once."""
    folder = PACKAGE_CACHE / "repositories" / f"long-{_MADE}.git"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            _make(folder, environ)
    words = ["git", "-C", str(folder), "rev-list", "--reverse", "main"]
    listed = subprocess.run(words, env=environ, check=True, capture_output=True, text=True)
    return LongHistory(folder, tuple(listed.stdout.split()))


def _make(folder: Path, environ: Mapping[str, str]) -> None:
    new = folder.with_suffix(f".{os.getpid()}")
    shutil.rmtree(new, ignore_errors=True)
    words = ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(new)]
    subprocess.run(words, env=environ, check=True)
    # As GitHub, GitLab and Bitbucket serve repositories.
    for key, value in (("uploadpack.allowFilter", "true"), ("uploadpack.allowAnySHA1InWant", "true")):
        subprocess.run(["git", "-C", str(new), "config", key, value], env=environ, check=True)
    # Nothing in it can be compressed: not trying saves most of the time.
    words = ["git", "-C", str(new), "-c", "pack.compression=0", "fast-import", "--quiet", "--depth=0"]
    importing = subprocess.Popen(words, env=environ, stdin=subprocess.PIPE)
    assert importing.stdin is not None
    with importing.stdin as stream:
        stream.writelines(_history())
    assert importing.wait() == 0
    new.rename(folder)


def _history() -> Iterator[bytes]:
    """What `git fast-import` reads: all files with the first commit, then one of them anew with each."""
    noise = random.Random(0)
    for number in range(COMMITS):
        yield b"commit refs/heads/main\n"
        yield b"committer %s %d +0000\n" % (_PERSON, 1_600_000_000 + 60 * number)
        yield _data(b"commit %d" % number)
        if number == 0:
            yield b"M 100644 inline MLproject\n" + _data(PROJECT.encode())
        for index in range(FILES) if number == 0 else (number % FILES,):
            yield b"M 100644 inline data/%d.bin\n" % index + _data(noise.randbytes(FILE_SIZE))
        yield b"M 100644 inline version.txt\n" + _data(b"version %d\n" % number)
    yield b"done\n"


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)
