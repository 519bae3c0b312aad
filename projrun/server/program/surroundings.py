"""What surrounds the application in the program: whom it answers, the page, and what every answer says."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from projrun.server.api import PROXIED
from projrun.server.program.guard import BLOCKED_ORIGIN, INVALID_HOST, Guard
from projrun.server.program.page import page

_ALWAYS = frozenset({"/health", "/version"})
"""Asked by what only knows the server's address."""
_SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'self'; sandbox"),
)
"""Headers of every answer that has none of its own: what runs or uploads keep is shown, and never obeyed."""
_PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'self'"


class Surroundings:
    """An ASGI application around that of the store."""

    def __init__(self, api: ASGIApp, guard: Guard) -> None:
        self._api = api
        self._guard = guard
        self._for_pages = CORSMiddleware(
            api,
            allow_origins=["*"] if guard.any_origin else (),
            allow_origin_regex=None if guard.any_origin else guard.origins,
            allow_credentials=not guard.any_origin,
            allow_methods=("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"),
            allow_headers=("*",),
            expose_headers=("*",),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                present = {name for name, _ in headers}
                message["headers"] = [*headers, *(pair for pair in _SECURITY if pair[0] not in present)]
            await send(message)

        # Clients see no folder of this machine.
        scope[PROXIED] = True
        await self._choose(scope)(scope, receive, secured)

    def _choose(self, scope: Scope) -> ASGIApp:
        """The application that answers a request."""
        host, origin = _host_and_origin(scope)
        if not self._guard.admits_host(host) and scope["path"] not in _ALWAYS:
            return _refused(f"{INVALID_HOST}; the server's option --allowed-hosts admits other names")
        if scope["path"] == "/":
            return _page(scope, host)
        if not origin:
            return self._api
        if not self._guard.admits_origin(scope["method"], origin, host):
            return _refused(
                f"{BLOCKED_ORIGIN}; the server's option --cors-allowed-origins admits other pages"
            )
        return self._for_pages


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


def _page(scope: Scope, host: bytes) -> Response:
    address = f"{scope['scheme']}://{host.decode('latin-1')}"
    headers = {"content-security-policy": _PAGE_POLICY, "cache-control": "no-store"}
    return Response(page(address), headers=headers, media_type="text/html")
