"""Requests for the page and its files."""

from __future__ import annotations

from functools import cached_property, lru_cache
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from projrun.server.page.files import File, Files, new_file
from projrun.server.table import ROUTE

PLACES = frozenset({"", "experiments", "runs", "compare", "compare-runs", "models", "signin", "tokens"})
"""The first parts of the paths at which the page is."""
PROGRAMS = frozenset(
    {"api", "ajax-api", "get-artifact", "graphql", "health", "metrics", "model-versions", "v1", "version"}
)
"""The first parts of the paths that programs ask for: browsers too get JSON where there is nothing below them."""
FILES = "page"
"""The first part of the paths of its files."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "frame-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
    )
)
"""Of the page: nothing from elsewhere, no inline scripts or styles, no HTML from texts."""

_LINKS = "<!-- modules -->"
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


class Page:
    """Answers for the page; its files are read when they are first asked for."""

    def __init__(self, prefix: str, ancestors: str) -> None:
        """`prefix` is the path below which a proxy publishes the server; `ancestors` ends the policy."""
        self._prefix = prefix
        self._policy = POLICY + ancestors
        self._index = lru_cache(64)(self._new_index)

    def find(self, scope: Scope) -> Response | None:
        """The answer to a request for the page or one of its files; None for all other requests."""
        first, _, rest = scope["path"][1:].partition("/")
        if scope["method"] not in ("GET", "HEAD"):
            return None
        if first in PLACES:
            scope[ROUTE] = "/"
            return self._shown(scope, 200)
        if first != FILES:
            lost = first not in PROGRAMS and "text/html" in Request(scope).headers.get("accept", "")
            return self._shown(scope, 404) if lost else None
        scope[ROUTE] = f"/{FILES}/{{file:path}}"
        digest, _, name = rest.partition("/")
        file = self._files.files.get(name)
        if file is None or digest != self._files.digest:
            # A page that was loaded before an upgrade must not be continued with the files of another version.
            return Response("file not found; load the page again\n", 404, media_type="text/plain")
        return _response(scope, file, _FOR_EVER)

    def _shown(self, scope: Scope, status: int) -> Response:
        """The page, which says itself where there is nothing at a path."""
        headers = {"content-security-policy": self._policy, "referrer-policy": "same-origin"}
        # As it was sent, where slashes in names are encoded; with a prefix only the links to modules depend on it.
        path = scope["path"] if self._prefix else scope["raw_path"].decode("latin-1")
        index = self._index(path.count("/") - 1, self._files.view(path))
        return _response(scope, index, _ASK_AGAIN, headers, status)

    @cached_property
    def _files(self) -> Files:
        return Files()

    def _new_index(self, depth: int, view: str | None) -> File:
        """The page for a path of so many parts, which begins to load its view with itself.

        Without a prefix its files are named relative to the path: a proxy that removes a prefix need not be known.
        """
        root = f"{self._prefix}/" if self._prefix else "../" * depth or "./"
        place = f"{escape(root)}{FILES}/{self._files.digest}"
        modules = sorted({*self._files.imported("app.js")})
        if view:
            modules += sorted({view, *self._files.imported(view)} - {*modules})
        links = [f'<link rel="modulepreload" href="{place}/{module}">' for module in modules]
        links += [
            f'<link rel="preload" as="style" href="{place}/{sheet}">' for sheet in self._files.sheets(modules)
        ]
        index = self._files.files["index.html"]
        text = index.body.decode().replace(_LINKS, "\n".join(links)).replace("{place}", place)
        return new_file(text.encode(), index.media_type)


def _response(
    scope: Scope, file: File, caching: str, headers: dict[str, str] | None = None, status: int = 200
) -> Response:
    asked = Request(scope).headers
    sent = {"etag": file.etag, "cache-control": caching, "vary": "accept-encoding", **(headers or {})}
    if status == 200 and file.etag in asked.get("if-none-match", ""):
        return Response(None, 304, sent)
    if "gzip" in asked.get("accept-encoding", ""):
        return Response(
            file.zipped, status, {**sent, "content-encoding": "gzip", "content-type": file.media_type}
        )
    return Response(file.body, status, {**sent, "content-type": file.media_type})
