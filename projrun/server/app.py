"""The application: MLflow's REST routes, and the secret path behind which a run's own processes find them."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from projrun.server.api import PROXIED, Route
from projrun.server.calls import Access, application
from projrun.server.errors import error_response
from projrun.server.routes import (
    artifacts,
    assessments,
    curves,
    experiments,
    files,
    folders,
    life_cycle,
    logged_models,
    metrics,
    model_versions,
    pages,
    registry,
    runs,
    server,
    tables,
    traces,
    transfers,
)
from projrun.server.stores import Stores
from projrun.server.table import Table

Around = Callable[[ASGIApp], ASGIApp]

ROUTES: tuple[Route, ...] = (
    *experiments.ROUTES,
    *runs.ROUTES,
    *life_cycle.ROUTES,
    *metrics.ROUTES,
    *logged_models.ROUTES,
    *registry.ROUTES,
    *model_versions.ROUTES,
    *files.ROUTES,
    *pages.ROUTES,
    *traces.ROUTES,
    *assessments.ROUTES,
    *artifacts.ROUTES,
    *transfers.ROUTES,
    *server.ROUTES,
    *tables.ROUTES,
    *curves.ROUTES,
    *folders.ROUTES,
)
"""All of them, once each."""


def create_app(stores: Stores, secret: str, proxied_path: str, around: Around | None = None) -> ASGIApp:
    """An ASGI application that serves the store below the path `/SECRET`.

    Below `/SECRET/PROXIED_PATH` too, for clients that cannot reach the folder of its artifacts. `around` may answer
    some requests itself.
    """
    api = create_api(stores)
    return _SecretPath(around(api) if around else api, secret, proxied_path)


def create_api(stores: Stores, routes: tuple[Route, ...] = ROUTES, access: Access | None = None) -> ASGIApp:
    """All routes, at the paths that MLflow's clients ask for; `access` decides who may call what."""
    served = ((route, application(route, stores, access)) for route in routes)
    return Table((path, route.methods, answering) for route, answering in served for path in route.paths)


class _SecretPath:
    """Only paths below the secret reach the application; everything else is 404."""

    def __init__(self, application: ASGIApp, secret: str, proxied_path: str) -> None:
        self._application = application
        self._secret = secret.encode()
        self._proxied = f"{proxied_path}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        first, _, rest = scope["path"].removeprefix("/").partition("/")
        if not hmac.compare_digest(first.encode(errors="surrogatepass"), self._secret):
            await error_response(404, "ENDPOINT_NOT_FOUND", "no such endpoint")(scope, receive, send)
            return
        path = rest.removeprefix(self._proxied)
        await self._application({**scope, "path": f"/{path}", PROXIED: path != rest}, receive, send)
