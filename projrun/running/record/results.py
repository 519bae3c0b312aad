"""`projrun.search_runs`, `get_run`, `metric_history`, `artifacts`: recorded results as frozen values, in Python."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from projrun.directories import Directories
from projrun.errors import RequestError
from projrun.reporting import SilentReporter
from projrun.running.record.lookup import find_run, opened_store
from projrun.running.record.parent import imported_tracking_uri
from projrun.settings import Settings
from projrun.suggestions import did_you_mean
from projrun.tracking.artifacts.listing import artifact_files
from projrun.tracking.entities import Run
from projrun.tracking.histories import whole_history
from projrun.tracking.runs import RunStore

if TYPE_CHECKING:
    from pandas import DataFrame  # type: ignore[import-not-found, import-untyped, unused-ignore]

_PAGE = 1000
_PARENT = "mlflow.parentRunId"


@dataclass(frozen=True)
class RunRecord:
    """A recorded run: what it is, and the latest of what it logged."""

    run_id: str
    name: str
    experiment_id: str
    status: Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]
    start_time: datetime
    """With its zone, which is UTC."""
    end_time: datetime | None
    artifact_uri: str
    parent_run_id: str | None
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    """The latest value of each."""
    tags: Mapping[str, str]

    @property
    def duration(self) -> timedelta | None:
        """None for a run that has not ended."""
        return None if self.end_time is None else max(self.end_time - self.start_time, timedelta())


@dataclass(frozen=True)
class MetricPoint:
    """A logged value of a metric."""

    step: int
    value: float
    time: datetime


@dataclass(frozen=True)
class ArtifactFile:
    """A file of a run; `size` in bytes, None where the store does not say."""

    path: str
    size: int | None


class RunRecords(tuple[RunRecord, ...]):
    """The runs that a search found, in its order."""

    __slots__ = ()

    def to_pandas(self) -> DataFrame:
        """A row for each run, with columns `params.NAME`, `metrics.NAME`, `tags.NAME`. Needs pandas."""
        columns: dict[str, list[object]] = {
            name: [getattr(run, name) for run in self]
            for name in (
                "run_id",
                "name",
                "experiment_id",
                "status",
                "start_time",
                "end_time",
                "artifact_uri",
            )
        }
        for kind, absent in (("params", None), ("metrics", float("nan")), ("tags", None)):
            for key in sorted({key for run in self for key in getattr(run, kind)}):
                columns[f"{kind}.{key}"] = [getattr(run, kind).get(key, absent) for run in self]
        return _frame(columns)


class MetricPoints(tuple[MetricPoint, ...]):
    """The history of a metric, by step and time."""

    __slots__ = ()

    def to_pandas(self) -> DataFrame:
        """The columns step, value and time. Needs pandas."""
        return _frame({name: [getattr(point, name) for point in self] for name in ("step", "value", "time")})


class ArtifactFiles(tuple[ArtifactFile, ...]):
    """The files of a run, by their paths."""

    __slots__ = ()

    def to_pandas(self) -> DataFrame:
        """The columns path and size. Needs pandas."""
        return _frame({name: [getattr(file, name) for file in self] for name in ("path", "size")})


def search_runs(
    experiment_names: str | Sequence[str] | None = None,
    *,
    filter_string: str = "",
    order_by: str | Sequence[str] = (),
    max_results: int | None = None,
    deleted: bool = False,
    tracking_uri: str | None = None,
) -> RunRecords:
    """The recorded runs that match, newest first.

    Parameters:
        experiment_names: a name, or several; without one, all experiments.
        filter_string: MLflow's filter: "metrics.rmse < 0.8 and params.alpha = '0.42'".
        order_by: for example "metrics.rmse ASC", or several of these.
        max_results: at most so many runs; without it, all.
        deleted: deleted runs instead of those that are there.
        tracking_uri: the store; as for `projrun.run`.

    Raises RequestError for an experiment that does not exist, TrackingError for a store that cannot be read.
    """
    names = [experiment_names] if isinstance(experiment_names, str) else experiment_names
    order = [order_by] if isinstance(order_by, str) else list(order_by)
    found: list[RunRecord] = []
    token = ""
    with _store(tracking_uri) as store:
        experiments = _experiments(store, names, deleted=deleted)
        while max_results is None or len(found) < max_results:
            page = store.search_runs(
                experiments,
                filter_string=filter_string,
                view_type="DELETED_ONLY" if deleted else "ACTIVE_ONLY",
                max_results=_PAGE if max_results is None else min(_PAGE, max_results - len(found)),
                order_by=order or ("attributes.start_time DESC",),
                page_token=token,
            )
            found += map(_record, page.runs)
            token = page.next_page_token
            if not token:
                break
    return RunRecords(found)


def get_run(run: str = "latest", *, tracking_uri: str | None = None) -> RunRecord:
    """A recorded run.

    Parameters:
        run: an id or a unique prefix of one, a unique name, "latest" or "-1" for the last run, "-2" for the one before.
        tracking_uri: the store; as for `projrun.run`.

    Raises RequestError where there is none, or several.
    """
    with _store(tracking_uri) as store:
        return _record(find_run(store, run))


def metric_history(run: str, key: str, *, tracking_uri: str | None = None) -> MetricPoints:
    """All values of a metric of a run, by step and time.

    Parameters:
        run: as for `projrun.get_run`.
        key: the name of the metric.
        tracking_uri: the store; as for `projrun.run`.

    Raises RequestError for a metric that the run does not have.
    """
    with _store(tracking_uri) as store:
        found = find_run(store, run)
        known = [metric.key for metric in found.metrics]
        if key not in known:
            raise RequestError(f"run {found.run_id} has no metric {key!r}{did_you_mean(key, known)}")
        points = whole_history(store, found.run_id, key)
    return MetricPoints(MetricPoint(one.step, one.value, _time(one.timestamp)) for one in points)


def artifacts(run: str, path: str = "", *, tracking_uri: str | None = None) -> ArtifactFiles:
    """The files of a run, those of folders too; at most 50,000.

    Parameters:
        run: as for `projrun.get_run`.
        path: only what is in this folder.
        tracking_uri: the store; as for `projrun.run`.
    """
    with _store(tracking_uri) as store:
        files = artifact_files(store.artifacts(find_run(store, run).artifact_uri), path, most=50_000)
    return ArtifactFiles(ArtifactFile(file.path, file.size) for file in files)


@contextmanager
def _store(tracking_uri: str | None) -> Iterator[RunStore]:
    directories = Directories.locate(os.environ)
    options = {"tracking-uri": tracking_uri or imported_tracking_uri()}
    settings = Settings(options, os.environ, directories.config)
    with opened_store(settings, directories, os.environ, Path.cwd(), SilentReporter().warning) as store:
        yield store


def _experiments(store: RunStore, names: Sequence[str] | None, *, deleted: bool) -> list[str]:
    if names is None:
        listed = store.search_experiments(view_type="ALL" if deleted else "ACTIVE_ONLY", max_results=50_000)
        return [experiment.experiment_id for experiment in listed.experiments]
    found = []
    for name in names:
        experiment = store.get_experiment_by_name(name)
        if experiment is None:
            raise RequestError(f"experiment {name!r} not found")
        found.append(experiment.experiment_id)
    return found


def _record(run: Run) -> RunRecord:
    return RunRecord(
        run.run_id,
        run.run_name,
        run.experiment_id,
        run.status,
        _time(run.start_time),
        None if run.end_time is None else _time(run.end_time),
        run.artifact_uri,
        run.tag(_PARENT),
        MappingProxyType({param.key: param.value for param in run.params}),
        MappingProxyType({metric.key: metric.value for metric in run.metrics}),
        MappingProxyType({tag.key: tag.value for tag in run.tags}),
    )


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)


def _frame(columns: Mapping[str, list[Any]]) -> DataFrame:
    try:
        from pandas import DataFrame
    except ImportError as error:
        raise ImportError("to_pandas needs pandas, which is not installed: pip install pandas") from error
    return DataFrame(columns)
