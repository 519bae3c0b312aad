"""Passwords that are tried: one at a time, and after some mistakes only so often."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from starlette.responses import Response
from starlette.types import Scope

from projrun.server.access import passwords
from projrun.server.access.attempts import Attempts
from projrun.server.api import Identity
from projrun.server.errors import error_response
from projrun.server.stores import Stores
from projrun.tracking.parts import part_of
from projrun.tracking.users import User, Users

_WAITING = 100
"""Passwords that wait for their hash at most."""


class TooManyAttemptsError(Exception):
    """Too many wrong passwords."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def response(self) -> Response:
        """What the client is answered."""
        response = error_response(429, "REQUEST_LIMIT_EXCEEDED", "too many wrong passwords: try again later")
        response.headers["retry-after"] = str(max(1, round(self.seconds)))
        return response


class PasswordCheck:
    """Whose passwords are right."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._attempts = Attempts()
        # One at a time: a flood of passwords takes one core at most, and no thread that answers others.
        self._hasher = ThreadPoolExecutor(1, "projrun-passwords")
        self._waiting = 0

    async def identity(self, scope: Scope, name: str, password: str) -> Identity | None:
        """Who the client of a request is; None for a wrong password. Raises TooManyAttemptsError."""
        who = ((scope.get("client") or ("", 0))[0], name)
        if seconds := self._attempts.wait(who) or float(self._waiting > _WAITING):
            raise TooManyAttemptsError(seconds)
        self._attempts.begun(who)
        self._waiting += 1
        try:
            user: User | None = await self._stores.read(lambda store: part_of(store, Users).find_user(name))
            secret = user.secret if user else ""
            loop = asyncio.get_running_loop()
            if not await loop.run_in_executor(self._hasher, passwords.matches, password, secret):
                return None
        finally:
            self._waiting -= 1
        self._attempts.succeeded(who)
        return Identity(name, secret)
