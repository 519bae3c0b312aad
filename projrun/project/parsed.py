"""MLproject files that were read before, as `.pyc` files are: an unchanged one needs no YAML parser.

An entry is named by the MLproject's content and by the versions of projrun and PyYAML, so copies of one project share
it and an edit makes another. What the folder holds beside the MLproject, the environment files, is looked at in every
run.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path

from projrun.cache.digests import sha256_for
from projrun.cache.ownership import foreign_reason
from projrun.project.environment_files import default_environment, file_problem
from projrun.project.files import is_file
from projrun.project.model import Project
from projrun.project.records import project_from_json, project_to_json, relative
from projrun.project.text import LARGEST_FILE
from projrun.tuples import NamedTuple
from projrun.version import __version__

MOST_ENTRIES = 200
"""Entries beyond this many are removed, the oldest first, when one is written."""

_FORMAT = "3"
_LARGEST_ENTRY = 4 * LARGEST_FILE


def folder(cache: Path) -> Path:
    """Where the parsed projects are in the cache, a file for each MLproject."""
    return cache / "projects"


class ParsedProjects(NamedTuple):
    """The place of one MLproject's entry."""

    file: Path
    """The MLproject file."""
    entry: Path
    key: str

    @classmethod
    def of(cls, cache: Path, file: Path) -> ParsedProjects | None:
        """For an MLproject as it is now; None where it cannot be read or PyYAML is not a plain package."""
        try:
            content = _read(file, LARGEST_FILE)
            parser = _parser()
        except (OSError, ValueError):
            return None
        if parser is None:
            return None
        digest = sha256_for(len(content))()
        for part in (_FORMAT.encode(), __version__.encode(), parser, os.fsencode(file.name), content):
            digest.update(b"%d:%b" % (len(part), part))
        key = digest.hexdigest()
        return cls(file, folder(cache) / f"{key[:32]}.json", key)

    def find(self, within: Path | None) -> Project | None:
        """The project, where its entry is whole and this user's own."""
        try:
            if foreign_reason(self.entry.parent) is not None:
                return None
            key, value = json.loads(_read_own(self.entry))
            project = project_from_json(value, self.file.parent)
            if key != self.key or project.file != self.file:
                return None
            return _with_environment(project._replace(within=within))
        except (OSError, ValueError, TypeError, RecursionError):
            return None

    def keep(self, project: Project) -> None:
        """Write the entry; a cache that cannot be written is no reason to stop a run."""
        reference = project.environment
        if (
            project.broken
            or project.others
            or _holds_secrets(project)
            or not self._depends_on_text_alone(project)
        ):
            return
        if reference.location is None:  # what the folder holds decides, in every run
            project = project._replace(environment=reference._replace(kind="none", file=None))
        text = json.dumps([self.key, project_to_json(project)], separators=(",", ":"))
        from projrun.cache.private_files import replace_private

        with suppress(OSError):
            if foreign_reason(self.entry.parent) is None and len(text) <= _LARGEST_ENTRY:
                replace_private(self.entry, text.encode("ascii"))
                _remove_oldest(self.entry.parent, MOST_ENTRIES)

    def _depends_on_text_alone(self, project: Project) -> bool:
        """Whether the MLproject alone says which key names the environment.

        Of the keys of other packages (`NAME_env`), those count whose file is there.
        """
        reference = project.environment
        if reference.location is not None:
            return reference.kind in ("python_env", "conda_env", "uv_env", "docker_env")
        try:
            content = _read(self.file, LARGEST_FILE)
        except (OSError, ValueError):
            return False
        return b"_env" not in content and b"\\" not in content


def _holds_secrets(project: Project) -> bool:
    """Whether the file has values that may be secret: they are not copied to where their author would not look."""
    docker = project.environment.docker
    return (docker is not None and bool(docker.set_variables)) or any(
        parameter.secret and parameter.default is not None
        for entry_point in project.entry_points.values()
        for parameter in entry_point.parameters.values()
    )


def remove_unused(cache: Path, before: float) -> None:
    """Remove the entries written before a time, and what killed processes left; never fails."""
    with suppress(OSError), os.scandir(folder(cache)) as listing:
        for found in listing:
            with suppress(OSError):
                if found.stat(follow_symlinks=False).st_mtime < before or not found.name.endswith(".json"):
                    Path(found.path).unlink()


def _with_environment(project: Project) -> Project | None:
    """The project with the environment that its folder holds now; None where reading it again says what is wrong."""
    reference = project.environment
    if reference.docker is not None:
        return project
    if reference.location is None:
        return project._replace(environment=default_environment(project.directory, project.within))
    if reference.file is None:
        return None
    problem, _ = file_problem(relative(reference.file, project.directory), reference.file, project.within)
    return None if problem else project


def _parser() -> bytes | None:
    """What says which PyYAML this is: the source of the package, which holds its version. Imports nothing of it."""
    found = PathFinder.find_spec("yaml")
    if found is None or found.origin is None or not is_file(Path(found.origin)):
        return None
    return _read(Path(found.origin), LARGEST_FILE)


def _read(file: Path, limit: int) -> bytes:
    with file.open("rb", buffering=0) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ValueError("too large")
    return content


def _read_own(entry: Path) -> bytes:
    descriptor = os.open(entry, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_ENTRY:
            raise ValueError("not an entry")
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022:
            raise ValueError("others may have written it")
        return os.read(descriptor, status.st_size)
    finally:
        os.close(descriptor)


def _remove_oldest(place: Path, most: int) -> None:
    with os.scandir(place) as listing:
        written = sorted((found.stat(follow_symlinks=False).st_mtime, found.path) for found in listing)
    for _, path in written[: max(0, len(written) - most)]:
        with suppress(OSError):
            Path(path).unlink()
