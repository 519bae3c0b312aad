"""The table of routes: a path is looked up whole; only among routes with variables are patterns compared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from projrun.server.errors import error_response

Methods = dict[str, ASGIApp]

API = "projrun.api"
"""In a request's scope: the table, for a route that asks others."""
ROUTE = "projrun.route"
"""In a request's scope: the path of its route, with the names of its variables; `none` where there is none."""

_VARIABLE = re.compile(r"\{(\w+)(:path)?\}")


class Table:
    """An ASGI application that hands each request to the application of its route."""

    def __init__(self, routes: Iterable[tuple[str, Iterable[str], ASGIApp]]) -> None:
        """Each is a path, the methods, and what answers."""
        self._exact: dict[str, Methods] = {}
        self._patterns: dict[str, list[tuple[str, re.Pattern[str], Methods]]] = {}
        for path, methods, application in routes:
            answering = self._methods_of(path)
            for method in methods:
                answering[method] = application
                if method == "GET":
                    answering.setdefault("HEAD", application)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[API] = self
        methods = self._exact.get(scope["path"])
        if methods is None:
            scope[ROUTE], methods, scope["path_params"] = self._match(scope["path"])
        else:
            scope[ROUTE] = scope["path"]
        application = methods.get(scope["method"])
        if application is None:
            message = f"no such endpoint: {scope['method']} {scope['path']}"
            application = error_response(405 if methods else 404, "ENDPOINT_NOT_FOUND", message)
        await application(scope, receive, send)

    def _methods_of(self, path: str) -> Methods:
        """What answers at a path, to be filled."""
        if "{" not in path:
            return self._exact.setdefault(path, {})
        candidates = self._patterns.setdefault(path.partition("{")[0], [])
        pattern = _pattern(path)
        for _, other, methods in candidates:
            if other == pattern:
                return methods
        candidates.append((path, pattern, {}))
        return candidates[-1][2]

    def _match(self, path: str) -> tuple[str, Methods, Mapping[str, str]]:
        """The route of a path with variables, what answers there, and those.

        The longest beginning without variables counts first.
        """
        end = len(path)
        while (end := path.rfind("/", 0, end)) >= 0:
            for route, pattern, methods in self._patterns.get(path[: end + 1], ()):
                if found := pattern.fullmatch(path):
                    return route, methods, found.groupdict()
        return "none", {}, {}


def _pattern(path: str) -> re.Pattern[str]:
    pieces, end = [], 0
    for variable in _VARIABLE.finditer(path):
        part = ".*" if variable[2] else "[^/]+"
        pieces += [re.escape(path[end : variable.start()]), f"(?P<{variable[1]}>{part})"]
        end = variable.end()
    return re.compile("".join([*pieces, re.escape(path[end:])]), re.DOTALL)
