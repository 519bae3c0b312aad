"""Credentials for a tracking server, found where MLflow's client finds them, in the same order.

Tried with mlflow 3.17: netrc, then the URL's own, then user name and password (each from its variable,
else from `~/.mlflow/credentials`), then the token. The environment is an argument: os.environ is not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult

from projrun.bounded import read_file
from projrun.directories import home_folder
from projrun.errors import RequestError
from projrun.http.logins import Credentials, basic, host_credentials

USERNAME = "MLFLOW_TRACKING_USERNAME"
PASSWORD = "MLFLOW_TRACKING_PASSWORD"  # noqa: S105 - the name of a variable
TOKEN = "MLFLOW_TRACKING_TOKEN"  # noqa: S105 - the name of a variable

_BLANKS = " " * 1000


def find_credentials(address: SplitResult, environ: Mapping[str, str]) -> Credentials | None:
    """The credentials for a tracking server; None where nothing is configured.

    Raises RequestError for a credentials file that cannot be read.
    """
    return host_credentials(address, environ) or _configured(environ)


def login(environ: Mapping[str, str]) -> tuple[str, str]:
    """The user name and the password, each from its variable, else from `~/.mlflow/credentials`, else empty."""
    username, password = environ.get(USERNAME, ""), environ.get(PASSWORD, "")
    if username and password:
        return username, password
    kept = _read_file(credentials_file(environ))
    return username or kept[0], password or kept[1]


def credentials_file(environ: Mapping[str, str]) -> Path:
    """Where MLflow's client keeps a user name and a password; may not exist."""
    return home_folder(environ) / ".mlflow" / "credentials"


def _configured(environ: Mapping[str, str]) -> Credentials | None:
    username, password = login(environ)
    if username and password:
        variables = environ.get(USERNAME) and environ.get(PASSWORD)
        origin = f"{USERNAME} and {PASSWORD}" if variables else str(credentials_file(environ))
        return basic(username, password, origin)
    token = environ.get(TOKEN, "")
    return Credentials(f"Bearer {_header_safe(token)}", TOKEN) if token else None


def _read_file(file: Path) -> tuple[str, str]:
    """The user name and password of `~/.mlflow/credentials`; empty where it has none."""
    if not file.is_file():
        return "", ""
    import configparser

    parser = configparser.ConfigParser()
    try:
        text = read_file(file).decode("utf-8")
        if _BLANKS in text.replace("\t", " "):  # the parser takes quadratic time for them
            raise ValueError("a thousand blanks in a row")
        parser.read_string(text, str(file))
    except (OSError, ValueError, configparser.Error) as error:
        raise RequestError(
            f"{file} cannot be read as MLflow's credentials file ({type(error).__name__})",
            hint="it holds [mlflow], mlflow_tracking_username = ... and mlflow_tracking_password = ...",
        ) from None

    def value(name: str) -> str:
        try:
            return parser.get("mlflow", name, fallback="")
        except configparser.InterpolationError:
            return parser.get("mlflow", name, raw=True)  # a password with a bare %, on which MLflow crashes

    return value("mlflow_tracking_username"), value("mlflow_tracking_password")


def _header_safe(token: str) -> str:
    if not token.isascii() or not token.isprintable():
        raise RequestError(
            f"{TOKEN} contains a character that no token can have", hint="look for a line break in it"
        )
    return token
