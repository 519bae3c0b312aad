"""A file from a web server, which is not the tracking server and gets none of its credentials."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import requests

from projrun.credentials import redact_uri
from projrun.errors import SourceError
from projrun.http.certificates import trusted
from projrun.http.failures import FAILURES, one_line, reason_of
from projrun.http.logins import host_credentials
from projrun.http.proxies import proxies_for
from projrun.tracking.artifacts.files import CHUNK, write_whole
from projrun.tracking.bounded import Bounded, LateError, Moving
from projrun.tracking.uri import split_uri
from projrun.version import __version__

_TIMEOUT = (5.0, 60.0)
_MOST_REDIRECTS = 10


def fetch_file(uri: str, place: Path, environ: Mapping[str, str]) -> Path:
    """Stream a URI into a file, whole or not at all.

    Credentials are those of the URI or of netrc, and go to its own host: requests drops the header when a
    redirect leads to another. Raises SourceError for any status but 2xx, and for a server that fails.
    """
    address = split_uri(uri)
    if address is None or not address.hostname:
        raise SourceError(f"{redact_uri(uri)} is not a web address")
    credentials = host_credentials(address, environ)
    headers = {"User-Agent": f"projrun/{__version__}", "Accept-Encoding": "identity"}
    if credentials:
        headers["Authorization"] = credentials.header
    bare = address._replace(netloc=address.netloc.rpartition("@")[2], fragment="").geturl()
    with requests.Session() as session:
        session.trust_env = False  # netrc would be looked up again for the host that a redirect names
        session.max_redirects = _MOST_REDIRECTS
        session.proxies = dict(proxies_for(address, environ))
        session.verify = trusted(environ)
        work = Bounded[None](_TIMEOUT[1], None)
        shown = redact_uri(uri)
        try:
            work.call(lambda: _stream(session, bare, headers, place, shown, work.moving))
        except LateError as error:
            raise SourceError(f"{shown} cannot be downloaded: {error}") from None
    return place


def _stream(
    session: requests.Session, uri: str, headers: dict[str, str], place: Path, shown: str, moving: Moving
) -> None:
    try:
        response = session.get(uri, headers=headers, stream=True, timeout=_TIMEOUT)
    except FAILURES as error:
        raise SourceError(f"{shown} cannot be downloaded: {reason_of(error, _TIMEOUT)}") from None
    with response:
        if not 200 <= response.status_code < 300:
            status = f"HTTP {response.status_code} {one_line(response.reason or '')}".strip()
            raise SourceError(f"{shown} cannot be downloaded: {status}")
        write_whole(moving(_pieces(response, shown)), place)


def _pieces(response: requests.Response, shown: str) -> Iterator[bytes]:
    try:
        yield from response.iter_content(CHUNK)
    except FAILURES as error:
        raise SourceError(f"{shown} cannot be downloaded: {reason_of(error, _TIMEOUT)}") from None
