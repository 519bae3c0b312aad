"""`Journal`: a run-scoped store in a run's folder, `journal.db` with `artifacts/` beside it, and what of it waits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from projrun.directories import JOURNAL
from projrun.errors import TrackingError
from projrun.journal import changes
from projrun.journal.changes import Change
from projrun.tracking.artifacts.local import LocalArtifacts
from projrun.tracking.entities import Metric, Param, Run, RunPage, Tag
from projrun.tracking.sql import experiments, runs
from projrun.tracking.sql.engine import insert_new, upsert
from projrun.tracking.sql.sqlite import SqliteEngine
from projrun.tracking.sql.store import SqlStore

EXPERIMENT_ID = "projrun.origin.experiment_id"
"""Tag of an experiment: the id in the target that it stands for."""
_ADOPTED = "0"
"""The experiment here of runs that the target has."""
_SET_TARGET = upsert("journal_runs", "run", "target")
_SET_MODEL = upsert("journal_models", "model_id", "target")
_SET_FILE = upsert("journal_files", "place", "size, changed")


class Held(NamedTuple):
    """A run of a journal."""

    key: int
    run: Run
    target: str
    """Its id in the target; empty where it is not known to be there."""
    sent: int
    """Changes up to this number may have arrived there, or not; 0 where there is no doubt."""


def has_journal(folder: Path) -> bool:
    """Whether a run's folder has one."""
    return (folder / JOURNAL).exists()


