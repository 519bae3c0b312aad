"""A project's source on disk, and what is known about its origin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.errors import RequestError
from projrun.sources.git.work_tree import WorkTree
from projrun.tuples import NamedTuple

_DEFAULT = "main"


class Checkout(NamedTuple):
    """A folder that holds the project, ready to be read."""

    uri: str
    """What is recorded as `mlflow.source.name`: the URI without credentials, with `#sub/dir`."""
    root: Path
    """The top of the checkout (a local project's folder, or the cloned work tree)."""
    directory: Path
    """The project's folder: `root` or a subfolder of it; a real path, never outside `root`."""
    subdirectory: str = ""
    script: str = ""
    """The file in `directory` that the URI names, a script; empty for a folder."""
    commit: str | None = None
    branch: str | None = None
    repository: str | None = None
    """The remote repository's URL without credentials."""
    version: str | None = None
    """What `--version` asked for."""
    dirty: bool = False
    """A local work tree with uncommitted changes in the project's folder."""
    work_tree: WorkTree | None = None
    """git's state of a local folder, with each change; None without a work tree, or for a cached one."""
    owned: Path | None = None
    """The copy made for this run alone (`projrun.sources.copies.run_copies`); None for the user's own folder."""
    cached: Path | None = None
    """The checkout in the cache that was copied, or is `root` itself; None for the user's own folder."""
    patched: Mapping[str, tuple[int, int, int]] = {}
    """The files of `owned` that were changed before the run (`projrun.sources.copies.leftovers.identities`)."""
    digest: str | None = None
    """An archive's SHA-256."""
    warnings: tuple[str, ...] = ()
    """What could not be determined about the source, one line each."""
    notes: tuple[str, ...] = ()
    """How it was fetched, for people, one line each."""

    def entry_point(self, asked: str) -> str:
        """The script that the URI names, else what was asked for; RequestError where that is another one."""
        if self.script and asked not in (_DEFAULT, self.script):
            raise RequestError(
                f"the project is the script {self.script}, and --entry-point names {asked!r}",
                hint="give the script's folder, or remove --entry-point",
            )
        return self.script or asked
