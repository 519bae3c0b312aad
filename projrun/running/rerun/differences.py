"""Differences between a recorded run and the plan that repeats it, reported before anything starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from projrun.credentials import redact_uri
from projrun.environments.lock_text import locked_packages
from projrun.errors import SourceError
from projrun.project.model import BoundParameter
from projrun.project.shown import listed, public, shown
from projrun.running.plan import Plan
from projrun.running.record.description import platform_name
from projrun.running.rerun.parameters import recorded_text
from projrun.running.rerun.repetition import Repetition
from projrun.sources.changes.folder_hash import FolderContent
from projrun.version import __version__

_MOST_NAMED = 5
_UNKNOWN = "no hash of the project's files was recorded: they may have changed"


class Difference(NamedTuple):
    """One thing that differs, or may differ."""

    what: str
    """`parameter alpha`, `commit`, `environment lock`, …"""
    recorded: str | None = None
    now: str | None = None
    note: str = ""
    serious: bool = False
    """Whether `--quiet` shows it too: the project's files may have changed."""

    @property
    def text(self) -> str:
        """For people, on one line."""
        values = ""
        if self.recorded is not None or self.now is not None:
            values = f" {_value(self.recorded)} -> {_value(self.now)}"
        note = f" ({self.note})" if values and self.note else f" {self.note}" if self.note else ""
        return f"{self.what}:{values}{note}"


def _value(text: str | None) -> str:
    return "(none)" if text is None else shown(text, secret=False)[1:-1] if text else "''"


def differences(repetition: Repetition, plan: Plan) -> tuple[Difference, ...]:
    """All of them. Raises SourceError for a folder whose content is known to have changed, unless that was allowed."""
    return (
        *_run(repetition),
        *_source(repetition, plan),
        *_patch(repetition),
        *_parameters(repetition, plan),
        *_environment(repetition, plan),
        *_surroundings(repetition, plan),
    )


def _run(repetition: Repetition) -> Iterator[Difference]:
    record = repetition.record
    if record.status == "RUNNING":
        yield Difference("run", note="the recorded run is still running: its record is incomplete")
    if record.version is None:
        yield Difference("record", note="not recorded by projrun: it has no lock and no uncommitted changes")
    entry_point = repetition.request.entry_point
    if entry_point != record.entry_point:
        yield Difference("entry point", record.entry_point, entry_point)


def _source(repetition: Repetition, plan: Plan) -> Iterator[Difference]:
    record, checkout = repetition.record, plan.checkout
    if checkout.uri != record.source:
        yield Difference("source", redact_uri(record.source), checkout.uri, repetition.source.moved)
    if repetition.source.version is not None:
        return
    if checkout.cached is not None:
        yield Difference("commit", None, checkout.commit, "not recorded", serious=True)
    else:
        yield from _content(repetition, plan)


def _content(repetition: Repetition, plan: Plan) -> Iterator[Difference]:
    """A folder without version control: its current content counts."""
    from projrun.sources.changes.folder_hash import folder_content

    record, folder = repetition.record, plan.checkout.directory
    content = folder_content(folder) if _is_hash(record.content) else None
    if content is None or not _is_hash(content.text):
        yield Difference("content", note=_UNKNOWN, serious=True)
    elif record.content != content.text:
        yield from _files(repetition, content, folder)


def _files(repetition: Repetition, content: FolderContent, folder: Path) -> Iterator[Difference]:
    """Files that changed. What the run itself wrote is not its source, and new files that are no code change nothing
    that was there; SourceError for others.
    """
    from projrun.sources.changes.folder_hash import changed_files, is_code

    record = repetition.record
    changed = [path for path in changed_files(record.files, content.files) if path not in record.written]
    if record.files:
        new = [path for path in changed if path not in record.files and not is_code(path)]
        changed = [path for path in changed if path not in new]
        if new:
            yield Difference("content", note=f"new since then: {_some(new)}")
        if not changed:
            return
    if not repetition.order.changed_source:
        named = f": {_some(changed)}" if record.files else ""
        raise SourceError(
            f"the files in {folder} differ from those of {record.shown}{named}",
            hint="run them as they are with --changed-source",
        )
    note = f"the project's files have changed{f': {_some(changed)}' if record.files else ''}"
    yield Difference("content", record.content, content.text, note, serious=True)


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - _MOST_NAMED} more" if paths[_MOST_NAMED:] else ""
    return listed(paths[:_MOST_NAMED]) + more


def _is_hash(content: str | None) -> bool:
    return content is not None and content.startswith("sha256:")


