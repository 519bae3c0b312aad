"""Routes that a server does not serve, by its settings: each says which of them."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from projrun.server.api import Route
from projrun.server.errors import error_response
from projrun.server.permissions import PUBLIC
from projrun.server.program.configuration import Program
from projrun.server.stores import Stores
from projrun.server.wire import Message

_ALWAYS = frozenset({"/health", "/version"})


def served_routes(routes: tuple[Route, ...], program: Program) -> tuple[Route, ...]:
    """All of them, those replaced that the settings exclude."""
    return tuple(_replaced(route, _reason(route, program)) for route in routes)


def _reason(route: Route, program: Program) -> tuple[int, str, str] | None:
    """Why a route is not served, as status, code and words."""
    moves_files = "mlflow-artifacts" in route.paths[0]
    if moves_files and not program.serve_artifacts:
        return 501, "NOT_IMPLEMENTED", "this server takes and gives no artifacts (--no-serve-artifacts)"
    if program.artifacts_only and not moves_files and route.paths[0] not in _ALWAYS:
        return 501, "NOT_IMPLEMENTED", "this server serves artifacts and nothing else (--artifacts-only)"
    if program.read_only and _changes(route):
        return 403, "PERMISSION_DENIED", "this server is read-only (--read-only)"
    return None


def _changes(route: Route) -> bool:
    """Whether it writes, or lets its caller write elsewhere, as a signed address for an upload does."""
    return route.writes or ("GET" not in route.methods and route.needs.level in ("EDIT", "MANAGE"))


def _replaced(route: Route, reason: tuple[int, str, str] | None) -> Route:
    if reason is None:
        return route

    async def refuse(request: Request, stores: Stores, message: Message) -> Response:
        return error_response(*reason)

    return route._replace(streamer=refuse, message=Message, needs=PUBLIC)
