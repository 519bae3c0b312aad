"""The application of a server with users."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp

from projrun.server.access.checking import PasswordCheck
from projrun.server.access.permitting import Permissions
from projrun.server.access.routes import grants, roles, tokens, users
from projrun.server.access.routes.session import Sessions, Setting
from projrun.server.access.signing_in import Proxy, SigningIn
from projrun.server.api import Route
from projrun.server.app import ROUTES, create_api
from projrun.server.stores import Stores


def routes_with_users(rules: Permissions) -> tuple[Route, ...]:
    """All routes of such a server."""
    return (*ROUTES, *users.ROUTES, *grants.routes(rules), *roles.ROUTES, *tokens.ROUTES)


def create_api_with_users(
    stores: Stores,
    *,
    default_permission: str = "READ",
    proxy: Proxy | None = None,
    served: Callable[[tuple[Route, ...]], tuple[Route, ...]] = lambda routes: routes,
    setting: Setting = Setting(),  # noqa: B008 (a record that never changes)
) -> ASGIApp:
    """As `create_api`, for users who sign in; `default_permission` is what each may do without a grant.

    `served` may replace routes; signing in is none of these.
    """
    rules, check = Permissions(default_permission), PasswordCheck(stores)
    routes = (*served(routes_with_users(rules)), *Sessions(check, rules, setting).routes())
    return SigningIn(create_api(stores, routes, rules), stores, check, proxy)
