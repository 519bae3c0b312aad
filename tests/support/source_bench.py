"""Running projects of git servers by the command line, as a user would, with a home of the test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from projrun.cache.entries import ContentCache
from projrun.directories import Directories
from projrun.sources.places import checkouts, copies
from tests.support.commands import Completed, projrun_argv, run_projrun


class Person(NamedTuple):
    """Somebody with an empty cache, an empty store, and no settings of git's."""

    home: Path
    environ: Mapping[str, str]
    started: list[subprocess.Popen[str]]

    @property
    def directories(self) -> Directories:
        """Where projrun keeps things for this person."""
        return Directories.locate(self.environ)

    @property
    def cache(self) -> Path:
        """The cache's folder."""
        return self.directories.cache

    def run(self, uri: object, *arguments: str | Path, timeout: float = 120, **more: str) -> Completed:
        """`projrun run URI`, in the present environment."""
        words = ("run", "--env-manager=local", *arguments, "--", str(uri))
        return run_projrun(*words, cwd=self.home, environ={**self.environ, **more}, timeout=timeout)

    def start(self, uri: object, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """The same, without waiting for it."""
        run = subprocess.Popen(
            [*projrun_argv(), "run", "--env-manager=local", *arguments, "--", str(uri)],
            cwd=self.home,
            env={**os.environ, **self.environ, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(run)
        return run

    def end(self) -> None:
        """Kill what was started and still runs."""
        for run in self.started:
            run.kill()
            run.communicate()

    def complete_checkouts(self) -> list[Path]:
        """The trees that a later run would use."""
        entries = ContentCache(checkouts(self.cache), probe="tree").entries()
        return [entry.path / "tree" for entry in entries if entry.state == "ready"]

    def remaining_copies(self) -> list[Path]:
        """The runs' own copies that are still there."""
        folder = copies(self.cache)
        return [entry for entry in folder.iterdir() if entry.is_dir()] if folder.exists() else []


def new_person(home: Path) -> Person:
    """Somebody who uses projrun for the first time."""
    home.mkdir(parents=True)
    return Person(home, {"PROJRUN_HOME": str(home / "projrun")}, [])


def tree_of(repository: Path, commit: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The files of a commit, by path, as git itself names their contents."""
    words = ["git", "-C", str(repository), "ls-tree", "-r", "-z", commit]
    listed = subprocess.run(words, env=environ, check=True, capture_output=True, text=True).stdout
    lines = (line.partition("\t") for line in listed.split("\0") if line)
    return {path: facts.split()[2] for facts, _, path in lines}


def files_of(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The same for the files of a folder."""
    paths = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    )
    words = ["git", "hash-object", "--no-filters", "--stdin-paths"]
    hashes = subprocess.run(
        words, cwd=folder, env=environ, input="\n".join(paths), check=True, capture_output=True, text=True
    )
    return dict(zip(paths, hashes.stdout.split(), strict=True))
