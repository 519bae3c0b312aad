"""`SqlStore`: the tracking store in a database, with the artifacts in a folder or an object store."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from projrun.directories import make_private
from projrun.errors import InvalidValueError
from projrun.tracking import limits
from projrun.tracking.artifacts.local import LocalArtifacts
from projrun.tracking.artifacts.open import open_repository
from projrun.tracking.artifacts.uris import local_path, served_path, uri_scheme
from projrun.tracking.entities import (
    Experiment,
    ExperimentPage,
    Metric,
    MetricPage,
    Param,
    Run,
    RunPage,
    Tag,
)
from projrun.tracking.sql import experiments, metrics, runs
from projrun.tracking.sql.engine import Engine
from projrun.tracking.sql.metrics import log as log_metrics
from projrun.tracking.sql.sqlite import SqliteEngine, Warn
from projrun.typed import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from projrun.tracking.artifacts.repository import ArtifactRepository
    from projrun.tracking.parts import Part
    from projrun.tracking.runs import Deadline
    from projrun.tracking.statuses import RunStatus, ViewType

_PARTS = {
    "Curves": "projrun.tracking.sql.samples.curves:SqlCurves",
    "Histories": "projrun.tracking.sql.samples.store:SqlHistories",
    "Inputs": "projrun.tracking.sql.inputs:SqlInputs",
    "LifeCycle": "projrun.tracking.sql.life_cycle:SqlLifeCycle",
    "LoggedModels": "projrun.tracking.sql.models.store:SqlLoggedModels",
    "ModelRegistry": "projrun.tracking.sql.registry.store:SqlRegistry",
    "Purge": "projrun.tracking.sql.purge:SqlPurge",
    "Tables": "projrun.tracking.sql.tables.store:SqlTables",
    "Traces": "projrun.tracking.sql.traces.store:SqlTraces",
    "Users": "projrun.tracking.sql.users.store:SqlUsers",
}
"""What a database keeps beside runs, by the contract's name: see `projrun.tracking.parts`."""
SERVED = "mlflow-artifacts"
"""The scheme of artifacts that the store keeps itself: an MLflow client asks the REST endpoint for them."""


def artifact_root(database: Path) -> Path:
    """The folder of the artifacts that belong to the store in the file `database`."""
    return database.absolute().parent / "artifacts"


