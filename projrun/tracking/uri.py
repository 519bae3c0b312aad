"""The tracking URI: which store it names, and how it is shown to people.

Parsing contacts no server and opens no file, so the plan can do it. On the hot path: keep it light.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from projrun.credentials import is_scheme, redact_uri
from projrun.errors import RequestError
from projrun.plugins import is_offered
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

_FORBIDDEN = r"[\s\x00-\x20\x7f]"

_KINDS = "http(s)://HOST, postgresql://HOST/DATABASE or sqlite:///FILE"
_FOLDER_REMEDY = (
    "projrun writes no mlruns folders: bring it over with `projrun import FOLDER`, or serve it with "
    "`mlflow server --backend-store-uri FOLDER` "
    "(newer MLflow asks for MLFLOW_ALLOW_FILE_STORE=true) and give that server's http address"
)
_SERVED_REMEDY = "give sqlite:///FILE or postgresql://USER@HOST:PORT/DATABASE"
_REMEDIES: Mapping[str, str] = {
    "file": _FOLDER_REMEDY,
    "mysql": "serve it with `mlflow server --backend-store-uri mysql://...` and give its http address",
    "mssql": "serve it with `mlflow server --backend-store-uri mssql://...` and give its http address",
    "databricks": "give the workspace's https address and set MLFLOW_TRACKING_TOKEN",
    "databricks-uc": "give the workspace's https address and set MLFLOW_TRACKING_TOKEN",
    "uc": "give the workspace's https address and set MLFLOW_TRACKING_TOKEN",
}


class TrackingUri(NamedTuple):
    """A parsed tracking URI. `text` may hold credentials: people are shown `shown`."""

    kind: Literal["rest", "sqlite", "postgresql", "plugin"]
    text: str
    database: Path | None = None
    """The SQLite file, absolute; None for others."""

    @property
    def scheme(self) -> str:
        """In lower case."""
        return self.text.partition(":")[0].lower()

    @property
    def shown(self) -> str:
        """Without credentials and secrets."""
        return redact_uri(self.text)


def parse_tracking_uri(text: str, directory: Path | None = None, *, served: bool = False) -> TrackingUri:
    """Which store a URI names; a relative SQLite file is relative to `directory` (else the working folder).

    Raises RequestError, with the remedy, for stores that projrun does not write (docs/architecture.md, decision 3);
    where it is to be `served`, the remedy is no other server.
    """
    text = text.strip()
    if not text:
        raise RequestError("the tracking URI is empty", hint=f"give {_KINDS}")
    scheme = _scheme(text)
    if scheme in ("http", "https"):
        return TrackingUri("rest", _server_address(text))
    if scheme == "sqlite":
        return _sqlite(text, directory or Path.cwd())
    # `postgresql+psycopg2://` names MLflow's driver too (SQLAlchemy's database URLs).
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        return TrackingUri("postgresql", _postgresql(text))
    if scheme and is_offered(scheme, "projrun.stores"):
        return TrackingUri("plugin", text)
    if not scheme and text.lower() in _REMEDIES:
        scheme = text.lower()
    raise _refusal(text, scheme, served)


def _scheme(text: str) -> str:
    """In lower case; empty where there is none, as in `C:\\folder`."""
    word, colon, _ = text.partition(":")
    return word.lower() if colon and len(word) > 1 and is_scheme(word) else ""


def _refusal(text: str, scheme: str, served: bool) -> RequestError:
    shown = repr(redact_uri(text))
    if not scheme and text.endswith((".db", ".sqlite", ".sqlite3")):
        return RequestError(f"the tracking URI {shown} is a file", hint=f"give sqlite:///{redact_uri(text)}")
    if served:
        problem = "is not a database that projrun serves" if scheme else "is a folder or file, not a database"
        return RequestError(f"the store {shown} {problem}", hint=_SERVED_REMEDY)
    if not scheme:
        return RequestError(
            f"the tracking URI {shown} is a folder or file, not a server", hint=_FOLDER_REMEDY
        )
    remedy = _REMEDIES.get(scheme.split("+")[0], f"give {_KINDS}")
    return RequestError(f"projrun cannot record to the tracking URI {shown}", hint=remedy)


def _server_address(text: str) -> str:
    parts = None if re.search(_FORBIDDEN, text) else split_uri(text)
    if parts is None or not parts.hostname:
        raise RequestError(
            f"the tracking URI {redact_uri(text)!r} is not a web address", hint="give http(s)://HOST:PORT"
        )
    if parts.query or parts.fragment:
        raise RequestError(
            f"the tracking URI {redact_uri(text)!r} has a query or a fragment",
            hint="give http(s)://HOST:PORT/PREFIX",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _postgresql(text: str) -> str:
    """As libpq reads it; hosts, options and what is left out are its own matter."""
    _, _, rest = text.partition(":")
    if not rest.startswith("//") or re.search(_FORBIDDEN, text):
        raise RequestError(
            f"the tracking URI {redact_uri(text)!r} is not a database's address",
            hint="give postgresql://USER@HOST:PORT/DATABASE",
        )
    return f"postgresql:{rest}"


def split_uri(text: str) -> SplitResult | None:
    """The parts of a URI; None where its host or port is malformed (urllib raises for those when it pleases)."""
    try:
        parts = urlsplit(text)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _sqlite(text: str, directory: Path) -> TrackingUri:
    # SQLAlchemy's rule: what follows the third slash is the path as it is, nothing is unquoted.
    _, _, rest = text.partition(":")
    name = rest[3:] if rest.startswith("///") else ""
    if not name or name == ":memory:" or "\0" in name:
        raise RequestError(
            f"the tracking URI {redact_uri(text)!r} has no file name",
            hint="sqlite:///FILE is relative to this folder, sqlite:////FOLDER/FILE is absolute",
        )
    if "?" in name:
        raise RequestError(
            f"the tracking URI {redact_uri(text)!r} has options",
            hint="remove them: sqlite:///FILE",
        )
    database = (directory / name).absolute()
    return TrackingUri("sqlite", f"sqlite:///{database}", database)
