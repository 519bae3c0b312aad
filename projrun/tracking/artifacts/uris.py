"""Artifact URIs: their scheme, and the path that a local one names. On the hot path."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from projrun.errors import InvalidValueError, OutOfReachError
from projrun.tracking.artifacts.paths import checked_path
from projrun.tracking.uri import split_uri


def uri_scheme(uri: str) -> str:
    """The scheme in lower case; empty for a path."""
    head, colon, _ = uri.partition(":")
    if not colon or len(head) < 2 or not head[0].isalpha():
        return ""
    letters = head.replace("+", "").replace("-", "").replace(".", "")
    return head.lower() if letters.isalnum() else ""


def below(uri: str, path: str) -> str:
    """What lies at `path` below a URI or a folder; a URI's query stays at the end."""
    place, mark, query = uri.partition("?") if uri_scheme(uri) else (uri, "", "")
    return f"{place.rstrip('/')}/{path}{mark}{query}"


def local_path(uri: str) -> Path:
    """The path that a `file:` URI (RFC 8089) or a plain path names; TrackingError for another host's file."""
    if uri_scheme(uri) != "file":
        return Path(uri)
    parts = split_uri(uri)
    path = unquote(parts.path) if parts and parts.netloc in ("", "localhost") else ""
    if not path.startswith("/") or "\0" in path:
        raise OutOfReachError(f"{uri!r} is not a file on this machine", hint="file:///FOLDER/FILE")
    return Path(path)


def served_path(uri: str) -> str:
    """The path that `mlflow-artifacts:/PATH` names. Raises InvalidValueError for what another server serves."""
    body = uri.partition(":")[2]
    if body.startswith("//"):
        raise InvalidValueError(f"the artifacts at {uri} are not in a folder of this store")
    return checked_path(body.removeprefix("/"))
