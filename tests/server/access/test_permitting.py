"""Who may do what: permissions on experiments and models, administrators, lists, and what is made or removed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from starlette.types import ASGIApp

from projrun.server.access import passwords
from projrun.server.access.app import create_api_with_users, routes_with_users
from projrun.server.access.permitting import LEVELS, Permissions, folded
from projrun.server.permissions import Needs
from projrun.server.stores import Stores
from tests.server.access.client import API3, Answer, Client, basic
from tests.server.access.conftest import PASSWORD

Named = Callable[[str], Client]

PUBLIC = {"/health", "/version", "/api/3.0/mlflow/server-info", "/ajax-api/3.0/mlflow/server-info"}
ROUTES = routes_with_users(Permissions())


def grant(client: Client, name: str, kind: str, resource: str, permission: str) -> Answer:
    return client.post(
        "users/permissions/grant",
        base=API3,
        username=name,
        resource_type=kind,
        resource_id=resource,
        permission=permission,
    )


def test_every_route_declares_what_it_needs() -> None:
    assert [route.paths for route in ROUTES if not isinstance(route.needs, Needs)] == []
    assert {path for route in ROUTES if route.needs.level == "PUBLIC" for path in route.paths} == PUBLIC


def test_nothing_is_answered_without_signing_in(user: Named) -> None:
    nobody = user("")
    for route in ROUTES:
        for path in set(route.paths) - PUBLIC:
            answer = nobody.send(
                route.methods[0], path.replace("{", "").replace("}", "").replace(":path", "")
            )
            assert answer.status == 401, (route.methods, path)
    assert nobody.send("GET", "/health").body == b"OK"


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        ({}, "READ"),
        ({"7": ["EDIT"]}, "EDIT"),
        ({"7": ["EDIT", "MANAGE"], "*": ["READ"]}, "MANAGE"),
        ({"*": ["MANAGE"]}, "MANAGE"),
        ({"8": ["MANAGE"]}, "READ"),
        ({"7": ["MANAGE"], "*": ["DENY"]}, "DENY"),
        ({"7": ["NO_PERMISSIONS"], "*": ["MANAGE"]}, "NO_PERMISSIONS"),
    ],
)
def test_what_is_granted_together(granted: dict[str, list[str]], expected: str) -> None:
    assert folded(granted, "7", "READ") == expected


def calls(client: Client, experiment: str, run: str) -> dict[str, int]:
    """Statuses of a call of each level: of the experiment, of a run, of a logged model, of artifacts."""
    file = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/a"
    return {
        "read experiment": client.get("experiments/get", experiment_id=experiment).status,
        "read by name": client.get("experiments/get-by-name", experiment_name="mine").status,
        "read run": client.get("runs/get", run_id=run).status,
        "read history": client.get("metrics/get-history", run_id=run, metric_key="m").status,
        "read file": client.send("GET", file).status,
        "list files": client.get("artifacts/list", run_id=run).status,
        "edit run": client.post("runs/set-tag", run_id=run, key="k", value="v").status,
        "edit, by the other name": client.post("runs/set-tag", runUuid=run, key="k", value="v").status,
        "create run": client.post("runs/create", experiment_id=experiment).status,
        "edit experiment": client.post(
            "experiments/set-experiment-tag", experiment_id=experiment, key="k", value="v"
        ).status,
        "edit models": client.post("logged-models", experiment_id=experiment, name="m").status,
        "write file": client.send("PUT", file, b"content").status,
        "manage": grant(client, "bob", "experiment", experiment, "READ").status,
    }


def prefixes(status: int) -> tuple[str, ...]:
    """The calls of a level that has this status."""
    return {1: ("read", "list"), 3: ("edit", "create", "write"), 4: ("manage",)}[status]


@pytest.mark.parametrize("permission", ["NO_PERMISSIONS", "DENY", "READ", "USE", "EDIT", "MANAGE"])
@pytest.mark.parametrize("default", ["NO_PERMISSIONS", "READ", "EDIT"])
def test_levels_on_an_experiment(stores: Stores, permission: str, default: str) -> None:
    application = create_api_with_users(stores, default_permission=default)
    admin, ann = (Client(application, basic(name, PASSWORD)) for name in ("admin", "ann"))
    experiment = admin.post("experiments/create", name="mine").json["experiment_id"]
    run = admin.post("runs/create", experiment_id=experiment).json["run"]["info"]["run_id"]
    file = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/a"
    assert admin.send("PUT", file, b"content").status == 200
    assert grant(admin, "ann", "experiment", experiment, permission).status == 200
    level = LEVELS[permission]
    if level > 0:
        level = max(level, LEVELS[default])
    found = calls(ann, experiment, run)
    assert found == {
        name: 200 if level >= needed else 403
        for name in found
        for needed in (1, 3, 4)
        if name.startswith(prefixes(needed))
    }


def test_what_a_user_makes_is_the_users_to_manage(user: Named) -> None:
    ann, bob = user("ann"), user("bob")
    experiment = ann.post("experiments/create", name="of ann").json["experiment_id"]
    assert ann.post("runs/create", experiment_id=experiment).status == 200
    assert bob.post("runs/create", experiment_id=experiment).status == 403
    assert grant(bob, "bob", "experiment", experiment, "MANAGE").status == 403
    assert grant(ann, "bob", "experiment", experiment, "EDIT").status == 200
    assert bob.post("runs/create", experiment_id=experiment).status == 200
    assert ann.post("registered-models/create", name="wine").status == 200
    create = {"name": "wine", "source": "s3://bucket/model"}
    assert bob.post("model-versions/create", **create).status == 403
    assert ann.post("model-versions/create", **create).status == 200
    assert bob.get("model-versions/get", name="wine", version=1).status == 200


def test_user_of_a_run_is_who_signed_in(user: Named) -> None:
    ann = user("ann")
    experiment = ann.post("experiments/create", name="of ann").json["experiment_id"]
    run = ann.post("runs/create", experiment_id=experiment, user_id="root").json["run"]
    assert run["info"]["user_id"] == "ann"


def test_lists_show_what_may_be_read(stores: Stores) -> None:
    application = create_api_with_users(stores, default_permission="NO_PERMISSIONS")
    admin, ann = (Client(application, basic(name, PASSWORD)) for name in ("admin", "ann"))
    ids = [admin.post("experiments/create", name=f"e{n:02}").json["experiment_id"] for n in range(10)]
    for place in (1, 4, 7, 8):
        admin.post("runs/create", experiment_id=ids[place])
        grant(admin, "ann", "experiment", ids[place], "READ")
    admin.post("runs/create", experiment_id=ids[0])
    found, token = [], ""
    for expected in (2, 2, 0):
        page = ann.post("experiments/search", max_results=2, order_by=["name ASC"], page_token=token).json
        found += [experiment["name"] for experiment in page.get("experiments", [])]
        assert len(page.get("experiments", [])) == expected
        token = page.get("next_page_token", "")
        if not token:
            break
    assert found == ["e01", "e04", "e07", "e08"]
    runs = ann.post("runs/search", experiment_ids=ids).json["runs"]
    assert {run["info"]["experiment_id"] for run in runs} == {ids[place] for place in (1, 4, 7, 8)}
    assert ann.post("runs/search", experiment_ids=[ids[0]]).json == {}
    models = [admin.post("logged-models", experiment_id=id, name="m").json for id in ids]
    assert len(models) == 10
    page = ann.post("logged-models/search", experiment_ids=ids).json
    assert {model["info"]["experiment_id"] for model in page["models"]} == {ids[n] for n in (1, 4, 7, 8)}


def test_artifacts_outside_of_experiments_have_the_default(application: ASGIApp, user: Named) -> None:
    path = "/api/2.0/mlflow-artifacts/artifacts/"
    assert user("admin").send("PUT", f"{path}shared/file", b"x").status == 200
    assert user("ann").send("GET", f"{path}shared/file").status == 200
    assert user("ann").send("PUT", f"{path}shared/file", b"y").status == 403
    assert user("ann").send("PUT", f"{path}shared/../0/file", b"y").status == 400


def test_users_are_for_administrators(user: Named) -> None:
    admin, ann = user("admin"), user("ann")
    new = {"username": "carol", "password": "a password of carol"}
    assert ann.post("users/create", **new).status == 403
    assert admin.post("users/create", **new).json == {
        "user": {"id": 4, "username": "carol", "is_admin": False}
    }
    assert admin.post("users/create", **new).json["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert admin.post("users/create", username="d", password="short").status == 400
    assert ann.get("users/get", username="carol").status == 403
    assert ann.get("users/get", username="ann").json["user"]["id"] == 2
    assert admin.get("users/get", username="nobody").status == 404
    assert ann.post("users/update-admin", method="PATCH", username="ann", is_admin=True).status == 403
    assert admin.post("users/update-admin", method="PATCH", username="ann", is_admin=True).status == 200
    assert ann.get("users/get", username="carol").status == 200
    assert ann.post("users/delete", method="DELETE", username="ann").status == 400
    assert ann.post("users/delete", method="DELETE", username="carol").status == 200
    assert [each["username"] for each in admin.get("users/list").json["users"]] == ["admin", "ann", "bob"]


def test_own_password(user: Named) -> None:
    ann = user("ann")
    new = {"username": "ann", "password": "another long password"}
    patch = "users/update-password"
    assert ann.post(patch, method="PATCH", **new).status == 400
    assert ann.post(patch, method="PATCH", **new, current_password="wrong").status == 400
    assert user("bob").post(patch, method="PATCH", **new, current_password=PASSWORD).status == 403
    assert ann.post(patch, method="PATCH", **new, current_password=PASSWORD).json == {}
    assert ann.get("users/current").status == 401
    assert Client(ann.application, basic("ann", new["password"])).get("users/current").status == 200


def test_passwords_are_hashed_beside_the_thread_that_writes(
    user: Named, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashing, threads = passwords.hashed, list[str]()

    def watched(password: str) -> str:
        threads.append(threading.current_thread().name)
        return hashing(password)

    monkeypatch.setattr(passwords, "hashed", watched)
    admin = user("admin")
    assert admin.post("users/create", username="carol", password="a password of carol").status == 200
    new = {"username": "ann", "password": "another long password"}
    assert admin.post("users/update-password", method="PATCH", **new).status == 200
    assert len(threads) == 2
    assert not any(name.startswith("projrun-writer") for name in threads)
    assert Client(admin.application, basic("carol", "a password of carol")).get("users/current").status == 200


def test_roles(user: Named) -> None:
    admin, ann = user("admin"), user("ann")
    role = admin.post("roles/create", base=API3, name="readers", description="all").json["role"]
    assert (role["workspace"], role["permissions"]) == ("default", [])
    added = admin.post(
        "roles/permissions/add",
        base=API3,
        role_id=role["id"],
        resource_type="experiment",
        resource_pattern="*",
        permission="EDIT",
    ).json["role_permission"]
    assert ann.post("runs/create", experiment_id="0").status == 403
    assert admin.post("roles/assign", base=API3, username="ann", role_id=role["id"]).status == 200
    assert ann.post("runs/create", experiment_id="0").status == 200
    seen = {"username": "ann", "resource_type": "experiment", "resource_id": "0"}
    assert ann.get("users/permissions/get", base=API3, **seen).json == {"allowed": True, "permission": "EDIT"}
    assert user("bob").get("users/permissions/get", base=API3, **seen).status == 403
    rows = ann.get("users/current/permissions", base=API3).json["permissions"]
    assert [row["role_name"] for row in rows] == ["readers"]
    change = {"role_permission_id": added["id"], "permission": "READ"}
    assert admin.post("roles/permissions/update", base=API3, method="PATCH", **change).status == 200
    assert ann.post("runs/create", experiment_id="0").status == 403
    assert ann.post("roles/delete", base=API3, method="DELETE", role_id=role["id"]).status == 403
    assert admin.post("roles/delete", base=API3, method="DELETE", role_id=role["id"]).json == {}
    assert admin.get("roles/list", base=API3).json == {"roles": []}


def test_permissions_in_the_words_of_mlflow_2(user: Named) -> None:
    admin, ann = user("admin"), user("ann")
    base = "experiments/permissions"
    on = {"experiment_id": "0", "username": "ann"}
    assert ann.post(f"{base}/create", **on, permission="MANAGE").status == 403
    made = admin.post(f"{base}/create", **on, permission="EDIT").json["experiment_permission"]
    assert made == {"experiment_id": "0", "user_id": 2, "permission": "EDIT"}
    assert (
        admin.post(f"{base}/create", **on, permission="EDIT").json["error_code"] == "RESOURCE_ALREADY_EXISTS"
    )
    assert ann.post("runs/create", experiment_id="0").status == 200
    assert admin.post(f"{base}/update", method="PATCH", **on, permission="READ").json == {}
    assert admin.get(f"{base}/get", **on).json["experiment_permission"]["permission"] == "READ"
    assert admin.post(f"{base}/delete", method="DELETE", **on).json == {}
    assert admin.get(f"{base}/get", **on).status == 404
    admin.post("registered-models/create", name="wine")
    model = {"name": "wine", "username": "ann", "permission": "NO_PERMISSIONS"}
    assert admin.post("registered-models/permissions/create", **model).status == 200
    assert ann.get("registered-models/get", name="wine").status == 403