class Journal:
    """A run-scoped store. Used by one thread at a time: open one for each."""

    def __init__(self, folder: Path) -> None:
        """Open the journal of a run's folder, created if needed. Raises TrackingError where it cannot be used."""
        self.folder = folder
        self._engine = SqliteEngine.open(folder / JOURNAL)
        try:
            self._add_tables()
            self.artifact_root = folder / "artifacts"
            self.artifact_root.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            self._engine.close()
            raise TrackingError(f"{folder}: {error.strerror}", hint="is the disk full?") from error
        except BaseException:
            self._engine.close()
            raise
        self.store = SqlStore(self._engine, self.artifact_root)

    def _add_tables(self) -> None:
        # The trigger on what an older projrun kept metrics in went with that table.
        newest = f"journal_{changes.METRIC_TRIGGER}"
        with self._engine.reading() as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (newest,)).fetchone():
                return
        with self._engine.writing() as connection:
            for statement in changes.SCHEMA:
                connection.execute(statement)

    def close(self) -> None:
        """Close the file."""
        self._engine.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *ending: object) -> None:
        self.close()

    def stand_in(self, experiment_id: str) -> None:
        """Hold an experiment that stands for the one of the target with this id. Raises InvalidValueError."""
        with self._engine.writing() as connection:
            number = experiments.number_of(experiment_id)
            if connection.execute("SELECT 1 FROM experiments WHERE experiment_id = ?", (number,)).fetchone():
                return
            experiments.create(connection, f"experiment {number} of the tracking server", "", ())
            connection.execute(
                "UPDATE experiments SET experiment_id = ?, artifact_location = ?"
                " WHERE experiment_id = (SELECT max(experiment_id) FROM experiments)",
                (number, f"mlflow-artifacts:/{number}"),
            )
            experiments.set_tag(connection, experiment_id, Tag(EXPERIMENT_ID, experiment_id))

    def adopt(self, run: Run) -> None:
        """Hold a run that the target has already, under its id there: what is logged from now on waits."""
        with self._engine.writing() as connection:
            if connection.execute("SELECT 1 FROM runs WHERE run_id = ?", (run.run_id,)).fetchone():
                return
            runs.create(
                connection,
                _ADOPTED,
                run_name=run.run_name,
                user_id=run.user_id,
                start_time=run.start_time,
                tags=run.tags,
                origin_id=run.run_id,
            )
            runs.update(connection, run.run_id, status=run.status, end_time=run.end_time, run_name=None)
            key = runs.key_of(connection, run.run_id)
            runs.log_params(connection, key, run.run_id, run.params)
            changes.forget(connection, key)
            connection.execute(_SET_TARGET, (key, run.run_id))

    def hold(
        self,
        run: Run,
        *,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> None:
        """Keep what the target did not take of a run that it has."""
        self.adopt(run)
        self.store.log_batch(run.run_id, metrics=metrics, params=params, tags=tags)

    def hold_artifact(self, run: Run, file: Path, path: str) -> Path:
        """Keep a copy of an artifact that the target did not take; where it is."""
        self.adopt(run)
        folder = self.store.artifact_directory(self.store.get_run(run.run_id).artifact_uri)
        LocalArtifacts(folder).upload(file, path)
        held = folder / path
        with held.open("rb") as copy:
            os.fsync(copy.fileno())  # the file itself may go now, and a power cut would leave neither
        return held

    def view(self, run: Run) -> RunView:
        """The store as the endpoint serves it: an adopted run is shown as the target has it."""
        return RunView(self._engine, self.artifact_root, run)

    # what is to be merged

    def held(self) -> list[Held]:
        """The runs, those that were created first before others."""
        with self._engine.reading() as connection:
            rows = connection.execute(
                "SELECT id, run_id, coalesce(target, ''), coalesce(sent, 0) FROM runs"
                " LEFT JOIN journal_runs ON run = id ORDER BY id"
            ).fetchall()
            return [
                Held(key, runs.get(connection, run_id), target, sent) for key, run_id, target, sent in rows
            ]

    def set_target(self, held: Held, target: str) -> None:
        """Note which run of the target it is."""
        with self._engine.writing() as connection:
            connection.execute(_SET_TARGET, (held.key, target))

    def drop(self, held: Held) -> None:
        """Forget what waits of a run that the target will never take."""
        with self._engine.writing() as connection:
            changes.forget(connection, held.key)

    def folder_of(self, artifact_uri: str) -> str:
        """The folder below `artifacts/` that an artifact URI of this store names."""
        return str(self.store.artifact_directory(artifact_uri).relative_to(self.artifact_root))

    def model_targets(self) -> dict[str, str]:
        """The ids in the target of the logged models that are there; of `NAME/VERSION`, the version there."""
        with self._engine.reading() as connection:
            rows = connection.execute("SELECT model_id, target FROM journal_models")
            return dict(rows.fetchall())

    def set_model_target(self, model_id: str, target: str) -> None:
        """Note which logged model of the target it is."""
        with self._engine.writing() as connection:
            connection.execute(_SET_MODEL, (model_id, target))

    def model_ids(self) -> list[str]:
        """The logged models that were created here."""
        with self._engine.reading() as connection:
            rows = connection.execute("SELECT model_id FROM logged_models ORDER BY creation_time, model_id")
            return [row[0] for row in rows]

    def deleted_model_ids(self) -> set[str]:
        """Those of them that were deleted since."""
        with self._engine.reading() as connection:
            rows = connection.execute("SELECT model_id FROM logged_models WHERE lifecycle_stage = 'deleted'")
            return {row[0] for row in rows}

    def model_versions(self) -> list[tuple[str, str]]:
        """The names and numbers of the versions of registered models."""
        with self._engine.reading() as connection:
            rows = connection.execute("SELECT name, version FROM model_versions ORDER BY name, version")
            return [(name, str(version)) for name, version in rows]

    def changes(self, held: Held, limit: int) -> list[Change]:
        """The oldest changes of a run that wait."""
        with self._engine.reading() as connection:
            return changes.waiting(connection, held.key, limit)

    def count(self) -> int:
        """How many changes wait."""
        with self._engine.reading() as connection:
            return changes.count(connection)

    def mark_sent(self, held: Held, seq: int) -> None:
        """Note, before they are sent, that changes up to this number may arrive."""
        with self._engine.writing() as connection:
            connection.execute(insert_new("journal_runs", "run, target"), (held.key, held.target))
            changes.mark(connection, held.key, seq)

    def acknowledge(self, held: Held, taken: Sequence[Change]) -> None:
        """Remove the changes that the target has."""
        with self._engine.writing() as connection:
            changes.remove(connection, held.key, taken)

    # artifacts

    def waiting_files(self) -> Iterator[str]:
        """The paths below `artifacts/` of the files that the target does not have, or not in their newest form."""
        with self._engine.reading() as connection:
            rows = connection.execute("SELECT place, size, changed FROM journal_files").fetchall()
        delivered = {place: (size, changed) for place, size, changed in rows}
        for place in _files(self.artifact_root, ""):
            if delivered.get(place) != self._state(place):
                yield place

    def delivered_file(self, place: str, state: tuple[int, int]) -> None:
        """Note that the target has a file, as it was before it was sent."""
        with self._engine.writing() as connection:
            connection.execute(_SET_FILE, (place, *state))

    def file_state(self, place: str) -> tuple[int, int]:
        """Size and time of the last change of a file."""
        return self._state(place)

    def _state(self, place: str) -> tuple[int, int]:
        status = (self.artifact_root / place).stat()
        return status.st_size, status.st_mtime_ns


class RunView(SqlStore):
    """A run-scoped store whose only run is shown in its experiment of the target, with its artifacts there."""

    def __init__(self, engine: SqliteEngine, artifact_root: Path, run: Run) -> None:
        super().__init__(engine, artifact_root)
        self._run = run

    def get_run(self, run_id: str) -> Run:
        """As the target has it, with what was logged here."""
        return self._shown(super().get_run(run_id))

    def update_run(self, run_id: str, **changes: Any) -> Run:
        """The same."""
        return self._shown(super().update_run(run_id, **changes))

    def search_runs(self, experiment_ids: Sequence[str], **options: Any) -> RunPage:
        """The run, if it matches."""
        if self._run.experiment_id not in experiment_ids:
            return RunPage(())
        return RunPage(tuple(map(self._shown, super().search_runs([_ADOPTED], **options).runs)))

    def log_batch(
        self,
        run_id: str,
        *,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> None:
        """Metrics may name logged models, which only the target knows."""
        named = {metric.model_id for metric in metrics if metric.model_id}
        if named:
            self._stand_in(named)
        super().log_batch(run_id, metrics=metrics, params=params, tags=tags)

    def _stand_in(self, model_ids: set[str]) -> None:
        from projrun.tracking.sql.models import rows
        from projrun.tracking.sql.models.store import SqlLoggedModels

        with self._engine.reading() as connection:
            unknown = rows.unknown(connection, sorted(model_ids))
        for model_id in unknown:
            SqlLoggedModels(self._engine).create_logged_model(_ADOPTED, origin_id=model_id)
            with self._engine.writing() as connection:
                connection.execute(_SET_MODEL, (model_id, model_id))

    def _shown(self, run: Run) -> Run:
        return run._replace(experiment_id=self._run.experiment_id, artifact_uri=self._run.artifact_uri)


def _files(root: Path, folder: str) -> Iterator[str]:
    for entry in LocalArtifacts(root).list(folder):
        if entry.is_dir:
            yield from _files(root, entry.path)
        else:
            yield entry.path
