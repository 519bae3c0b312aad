"""Who signs in: by a password, by a token, or by a proxy's header; and who does not."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import closing
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp

from projrun.errors import InvalidValueError
from projrun.server.access import passwords
from projrun.server.access.app import create_api_with_users
from projrun.server.access.attempts import FREE, LONGEST, Attempts
from projrun.server.access.signing_in import Proxy
from projrun.server.stores import Stores
from projrun.tracking.parts import part_of
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.users import Users
from tests.server.access.client import Client, basic, in_loop
from tests.server.access.conftest import PASSWORD

Named = Callable[[str], Client]


def change(database: Path, call: Callable[[Users], Any]) -> Any:
    """Change users as another process would."""
    with closing(SqlStore.open(database)) as store:
        return call(part_of(store, Users))


def test_passwords_are_salted_and_compared() -> None:
    first, second = passwords.hashed(PASSWORD), passwords.hashed(PASSWORD)
    assert first != second
    assert PASSWORD not in first
    assert passwords.matches(PASSWORD, first)
    assert passwords.matches(PASSWORD, second)
    for wrong in ("", PASSWORD + " ", "\ud800"):
        assert not passwords.matches(wrong, first)
    for nobody in ("", passwords.ABSENT.replace("scrypt", "none"), "x$y"):
        assert not passwords.matches(PASSWORD, nobody)
    with pytest.raises(InvalidValueError, match="at least 12 characters"):
        passwords.check_password("short")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        basic("ann", "wrong password"),
        basic("nobody", PASSWORD),
        basic("", PASSWORD),
        "Basic !!!",
        "Basic",
        f"Bearer {PASSWORD}",
        "Bearer projrun_abc",
        basic("ann", "projrun_abc"),
        "Digest x",
    ],
)
def test_nobody(application: ASGIApp, authorization: str) -> None:
    answer = Client(application, authorization).get("experiments/get", experiment_id=0)
    assert (answer.status, answer.json["error_code"]) == (401, "UNAUTHENTICATED")
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_password(user: Named) -> None:
    assert user("ann").get("users/current").json == {
        "user": {"id": 2, "username": "ann", "is_admin": False},
        "is_basic_auth": True,
    }


def test_a_password_is_hashed_once(user: Named, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = hashlib.scrypt, []

    def counted(*arguments: Any, **keywords: Any) -> bytes:
        calls.append(1)
        return real(*arguments, **keywords)

    monkeypatch.setattr(hashlib, "scrypt", counted)
    ann = user("ann")

    async def many() -> list[int]:
        asked = [ann.sent("GET", "/api/2.0/mlflow/users/current") for _ in range(20)]
        return [answer.status for answer in await asyncio.gather(*asked)]

    assert in_loop(many()) == [200] * 20
    assert ann.get("users/current").status == 200
    assert len(calls) == 1


def test_token(database: Path, application: ASGIApp) -> None:
    token = passwords.new_token()
    change(database, lambda users: users.create_token("ann", "ci", passwords.digest(token)))
    for authorization in (f"Bearer {token}", basic("anything", token)):
        client = Client(application, authorization)
        assert client.get("users/current").json["user"]["username"] == "ann"
    change(database, lambda users: users.delete_token("ann", "ci"))
    assert client.get("users/current").status == 401
    change(database, lambda users: users.create_token("ann", "old", passwords.digest(token), 1000))
    assert client.get("users/current").status == 401


def test_what_another_process_changes_counts_at_once(database: Path, user: Named) -> None:
    ann = user("ann")
    assert ann.get("users/list").status == 200
    other = passwords.hashed("another long password")
    change(database, lambda users: users.update_user("ann", secret=other))
    assert ann.get("users/list").status == 401
    again = Client(ann.application, basic("ann", "another long password"))
    assert again.get("users/list").status == 200
    change(database, lambda users: users.delete_user("ann"))
    assert again.get("users/list").status == 401


def test_after_some_mistakes_there_is_a_wait(application: ASGIApp) -> None:
    wrong = [Client(application, basic("ann", f"wrong {number}")) for number in range(FREE + 1)]
    assert [client.get("users/current").status for client in wrong] == [401] * FREE + [429]
    refused = Client(application, basic("ann", PASSWORD)).get("users/current")
    assert (refused.status, refused.json["error_code"]) == (429, "REQUEST_LIMIT_EXCEEDED")
    assert int(refused.headers["retry-after"]) >= 1
    # Neither another user of this address nor the same one elsewhere waits.
    assert Client(application, basic("bob", PASSWORD)).get("users/current").status == 200
    assert Client(application, basic("ann", PASSWORD), "10.0.0.1").get("users/current").status == 200


def test_waits_grow_and_end() -> None:
    now = [0.0]
    attempts, who = Attempts(lambda: now[0]), ("address", "user")
    waits = []
    for _ in range(FREE + 10):
        attempts.begun(who)
        waits.append(attempts.wait(who))
    assert waits[: FREE - 1] == [0.0] * (FREE - 1)
    assert waits[FREE - 1 : FREE + 2] == [1.0, 2.0, 4.0]
    assert waits[-1] == LONGEST
    now[0] += LONGEST
    assert attempts.wait(who) == 0.0
    attempts.succeeded(who)
    attempts.begun(who)
    assert attempts.wait(who) == 0.0


def test_header_of_a_trusted_proxy(stores: Stores) -> None:
    proxy = Proxy(b"x-forwarded-user", (ip_network("10.1.0.0/16"),))
    application = create_api_with_users(stores, proxy=proxy)
    for address, name, status in (
        ("10.1.2.3", "carol", 200),
        ("10.1.2.3", "ann", 200),
        ("10.2.2.3", "carol", 401),
        ("127.0.0.1", "admin", 401),
        ("", "admin", 401),
    ):
        client = Client(application, address=address)
        client.headers["x-forwarded-user"] = name
        answer = client.get("users/current")
        assert answer.status == status, (address, name)
        if status == 200:
            assert answer.json["user"]["username"] == name
    # Who was made by the proxy has no password.
    assert Client(application, basic("carol", "")).get("users/current").status == 401
