"""Sessions of browsers: a cookie for the server's own page, and what of it counts nowhere else; tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from projrun.server.access.app import create_api_with_users
from projrun.server.access.attempts import FREE
from projrun.server.access.routes.session import Setting
from projrun.server.stores import Stores
from projrun.tracking.parts import part_of
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.users import Users
from tests.server.access.client import Answer, Client
from tests.server.access.conftest import PASSWORD

OWN = "/api/projrun/1/"
Named = Callable[[str], Client]


def browser(application: ASGIApp) -> Client:
    """A client without a header of its own, at a port."""
    client = Client(application)
    client.headers["host"] = "localhost:5000"
    return client


def sign_in(client: Client, name: str = "ann", password: str = PASSWORD) -> Answer:
    """Sign in; the cookie is kept."""
    body = json.dumps({"username": name, "password": password}).encode()
    answer = client.send("POST", f"{OWN}session", body)
    if answer.status == 200:
        client.headers["cookie"] = answer.headers["set-cookie"].partition(";")[0]
    return answer


def who(client: Client, query: str = "") -> Any:
    """What the server says of the caller."""
    return client.send("GET", f"{OWN}session", query=query).json


def test_a_session_from_sign_in_to_sign_out(application: ASGIApp) -> None:
    client = browser(application)
    assert who(client)["user"] is None
    assert who(client)["users"] is True
    answer = sign_in(client)
    name, *flags = answer.headers["set-cookie"].split("; ")
    assert name.startswith("projrun_session_5000=")
    assert flags == ["Path=/", "Max-Age=604800", "HttpOnly", "SameSite=Strict"]
    assert answer.json["user"] == {"name": "ann", "is_admin": False}
    assert who(client)["signed_in_by"] == "session"
    assert client.post("experiments/create", name="mine").status == 200
    ended = client.send("DELETE", f"{OWN}session")
    assert "Max-Age=0" in ended.headers["set-cookie"]
    assert who(client)["user"] is None  # also for one who kept the cookie
    assert client.get("experiments/get", experiment_id="0").status == 401


def test_permissions_of_what_is_shown(application: ASGIApp, user: Named) -> None:
    made = user("bob").post("experiments/create", name="bobs").json["experiment_id"]
    grant = {"experiment_id": made, "username": "ann", "permission": "NO_PERMISSIONS"}
    assert user("bob").post("experiments/permissions/create", **grant).status == 200
    query = f"experiment_ids={made}&experiment_ids=0&models=wine"
    client = browser(application)
    sign_in(client)
    found = who(client, query)
    assert found["experiments"] == {made: "NO_PERMISSIONS", "0": "READ"}
    assert found["models"] == {"wine": "READ"}
    sign_in(client, "admin")
    assert set(who(client, query)["experiments"].values()) == {"MANAGE"}


def test_a_cookie_under_https_is_secure_and_has_the_servers_path(stores: Stores) -> None:
    client = browser(create_api_with_users(stores, setting=Setting(read_only=True, path="/ml")))
    client.headers |= {"host": "ml.example.org", "origin": "https://ml.example.org"}
    cookie = sign_in(client).headers["set-cookie"]
    assert cookie.startswith("projrun_session=")
    assert "; Path=/ml; " in cookie
    assert cookie.endswith("; Secure")
    assert who(client)["read_only"] is True


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://localhost:3000"},
        {"origin": "https://evil.example.org"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
    ],
)
def test_what_another_page_sends_with_the_cookie_is_refused(
    application: ASGIApp, headers: dict[str, str]
) -> None:
    client = browser(application)
    sign_in(client)
    client.headers |= headers
    assert client.post("experiments/create", name="theirs").status == 403
    assert client.send("DELETE", f"{OWN}session").status == 403


def test_the_pages_own_header_is_enough(application: ASGIApp) -> None:
    client = browser(application)
    sign_in(client)
    client.headers |= {"origin": "http://localhost:5000", "sec-fetch-site": "same-origin", "x-projrun": "1"}
    del client.headers["content-type"]
    assert client.send("DELETE", f"{OWN}session").status == 200


@pytest.mark.parametrize(
    "cookie", ["x", "projrun_session_5000=x.y", "projrun_session_5000=.", "a=\x01;;=", "=" * 9]
)
def test_a_cookie_that_is_none_signs_nobody_in(application: ASGIApp, cookie: str) -> None:
    client = browser(application)
    client.headers["cookie"] = cookie
    assert client.get("experiments/get", experiment_id="0").status == 401
    assert who(client)["user"] is None


def test_wrong_passwords_are_refused_and_counted(application: ASGIApp) -> None:
    client = browser(application)
    for _ in range(FREE):
        answer = sign_in(client, password="wrong")
        assert answer.status == 401
        assert "www-authenticate" not in answer.headers
    answer = sign_in(client)
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 1
    client.headers["content-type"] = "text/plain"
    assert sign_in(client).status == 400


def test_a_page_is_not_challenged(application: ASGIApp) -> None:
    client = browser(application)
    assert "www-authenticate" in client.get("experiments/get", experiment_id="0").headers
    client.headers["x-projrun"] = "1"
    answer = client.get("experiments/get", experiment_id="0")
    assert answer.status == 401
    assert "www-authenticate" not in answer.headers


def test_a_new_password_ends_sessions_and_keeps_tokens(application: ASGIApp, database: Path) -> None:
    client = browser(application)
    sign_in(client)
    assert client.send("POST", f"{OWN}tokens", b'{"name": "laptop"}').status == 200
    with closing(SqlStore.open(database)) as store:
        users = part_of(store, Users)
        users.update_user("ann", secret="another")
        assert [token.name for token in users.list_tokens("ann")] == ["laptop"]
    assert who(client)["user"] is None


def test_tokens_are_listed_made_and_deleted(application: ASGIApp, user: Named) -> None:
    client = browser(application)
    sign_in(client)
    made = client.send("POST", f"{OWN}tokens", b'{"name": "laptop", "days": 30}').json
    program = Client(application, f"Bearer {made['token']}")
    assert who(program)["signed_in_by"] == "token"
    listed = client.send("GET", f"{OWN}tokens").json["tokens"]
    shown = [(each["name"][:8], each["session"], each["current"]) for each in listed]
    assert shown == [("laptop", False, False), ("session ", True, True)]
    assert listed[0]["expiry_time"] - listed[0]["creation_time"] == pytest.approx(30 * 86_400_000, abs=5_000)
    assert user("bob").send("GET", f"{OWN}tokens").json == {"tokens": []}
    # A token that leaks makes no other, and ends none.
    assert program.send("POST", f"{OWN}tokens", b'{"name": "more"}').status == 403
    assert program.send("DELETE", f"{OWN}tokens", b'{"name": "laptop"}').status == 403
    for wrong in (
        b'{"name": "session x"}',
        b'{"name": "x", "days": 0}',
        b'{"name": ""}',
        b'{"name": "laptop"}',
    ):
        assert client.send("POST", f"{OWN}tokens", wrong).status == 400
    assert client.send("DELETE", f"{OWN}tokens", b'{"name": "laptop"}').status == 200
    assert who(program)["user"] is None


def test_a_session_is_no_token_and_a_token_no_session(application: ASGIApp) -> None:
    client = browser(application)
    sign_in(client)
    value = client.headers["cookie"].partition("=")[2]
    assert who(Client(application, f"Bearer {value}"))["user"] is None
    token = client.send("POST", f"{OWN}tokens", b'{"name": "laptop"}').json["token"]
    client.headers["cookie"] = f"projrun_session_5000=x.{token}"
    assert who(client)["user"] is None
