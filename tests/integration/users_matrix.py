"""What each kind of user may do at a server with users: every route that is about an experiment, a run or a model."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

PERMISSIONS = ("", "READ", "USE", "EDIT", "MANAGE", "DENY")
V2, V3 = "/api/2.0/mlflow/", "/api/3.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts/"
TAG = {"key": "a", "value": "b"}
STAGED = {"name": "M", "version": "1", "stage": "Staging", "archive_existing_versions": False}
ON = {"username": "other", "resource_type": "experiment", "resource_id": "E"}

CALLS: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    # name, method, path, fields
    ("get experiment", "GET", V2 + "experiments/get", {"experiment_id": "E"}),
    ("get experiment by name", "GET", V2 + "experiments/get-by-name", {"experiment_name": "N"}),
    ("update experiment", "POST", V2 + "experiments/update", {"experiment_id": "E", "new_name": "N"}),
    ("tag experiment", "POST", V2 + "experiments/set-experiment-tag", {"experiment_id": "E", "key": "a", "value": "b"}),
    ("untag experiment", "POST", V2 + "experiments/delete-experiment-tag", {"experiment_id": "E", "key": "a"}),
    ("create run", "POST", V2 + "runs/create", {"experiment_id": "E", "start_time": 1}),
    ("get run", "GET", V2 + "runs/get", {"run_id": "R"}),
    ("get run, old name", "GET", V2 + "runs/get", {"run_uuid": "R"}),
    ("update run", "POST", V2 + "runs/update", {"run_id": "R", "status": "FINISHED", "end_time": 2}),
    ("log metric", "POST", V2 + "runs/log-metric", {"run_id": "R", "key": "m", "value": 1, "timestamp": 1}),
    ("log param", "POST", V2 + "runs/log-parameter", {"run_id": "R", "key": "p", "value": "1"}),
    ("log batch", "POST", V2 + "runs/log-batch", {"run_id": "R", "params": [{"key": "q", "value": "1"}]}),
    ("set tag", "POST", V2 + "runs/set-tag", {"run_id": "R", "key": "t", "value": "1"}),
    ("delete tag", "POST", V2 + "runs/delete-tag", {"run_id": "R", "key": "t0"}),
    ("log inputs", "POST", V2 + "runs/log-inputs", {"run_id": "R", "datasets": []}),
    ("history", "GET", V2 + "metrics/get-history", {"run_id": "R", "metric_key": "m0"}),
    ("list artifacts", "GET", V2 + "artifacts/list", {"run_id": "R"}),
    ("delete run", "POST", V2 + "runs/delete", {"run_id": "R"}),
    ("restore run", "POST", V2 + "runs/restore", {"run_id": "R"}),
    ("download", "GET", FILES + "E/R/artifacts/file", {}),
    ("list files", "GET", FILES[:-1], {"path": "E/R/artifacts"}),
    ("upload", "PUT", FILES + "E/R/artifacts/new", {}),
    ("delete file", "DELETE", FILES + "E/R/artifacts/file0", {}),
    ("create logged model", "POST", V2 + "logged-models", {"experiment_id": "E", "name": "m"}),
    ("get logged model", "GET", V2 + "logged-models/L", {}),
    ("finalize logged model", "PATCH", V2 + "logged-models/L", {"model_id": "L", "status": 2}),
    ("tag logged model", "PATCH", V2 + "logged-models/L/tags", {"model_id": "L", "tags": [TAG]}),
    ("untag logged model", "DELETE", V2 + "logged-models/L/tags/t0", {}),
    ("files of logged model", "GET", V2 + "logged-models/L/artifacts/directories", {}),
    ("delete logged model", "DELETE", V2 + "logged-models/L", {}),
    ("get model", "GET", V2 + "registered-models/get", {"name": "M"}),
    ("update model", "PATCH", V2 + "registered-models/update", {"name": "M", "description": "d"}),
    ("tag model", "POST", V2 + "registered-models/set-tag", {"name": "M", "key": "a", "value": "b"}),
    ("untag model", "DELETE", V2 + "registered-models/delete-tag", {"name": "M", "key": "t0"}),
    ("latest versions", "POST", V2 + "registered-models/get-latest-versions", {"name": "M"}),
    ("create version", "POST", V2 + "model-versions/create", {"name": "M", "source": "s3://bucket/a"}),
    ("get version", "GET", V2 + "model-versions/get", {"name": "M", "version": "1"}),
    ("download uri", "GET", V2 + "model-versions/get-download-uri", {"name": "M", "version": "1"}),
    ("update version", "PATCH", V2 + "model-versions/update", {"name": "M", "version": "1", "description": "d"}),
    ("stage", "POST", V2 + "model-versions/transition-stage", STAGED),
    ("tag version", "POST", V2 + "model-versions/set-tag", {"name": "M", "version": "1", "key": "a", "value": "b"}),
    ("untag version", "DELETE", V2 + "model-versions/delete-tag", {"name": "M", "version": "1", "key": "t0"}),
    ("set alias", "POST", V2 + "registered-models/alias", {"name": "M", "alias": "a", "version": "1"}),
    ("get alias", "GET", V2 + "registered-models/alias", {"name": "M", "alias": "a0"}),
    ("delete alias", "DELETE", V2 + "registered-models/alias", {"name": "M", "alias": "a0"}),
    ("grant", "POST", V3 + "users/permissions/grant", {**ON, "permission": "READ"}),
    ("revoke", "POST", V3 + "users/permissions/revoke", ON),
    ("grant all", "POST", V3 + "users/permissions/grant", {**ON, "resource_id": "*", "permission": "READ"}),
    ("get grant", "GET", V3 + "users/permissions/get", {**ON, "username": "U"}),
    ("own grants", "GET", V3 + "users/current/permissions", {}),
    ("current user", "GET", V2 + "users/current", {}),
    ("get self", "GET", V2 + "users/get", {"username": "U"}),
    ("get other", "GET", V2 + "users/get", {"username": "other"}),
    ("list users", "GET", V2 + "users/list", {}),
    ("create user", "POST", V2 + "users/create", {"username": "new U", "password": "a long password"}),
    ("make admin", "PATCH", V2 + "users/update-admin", {"username": "other", "is_admin": False}),
    ("other's password", "PATCH", V2 + "users/update-password", {"username": "other", "password": "a long password"}),
    ("delete user", "DELETE", V2 + "users/delete", {"username": "spare U"}),
    ("create role", "POST", V3 + "roles/create", {"workspace": "default", "name": "role U"}),
    ("list roles", "GET", V3 + "roles/list", {"workspace": "default"}),
    ("own roles", "GET", V3 + "users/roles/list", {"username": "U"}),
    ("search experiments", "POST", V2 + "experiments/search", {"max_results": 100}),
    ("search runs", "POST", V2 + "runs/search", {"experiment_ids": ["E"]}),
    ("search models", "GET", V2 + "registered-models/search", {}),
    ("search versions", "GET", V2 + "model-versions/search", {}),
    ("search logged models", "POST", V2 + "logged-models/search", {"experiment_ids": ["E"]}),
    ("create experiment", "POST", V2 + "experiments/create", {"name": "by U"}),
    ("create model", "POST", V2 + "registered-models/create", {"name": "by U"}),
    ("delete version", "DELETE", V2 + "model-versions/delete", {"name": "M", "version": "1"}),
    ("rename model", "POST", V2 + "registered-models/rename", {"name": "M", "new_name": "renamed M"}),
    ("delete experiment", "POST", V2 + "experiments/delete", {"experiment_id": "E"}),
    ("restore experiment", "POST", V2 + "experiments/restore", {"experiment_id": "E"}),
    ("get unknown run", "GET", V2 + "runs/get", {"run_id": "0" * 32}),
    ("get unknown experiment", "GET", V2 + "experiments/get", {"experiment_id": "987"}),
    ("get unknown model", "GET", V2 + "registered-models/get", {"name": "unknown"}),
)  # fmt: skip
"""Name, method, path and fields; one-letter words stand for what `_prepared` makes."""

Names = dict[str, str]


class _Server:
    def __init__(self, connection: HTTPConnection, password: str) -> None:
        self.connection = connection
        self.password = password

    def ask(
        self, user: str, method: str, path: str, fields: dict[str, Any], body: bytes | None = None
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Content-Type": "application/json"}
        if user:
            headers["Authorization"] = "Basic " + b64encode(f"{user}:{self.password}".encode()).decode()
        if method == "GET" and fields:
            path += "?" + urlencode(fields, doseq=True)
        elif fields:
            body = json.dumps(fields).encode()
        self.connection.request(method, path.replace(" ", "%20"), body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        try:
            found = json.loads(content)
        except ValueError:
            found = {}
        return answer.status, found

    def made(self, path: str, fields: dict[str, Any]) -> dict[str, Any]:
        """By the administrator."""
        status, answer = self.ask("admin", "POST", path, fields)
        assert status == 200, (path, fields, status, answer)
        return answer


def matrix(uri: str, password: str) -> dict[str, tuple[int, int]]:
    """By kind of user and name of a call: the status, and how many runs or models the answer lists."""
    with closing(HTTPConnection(urlsplit(uri).netloc, timeout=60)) as connection:
        server = _Server(connection, password)
        server.made(V2 + "users/create", {"username": "other", "password": password})
        found: dict[str, tuple[int, int]] = {}
        for permission in PERMISSIONS:
            user = f"user{permission.lower()}"
            found |= _called(server, permission or "none", user, _prepared(server, user, permission))
        return found | _called(server, "not signed in", "", _prepared(server, "nobody", ""))


def _called(server: _Server, kind: str, user: str, names: Names) -> dict[str, tuple[int, int]]:
    found = {}
    for name, method, path, fields in CALLS:
        body = b"content" if method == "PUT" else None
        status, answer = server.ask(user, method, _placed(path, names), _filled(fields, names), body)
        found[f"{kind}: {name}"] = status, len(answer.get("runs", answer.get("models", ())))
    return found


def _prepared(server: _Server, user: str, permission: str) -> Names:
    """An experiment, a run, a logged model and a registered model of the administrator, and the user's permission."""
    names = {"U": user, "N": f"of admin for {user}", "M": f"model for {user}"}
    names["E"] = server.made(V2 + "experiments/create", {"name": names["N"]})["experiment_id"]
    run = server.made(V2 + "runs/create", {"experiment_id": names["E"], "start_time": 1})
    names["R"] = run["run"]["info"]["run_id"]
    metric = {"key": "m0", "value": 1, "timestamp": 1}
    tags = [{"key": "t0", "value": "1"}]
    server.made(V2 + "runs/log-batch", {"run_id": names["R"], "metrics": [metric], "tags": tags})
    model = server.made(V2 + "logged-models", {"experiment_id": names["E"], "name": "m", "tags": tags})
    names["L"] = model["model"]["info"]["model_id"]
    server.made(V2 + "registered-models/create", {"name": names["M"], "tags": tags})
    server.made(V2 + "model-versions/create", {"name": names["M"], "source": "s3://b/a", "tags": tags})
    server.made(V2 + "registered-models/alias", {"name": names["M"], "alias": "a0", "version": "1"})
    for file in ("file", "file0"):
        path = f"{FILES}{names['E']}/{names['R']}/artifacts/{file}"
        assert server.ask("admin", "PUT", path, {}, b"content")[0] == 200
    for name in (user, f"spare {user}"):
        server.made(V2 + "users/create", {"username": name, "password": server.password})
    if permission:
        for kind, name in (("experiment", names["E"]), ("registered_model", names["M"])):
            on = {"username": user, "resource_type": kind, "resource_id": name}
            server.made(V3 + "users/permissions/grant", {**on, "permission": permission})
    return names


def _filled(value: Any, names: Names) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, names) for each in value]
    if not isinstance(value, str):
        return value
    return " ".join(names.get(word, word) for word in value.split(" "))


def _placed(path: str, names: Names) -> str:
    return "/".join(names.get(part, part) for part in path.split("/"))
