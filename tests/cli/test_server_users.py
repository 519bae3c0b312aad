"""`projrun server users` and `tokens`: who may sign in to a server that is running or will be."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from projrun.cli.execution import execute
from projrun.cli.server.signing import require_users
from projrun.errors import RequestError
from projrun.server.access.passwords import digest, matches
from projrun.server.program.configuration import Program
from projrun.tracking.parts import part_of
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.users import Users

PASSWORD = "correct horse battery"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def command(database: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Calls `projrun server WORDS...` for the store, with a password on standard input."""

    def call(*words: str, password: str = PASSWORD) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))
        code = execute(["server", *words, "--backend-store-uri", f"sqlite:///{database}"])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def test_users(command: Command, database: Path) -> None:
    assert command("users", "create", "ann", "--admin", "--password-stdin") == (
        0,
        "created the administrator ann\n",
        "",
    )
    assert command("users", "create", "bob", "--password-stdin")[0] == 0
    code, _, error = command("users", "create", "bob", "--password-stdin")
    assert (code, "already exists" in error) == (2, True)
    assert command("users", "update", "bob", "--admin")[0] == 0
    assert command("users", "update", "ann", "--no-admin")[0] == 0
    listed = json.loads(command("users", "list", "--json")[1])
    assert listed["users"] == [{"name": "ann", "is_admin": False}, {"name": "bob", "is_admin": True}]
    assert command("users", "list")[1].splitlines()[0].split() == ["NAME", "ROLE"]
    assert command("users", "password", "ann", "--password-stdin", password="another long password")[0] == 0
    with closing(SqlStore.open(database)) as store:
        assert matches("another long password", part_of(store, Users).get_user("ann").secret)
    assert command("users", "delete", "bob")[0] == 0
    assert [user["name"] for user in json.loads(command("users", "list", "--json")[1])["users"]] == ["ann"]


@pytest.mark.parametrize(
    ("words", "password", "message"),
    [
        (["users", "create", "x", "--password-stdin"], "short", "at least 12 characters"),
        (["users", "create", "x"], PASSWORD, "--password-stdin"),
        (["users", "create", "a:b", "--password-stdin"], PASSWORD, "invalid user name"),
        (["users", "grant", "x", "EDIT"], "", "give --experiment ID or --model NAME"),
        (["users", "grant", "x", "EDIT", "--model", "m"], "", "User with username=x not found"),
        (["users", "grant", "x", "EDIT", "--experiment", "7"], "", "No Experiment with id=7 exists"),
        (["users", "grant", "x", "WRITE", "--model", "m"], "", "invalid value for 'PERMISSION'"),
        (["tokens", "delete", "ann", "none"], "", "User with username=ann not found"),
    ],
)
def test_mistakes(command: Command, words: list[str], password: str, message: str) -> None:
    code, out, error = command(*words, password=password)
    assert code == 2
    assert out == ""
    assert message in error


def test_grants(command: Command, database: Path) -> None:
    command("users", "create", "ann", "--password-stdin")
    assert command("users", "grant", "ann", "edit", "--experiment", "0")[1] == "ann: EDIT on experiment 0\n"
    assert command("users", "grant", "ann", "MANAGE", "--experiment", "0")[0] == 0
    with closing(SqlStore.open(database)) as store:
        users = part_of(store, Users)
        assert users.granted(users.get_user("ann").id, "experiment") == {"0": ["MANAGE"]}
        assert command("users", "revoke", "ann", "--experiment", "0")[0] == 0
        assert users.granted(users.get_user("ann").id, "experiment") == {}


def test_tokens(command: Command, database: Path) -> None:
    command("users", "create", "ann", "--password-stdin")
    token = command("tokens", "create", "ann", "ci", "--days", "1")[1].strip()
    with closing(SqlStore.open(database)) as store:
        found = part_of(store, Users).find_token_user(digest(token))
        assert found is not None
        assert found.name == "ann"
    assert token.encode() not in database.read_bytes()
    listed = json.loads(command("tokens", "list", "ann", "--json")[1])["tokens"]
    assert [(each["name"], each["expiry_time"] - each["creation_time"] > 8e7) for each in listed] == [
        ("ci", True)
    ]
    assert command("tokens", "delete", "ann", "ci")[0] == 0
    assert json.loads(command("tokens", "list", "ann", "--json")[1]) == {"tokens": []}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--auth"], "the server has no users yet"),
        (["--auth", "--no-auth"], "exclude each other"),
        (["--auth", "--default-permission", "ALL"], "'ALL' is not a permission"),
        (["--auth", "--auth-header", "X-User"], "--auth-header-from"),
        (
            ["--auth", "--auth-header", "X-User", "--auth-header-from", "everywhere"],
            "'everywhere' is not an address",
        ),
        (["--auth-header", "X-User"], "needs --auth"),
        (["--auth", "--artifacts-only"], "--auth needs a store"),
    ],
)
def test_a_server_with_users_needs_them(command: Command, words: list[str], message: str) -> None:
    code, _, error = command(*words)
    assert (code, message in error) == (2, True), error


def test_first_administrator_is_taken_from_the_environment(database: Path) -> None:
    with closing(SqlStore.open(database)) as store:
        with pytest.raises(RequestError, match="no users yet"):
            require_users(store, Program(users=True), {})
        require_users(store, Program(users=True, user_header="X-User"), {})
        environ = {"MLFLOW_AUTH_ADMIN_USERNAME": "root", "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD}
        require_users(store, Program(users=True), environ)
        user = part_of(store, Users).get_user("root")
        assert user.is_admin
        assert matches(PASSWORD, user.secret)
        # A user who is there keeps the password.
        require_users(
            store, Program(users=True), environ | {"MLFLOW_AUTH_ADMIN_PASSWORD": "another password"}
        )
        assert part_of(store, Users).get_user("root") == user
