"""An endpoint with a client and a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.server.endpoint import Endpoint
from projrun.tracking.sql.store import SqlStore
from tests.server.client import Client
from tests.support.stores import new_store


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The file of a new store."""
    return new_store(tmp_path / "home" / "projrun.db")


@pytest.fixture
def endpoint(database: Path) -> Iterator[Endpoint]:
    """An open endpoint."""
    with Endpoint.open(lambda: SqlStore.open(database)) as endpoint:
        yield endpoint


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[Client]:
    """A client of the endpoint."""
    with closing(Client(endpoint)) as client:
        yield client


@pytest.fixture
def run_id(client: Client) -> str:
    """A run of the experiment Default."""
    answer = client.post("runs/create", experiment_id="0", start_time=5)
    return str(answer.json["run"]["info"]["run_id"])
