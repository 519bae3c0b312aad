"""What surrounds the application in the program: whom it answers, the page, what every answer says, and its trace."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projrun.server.api import PROXIED
from projrun.server.page.answering import Page
from projrun.server.program.observing import Requests
from projrun.server.program.origins import BLOCKED_ORIGIN, INVALID_HOST, Origins

_ALWAYS = frozenset({"/health", "/version"})
"""Asked by what only knows the server's address."""
_ANCESTORS = {"SAMEORIGIN": "; frame-ancestors 'self'", "DENY": "; frame-ancestors 'none'", "NONE": ""}
"""What says the same as X-Frame-Options in a policy, which takes precedence in browsers."""


class Surroundings:
    """An ASGI application around that of the store."""

    def __init__(
        self, api: ASGIApp, origins: Origins, prefix: str, requests: Requests, frames: str = "SAMEORIGIN"
    ) -> None:
        """`frames` is which pages may show this server's in a frame: those of its own, none (DENY), or all (NONE)."""
        self._api = api
        self._always = _always(frames)
        self._origins = origins
        self._prefix = prefix
        self._requests = requests
        self._page = Page(prefix, _ANCESTORS[frames])
        self._for_pages = CORSMiddleware(
            api,
            allow_origins=["*"] if origins.any_origin else (),
            allow_origin_regex=None if origins.any_origin else origins.origins,
            allow_credentials=not origins.any_origin,
            allow_methods=("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"),
            allow_headers=("*",),
            expose_headers=("*",),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = size = 0

        async def watched(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
                present = {name for name, _ in headers}
                message["headers"] = [*headers, *(pair for pair in self._always if pair[0] not in present)]
            else:
                size += len(message.get("body", b""))
            await send(message)

        begin = self._requests.begin()
        try:
            self._place(scope)
            await self._choose(scope)(scope, receive, watched)
        finally:
            self._requests.end(scope, status, size, begin)

    def _place(self, scope: Scope) -> None:
        """The path without the prefix, with which a proxy in front may have passed it on or not."""
        # Clients see no folder of this machine.
        scope[PROXIED] = True
        path, prefix = scope["path"], self._prefix
        if prefix and path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/"):
            scope["path"] = path[len(prefix) :] or "/"

    def _choose(self, scope: Scope) -> ASGIApp:
        """The application that answers a request."""
        host, origin = _host_and_origin(scope)
        path = scope["path"]
        if not self._origins.admits_host(host) and path not in _ALWAYS:
            return _refused(f"{INVALID_HOST}; the server's option --allowed-hosts admits other names")
        if page := self._page.find(scope):
            return page
        if not origin:
            return self._api
        if not self._origins.admits_origin(scope["method"], origin, host):
            return _refused(
                f"{BLOCKED_ORIGIN}; the server's option --cors-allowed-origins admits other pages"
            )
        return self._for_pages


def _always(frames: str) -> tuple[tuple[bytes, bytes], ...]:
    """Headers of every answer that has none of its own: what runs or uploads keep is shown, and never obeyed."""
    headers = {
        "x-content-type-options": "nosniff",
        "content-security-policy": f"default-src 'none'{_ANCESTORS[frames]}; sandbox",
        **({} if frames == "NONE" else {"x-frame-options": frames}),
    }
    return tuple((name.encode(), value.encode()) for name, value in headers.items())


def _host_and_origin(scope: Scope) -> tuple[bytes, bytes]:
    host = origin = b""
    for name, value in scope["headers"]:
        if name == b"host":
            host = value
        elif name == b"origin":
            origin = value
    return host, origin


def _refused(reason: str) -> Response:
    return PlainTextResponse(reason, 403)
