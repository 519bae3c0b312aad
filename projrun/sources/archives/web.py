"""An archive on a web server. Redirects are followed by hand: each hop is a place that must be allowed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import requests

from projrun.credentials import redact_uri
from projrun.errors import SourceError
from projrun.http.certificates import trusted
from projrun.http.failures import FAILURES, one_line, reason_of
from projrun.http.logins import host_credentials
from projrun.http.proxies import proxies_for
from projrun.sources.archives.known import Known, fingerprint
from projrun.sources.archives.remote import Sink
from projrun.sources.policy import TrustPolicy, place_of
from projrun.version import __version__

_TIMEOUT = (5.0, 60.0)
_CHUNK = 64 * 1024
_MOST_REDIRECTS = 10
_NOT_MODIFIED = 304
_NO_ADDRESS = "it redirects to something that is not a URL"
_SETTLED = timedelta(seconds=60)
"""A date of the last change says nothing of another change in the same second (RFC 9110, 8.8.2.2)."""
_HINTS: Mapping[int, str] = {
    401: "give credentials for that host in a netrc file, or in the address",
    403: "give credentials for that host in a netrc file, or in the address; or yours have no access",
    404: "check the address; some servers also answer this without access",
    407: "the proxy requires credentials; see HTTPS_PROXY",
    410: "the server removed it",
    429: "too many requests; wait a while",
}


class WebArchive:
    """An http or https URL, which may hold credentials."""

    def __init__(self, url: str, environ: Mapping[str, str], policy: TrustPolicy) -> None:
        """Raises SourceError for an invalid URL."""
        self.shown = redact_uri(url)
        self._address = _parsed(url, self.shown)
        self.identity = _without_user(self._address)
        self.name = self._address.path
        self._environ = environ
        self._policy = policy

    def obtain(self, sink: Sink, known: Known | None) -> Known:
        """See `RemoteArchive`. Asks for changes only at the location that `known` came from.

        Raises RequestError for a file of certificates that does not exist.
        """
        with requests.Session() as session:
            session.trust_env = False  # netrc is read here, for each hop
            session.verify = trusted(self._environ)
            try:
                url, response = self._open(session, known)
                with response:
                    if (
                        known is not None
                        and _conditions(known, url)
                        and response.status_code == _NOT_MODIFIED
                    ):
                        return known
                    self._check_status(response)
                    self._save(response, sink)
                    return _remembered(response, url, sink.digest)
            except FAILURES as error:
                raise self._failure(reason_of(error, _TIMEOUT), hint=_hint(error)) from None

    def _open(self, session: requests.Session, known: Known | None) -> tuple[str, requests.Response]:
        """The end of all redirects and the answer there, whatever its status."""
        url = self.identity
        for _ in range(_MOST_REDIRECTS + 1):
            self._policy.check_place(*place_of(url))
            response = self._get(session, url, _conditions(known, url))
            location = session.get_redirect_target(response)
            if location is None:
                return url, response
            response.close()
            url = self._redirected(url, location)
        raise self._failure(f"it redirects more than {_MOST_REDIRECTS} times")

    def _get(self, session: requests.Session, url: str, conditions: Mapping[str, str]) -> requests.Response:
        address = urlsplit(url)
        headers = {
            "User-Agent": f"projrun/{__version__}",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            **conditions,
        }
        authorization = self._authorization(address)
        if authorization:
            headers["Authorization"] = authorization
        try:
            return session.get(
                url,
                headers=headers,
                proxies=proxies_for(address, self._environ),
                stream=True,
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        except FAILURES:
            raise
        except ValueError:  # requests reads the address of a redirect that it does not follow, too
            raise self._failure(_NO_ADDRESS) from None

    def _authorization(self, address: SplitResult) -> str:
        """Those of the URL, which never leave its origin; else those that netrc has for this very host."""
        if self._has_credentials():
            user, password = unquote(self._address.username or ""), unquote(self._address.password or "")
            return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")
        found = host_credentials(address, self._environ)
        return found.header if found else ""

    def _has_credentials(self) -> bool:
        return "@" in self._address.netloc

    def _redirected(self, url: str, location: str) -> str:
        """Where a redirect leads to; SourceError where it must not be followed."""
        try:
            new = urlsplit(urljoin(url, location))
            old, origin = urlsplit(url), _origin(new)
        except ValueError:
            raise self._failure(_NO_ADDRESS) from None
        where = redact_uri(f"{new.scheme}://{new.netloc}")
        if new.scheme not in ("http", "https"):
            raise self._failure(f"it redirects to {new.scheme + ':'!r}, which is refused")
        if old.scheme == "https" and new.scheme == "http":
            raise self._failure(f"it redirects to {where}, which is not encrypted, and is refused")
        if self._has_credentials() and origin != _origin(old):
            raise self._failure(
                f"it redirects to {where}, and its address holds credentials: that is refused",
                hint="give the address that it leads to, or keep the credentials in a netrc file, host by host",
            )
        return _without_user(new)

    def _check_status(self, response: requests.Response) -> None:
        status = response.status_code
        if status == requests.codes.ok:
            return
        reason = f"HTTP {status} {one_line(response.reason or '')}".strip()
        hint = "the server failed; try again later" if status >= 500 else "check the address"
        raise self._failure(reason, hint=_HINTS.get(status, hint))

    def _save(self, response: requests.Response, sink: Sink) -> None:
        length = response.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit():
            sink.check_size(int(length[:20]))
        response.raw.enforce_content_length = (
            True  # a truncated answer is not an archive (urllib3 1 accepts it)
        )
        # As it is on the server: some call the compression of a .tar.gz the encoding of the answer.
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            sink.write(chunk)

    def _failure(self, reason: str, *, hint: str = "") -> SourceError:
        return SourceError(f"{self.shown} cannot be downloaded: {reason}", hint=hint)


def _hint(error: Exception) -> str:
    if not isinstance(error, requests.exceptions.SSLError):
        return ""
    return "if you trust that server, set REQUESTS_CA_BUNDLE to the file of its certificate"


def _parsed(url: str, shown: str) -> SplitResult:
    try:
        address = urlsplit(url)
        _origin(address)
    except ValueError:
        raise SourceError(f"{shown!r} is not a web address", hint="write it as https://HOST/PATH") from None
    return address


def _without_user(address: SplitResult) -> str:
    """The URL as it is asked for: no credentials, no fragment."""
    return address._replace(netloc=address.netloc.rpartition("@")[2], fragment="").geturl()


def _origin(address: SplitResult) -> tuple[str, str, int | None]:
    """Scheme, host and port (RFC 6454). Raises ValueError for a port that is none."""
    port = address.port or {"http": 80, "https": 443}.get(address.scheme)
    return address.scheme, (address.hostname or "").lower(), port


def _conditions(known: Known | None, url: str) -> dict[str, str]:
    if known is None or known.place != fingerprint(url):
        return {}
    conditions = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in conditions.items() if value}


def _remembered(response: requests.Response, url: str, digest: str) -> Known:
    etag, changed = response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")
    if not _is_settled(changed, response.headers.get("Date", "")):
        changed = ""
    return Known(digest, etag, changed, fingerprint(url))


def _is_settled(changed: str, now: str) -> bool:
    try:
        return parsedate_to_datetime(now) - parsedate_to_datetime(changed) >= _SETTLED
    except (TypeError, ValueError, IndexError):
        return False
