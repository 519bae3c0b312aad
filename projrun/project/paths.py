"""Values of type `path`: existing files become absolute, URIs get the place that they will be downloaded to."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

from projrun.project.files import exists
from projrun.project.values import scheme_of

DOWNLOADABLE = frozenset(
    {"http", "https", "file", "runs", "models", "mlflow-artifacts"}
    | {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"}
)
"""The schemes that `projrun.tracking.artifacts.download` fetches (a test compares them)."""

_LONGEST_NAME = 200


def is_download(text: str) -> bool:
    """Whether a `path` value is a URI to fetch."""
    return scheme_of(text) in DOWNLOADABLE


def foreign_scheme(text: str) -> str:
    """The scheme of a URI that nothing here fetches (`ftp://…`); "" for a URI to fetch, and for a path."""
    scheme = scheme_of(text)
    return "" if scheme in DOWNLOADABLE or not text[len(scheme) + 1 :].startswith("//") else scheme


def existing_path(text: str, base: Path) -> str | None:
    """The absolute path of an existing local file or folder, relative to `base`; None where there is none."""
    if not text:
        return None
    path = base.absolute() / text
    if not exists(path):
        return None
    return os.path.realpath(path) if ".." in path.parts else str(path)


def download_place(uri: str, name: str, storage_directory: Path) -> Path:
    """Where a URI will be downloaded to: its own last name, in a new folder of the parameter's name."""
    folder = re.sub(r"[^A-Za-z0-9_-]", "_", name)[: _LONGEST_NAME // 2]
    return storage_directory / f"{folder}-{os.urandom(6).hex()}" / _last_name(uri)


def missing_file(uri: str) -> bool:
    """Whether a `file:` URI names nothing on this machine (its path must be absolute, RFC 8089)."""
    if scheme_of(uri) != "file":
        return False
    path = Path(_uri_path(uri))
    return not path.is_absolute() or not exists(path)


def _last_name(uri: str) -> str:
    name = re.sub(r"[\x00-\x1f\x7f\\/:]", "_", _uri_path(uri).rstrip("/").rpartition("/")[2])
    return name[:_LONGEST_NAME] if name.strip(".") else "download"


def _uri_path(uri: str) -> str:
    path = re.sub(r"^[^:]*:(//[^/]*)?", "", uri)
    if scheme_of(uri) in ("http", "https"):
        path = re.split(r"[?#]", path)[0]
    elif scheme_of(uri) != "file":
        return path  # object stores and MLflow's own URIs have no escapes
    return unquote(path)
