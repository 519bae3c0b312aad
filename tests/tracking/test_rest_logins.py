"""Who we are to a server: the order was tried with the mlflow 3.17 client, case by case."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from projrun.errors import RequestError
from projrun.http.logins import host_credentials
from projrun.tracking.rest.logins import find_credentials

BASIC = {"MLFLOW_TRACKING_USERNAME": "env-user", "MLFLOW_TRACKING_PASSWORD": "env-word"}
TOKEN = {"MLFLOW_TRACKING_TOKEN": "env-token"}
USER = {"MLFLOW_TRACKING_USERNAME": "env-user"}
FILE = "[mlflow]\nmlflow_tracking_username = file-user\nmlflow_tracking_password = file-word\n"
NETRC = "machine host.test login net-user password net-word\n"
URL_USER = "url-user:url-word@"


def header(
    home: Path, environ: dict[str, str], *, file: str = "", netrc: str = "", user: str = "", url: str = ""
) -> str | None:
    """The Authorization header, Basic decoded."""
    if file:
        (home / ".mlflow").mkdir()
        (home / ".mlflow" / "credentials").write_text(file)
    if netrc:
        (home / ".netrc").write_text(netrc)
    address = urlsplit(url or f"http://{user}host.test:5000/prefix")
    found = find_credentials(address, {"HOME": str(home), **environ})
    if found is None:
        return None
    kind, _, value = found.header.partition(" ")
    return f"Basic {base64.b64decode(value).decode()}" if kind == "Basic" else found.header


@pytest.mark.parametrize(
    ("environ", "file", "netrc", "user", "wanted"),
    [
        ({}, "", "", "", None),
        (BASIC, "", "", "", "Basic env-user:env-word"),
        (TOKEN, "", "", "", "Bearer env-token"),
        (BASIC | TOKEN, "", "", "", "Basic env-user:env-word"),
        ({}, FILE, "", "", "Basic file-user:file-word"),
        (BASIC, FILE, "", "", "Basic env-user:env-word"),
        (TOKEN, FILE, "", "", "Basic file-user:file-word"),
        (USER, FILE, "", "", "Basic env-user:file-word"),
        (USER, "", "", "", None),
        (USER | TOKEN, "", "", "", "Bearer env-token"),
        ({}, "", NETRC, "", "Basic net-user:net-word"),
        (BASIC | TOKEN, FILE, NETRC, "", "Basic net-user:net-word"),
        ({}, "", "", URL_USER, "Basic url-user:url-word"),
        (BASIC | TOKEN, FILE, "", URL_USER, "Basic url-user:url-word"),
        ({}, "", NETRC, URL_USER, "Basic net-user:net-word"),
        ({}, "[other]\nmlflow_tracking_username = x\n", "", "", None),
        (TOKEN, "", NETRC.replace("host.test", "other.test"), "", "Bearer env-token"),
    ],
)
def test_order(
    tmp_path: Path, environ: dict[str, str], file: str, netrc: str, user: str, wanted: str | None
) -> None:
    assert header(tmp_path, environ, file=file, netrc=netrc, user=user) == wanted


def test_names_are_not_case_sensitive_and_colons_will_do(tmp_path: Path) -> None:
    file = "[mlflow]\nMLFLOW_TRACKING_USERNAME: u\nmlflow_tracking_password: p\n"
    assert header(tmp_path, {}, file=file) == "Basic u:p"


@pytest.mark.parametrize(("written", "meant"), [("a%%b", "a%b"), ("a%b", "a%b"), ("%(x)s", "%(x)s")])
def test_percent_in_a_password(tmp_path: Path, written: str, meant: str) -> None:
    assert header(tmp_path, {}, file=FILE.replace("file-word", written)) == f"Basic file-user:{meant}"


@pytest.mark.parametrize("content", [b"no section\n", b"\xff\xfe", b"[mlflow]\nx\n[mlflow]\n"])
def test_credentials_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / ".mlflow" / "credentials"
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(RequestError) as caught:
        header(tmp_path, {})
    assert str(file) in caught.value.message
    assert "[mlflow]" in caught.value.hint


def test_netrc_that_is_malformed_is_passed_over(tmp_path: Path) -> None:
    assert header(tmp_path, TOKEN, netrc=f"nonsense\n{NETRC}") == "Bearer env-token"


def test_netrc_variable_names_another_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(NETRC)
    assert header(tmp_path, {"NETRC": str(tmp_path / "elsewhere")}) == "Basic net-user:net-word"


def test_url_is_unquoted_and_text_is_utf8(tmp_path: Path) -> None:
    assert header(tmp_path, {}, url="http://us%40er:w%C3%B6rd@host.test") == "Basic us@er:wörd"
    assert header(tmp_path, {**BASIC, "MLFLOW_TRACKING_PASSWORD": "wörd"}) == "Basic env-user:wörd"


def test_another_host_gets_only_what_names_it(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(NETRC)
    environ = {"HOME": str(tmp_path), **BASIC, **TOKEN}
    assert host_credentials(urlsplit("http://other.test"), environ) is None
    assert host_credentials(urlsplit("http://host.test"), environ) is not None


@pytest.mark.parametrize(
    ("environ", "origin"),
    [(TOKEN, "MLFLOW_TRACKING_TOKEN"), (BASIC, "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD")],
)
def test_origin_is_told(tmp_path: Path, environ: dict[str, str], origin: str) -> None:
    found = find_credentials(urlsplit("http://host.test"), {"HOME": str(tmp_path), **environ})
    assert found is not None
    assert found.origin == origin
