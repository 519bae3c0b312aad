"""A store with an administrator and two users, served."""

from __future__ import annotations

import hashlib
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from projrun.server.access.app import create_api_with_users
from projrun.server.stores import Stores
from projrun.tracking.parts import part_of
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.users import Users
from tests.server.access.client import Client, basic, event_loop

PASSWORD = "correct horse battery"
_SALT = bytes(16)
SECRET = "$".join(
    [
        *("scrypt", "2", "8", "1", b64encode(_SALT).decode()),
        b64encode(hashlib.scrypt(PASSWORD.encode(), salt=_SALT, n=2, r=8, p=1, dklen=32)).decode(),
    ]
)
"""Of the password, at the lowest cost: 60 ms for each user of each test is a tenth of what all unit tests take."""


@pytest.fixture(scope="session", autouse=True)
def _event_loop() -> Iterator[None]:
    yield
    event_loop().call_soon_threadsafe(event_loop().stop)


@pytest.fixture(scope="session")
def store_with_users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a closed store with the users admin, ann and bob, who have one password; for copying."""
    file = tmp_path_factory.mktemp("users") / "projrun.db"
    with closing(SqlStore.open(file)) as store:
        users = part_of(store, Users)
        users.create_user("admin", SECRET, is_admin=True)
        users.create_user("ann", SECRET)
        users.create_user("bob", SECRET)
    return file


@pytest.fixture
def database(store_with_users: Path, tmp_path: Path) -> Path:
    """The file of a store of the test's own with these users."""
    return Path(shutil.copy(store_with_users, tmp_path / "projrun.db"))


@pytest.fixture
def stores(database: Path) -> Iterator[Stores]:
    """For the application."""
    with Stores(lambda: SqlStore.open(database)) as stores:
        yield stores


@pytest.fixture
def application(stores: Stores) -> ASGIApp:
    """With READ as the default permission."""
    return create_api_with_users(stores)


@pytest.fixture
def user(application: ASGIApp) -> Callable[[str], Client]:
    """A client by the user's name."""
    return lambda name: Client(application, basic(name, PASSWORD) if name else "")
