"""`projrun server --auth` with MLflow's own client for users, and beside MLflow's own server with users."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.users_matrix import matrix
from tests.support.commands import run_command
from tests.support.ports import free_port
from tests.support.program import projrun_server
from tests.support.servers import healthy, server_command

pytestmark = pytest.mark.integration

PASSWORD = "correct horse battery"

INI = """[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/auth.db
admin_username = admin
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
"""

ALLOWED = {"list roles"}
"""Roles say what others may do: they are listed for administrators alone, with MLflow for all who have one."""

SCRIPT = """
import json, os, mlflow
from mlflow.server.auth.client import AuthServiceClient
from mlflow.exceptions import MlflowException
uri = os.environ["MLFLOW_TRACKING_URI"]
client = AuthServiceClient(uri)
seen = {}
def sign_in(name):
    os.environ["MLFLOW_TRACKING_USERNAME"] = name
def refused(call, *arguments):
    try:
        call(*arguments)
    except MlflowException as error:
        return error.error_code
seen["created"] = client.create_user("ann", "correct horse battery").username
seen["twice"] = refused(client.create_user, "ann", "correct horse battery")
seen["is_admin"] = client.get_user("admin").is_admin
experiment = mlflow.create_experiment("shared")
role = client.create_role("default", "writers")
client.add_role_permission(role.id, "experiment", experiment, "EDIT")
seen["roles"] = [each.name for each in client.list_all_roles()]
sign_in("ann")
tracking = mlflow.MlflowClient()
seen["before"] = refused(tracking.create_run, experiment)
sign_in("admin")
client.assign_role("ann", role.id)
sign_in("ann")
seen["run"] = tracking.create_run(experiment).info.status
found = client.get_user_permission("ann", "experiment", experiment)
seen["permission"] = [found.allowed, found.permission]
sign_in("admin")
client.grant_user_permission("ann", "registered_model", "wine", "MANAGE")
client.revoke_user_permission("ann", "registered_model", "wine")
client.unassign_role("ann", role.id)
client.delete_role(role.id)
client.update_user_password("ann", "another long password")
client.update_user_admin("ann", True)
seen["admin now"] = client.get_user("ann").is_admin
client.delete_user("ann")
seen["gone"] = refused(client.get_user, "ann")
print(json.dumps(seen))
"""


def test_mlflows_client_for_users(
    tmp_path: Path, mlflow3_python: Path, mlflow3_users: dict[str, str]
) -> None:
    signed_in = {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    with projrun_server(tmp_path, "--auth", environ={"MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD}) as program:
        environ = {**signed_in, **mlflow3_users, "MLFLOW_TRACKING_URI": program.uri}
        done = run_command([mlflow3_python, "-c", SCRIPT], environ=environ).check()
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "created": "ann",
        "twice": "RESOURCE_ALREADY_EXISTS",
        "is_admin": True,
        "roles": ["__user_1__", "writers"],
        "before": "PERMISSION_DENIED",
        "run": "RUNNING",
        "permission": [True, "EDIT"],
        "admin now": True,
        "gone": "RESOURCE_DOES_NOT_EXIST",
    }


@contextmanager
def mlflow_server_with_users(folder: Path, python: Path, environ: dict[str, str]) -> Iterator[str]:
    """MLflow's, whose administrator is `admin`."""
    (folder / "auth.ini").write_text(INI.format(folder=folder, password=PASSWORD), encoding="utf-8")
    uri = f"http://127.0.0.1:{free_port()}"
    variables = {
        **os.environ,
        **environ,
        "MLFLOW_AUTH_CONFIG_PATH": str(folder / "auth.ini"),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "of a test",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    command = [*server_command(python, folder, uri), "--app-name", "basic-auth"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, env=variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
        )
    try:
        deadline = time.monotonic() + 120
        while not healthy(uri):
            assert process.poll() is None and time.monotonic() < deadline, (folder / "server.log").read_text()
            time.sleep(0.1)
        yield uri
    finally:
        process.terminate()
        process.wait()


@pytest.mark.large
@pytest.mark.slow
def test_users_may_do_what_mlflow_lets_them(
    tmp_path: Path, mlflow3_python: Path, mlflow3_users: dict[str, str]
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir()
    theirs.mkdir()
    with projrun_server(ours, "--auth", environ={"MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD}) as program:
        found = matrix(program.uri, PASSWORD)
    with mlflow_server_with_users(theirs, mlflow3_python, mlflow3_users) as uri:
        expected = matrix(uri, PASSWORD)
    assert len(expected) == 525
    different = {call: (found[call], expected[call]) for call in expected if found[call] != expected[call]}
    assert {call for call in different if call.partition(": ")[2] not in ALLOWED} == set(), different
    assert {call.partition(": ")[2] for call in different} == ALLOWED
