"""Targets of a merge: one that gives ids of its own, as other servers do, and one that fails when a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from projrun.errors import TrackingError
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import LoggedModel, Metric, Param, Run, Tag
from projrun.tracking.origin import ORIGIN, ORIGIN_MODEL
from projrun.tracking.parts import Part
from projrun.tracking.sql.models.store import SqlLoggedModels
from projrun.tracking.sql.store import SqlStore
from tests.support.stores import new_store


class ForeignModels(SqlLoggedModels):
    """The logged models of a `ForeignStore`."""

    def create_logged_model(self, experiment_id: str, *, origin_id: str = "", **given: Any) -> LoggedModel:
        """As a server of MLflow's."""
        all_tags = [*given.pop("tags", ()), *([Tag(ORIGIN_MODEL, origin_id)] if origin_id else [])]
        return super().create_logged_model(experiment_id, tags=all_tags, **given)


class ForeignStore(SqlStore):
    """A store whose runs get ids of its own, and that counts what arrived: SQL would keep a metric once."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.arrived: list[Metric] = []
        self.all_arrived: list[tuple[str, Metric]] = []

    @classmethod
    def at(cls, folder: Path, all_arrived: list[tuple[str, Metric]] | None = None) -> ForeignStore:
        """Open the store of a folder; several may share the list of what arrived, with its run."""
        file = folder / "foreign.db"
        store = cls.open(file if file.exists() else new_store(file))
        assert isinstance(store, cls)
        store.all_arrived = [] if all_arrived is None else all_arrived
        return store

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
        """As a server of MLflow's: what the client chose is a tag."""
        all_tags = [*tags, *([Tag(ORIGIN, origin_id)] if origin_id else [])]
        return super().create_run(
            experiment_id, run_name=run_name, user_id=user_id, start_time=start_time, tags=all_tags
        )

    def part(self, contract: type[Part]) -> Part | None:
        """Its logged models get ids of its own, too."""
        models = ForeignModels(self._engine)
        return models if isinstance(models, contract) else super().part(contract)

    def log_batch(
        self,
        run_id: str,
        *,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[Tag] = (),
    ) -> None:
        """Keep and count."""
        super().log_batch(run_id, metrics=metrics, params=params, tags=tags)
        self.arrived.extend(metrics)
        self.all_arrived.extend((run_id, metric) for metric in metrics)


class Outage(TrackingError):
    """The failure of a store that a test let fail."""


class Failing:
    """Calls of a store, some of which fail: before they take effect, or after, so that nobody hears of it."""

    def __init__(self, store: SqlStore, faults: Iterator[str]) -> None:
        self.store = store
        self.faults = faults
        self.uri = store.uri

    def artifacts(self, artifact_uri: str) -> ArtifactRepository:
        """The files, whose uploads fail likewise."""
        found = self.store.artifacts(artifact_uri)
        found.upload = self.failing(found.upload)  # type: ignore[method-assign]
        return found

    def part(self, contract: type[Any]) -> Any:
        """What it keeps beside runs, which fails likewise."""
        found = self.store.part(contract)
        return None if found is None else FailingPart(self, found)

    def failing(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, with the next fault."""

        def called(*arguments: Any, **keywords: Any) -> Any:
            fault = next(self.faults, "")
            if fault == "before":
                raise Outage("the server is away")
            result = call(*arguments, **keywords)
            if fault == "after":
                raise Outage("there was no answer")
            return result

        return called


class FailingPart:
    """Calls of a part, which fail as those of the store."""

    def __init__(self, owner: Failing, part: object) -> None:
        self._owner = owner
        self._part = part

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return self._owner.failing(getattr(self._part, name))


def _failing_method(name: str) -> Callable[..., Any]:
    return lambda self, *arguments, **keywords: self.failing(getattr(self.store, name))(
        *arguments, **keywords
    )


for _name in dir(SqlStore):
    if not _name.startswith("_") and _name not in ("artifacts", "open", "part", "uri", "artifact_root"):
        setattr(Failing, _name, _failing_method(_name))