def _patch(repetition: Repetition) -> Iterator[Difference]:
    record = repetition.record
    if repetition.source.version is None or not (record.dirty or record.patch):
        return
    if repetition.order.without_patch:
        yield Difference("uncommitted changes", note="skipped: --without-patch", serious=True)
    elif record.patch != "complete":
        why = record.patch or "not in the record"
        yield Difference("uncommitted changes", note=f"not all are restored: {why}", serious=True)


def _parameters(repetition: Repetition, plan: Plan) -> Iterator[Difference]:
    record, bound = repetition.record, [public(one) for one in plan.invocation.parameters]
    for parameter in bound:
        yield from _parameter(repetition, parameter)
    names = record.params if record.given is None else record.given
    left_out = [name for name in names if name not in {parameter.name for parameter in bound}]
    if left_out:
        yield Difference(
            "parameters",
            note=f"{listed(left_out)}: recorded, but the entry point does not declare them; -P passes them on",
        )


def _parameter(repetition: Repetition, parameter: BoundParameter) -> Iterator[Difference]:
    record, what = repetition.record, f"parameter {parameter.name}"
    recorded = recorded_text(record, parameter.name)
    if parameter.origin == "record":
        if parameter.type == "path" and parameter.download is None and parameter.raw == recorded:
            yield from _relative(repetition, parameter)
    elif parameter.secret:
        if parameter.origin != "default":  # it is where it was in the record, too
            yield Difference(what, note="a secret, given again")
    elif recorded != parameter.raw:
        whole = "" if parameter.name not in record.truncated else "recorded in part"
        yield Difference(what, recorded, parameter.raw, whole or parameter.origin)


def _relative(repetition: Repetition, parameter: BoundParameter) -> Iterator[Difference]:
    """A relative path that leads elsewhere than it did."""
    given = repetition.request.parameters[parameter.name]
    directory = repetition.record.caller_directory
    if parameter.raw == parameter.value:
        return
    if given.directory is None:
        was = f"was relative to {directory or 'another folder'}"
        yield Difference(f"parameter {parameter.name}", note=f"is {parameter.value}, {was}", serious=True)
    elif given.inside is not None and parameter.value.startswith(str(given.directory)):
        note = f"is {parameter.value}: the commit has no {parameter.raw}"
        yield Difference(f"parameter {parameter.name}", note=note, serious=True)


def _environment(repetition: Repetition, plan: Plan) -> Iterator[Difference]:
    record, manager = repetition.record, plan.environment.resolved.manager
    if record.manager is None:
        yield Difference("environment manager", None, manager, "not recorded")
    elif record.manager != manager:
        yield Difference("environment manager", record.manager, manager)
    if repetition.order.unlocked:
        yield Difference("environment lock", note="not used: --unlocked")
    elif not plan.environment.manager.capabilities.builds:
        if repetition.files.lock is not None or record.manager == manager:
            yield Difference("environment", note=f"{manager}: it may differ from the recorded one")
    elif repetition.files.lock is None:
        yield Difference("environment lock", note="none is recorded: built from the project's file")
    elif plan.environment.request.lock_file is None:
        yield Difference("environment lock", note=f"not used: {manager} cannot build from that kind of lock")
    elif plan.environment.request.lock_file != repetition.files.lock:
        yield Difference("environment lock", note="that of --locked")


def _surroundings(repetition: Repetition, plan: Plan) -> Iterator[Difference]:
    record, experiment = repetition.record, plan.experiment
    if experiment.name is not None:
        yield Difference("experiment", f"id {record.experiment_id}", experiment.name)
    elif experiment.experiment_id != record.experiment_id:
        yield Difference("experiment", f"id {record.experiment_id}", f"id {experiment.experiment_id}")
    if record.backend is not None and record.backend != plan.backend.name:
        yield Difference("backend", record.backend, plan.backend.name)
    unrecorded = getattr(plan.environment.request.options, "unrecorded", None)
    if unrecorded is not None:
        yield Difference(unrecorded[0], note=unrecorded[1])
    if record.version is not None and record.version != __version__:
        yield Difference("projrun", record.version, __version__)
    if record.platform is not None and record.platform != platform_name():
        yield Difference("platform", record.platform, platform_name())


def environment_difference(recorded: Path | None, installed: Path | None) -> Difference | None:
    """Whether the installed packages are the recorded ones; None if it is, or if that is unknown."""
    if recorded is None or installed is None:
        return None
    before, after = (locked_packages(_read(file)) for file in (recorded, installed))
    if before == after:
        return None
    names = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    changes = ", ".join(f"{name} {before.get(name, '-')} -> {after.get(name, '-')}" for name in names)
    return Difference("installed packages", note=changes, serious=True)


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace")
