"""From a recorded run to the request for a new one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import NamedTuple

from projrun.errors import SourceError, TrackingError
from projrun.plugins import built_ins
from projrun.running.record.description import platform_name
from projrun.running.record.lookup import find_run, opened_store
from projrun.running.request import Context, RunRequest
from projrun.running.rerun.files import CONDA_LOCK, PATCH, RecordedFiles, check_lock, recorded_files
from projrun.running.rerun.parameters import repeated_parameters
from projrun.running.rerun.record import Record, read_record
from projrun.running.rerun.source import RepeatedSource, repeated_source
from projrun.sources.policy import TrustPolicy
from projrun.tracking.runs import RunStore

RERUN_OF = "projrun.rerun_of"
"""The tag that names the run which this one repeats."""


class Order(NamedTuple):
    """What the user wants from `rerun`."""

    run_id: str
    """The recorded run's id; a unique prefix is enough."""
    request: RunRequest
    """What is given now; the record fills in the URI, the version, the entry point, the patch, other parameters."""
    context: Context
    source: str | None = None
    """Where the project is now."""
    entry_point: str | None = None
    unlocked: bool = False
    """Build the environment from the project's file, not from the recorded lock."""
    without_patch: bool = False
    """Do not apply the recorded uncommitted changes."""
    changed_source: bool = False
    """Run a folder whose content has changed."""


class Repetition(NamedTuple):
    """A recorded run, and the request that repeats it."""

    record: Record
    request: RunRequest
    context: Context
    source: RepeatedSource
    files: RecordedFiles
    order: Order


@contextmanager
def repetition(order: Order, warn: Callable[[str], None]) -> Iterator[Repetition]:
    """Read the record; its files are in a private folder until the `with` block ends.

    Raises RequestError for a run that does not exist or cannot be repeated as it is recorded, SourceError for a
    source or changes that are gone or that the trust policy refuses, TrackingError for a store that fails.
    """
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="projrun-rerun-") as folder:
        with _store(order, warn) as store:
            record = read_record(find_run(store, order.run_id))
            source = repeated_source(
                record, order.source, order.request.caller_directory, order.context.environ
            )
            # An artifact without a tag may belong to an earlier source of the run.
            is_dirty = record.dirty or record.patch is not None
            wanted = is_dirty and not order.without_patch and source.version is not None
            files = _files(record, store, Path(folder), lock=not order.unlocked, patch=wanted)
        if wanted and files.patch is None and record.patch_is_recorded:
            raise SourceError(
                f"the recorded changes of {record.shown} are gone: it has no artifact {PATCH}",
                hint="skip them with --without-patch",
            )
        _check(record, files, TrustPolicy.of(order.context.settings))
        request = _request(order, record, source, files)
        context = order.context.with_record(request.recorded, request.record)
        yield Repetition(record, request, context, source, files, order)


def _files(record: Record, store: RunStore, folder: Path, *, lock: bool, patch: bool) -> RecordedFiles:
    try:
        return recorded_files(record.artifact_uri, store, folder, lock=lock, patch=patch)
    except TrackingError as error:
        options = " ".join(
            word for word, wanted in (("--unlocked", lock), ("--without-patch", patch)) if wanted
        )
        error.hint = f"{error.hint}; or run without: {options}" if error.hint else f"run without: {options}"
        raise


def _check(record: Record, files: RecordedFiles, policy: TrustPolicy) -> None:
    """Raises SourceError for what comes from the record, is run, and the trust policy does not allow."""
    if files.lock is not None:
        check_lock(files.lock, policy)
    if files.patch is not None and policy.pinned:
        raise SourceError(
            f"the uncommitted changes of {record.shown} are refused: {policy.pinned[0].origin} sets require-pinned",
            hint="skip them with --without-patch",
        )


def installed_lock(
    repetition: Repetition, artifact_uri: str, folder: Path, warn: Callable[[str], None]
) -> Path | None:
    """The lock of what was installed for a run that has ended. Raises TrackingError."""
    with _store(repetition.order, warn) as store:
        return recorded_files(artifact_uri, store, folder, patch=False).lock


def _store(order: Order, warn: Callable[[str], None]) -> AbstractContextManager[RunStore]:
    context = order.context
    return opened_store(
        context.settings, context.directories, context.environ, order.request.caller_directory, warn
    )


def _request(order: Order, record: Record, source: RepeatedSource, files: RecordedFiles) -> RunRequest:
    request = order.request
    return request._replace(
        uri=source.uri,
        version=source.version,
        entry_point=order.entry_point or record.entry_point,
        parameters=repeated_parameters(record, request.parameters),
        recorded=_settings(record, files),
        record=record.origin,
        patch=files.patch,
        tags={**request.tags, RERUN_OF: record.run_id},
    )


def _settings(record: Record, files: RecordedFiles) -> dict[str, str]:
    # A package file of conda's is of one platform: elsewhere the environment is solved again.
    fits = files.lock is not None and not (files.lock.name == CONDA_LOCK and _is_foreign(record))
    # An environment of the user's (`--env`) is recorded only by its lock: an equal one is built.
    manager = None if record.manager in built_ins().CHOOSING_OPTIONS.values() else record.manager
    values = {
        **record.limits,
        "experiment-id": record.experiment_id,
        "env-manager": manager,
        "backend": record.backend,
        "locked": str(files.lock) if fits else None,
    }
    return {name: value for name, value in values.items() if value}


def _is_foreign(record: Record) -> bool:
    return record.platform is not None and record.platform != platform_name()
