"""`PostgresStore`: what differs where others write at the same time, and where no folder is beside the database."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import cache, wraps
from inspect import getmembers, isfunction
from typing import Any, TypeVar, cast

from projrun.errors import ConflictError, RequestError
from projrun.tracking.artifacts.uris import uri_scheme
from projrun.tracking.entities import Run, Tag
from projrun.tracking.parts import Part
from projrun.tracking.sql import runs
from projrun.tracking.sql.store import SERVED, SqlStore

ATTEMPTS = 4
"""At a call whose transaction another one keeps from being kept."""
Kind = TypeVar("Kind")


def retried(kind: type[Kind]) -> type[Kind]:
    """The class, each of whose public methods is called again after a conflict."""
    for name, method in getmembers(kind, isfunction):
        if not name.startswith("_"):
            setattr(kind, name, _retried(method))
    return kind


def _retried(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(*values: Any, **named: Any) -> Any:
        for attempt in range(1, ATTEMPTS):
            try:
                return method(*values, **named)
            except ConflictError:
                # Nothing of the transaction was kept; the others have ended by then.
                time.sleep(attempt * random.uniform(0, 0.05))  # noqa: S311 - no secret
        return method(*values, **named)

    return call


@cache
def _retried_part(kind: Any) -> Any:
    return retried(type(kind.__name__, (kind,), {}))


@retried
class PostgresStore(SqlStore):
    """A `SqlStore` in PostgreSQL."""

    unplaced: RequestError | None = None
    """Why artifacts cannot be kept, where nothing says where: the store is then good for reading."""

    def part(self, contract: type[Part]) -> Part | None:
        """What it keeps beside runs."""
        part = super().part(contract)
        return None if part is None else cast(Part, _retried_part(cast(Any, type(part)))(self._engine))

    def create_experiment(self, name: str, artifact_location: str = "", tags: Sequence[Tag] = ()) -> str:
        """As in every store. Raises RequestError where nothing says where its artifacts are to be."""
        if not artifact_location:
            self._check_placed()
        return super().create_experiment(name, artifact_location, tags)

    def create_run(self, experiment_id: str, **fields: Any) -> Run:
        """As in every store. Raises RequestError where nothing says where its artifacts are."""
        if self.unplaced and uri_scheme(self.get_experiment(experiment_id).artifact_location) == SERVED:
            raise self.unplaced
        return super().create_run(experiment_id, **fields)

    def get_run(self, run_id: str) -> Run:
        """As in every store, asked once where the run has neither datasets nor models."""
        with self._engine.once() as connection:
            run = runs.get_plain(connection, run_id)
        return super().get_run(run_id) if run is None else run

    def artifacts(self, artifact_uri: str) -> Any:
        """As in every store. Raises RequestError where nothing says where they are."""
        if uri_scheme(artifact_uri) == SERVED:
            self._check_placed()
        return super().artifacts(artifact_uri)

    def _check_placed(self) -> None:
        if self.unplaced:
            raise self.unplaced
