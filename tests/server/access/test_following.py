"""What users have on models follows the models; pages and authors with users; a store from before there were users."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from projrun.server.access.app import create_api_with_users
from projrun.server.stores import Stores
from projrun.tracking.parts import part_of
from projrun.tracking.sql.migrations import MIGRATIONS, migrate
from projrun.tracking.sql.sqlite import APPLICATION_ID, SqliteConnection
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.sql.users.schema import USERS
from projrun.tracking.users import Users
from tests.server.access.client import API3, Answer, Client, basic
from tests.server.access.conftest import PASSWORD
from tests.server.access.test_permitting import grant

Named = Callable[[str], Client]


@pytest.fixture
def closed(stores: Stores) -> Named:
    """Clients by name, of a server where nothing may be read without a grant."""
    application: ASGIApp = create_api_with_users(stores, default_permission="NO_PERMISSIONS")
    return lambda name: Client(application, basic(name, PASSWORD))


def of_model(client: Client, name: str) -> int:
    return client.get("registered-models/get", name=name).status


def test_grants_go_with_a_model_that_is_deleted(closed: Named) -> None:
    ann, bob, admin = closed("ann"), closed("bob"), closed("admin")
    ann.post("registered-models/create", name="wine")
    grant(ann, "bob", "registered_model", "wine", "MANAGE")
    role = admin.post("roles/create", base=API3, name="tasters").json["role"]["id"]
    assert bob.post("registered-models/delete", method="DELETE", name="wine").status == 200
    assert admin.post("registered-models/create", name="wine").status == 200
    assert [of_model(client, "wine") for client in (ann, bob, admin)] == [403, 403, 200]
    on = {"resource_type": "registered_model", "resource_pattern": "wine", "permission": "READ"}
    admin.post("roles/permissions/add", base=API3, role_id=role, **on)
    admin.post("roles/assign", base=API3, username="bob", role_id=role)
    admin.post("registered-models/delete", method="DELETE", name="wine")
    admin.post("registered-models/create", name="wine")
    assert of_model(bob, "wine") == 200, "roles that a person made keep their grants"


def test_grants_go_to_the_new_name_of_a_model(closed: Named) -> None:
    ann, bob, admin = closed("ann"), closed("bob"), closed("admin")
    ann.post("registered-models/create", name="wine")
    grant(ann, "bob", "registered_model", "wine", "READ")
    grant(admin, "bob", "registered_model", "beer", "MANAGE")
    assert ann.post("registered-models/rename", name="wine", new_name="beer").status == 200
    assert [of_model(ann, "beer"), of_model(bob, "beer")] == [200, 200]
    change = {"name": "beer", "description": "of hops"}
    assert bob.post("registered-models/update", method="PATCH", **change).status == 403
    assert ann.post("registered-models/update", method="PATCH", **change).status == 200
    assert admin.post("registered-models/create", name="wine").status == 200
    assert [of_model(ann, "wine"), of_model(bob, "wine")] == [403, 403]


def test_a_change_that_fails_keeps_grants(closed: Named) -> None:
    ann, admin = closed("ann"), closed("admin")
    ann.post("registered-models/create", name="wine")
    admin.post("registered-models/create", name="beer")
    assert ann.post("registered-models/rename", name="wine", new_name="beer").status == 400
    assert [of_model(ann, "wine"), of_model(ann, "beer")] == [200, 403]


def test_searches_of_the_registry_show_what_may_be_read(closed: Named) -> None:
    ann, admin = closed("ann"), closed("admin")
    for place in range(8):
        admin.post("registered-models/create", name=f"m{place}")
        admin.post("model-versions/create", name=f"m{place}", source="s3://bucket/model")
        if place in (1, 4, 6):
            grant(admin, "ann", "registered_model", f"m{place}", "READ")

    def pages(route: str, field: str) -> list[list[str]]:
        found, token = [], ""
        while True:
            page = ann.get(route, max_results=2, page_token=token).json
            found.append(sorted(each["name"] for each in page.get(field, ())))
            token = page.get("next_page_token", "")
            if not token:
                return [names for names in found if names]

    assert pages("registered-models/search", "registered_models") == [["m1", "m4"], ["m6"]]
    versions = pages("model-versions/search", "model_versions")
    assert sorted(name for names in versions for name in names) == ["m1", "m4", "m6"]
    assert [len(names) for names in versions] == [2, 1]


def test_author_of_a_version_is_who_signed_in(user: Named) -> None:
    ann = user("ann")
    ann.post("registered-models/create", name="wine")
    made = ann.post("model-versions/create", name="wine", source="s3://b/m", user_id="root").json
    assert made["model_version"]["user_id"] == "ann"
    assert user("bob").get("model-versions/get", name="wine", version=1).json == made


RUN = 'query { mlflowGetRun(input: {runId: "%s"}) { run { info { runId } } apiError { code message } } }'


def test_graphql_shows_what_may_be_read(closed: Named) -> None:
    ann, admin = closed("ann"), closed("admin")
    experiment = admin.post("experiments/create", name="secret").json["experiment_id"]
    run = admin.post("runs/create", experiment_id=experiment).json["run"]["info"]["run_id"]

    def ask(client: Client) -> Answer:
        return client.send("POST", "/graphql", json.dumps({"query": RUN % run}).encode())

    shown = {"info": {"runId": run}}
    assert ask(admin).json["data"]["mlflowGetRun"]["run"] == shown
    refused = ask(ann)
    assert run not in refused.body.decode()
    grant(admin, "ann", "experiment", experiment, "READ")
    assert ask(ann).json["data"]["mlflowGetRun"]["run"] == shown
    assert ask(Client(ann.application)).status == 401


def test_store_from_before_there_were_users_is_upgraded(tmp_path: Path) -> None:
    file, before = tmp_path / "projrun.db", MIGRATIONS.index(USERS)
    with closing(sqlite3.connect(file, factory=SqliteConnection)) as connection, connection:
        migrate(connection, MIGRATIONS[:before])
        connection.execute(f"PRAGMA user_version = {before}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(
            "INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time)"
            " VALUES ('kept', '', 'active', 1, 1)"
        )
    with closing(SqlStore.open(file)) as store:
        users = part_of(store, Users)
        made = users.create_user("ann", "")
        users.grant("ann", "experiment", "1", "EDIT")
        assert users.granted(made.id, "experiment") == {"1": ["EDIT"]}
        experiment = store.get_experiment_by_name("kept")
        assert experiment is not None
