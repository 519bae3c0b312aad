"""Who calls: a name and a password or token in the Authorization header, or a name that a trusted proxy gives.

A password costs a scrypt once; then a keyed digest of the header stands for it. Whether the user still is there, with
this password, is asked with every call (`permitting`): a user who is deleted is out at once.
"""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import os
from base64 import b64decode
from collections import OrderedDict
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projrun.errors import ProjrunError
from projrun.server.access import passwords
from projrun.server.access.checking import PasswordCheck, TooManyAttemptsError
from projrun.server.access.sessions import OWN_HEADER, identity_of
from projrun.server.api import IDENTITY, USER, Identity
from projrun.server.errors import explain
from projrun.server.stores import Stores
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.users import Users
from projrun.tuples import NamedTuple

_KNOWN = 10_000
"""Headers that are remembered: some 3 MB."""
Network = IPv4Network | IPv6Network


class Proxy(NamedTuple):
    """A reverse proxy that signs users in: the header with their names, and where it calls from."""

    header: bytes
    networks: tuple[Network, ...]


class SigningIn:
    """An ASGI application around the API, which puts who calls into the scope; what a route needs is checked later."""

    def __init__(
        self, application: ASGIApp, stores: Stores, check: PasswordCheck, proxy: Proxy | None = None
    ) -> None:
        self._application = application
        self._stores = stores
        self._proxy = proxy
        self._key = os.urandom(32)
        self._known: OrderedDict[bytes, Identity] = OrderedDict()
        self._check = check
        self._pending: dict[bytes, asyncio.Task[Identity | None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Response | None = None
        try:
            identity = scope[IDENTITY] = await self._identity(scope)
            if identity is not None:
                scope[USER] = identity.name
        except ProjrunError as error:  # the store cannot be asked, or no user may have this name
            response = explain(error)
        except TooManyAttemptsError as error:
            response = error.response()
        await (response or self._application)(scope, receive, self._watched(scope, send))

    def _watched(self, scope: Scope, send: Send) -> Send:
        """Forget a header that is not valid any more: its password may be given again, with another hash.

        A page asks for the password itself: its browser must not, as it would if it were challenged.
        """

        async def watched(message: Message) -> None:
            if message.get("status") == 401:
                headers = dict(scope["headers"])
                self._known.pop(self._digest(headers.get(b"authorization", b"")), None)
                if OWN_HEADER in headers:
                    message["headers"] = [
                        pair for pair in message["headers"] if pair[0] != b"www-authenticate"
                    ]
            await send(message)

        return watched

    def _digest(self, authorization: bytes) -> bytes:
        return hashlib.blake2b(authorization, key=self._key, digest_size=32).digest()

    async def _identity(self, scope: Scope) -> Identity | None:
        authorization = name = cookie = b""
        for key, value in scope["headers"]:
            if key == b"authorization":
                authorization = value
            elif key == b"cookie":
                cookie = value
            elif self._proxy is not None and key == self._proxy.header:
                name = value
        if name and self._proxy is not None and _is_from(scope, self._proxy.networks):
            return await self._of_proxy(name.decode("utf-8", "replace"))
        if authorization:
            return await self._of_header(scope, authorization)
        return identity_of(scope, dict(scope["headers"])) if cookie else None

    async def _of_proxy(self, name: str) -> Identity:
        """A user of the proxy, made when first seen, without a password."""
        known = self._known.get(key := b"proxy:" + name.encode())
        if known is None:
            await self._stores.write(lambda store: _make_known(store, name))
            known = self._remembered(key, Identity(name))
        return known

    async def _of_header(self, scope: Scope, authorization: bytes) -> Identity | None:
        key = self._digest(authorization)
        known = self._known.get(key)
        if known is not None:
            return known
        scheme, _, rest = authorization.decode("latin-1").partition(" ")
        if scheme.lower() == "bearer":
            return Identity(token=passwords.digest(rest.strip()))
        name, password = _name_and_password(rest) if scheme.lower() == "basic" else ("", "")
        if password.startswith(passwords.TOKEN_PREFIX):
            return Identity(token=passwords.digest(password))
        if not name:
            return None
        task = self._pending.get(key)
        if task is None:
            # A client that opens many connections at once is asked for its password once.
            task = self._pending[key] = asyncio.create_task(self._check.identity(scope, name, password))
            task.add_done_callback(lambda done: self._pending.pop(key, None))
        identity = await asyncio.shield(task)
        return self._remembered(key, identity) if identity else None

    def _remembered(self, key: bytes, identity: Identity) -> Identity:
        self._known[key] = identity
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        return identity


def _make_known(store: RunStore, name: str) -> None:
    users = part_of(store, Users)
    if users.find_user(name) is None:
        users.create_user(name, "")


def _is_from(scope: Scope, networks: tuple[Network, ...]) -> bool:
    try:
        address = ip_address((scope.get("client") or ("", 0))[0])
    except ValueError:
        return False
    return any(address in network for network in networks)


def _name_and_password(text: str) -> tuple[str, str]:
    try:
        name, _, password = b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return name, password
