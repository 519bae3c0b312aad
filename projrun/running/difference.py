"""Two recorded runs side by side: their inputs and their results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from projrun.environments.lock_text import locked_packages
from projrun.errors import TrackingError
from projrun.running.rerun.files import recorded_files
from projrun.sources.changes.folder_hash import FILES_TAG, WRITTEN_TAG
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore

_FACTS = (
    ("source", "mlflow.source.name"),
    ("commit", "mlflow.source.git.commit"),
    ("branch", "mlflow.source.git.branch"),
    ("archive", "projrun.source.archive"),
    ("content", "projrun.source.content"),
    ("entry point", "mlflow.project.entryPoint"),
    ("environment manager", "projrun.env_manager"),
    ("backend", "mlflow.project.backend"),
    ("platform", "projrun.platform"),
    ("projrun", "projrun.version"),
)
"""What people compare first, and its tags."""
_OWN = ("mlflow.runName", "mlflow.user", "mlflow.log-model.history", "projrun.given", FILES_TAG, WRITTEN_TAG)
"""Tags that differ in every run, or mean nothing to people."""
_PATCH_TAG = "projrun.source.patch"


class Row(NamedTuple):
    """One thing in both runs; None if a run does not have it."""

    name: str
    left: str | None
    right: str | None

    @property
    def equal(self) -> bool:
        """Whether both say the same."""
        return self.left == self.right


class MetricRow(NamedTuple):
    """The last value of a metric in both runs."""

    name: str
    left: float | None
    right: float | None

    @property
    def equal(self) -> bool:
        """Whether both are the same number; two NaNs are the same."""
        both_undefined = self.left != self.left and self.right != self.right
        return self.left == self.right or both_undefined

    @property
    def difference(self) -> float | None:
        """Right less left; None where one is missing."""
        return None if self.left is None or self.right is None else self.right - self.left


class RunDifference(NamedTuple):
    """All that can be compared, equal rows too."""

    left: Run
    right: Run
    facts: tuple[Row, ...]
    parameters: tuple[Row, ...]
    metrics: tuple[MetricRow, ...]
    packages: tuple[Row, ...]
    tags: tuple[Row, ...]
    warnings: tuple[str, ...] = ()


class ComparedRow(NamedTuple):
    """One thing in several runs; None where a run does not have it."""

    section: Literal["facts", "params", "metrics"]
    name: str
    values: tuple[str | float | None, ...]

    @property
    def equal(self) -> bool:
        """Whether all say the same; NaNs are the same."""
        return len({"nan" if value != value else value for value in self.values}) == 1


def compared_rows(runs: Sequence[Run]) -> tuple[ComparedRow, ...]:
    """What the records of runs say of their inputs and results, equal rows too; no artifact is read."""
    facts = [
        ComparedRow("facts", "status", tuple(run.status for run in runs)),
        *(ComparedRow("facts", name, tuple(run.tag(tag) for run in runs)) for name, tag in _FACTS),
    ]
    params = [{param.key: param.value for param in run.params} for run in runs]
    metrics = [{metric.key: metric.value for metric in run.metrics} for run in runs]
    return (
        *(row for row in facts if any(value is not None for value in row.values)),
        *(ComparedRow("params", name, tuple(one.get(name) for one in params)) for name in _names(params)),
        *(ComparedRow("metrics", name, tuple(one.get(name) for one in metrics)) for name in _names(metrics)),
    )


class _Files(NamedTuple):
    """What a run recorded of its environment and its uncommitted changes."""

    packages: Mapping[str, str] = {}
    patch: bytes | None = None
    warnings: tuple[str, ...] = ()


def compare_runs(left: Run, right: Run, store: RunStore) -> RunDifference:
    """Their records and recorded locks. Artifacts that cannot be read are a warning."""
    files = [_files(run, store) for run in (left, right)]
    warnings = tuple(warning for found in files for warning in found.warnings)
    if warnings:  # with the files of one run only, there is nothing to compare
        files = [_Files(), _Files()]
    facts = [
        Row("status", left.status, right.status),
        *(Row(name, left.tag(tag), right.tag(tag)) for name, tag in _FACTS),
        _uncommitted(files, whole=all(run.tag(_PATCH_TAG) == "complete" for run in (left, right))),
    ]
    metrics = [{metric.key: metric.value for metric in run.metrics} for run in (left, right)]
    return RunDifference(
        left,
        right,
        tuple(row for row in facts if row.left is not None or row.right is not None),
        _rows(*({param.key: param.value for param in run.params} for run in (left, right))),
        tuple(MetricRow(name, *(found.get(name) for found in metrics)) for name in _names(metrics)),
        _rows(*(found.packages for found in files)),
        _rows(*(_other_tags(run) for run in (left, right))),
        warnings,
    )


def _rows(left: Mapping[str, str], right: Mapping[str, str]) -> tuple[Row, ...]:
    return tuple(Row(name, left.get(name), right.get(name)) for name in _names((left, right)))


def _names(both: Iterable[Mapping[str, object]]) -> list[str]:
    return sorted({name for one in both for name in one})


def _other_tags(run: Run) -> dict[str, str]:
    shown = {tag for _, tag in _FACTS}
    return {tag.key: tag.value for tag in run.tags if tag.key not in shown and tag.key not in _OWN}


def _uncommitted(files: list[_Files], *, whole: bool) -> Row:
    """Diffs are long: whether there is one, and whether they are equal; what both omit may differ."""
    left, right = (None if found.patch is None else "recorded" for found in files)
    if left and right and files[0].patch != files[1].patch:
        right = "recorded, not the same"
    elif left and right and not whole:
        right = "recorded, the same as far as they go"
    return Row("uncommitted changes", left, right)


def _files(run: Run, store: RunStore) -> _Files:
    from tempfile import TemporaryDirectory

    try:
        with TemporaryDirectory(prefix="projrun-diff-") as folder:
            found = recorded_files(
                run.artifact_uri, store, Path(folder), patch=run.tag(_PATCH_TAG) is not None
            )
            lock = found.lock.read_text(encoding="utf-8", errors="replace") if found.lock else ""
            return _Files(locked_packages(lock), found.patch.read_bytes() if found.patch else None)
    except (TrackingError, OSError) as error:
        reason = error.message if isinstance(error, TrackingError) else error.strerror
        return _Files(warnings=(f"the artifacts of {run.run_id} cannot be compared: {reason}",))
