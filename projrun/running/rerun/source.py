"""Where to get the source of a recorded run: the same commit, archive or folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from projrun.credentials import redact_uri
from projrun.errors import RequestError, SourceError
from projrun.running.rerun.record import Record
from projrun.sources.git.command import git_environ
from projrun.sources.git.work_tree import find_top
from projrun.sources.uri import ProjectUri, parse_project_uri

_TIMEOUT = 30.0


class RepeatedSource(NamedTuple):
    """What to fetch."""

    uri: str
    version: str | None
    """A whole commit or an archive's `sha256:HASH`; None for a folder that is used in place."""
    moved: str = ""
    """Why its location differs from the recorded one."""


def repeated_source(
    record: Record, instead: str | None, caller_directory: Path, environ: Mapping[str, str]
) -> RepeatedSource:
    """The project at the state that the record names; `instead` is its new location, from the user.

    A folder of this machine counts as the recorded repository only where it holds the recorded commit; else the
    repository that it was cloned from is asked. Raises RequestError for a source that does not fit, SourceError if
    it is gone.
    """
    version = record.archive or record.commit
    if instead is not None:
        _refuse_another_kind(instead, record, caller_directory)
        return RepeatedSource(_within(instead, record, caller_directory), version, "--source")
    if not _is_local(record.source):
        _refuse_relative(record, caller_directory)
        return RepeatedSource(record.source, version)
    if record.archive or record.commit is None:
        return RepeatedSource(_existing(record, caller_directory), version)
    place = _repository(record.source, caller_directory)
    if place is not None and _holds(place, record.commit, environ):
        return RepeatedSource(record.source, record.commit)
    return _elsewhere(record, place)


def _within(instead: str, record: Record, caller_directory: Path) -> str:
    """With the recorded subfolder where a whole repository or archive is given: what is the same has it there, too."""
    subdirectory = record.source.partition("#")[2]
    if not subdirectory or "#" in instead or not _is_placed(record):
        return instead
    try:
        parsed = parse_project_uri(instead, caller_directory)
    except (RequestError, SourceError):  # reported when it is fetched
        return instead
    place = Path(os.path.realpath(parsed.location))
    is_part = find_top(place) != place if parsed.kind == "local" else bool(parsed.web_path)
    return instead if is_part else f"{instead}#{subdirectory}"


def _refuse_another_kind(instead: str, record: Record, caller_directory: Path) -> None:
    """An archive has no commits, and anything else has no archive hash."""
    try:
        is_archive = parse_project_uri(instead, caller_directory).kind == "archive"
    except (RequestError, SourceError):  # reported when it is fetched
        return
    if is_archive and record.commit is not None and not record.archive:
        ran, wanted = f"commit {record.commit}", "a repository that has it"
    elif record.archive and not is_archive:
        ran, wanted = f"the archive {record.archive}", "that archive"
    else:
        return
    raise RequestError(
        f"--source {redact_uri(instead)} does not fit: {record.shown} ran {ran}", hint=f"give {wanted}"
    )


def _is_placed(record: Record) -> bool:
    """Whether the subfolder is from the top: of `PATH#sub`, it is unknown where PATH is in its repository."""
    return bool(record.archive) or not _is_local(record.source) or record.source.lower().startswith("file:")


def _is_local(source: str) -> bool:
    return Path(source).is_absolute() or source.lower().startswith("file:")


def _refuse_relative(record: Record, caller_directory: Path) -> None:
    """A name without a folder would be looked up in the caller's folder, where another project may be."""
    try:
        nowhere = parse_project_uri(record.source, Path(os.devnull))
        here = parse_project_uri(record.source, caller_directory)
    except RequestError:
        raise _unplaced(record) from None
    if nowhere.kind == "local" or nowhere != here:
        raise _unplaced(record)


def _unplaced(record: Record) -> RequestError:
    return RequestError(
        f"the record of {record.shown} names its source {redact_uri(record.source)!r}, which may be any folder",
        hint="give its location with --source",
    )


def _existing(record: Record, caller_directory: Path) -> str:
    try:
        parse_project_uri(record.source, caller_directory)
    except RequestError as error:
        raise SourceError(
            f"the source of {record.shown} no longer exists: {error.message}",
            hint="give its location with --source",
        ) from None
    return record.source


def _repository(source: str, caller_directory: Path) -> Path | None:
    """The repository of a recorded folder: the top of its work tree, or a bare one; None where there is none."""
    try:
        parsed = parse_project_uri(source, caller_directory)
    except (RequestError, SourceError):
        return None
    place = Path(os.path.realpath(_path(parsed)))
    return place if parsed.kind == "git" else find_top(place)


def _path(uri: ProjectUri) -> str:
    if uri.kind != "git":
        return uri.location
    return unquote(urlsplit(uri.location).path)


def _holds(repository: Path, commit: str, environ: Mapping[str, str]) -> bool:
    argv = ["git", "-C", str(repository), "cat-file", "-e", f"{commit}^{{commit}}"]
    try:
        done = subprocess.run(
            argv,
            env=git_environ(environ, protocols="none"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _elsewhere(record: Record, place: Path | None) -> RepeatedSource:
    folder, _, subdirectory = record.source.partition("#")
    why = f"{place} has no commit {record.commit}" if place else f"{folder} is no longer a repository"
    repository = record.repository
    is_placed = not subdirectory or _is_placed(record)
    if not repository or not is_placed or not _is_there(repository):
        raise SourceError(
            f"the source of {record.shown} is gone: {why}", hint="give its location with --source"
        )
    uri = f"{repository}#{subdirectory}" if subdirectory else repository
    return RepeatedSource(uri, record.commit, why)


def _is_there(repository: str) -> bool:
    """Of one on this machine, whether it exists; a server is asked when it is fetched."""
    if not _is_local(repository):
        return ":" in repository
    try:
        parse_project_uri(repository, Path(os.devnull))
    except (RequestError, SourceError):
        return False
    return True
