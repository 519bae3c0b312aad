"""A local git repository as a clone: what else it stores, and where it was cloned from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from projrun.errors import SourceError
from projrun.sources.address import read_address
from projrun.sources.git.process import Git, GitError
from projrun.sources.git.tree_path import inside


class LocalRepository(NamedTuple):
    """A repository that a `file:` address or a path names."""

    path: Path
    git_folder: Path
    """Where git keeps what all its work trees share: objects, `modules`, `lfs`."""

    @classmethod
    def at(cls, location: str) -> LocalRepository | None:
        """The repository at an address; None for an address that is not of this machine. Raises SourceError."""
        address = read_address(location)
        if address.protocol != "file":
            return None
        path = Path(unquote(address.path) if "://" in location else address.path)
        return cls(path, _git_folder(path))

    def remote(self, git: Git) -> str | None:
        """The address that it was cloned from, which may hold credentials; None where there is none."""
        file = str(self.git_folder / "config")
        try:
            told = git.run("config", "--file", file, "--no-includes", "--get", "remote.origin.url")
            url = told.removesuffix("\n")
            is_path = "://" not in url and read_address(url).protocol == "file"
        except (GitError, SourceError):
            return None
        return Path(os.path.normpath(self.path / url)).as_uri() if is_path else url

    def submodule(self, git: Git, name: str, commit: str) -> Path | None:
        """Where it keeps the clone of a submodule, if that has the commit."""
        folder = inside(self.git_folder / "modules", name)
        try:
            if folder is not None:
                Git(folder, git.caller_environ).run("cat-file", "-e", f"{commit}^{{commit}}")
        except GitError:
            return None
        return folder


def _git_folder(path: Path) -> Path:
    mark = path / ".git"
    if not mark.is_file():
        return mark if mark.is_dir() else path
    # A linked work tree, or a submodule.
    linked = (
        path / mark.read_text(encoding="utf-8", errors="surrogateescape").removeprefix("gitdir: ").strip()
    )
    common = linked / "commondir"
    return linked / common.read_text(encoding="utf-8").strip() if common.is_file() else linked