class SqlStore:
    """A `RunStore`, with more in its parts. Used by one thread at a time: open one for each."""

    destination = ""  # the URI of the object store that keeps the served artifacts instead of `artifact_root`
    has_local_clients = True  # scripts on this machine write below a run's artifact URI as a path
    default_root = f"{SERVED}:"  # below it the artifacts of new experiments have their places

    def __init__(self, engine: Engine, artifact_root: Path, deadline: Deadline | None = None) -> None:
        """`artifact_root` is the folder of the artifacts that the store keeps itself."""
        self._engine = engine
        self._deadline = deadline
        self.uri = engine.uri
        self.artifact_root = artifact_root

    @classmethod
    def open(
        cls, database: Path, *,
        warn: Warn | None = None, mountinfo: str | None = None, deadline: Deadline | None = None,
    ) -> SqlStore:  # fmt: skip
        """Open or create the store in the file `database`.

        Raises RequestError for a file that is not a projrun store, TrackingError for one that cannot be used.
        `mountinfo` replaces `/proc/self/mountinfo` in tests; `deadline` bounds artifacts in object stores.
        """
        engine = SqliteEngine.open(database, warn=warn, mountinfo=mountinfo)
        store = cls(engine, artifact_root(database), deadline)
        # As private as the file: outputs and models say as much as params. An upload reports what is wrong here.
        with suppress(OSError):
            store.artifact_root.mkdir(mode=0o700)
        return store

    def close(self) -> None:
        """Close the database."""
        self._engine.close()

    def part(self, contract: type[Part]) -> Part | None:
        """What it keeps beside runs."""
        from projrun.tracking.parts import fulfils, open_part

        if fulfils(self._engine, contract):
            return cast("Part", self._engine)
        return open_part(_PARTS, contract, self._engine)

    def create_experiment(self, name: str, artifact_location: str = "", tags: Sequence[Tag] = ()) -> str:
        """The new experiment's id. Raises AlreadyExistsError."""
        with self._engine.writing() as connection:
            return experiments.create(connection, name, artifact_location, tags, self.default_root)

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Raises NotFoundError."""
        with self._engine.reading() as connection:
            return experiments.get(connection, experiment_id)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """The experiment of that name, a deleted one too, or None."""
        with self._engine.reading() as connection:
            return experiments.get_by_name(connection, name)

    def search_experiments(
        self,
        *,
        view_type: ViewType = "ACTIVE_ONLY",
        max_results: int = 1000,
        filter_string: str = "",
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> ExperimentPage:
        """A page of experiments, the newest first where no order is given."""
        from projrun.tracking.sql.search import Search, search_experiments

        search = Search(filter_string, max_results, order_by, page_token)
        with self._engine.reading() as connection:
            return search_experiments(connection, view_type, search)

    def set_experiment_tag(self, experiment_id: str, tag: Tag) -> None:
        """Write one tag over what was there."""
        with self._engine.writing() as connection:
            experiments.set_tag(connection, experiment_id, tag)

    def create_run(
        self,
        experiment_id: str,
        *,
        run_name: str = "",
        user_id: str = "",
        start_time: int,
        tags: Sequence[Tag] = (),
        origin_id: str = "",
    ) -> Run:
        """A run that is RUNNING, named by `run_name`, the tag `mlflow.runName` or at random.

        Its id is `origin_id`, or at random.
        """
        with self._engine.writing() as connection:
            run = runs.create(
                connection,
                experiment_id,
                run_name=run_name,
                user_id=user_id,
                start_time=start_time,
                tags=tags,
                origin_id=origin_id,
            )
        if self.has_local_clients and not self.destination and uri_scheme(run.artifact_uri) == SERVED:
            with suppress(OSError, InvalidValueError):  # an upload reports it
                folder = self.artifact_directory(run.artifact_uri)
                make_private(folder.parent)  # it is missing, too
                make_private(folder)
        return run

    def get_run(self, run_id: str) -> Run:
        """Raises NotFoundError."""
        with self._engine.reading() as connection:
            return runs.get(connection, run_id)

    def update_run(
        self,
        run_id: str,
        *,
        status: RunStatus | None = None,
        end_time: int | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Change what is given."""
        with self._engine.writing() as connection:
            return runs.update(connection, run_id, status=status, end_time=end_time, run_name=run_name)

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        *,
        filter_string: str = "",
        view_type: ViewType = "ACTIVE_ONLY",
        max_results: int = 1000,
        order_by: Sequence[str] = (),
        page_token: str = "",
    ) -> RunPage:
        """A page of runs, the newest first where no order is given."""
        from projrun.tracking.sql.search import Search, search_runs

        search = Search(filter_string, max_results, order_by, page_token)
        with self._engine.reading() as connection:
            return search_runs(connection, experiment_ids, view_type, search)

    def log_batch(
        self,
        run_id: str,
        *,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> None:
        """Log any number of values at once: all of them, or with an InvalidValueError none."""
        with self._engine.writing() as connection:
            key = runs.writable_key(connection, run_id)
            runs.log_params(connection, key, run_id, params)
            log_metrics(connection, key, metrics)
            runs.set_tags(connection, key, tags)

    def set_tag(self, run_id: str, tag: Tag) -> None:
        """Write one tag over what was there."""
        self.log_batch(run_id, tags=(tag,))

    def delete_tag(self, run_id: str, key: str) -> None:
        """Raises NotFoundError where the run has no such tag."""
        with self._engine.writing() as connection:
            runs.delete_tag(connection, run_id, key)

    def get_metric_history(
        self, run_id: str, key: str, *, max_results: int | None = None, page_token: str = ""
    ) -> MetricPage:
        """The values of one key by time; all of them where no `max_results` is given."""
        with self._engine.reading() as connection:
            return metrics.history_page(connection, run_id, key, max_results, page_token)

    def artifacts(self, artifact_uri: str) -> ArtifactRepository:
        """The files under an artifact URI. Raises InvalidValueError or TrackingError for one out of reach."""
        if uri_scheme(artifact_uri) == SERVED:
            if not self.destination:
                return LocalArtifacts(self.artifact_directory(artifact_uri))
            artifact_uri = f"{self.destination}/{served_path(artifact_uri)}".rstrip("/")
        return open_repository(artifact_uri, deadline=self._deadline)

    def artifact_directory(self, artifact_uri: str) -> Path:
        """The local folder behind an artifact URI; it may not exist yet. Raises InvalidValueError."""
        scheme = uri_scheme(artifact_uri)
        if scheme in ("", "file"):
            return local_path(artifact_uri)
        if scheme != SERVED or self.destination:
            raise InvalidValueError(f"the artifacts at {artifact_uri} are not in a folder of this store")
        return self.artifact_root / served_path(artifact_uri)

    def param_value_limit(self) -> int:
        """Characters that a param's value may have; what is longer is cut, as MLflow's server does."""
        return limits.PARAM_VALUE
