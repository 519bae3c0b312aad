"""Values of type `path`: what is on this machine becomes absolute, URIs get the place of their download."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

from projrun.project.files import exists
from projrun.project.values import scheme_of

DOWNLOADABLE = frozenset(
    {"http", "https", "runs", "models", "mlflow-artifacts"}
    | {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"}
)
"""The schemes that `projrun.tracking.artifacts.download` fetches (a test compares them); `file:` is used in place."""

_LONGEST_NAME = 200


def is_download(text: str) -> bool:
    """Whether a `path` value is a URI to fetch."""
    return scheme_of(text) in DOWNLOADABLE


def foreign_scheme(text: str) -> str:
    """The scheme of a URI that nothing here fetches (`ftp://…`, `dbfs:/…`); "" for one to fetch, and for a path."""
    scheme = scheme_of(text)
    known = scheme == "file" or scheme in DOWNLOADABLE
    return "" if known or not text[len(scheme) + 1 :].startswith("/") else scheme


def is_file_uri(text: str) -> bool:
    """Whether a `path` value is a `file:` URI, which names what is on this machine already."""
    return scheme_of(text) == "file"


def is_fixed(text: str) -> bool:
    """Whether a `path` value names one place, whatever the folder that relative paths are relative to."""
    return is_file_uri(text) or Path(text).is_absolute()


def existing_path(text: str, base: Path) -> str | None:
    """The absolute path of an existing local file or folder, relative to `base`; None where there is none."""
    if not text:
        return None
    path = _named_by(text) if is_file_uri(text) else base.absolute() / text
    if not path.is_absolute() or not exists(path):
        return None
    return os.path.realpath(path) if ".." in path.parts else str(path)


def download_place(uri: str, name: str, storage_directory: Path) -> Path:
    """Where a URI will be downloaded to: its own last name, in a new folder of the parameter's name."""
    folder = re.sub(r"[^A-Za-z0-9_-]", "_", name)[: _LONGEST_NAME // 2]
    return storage_directory / f"{folder}-{os.urandom(6).hex()}" / _last_name(uri)


def _named_by(uri: str) -> Path:
    """The path of a `file:` URI (RFC 8089), as written where that exists: MLflow leaves spaces in such URIs.

    Relative, so that nothing is found there, for the file of another host.
    """
    body = uri.partition(":")[2]
    host, slash, path = body[2:].partition("/") if body.startswith("//") else ("", "", body)
    if host.lower() not in ("", "localhost") or not (slash or path.startswith("/")):
        return Path(uri)
    written = Path(slash + path)
    return written if exists(written) else Path(unquote(slash + path))


def _last_name(uri: str) -> str:
    name = re.sub(r"[\x00-\x1f\x7f\\/:]", "_", _uri_path(uri).rstrip("/").rpartition("/")[2])
    return name[:_LONGEST_NAME] if name.strip(".") else "download"


def _uri_path(uri: str) -> str:
    path = re.sub(r"^[^:]*:(//[^/]*)?", "", uri)
    if scheme_of(uri) in ("http", "https"):
        path = re.split(r"[?#]", path)[0]
        return unquote(path)
    return path  # object stores and MLflow's own URIs have no escapes
