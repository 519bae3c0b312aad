"""From what `projrun import` is given to a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from projrun.credentials import redact_uri
from projrun.errors import RequestError, TrackingError
from projrun.tracking.artifacts.uris import local_path, uri_scheme
from projrun.tracking.open import open_store
from projrun.tracking.sql.sqlite import APPLICATION_ID
from projrun.tracking.uri import parse_tracking_uri
from projrun.transfer.source import Source
from projrun.transfer.stores import StoreSource

_APPLICATION = slice(68, 72)
"""Where SQLite's header has the id of the program that a file belongs to."""


@contextmanager
def opened_source(
    text: str, directory: Path, environ: Mapping[str, str], destination: str, warn: Callable[[str], None]
) -> Iterator[Source]:
    """The store of a folder, a file or a URI. Raises RequestError for what is none.

    `destination` is where an MLflow server kept the artifacts that it served.
    """
    path = _path(text, directory)
    if path is None or _is_own(path):
        uri = parse_tracking_uri(text if path is None else f"sqlite:///{path}", directory)
        with closing(open_store(uri, environ, warn=warn)) as store:
            yield StoreSource(store)
        return
    if not path.exists():
        raise RequestError(
            f"{path} does not exist", hint="give a folder mlruns, a file mlflow.db or http://SERVER"
        )
    with closing(_open_mlflow(path, destination)) as source:
        yield source


def _path(text: str, directory: Path) -> Path | None:
    """A file or folder; None for another URI."""
    scheme = uri_scheme(text)
    if scheme in ("", "file"):
        return directory / local_path(text)
    if scheme == "sqlite" and text[7:].startswith("///") and "?" not in text:
        return directory / text[10:]
    if scheme in ("mysql", "mssql"):
        raise RequestError(
            f"projrun cannot read {redact_uri(text)}",
            hint="serve it with `mlflow server --backend-store-uri` and import from its address",
        )
    return None


def _open_mlflow(path: Path, destination: str) -> Source:
    if path.is_dir():
        from projrun.transfer.mlflow.folder import MlflowFolder

        inner = path / "mlruns"
        return MlflowFolder(
            inner if inner.is_dir() and not any(path.glob("*/meta.yaml")) else path, destination
        )
    from projrun.transfer.mlflow.database import MlflowDatabase

    return MlflowDatabase(path, destination)


def _is_own(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(100)[_APPLICATION] == APPLICATION_ID.to_bytes(4, "big")
    except OSError as error:
        raise TrackingError(f"{path} cannot be read: {error.strerror}") from error
