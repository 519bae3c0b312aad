"""The files that globs of the project name, where the command has written them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from projrun.project.files import is_inside
from projrun.project.model import OutputArtifact
from projrun.running.outputs.growth import Signature, signature

MOST_FILES = 10_000
"""More files of a run are more likely a mistake than its result."""
_UNWANTED = ".git"


class ArtifactFiles:
    """Files that were there before the command and are as they were belong to the source, or to an earlier run."""

    def __init__(self, project: Path, artifacts: Sequence[OutputArtifact]) -> None:
        self._project = project
        self._globs = [artifact.glob for artifact in artifacts]
        self._before: dict[Path, Signature | None] = {path: signature(path) for path in self._all()}
        self.problems: list[str] = []

    def written(self) -> Iterator[tuple[Path, str]]:
        """The files that the command has written, and their paths as artifacts; `problems` says what is missing."""
        sent: set[Path] = set()
        for glob in self._globs:
            found = [path for path in _files(self._project, glob) if self._is_written(path)]
            if not found:
                self.problems.append(f"the command has written no file that is named {glob!r}")
            for path in found:
                if path not in sent and self._is_allowed(path):
                    if len(sent) == MOST_FILES:
                        self.problems.append(f"only the first {MOST_FILES} files are recorded")
                        return
                    sent.add(path)
                    yield path, path.relative_to(self._project).as_posix()

    def _all(self) -> Iterator[Path]:
        for glob in self._globs:
            yield from _files(self._project, glob)

    def _is_written(self, path: Path) -> bool:
        found = signature(path)
        return found is not None and found != self._before.get(path)

    def _is_allowed(self, path: Path) -> bool:
        name = os.fsencode(path.relative_to(self._project)).decode("utf-8", "replace")
        if not is_inside(self._project, path):
            self.problems.append(f"{name!r} is a link that leaves the project")
            return False
        if "\ufffd" in name:
            self.problems.append(f"the name {name!r} is not UTF-8")
            return False
        return True


def _files(project: Path, glob: str) -> Iterator[Path]:
    """In the order of their names; a folder stands for all that is in it. Links to folders are not followed further."""
    for path in sorted(project.glob(f"{glob}/*" if glob.split("/")[-1] == "**" else glob)):
        if "**" in glob and path.is_symlink() and path.is_dir():  # what it leads to is found where it is
            continue
        if path.is_dir() and is_inside(project, path):
            for folder, inner, names in os.walk(path):
                inner[:] = sorted(set(inner) - {_UNWANTED})
                yield from (Path(folder, name) for name in sorted(names))
        elif _UNWANTED not in path.relative_to(project).parts:
            yield path
