"""What a run's record says about how it was made, read once. Anyone who can write to the store may have changed it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from projrun.errors import RequestError
from projrun.settings.options import LIMITS
from projrun.sources.changes.folder_hash import FILES_TAG, WRITTEN_TAG, is_code, read_files
from projrun.sources.version import is_full_commit
from projrun.tracking.entities import Run

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Record(NamedTuple):
    """A recorded run, as far as repeating it goes."""

    run_id: str
    run_name: str
    status: str
    experiment_id: str
    artifact_uri: str
    entry_point: str
    source: str
    """The project's URI without credentials (`mlflow.source.name`)."""
    params: Mapping[str, str]
    """All of the run's, those too that the project logged itself."""
    given: tuple[str, ...] | None
    """The names of those that its entry point was bound to, in order; None if unknown."""
    by_user: frozenset[str] | None = None
    """The names of those whose values were not the defaults; None if unknown."""
    truncated: frozenset[str] = frozenset()
    """The names of params whose values the store did not take whole."""
    commit: str | None = None
    repository: str | None = None
    archive: str | None = None
    """An archive's `sha256:HEX`."""
    content: str | None = None
    """The hash of a plain folder's content, or why there is none."""
    files: Mapping[str, str] = {}
    """The beginnings of its files' hashes, by path; empty where there were too many."""
    written: frozenset[str] = frozenset()
    """Files in it that the run has written; none that is code, whatever the tag says."""
    dirty: bool = False
    """Whether there were uncommitted changes."""
    patch: str | None = None
    """`complete`, or what of the uncommitted changes is not recorded, and why."""
    manager: str | None = None
    """The environment manager."""
    backend: str | None = None
    limits: Mapping[str, str] = {}
    """Its limits, by option."""
    caller_directory: Path | None = None
    """The folder that the run was started in."""
    version: str | None = None
    """projrun's; None for a run that projrun did not record."""
    platform: str | None = None

    @property
    def shown(self) -> str:
        """The run as people are shown it."""
        return _shown(self.run_name, self.run_id)

    @property
    def patch_is_recorded(self) -> bool:
        """Whether there was a patch to record, of all changes or of some."""
        return self.patch is not None and not self.patch.startswith("not taken")

    @property
    def origin(self) -> str:
        """The origin shown for a setting from the record."""
        return f"the record of run {self.run_id[:8]}"


def read_record(run: Run) -> Record:
    """The record of a project's run, projrun's or MLflow's.

    Raises RequestError for a deleted run, one that is not a project's, or one with inconsistent tags.
    """
    tags = {tag.key: tag.value for tag in run.tags}
    shown = _shown(run.run_name, run.run_id)
    if run.lifecycle_stage != "active":
        raise RequestError(f"{shown} was deleted", hint="restore it in the tracking store")
    entry_point, source = tags.get("mlflow.project.entryPoint"), tags.get("mlflow.source.name")
    if not entry_point or not source:
        raise RequestError(
            f"{shown} is not a project run: its record has no entry point",
            hint="only runs of `projrun run` and `mlflow run` can be repeated",
        )
    directory, by_user = tags.get("projrun.caller_directory"), _names(tags, "projrun.given", shown)
    return Record(
        run.run_id,
        run.run_name,
        run.status,
        run.experiment_id,
        run.artifact_uri,
        entry_point,
        source,
        {param.key: param.value for param in run.params},
        _names(tags, "projrun.parameters", shown),
        None if by_user is None else frozenset(by_user),
        frozenset(param.key for param in run.params if f"projrun.param.{param.key}.truncated" in tags),
        commit=_checked(tags, "mlflow.source.git.commit", is_full_commit, shown),
        repository=tags.get("mlflow.source.git.repoURL") or None,
        archive=_checked(tags, "projrun.source.archive", _is_digest, shown),
        content=tags.get("projrun.source.content") or None,
        files=read_files(tags.get(FILES_TAG, "")),
        written=frozenset(name for name in _names(tags, WRITTEN_TAG, shown) or () if not is_code(name)),
        dirty=tags.get("projrun.source.dirty") == "true",
        patch=tags.get("projrun.source.patch") or None,
        manager=tags.get("projrun.env_manager") or tags.get("mlflow.project.env") or None,
        backend=tags.get("mlflow.project.backend") or None,
        limits=_limits(tags, shown),
        caller_directory=Path(directory) if directory and Path(directory).is_absolute() else None,
        version=tags.get("projrun.version") or None,
        platform=tags.get("projrun.platform") or None,
    )


def _shown(run_name: str, run_id: str) -> str:
    """On one line: a line break in a name could fake a message of projrun."""
    return f"run {' '.join(run_name.split())} ({run_id})"


def _checked(tags: Mapping[str, str], key: str, valid: Callable[[str], bool], shown: str) -> str | None:
    """A tag that ends in a command line or names a place; RequestError for an invalid one."""
    value = tags.get(key)
    if not value:
        return None
    if not valid(value):
        raise RequestError(f"the tag {key} of {shown} is {value!r}, which projrun never records")
    return value


def _is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def _names(tags: Mapping[str, str], key: str, shown: str) -> tuple[str, ...] | None:
    text = tags.get(key)
    if text is None:
        return None
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RequestError(f"the tag {key} of {shown} is not a list of names")
    return tuple(names)


def _limits(tags: Mapping[str, str], shown: str) -> dict[str, str]:
    try:
        limits = json.loads(tags.get("projrun.limits") or "{}")
    except (ValueError, RecursionError):
        limits = None
    if not isinstance(limits, dict) or not all(isinstance(value, str) for value in limits.values()):
        raise RequestError(f"the tag projrun.limits of {shown} is not a table of settings")
    return {name: value for name, value in limits.items() if name in LIMITS}
