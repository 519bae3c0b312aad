"""The registry's searches, and its judgement of sources, compared with a real MLflow server's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import requests

from projrun.server.endpoint import Endpoint
from projrun.testing.run_store_base import unique
from projrun.tracking.registry import IS_PROMPT
from projrun.tracking.sql.store import SqlStore
from tests.server.test_registry import SOURCES_OF_OTHERS

pytestmark = pytest.mark.integration

ATTRIBUTES = (
    "name = '{p}-a'", "name='{p}-a'", "name = \"{p}-a\"", "`name` = '{p}-a'", "attribute.name = '{p}-b'",
    "attributes.name = '{p}-b'", "attr.name = '{p}-b'", "name != '{p}-a'", "name LIKE '{p}-_'", "name like '%B'",
    "name LIKE '%b%'", "name ILIKE '%B%'", "name ilike '{p}-A'", "name IN ('{p}-a')", "name in ('{p}-a', '{p}-B')",
    "name NOT IN ('{p}-a', '{p}-b')", "name IN '{p}-a'", "name IN ()", "name IN (5)", "name = 5", "name = a",
    "name > 'a'", "name < 'a'", "name >= 'a'", "name == '{p}-a'", "name <> '{p}-a'", "name", "name =", "= 'a'",
    "name = '{p}-a' AND", "AND name = 'a'", "name = 'a' OR name = 'b'", "NOT name = 'a'", "(name = '{p}-a')",
    "name = 'a' name = 'b'", "name = 'a'; name = 'b'", "Name = 'a'", "version = 1", "version = '1'", "id = 'a'",
    "description = 'x'", "creation_timestamp > 0", "last_updated_timestamp > 0", "current_stage = 'None'",
    "aliases = 'best'", "metrics.a > 1", "params.a = 'x'", "run.name = 'a'", "'name' = '{p}-a'",
)  # fmt: skip
TAGS = (
    "tags.team = 'red'", "tag.team = 'red'", "tags.team != 'red'", "tags.`team` = 'red'", "tags.\"team\" = 'red'",
    "tags.team LIKE 'r%'", "tags.team LIKE 'R%'", "tags.team ILIKE 'R%'", "tags.team = red", "tags.team = 5",
    "tags.team > 'a'", "tags.team IN ('red')", "tags.`a.b` = 'c'", "tags.a.b = 'c'", "tags.none = 'x'",
    "tags.none != 'x'", "tags.team = 'red' AND tags.level = '1'", "tags.team = 'red' AND tags.team != 'x'",
    "tags.team = 'red' AND tags.level = '2'", "TAGS.team = 'red'", f"tags.`{IS_PROMPT}` = 'true'",
    f"tags.`{IS_PROMPT}` = 'TRUE'", f"tags.`{IS_PROMPT}` != 'true'", f"tags.`{IS_PROMPT}` = 'false'",
    f"tags.`{IS_PROMPT}` != 'false'", f"tags.`{IS_PROMPT}` LIKE '%'", f"tags.`{IS_PROMPT}` = 'x'",
)  # fmt: skip
VERSIONS = (
    "version_number = 1", "version_number = '1'", "version_number != 1", "version_number > 1", "version_number >= 2",
    "version_number < 2", "version_number <= 1", "version_number = 1.5", "version_number = 'x'",
    "version_number IN (1)", "version_number LIKE '1'", "version_number = -1", "run_id = ''", "run_id != ''",
    "run_id IN ('', 'x')", "run_id = 'x'", "run_id LIKE '%'", "source_path = 's3://{p}/a'",
    "source_path LIKE 's3://{p}/%'", "source_path IN ('x')", "source = 'x'",
)  # fmt: skip
ORDERS = (
    "name", "name ASC", "name DESC", "name desc", "`name`", "attribute.name", "attributes.name DESC", "timestamp ASC",
    "last_updated_timestamp DESC", "creation_timestamp", "version_number DESC", "version_number", "version",
    "tags.team", "name UP", "name DESC x", "description", "", "name, timestamp",
)  # fmt: skip

DIFFERENT = frozenset(
    {
        "`name` = '{p}-a'",
        "name = '{p}-a' AND",
        "AND name = 'a'",
        "name = 'a' name = 'b'",
        "`name`",
        "attribute.name",
    }
)
"""We take quoted and prefixed names everywhere, and refuse conditions that no AND joins, which MLflow overlooks."""


class Registry:
    """MLflow's REST API, of whichever server."""

    def __init__(self, uri: str) -> None:
        self._session = requests.Session()
        self._base = f"{uri}/api/2.0/mlflow"

    def post(self, path: str, **body: object) -> requests.Response:
        """The answer of a route."""
        return self._session.post(f"{self._base}/{path}", json=body, timeout=30)

    def found(self, path: str, query: Mapping[str, Any]) -> Sequence[str] | str:
        """The names and versions that a search finds; `refused` where it finds none for being wrong."""
        answer = self._session.get(f"{self._base}/{path}", params=query, timeout=30)
        if answer.status_code >= 400:
            return "refused"
        entries = next((value for value in answer.json().values() if isinstance(value, list)), [])
        return [f"{entry['name'][-1]}{entry.get('version', '')}" for entry in entries]


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A store of ours behind its endpoint."""
    database = tmp_path_factory.mktemp("ours") / "projrun.db"
    SqlStore.open(database).close()
    with Endpoint.open(lambda: SqlStore.open(database)) as endpoint:
        yield Registry(endpoint.uri_at("127.0.0.1"))


@pytest.fixture(scope="module")
def both(ours: Registry, mlflow3_server: str) -> tuple[str, Registry, Registry]:
    """A prefix, and both registries with the same models, of which two are prompts."""
    prefix, theirs = unique("f"), Registry(mlflow3_server)
    tags = {
        "a": {"team": "red", "level": "1"},
        "b": {"team": "Red", "a.b": "c"},
        "B": {},
        "p": {IS_PROMPT: "true"},
        "q": {IS_PROMPT: "TRUE"},
    }
    for registry in (ours, theirs):
        for name, own in tags.items():
            pairs = [{"key": key, "value": value} for key, value in own.items()]
            registry.post("registered-models/create", name=f"{prefix}-{name}", tags=pairs).raise_for_status()
            source = "dummy-source" if own.get(IS_PROMPT) else f"s3://{prefix}/{name}"
            for _ in range(2):
                made = registry.post(
                    "model-versions/create", name=f"{prefix}-{name}", source=source, tags=pairs
                )
                made.raise_for_status()
    return prefix, ours, theirs


def test_filters_agree(both: tuple[str, Registry, Registry]) -> None:
    prefix, ours, theirs = both
    different = []
    for path, filters in (
        ("registered-models/search", (*ATTRIBUTES, *TAGS)),
        ("model-versions/search", (*ATTRIBUTES, *TAGS, *VERSIONS)),
    ):
        order = ["name", "version_number"] if path.startswith("model-") else ["name"]
        for text in filters:
            condition = f"name LIKE '{prefix}%' AND {text}".replace("{p}", prefix)
            query = {"filter": condition, "order_by": order}
            pair = (ours.found(path, query), theirs.found(path, query))
            if pair[0] != pair[1]:
                different.append((path, text, *pair))
    assert [each for each in different if each[1] not in DIFFERENT] == []


def test_orders_agree(both: tuple[str, Registry, Registry]) -> None:
    prefix, ours, theirs = both
    different = []
    for path in ("registered-models/search", "model-versions/search"):
        for order in ORDERS:
            query = {"filter": f"name LIKE '{prefix}%'", "order_by": [order]}
            pair = (ours.found(path, query), theirs.found(path, query))
            if pair[0] != pair[1]:
                different.append((path, order, *pair))
    assert [each for each in different if each[1] not in DIFFERENT] == []


def test_sources_are_judged_as_by_mlflow(both: tuple[str, Registry, Registry]) -> None:
    prefix, ours, theirs = both
    taken = ("s3://bucket/model", "gs://bucket/a/b/", "s3://bucket//a", "dbfs:/a/b", f"models:/{prefix}-a/1")
    different = []
    for registry in (ours, theirs):
        run = registry.post("runs/create", experiment_id="0", start_time=1).json()["run"]["info"]
        answers = []
        for source in (
            *SOURCES_OF_OTHERS,
            *taken,
            f"{run['artifact_uri']}/model",
            f"runs:/{run['run_id']}/m",
        ):
            for owner in ({}, {"run_id": run["run_id"]}, {"run_id": "f" * 32}):
                made = registry.post("model-versions/create", name=f"{prefix}-a", source=source, **owner)
                answers.append((source.replace(run["run_id"], "RUN"), sorted(owner), made.status_code == 200))
        different.append(answers)
    assert different[0] == different[1]
