"""Downloads from a real web server on loopback, well-behaved or not."""

from __future__ import annotations

import base64
import email.utils
import gzip
import hashlib
import io
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from projrun.errors import RequestError, SourceError
from projrun.settings import Setting
from projrun.sources.archives.known import Known, fingerprint
from projrun.sources.archives.remote import Sink
from projrun.sources.archives.web import WebArchive
from projrun.sources.policy import TrustPolicy
from tests.tracking.loopback import Answer, Received, Respond, always, closed_port, serve
from tests.tracking.test_rest_transport import certificate as certificate
from tests.tracking.test_rest_transport import tls as tls

CONTENT = b"an archive" * 50_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PASSWORD = "hunter2-Tok"


class Got:
    """What came of a download."""

    def __init__(
        self,
        url: str,
        known: Known | None = None,
        environ: Mapping[str, str] | None = None,
        policy: TrustPolicy | None = None,
        most: int = 10_000_000,
    ) -> None:
        file = io.BytesIO()
        web = WebArchive(url, environ or {}, policy or TrustPolicy())
        self.known = web.obtain(Sink(file, most, web.shown), known)
        self.content = file.getvalue()


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not in the environment that is given is not asked for."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    (Path.home() / ".netrc").write_text("machine 127.0.0.1 login not password this\n")


def environ(tmp_path: Path, netrc: str = "", **more: str) -> dict[str, str]:
    file = tmp_path / "netrc"
    file.write_text(netrc)
    return {"NETRC": str(file), **more}


def failure(url: str, *, secret: str = PASSWORD, **more: object) -> SourceError:
    """The error of a download; no secret is in it."""
    with pytest.raises(SourceError) as caught:
        Got(url, environ={"NETRC": "/nowhere"}, **more)  # type: ignore[arg-type]
    assert "\n" not in caught.value.message
    assert secret not in caught.value.message + caught.value.hint + caught.value.detail
    return caught.value


def redirect(place: str, status: int = 302) -> Answer:
    return Answer(b"elsewhere", status, {"Location": place})


def by_path(answers: Mapping[str, Answer | bytes]) -> Callable[[Received], Answer | bytes]:
    return lambda request: answers[request.path.partition("?")[0]]


def test_download(tmp_path: Path) -> None:
    with serve(always(Answer(CONTENT))) as server:
        got = Got(f"{server.uri}/a/x.zip?v=1&w#top", environ=environ(tmp_path))
        (request,) = server.received
    assert got.content == CONTENT
    assert got.known == Known(DIGEST, place=fingerprint(f"{server.uri}/a/x.zip?v=1&w"))
    assert request.path == "/a/x.zip?v=1&w"
    assert request.headers["user-agent"].startswith("projrun/")
    assert request.headers["accept-encoding"] == "identity"
    assert "authorization" not in request.headers


def test_what_an_archive_is_called() -> None:
    web = WebArchive(f"https://me:{PASSWORD}@host:8443/a/x.tar.gz?token={PASSWORD}", {}, TrustPolicy())
    assert (web.name, PASSWORD in web.shown, "me" in web.identity) == ("/a/x.tar.gz", False, False)


@pytest.mark.parametrize("url", ["http://[1:2/x.zip", "http://host:99999/x.zip"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(SourceError, match="is not a web address"):
        WebArchive(url, {}, TrustPolicy())


def test_chunks_of_unknown_length(tmp_path: Path) -> None:
    body = (
        b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (CONTENT[:7], CONTENT[7:])) + b"0\r\n\r\n"
    )
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    with serve(always(raw)) as server:
        assert Got(f"{server.uri}/x.zip", environ=environ(tmp_path)).content == CONTENT


def test_what_is_called_an_encoding_stays_as_it_is(tmp_path: Path) -> None:
    packed = gzip.compress(CONTENT)
    with serve(always(Answer(packed, headers={"Content-Encoding": "gzip"}))) as server:
        assert Got(f"{server.uri}/x.tar.gz", environ=environ(tmp_path)).content == packed


# --- credentials ---


def test_credentials_of_the_address_come_before_those_of_netrc(tmp_path: Path) -> None:
    netrc = "machine 127.0.0.1 login other password other\n"
    with serve(always(Answer(CONTENT))) as server:
        Got(f"{server.with_user('me:p%40ss')}/x.zip", environ=environ(tmp_path, netrc))
        Got(f"{server.uri}/x.zip", environ=environ(tmp_path, netrc))
        first, second = server.received
    assert base64.b64decode(first.headers["authorization"].split()[1]) == b"me:p@ss"
    assert base64.b64decode(second.headers["authorization"].split()[1]) == b"other:other"


def test_credentials_of_netrc_go_to_their_own_host_only(tmp_path: Path) -> None:
    netrc = "machine localhost login me password mine\n"
    with serve(always(Answer(CONTENT))) as other, serve(always(redirect(f"{other.uri}/x.zip"))) as server:
        Got(f"{server.uri.replace('127.0.0.1', 'localhost')}/x.zip", environ=environ(tmp_path, netrc))
        assert base64.b64decode(server.received[0].headers["authorization"].split()[1]) == b"me:mine"
        assert "authorization" not in other.received[0].headers


def test_credentials_of_a_redirects_target_are_not_used(tmp_path: Path) -> None:
    with (
        serve(always(Answer(CONTENT))) as other,
        serve(always(redirect(f"{other.with_user('a:b')}/x"))) as server,
    ):
        Got(f"{server.uri}/x.zip", environ=environ(tmp_path))
        assert "authorization" not in other.received[0].headers


def test_credentials_follow_a_redirect_on_their_own_server(tmp_path: Path) -> None:
    answers = {"/x.zip": redirect("deep/y.zip"), "/deep/y.zip": Answer(CONTENT)}
    with serve(by_path(answers)) as server:
        got = Got(f"{server.with_user('me:word')}/x.zip", environ=environ(tmp_path))
        assert got.content == CONTENT
        assert ["authorization" in request.headers for request in server.received] == [True, True]
    assert got.known.place == fingerprint(f"{server.uri}/deep/y.zip")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_redirect_elsewhere_with_credentials_in_the_address_is_refused(host: str) -> None:
    with serve(always(Answer(CONTENT))) as other:
        place = other.uri.replace("127.0.0.1", host)
        with serve(always(redirect(f"{place}/x.zip?token=s3cr3t"))) as server:
            error = failure(f"{server.with_user(f'me:{PASSWORD}')}/x.zip")
        assert other.received == []
    assert error.message == (
        f"{server.uri}/x.zip cannot be downloaded: it redirects to {place}, and its address holds credentials: "
        "that is refused"
    )
    assert "netrc" in error.hint


# --- redirects ---


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed(tmp_path: Path, status: int) -> None:
    with (
        serve(always(Answer(CONTENT))) as other,
        serve(always(redirect(f"{other.uri}/y#z", status))) as server,
    ):
        assert Got(f"{server.uri}/x.zip", environ=environ(tmp_path)).content == CONTENT
        assert [request.path for request in other.received] == ["/y"]


def test_ten_redirects_and_no_more(tmp_path: Path) -> None:
    def answer(request: Received) -> Answer:
        number = int(request.path[1:])
        return redirect(f"/{number - 1}") if number else Answer(CONTENT)

    with serve(answer) as server:
        assert Got(f"{server.uri}/10", environ=environ(tmp_path)).content == CONTENT
        assert "it redirects more than 10 times" in failure(f"{server.uri}/11").message


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("file:///etc/passwd", "it redirects to 'file:', which is refused"),
        ("ftp://127.0.0.1/x.zip", "it redirects to 'ftp:', which is refused"),
        ("gopher://x", "it redirects to 'gopher:', which is refused"),
        ("http://[1:2/x", "it redirects to something that is not a URL"),
        ("http://127.0.0.1:99999/x", "it redirects to something that is not a URL"),
        ("http://a b/x", "has no host"),
        ("http://-oProxyCommand/x", "has no host"),
    ],
)
def test_redirects_that_are_refused(place: str, words: str) -> None:
    with serve(always(redirect(place))) as server:
        assert words in failure(f"{server.uri}/x.zip").message


def test_redirect_from_https_to_http_is_refused(
    tls: ssl.SSLContext, certificate: Path, tmp_path: Path
) -> None:
    settings = environ(tmp_path, REQUESTS_CA_BUNDLE=str(certificate))
    with (
        serve(always(Answer(CONTENT))) as plain,
        serve(always(redirect(f"{plain.uri}/x.zip")), tls) as server,
    ):
        with pytest.raises(
            SourceError, match=f"it redirects to {plain.uri}, which is not encrypted, and is refused"
        ):
            Got(f"{server.uri}/x.zip", environ=settings)
        assert plain.received == []


def test_https(tls: ssl.SSLContext, certificate: Path, tmp_path: Path) -> None:
    with serve(always(Answer(CONTENT)), tls) as server:
        settings = environ(tmp_path, REQUESTS_CA_BUNDLE=str(certificate))
        assert Got(f"{server.uri}/x.zip", environ=settings).content == CONTENT
        assert "cannot be downloaded: self" in failure(f"{server.uri}/x.zip").message
        with pytest.raises(RequestError, match="REQUESTS_CA_BUNDLE names"):
            Got(f"{server.uri}/x.zip", environ=environ(tmp_path, REQUESTS_CA_BUNDLE="/absent"))


def test_each_hop_is_a_place_that_must_be_allowed(tmp_path: Path) -> None:
    with serve(always(Answer(CONTENT))) as other, serve(always(redirect(f"{other.uri}/x.zip"))) as server:
        start = server.uri.replace("127.0.0.1", "localhost")
        policy = TrustPolicy(hosts=[Setting("localhost", "config.toml")])
        error = failure(f"{start}/x.zip", policy=policy)
        assert error.message.endswith("is refused: config.toml sets allowed-hosts to 'localhost'")
        assert other.received == []
        everywhere = TrustPolicy(hosts=[Setting("localhost, 127.0.0.1", "config.toml")])
        assert Got(f"{start}/x.zip", environ=environ(tmp_path), policy=everywhere).content == CONTENT


def test_proxy_is_used(tmp_path: Path) -> None:
    with serve(always(Answer(CONTENT))) as proxy:
        settings = environ(tmp_path, HTTP_PROXY=proxy.uri)
        assert Got("http://archives.test/x.zip", environ=settings).content == CONTENT
        assert [request.path for request in proxy.received] == ["http://archives.test/x.zip"]


# --- what is known ---


def versioned(etag: str = "", age: float | None = None) -> Callable[[Received], Answer]:
    """A server that answers conditions as RFC 9110 says; `age` is that of the archive, in seconds."""
    headers = {}
    if etag:
        headers["ETag"] = etag
    if age is not None:
        headers["Last-Modified"] = email.utils.formatdate(time.time() - age, usegmt=True)

    def answer(request: Received) -> Answer:
        asked = request.headers.get("if-none-match"), request.headers.get("if-modified-since")
        same = (
            asked[0] == etag
            if asked[0]
            else asked[1] is not None and asked[1] == headers.get("Last-Modified")
        )
        return Answer(b"", 304, headers) if same else Answer(CONTENT, headers=headers)

    return answer


@pytest.mark.parametrize(
    "server_of",
    [versioned('"a"'), versioned('W/"a"', 5), versioned("", 100), versioned("", 1e9)],
)
def test_what_has_not_changed_is_not_sent_again(
    tmp_path: Path, server_of: Callable[[Received], Answer]
) -> None:
    with serve(server_of) as server:
        first = Got(f"{server.uri}/x.zip", environ=environ(tmp_path))
        again = Got(f"{server.uri}/x.zip", first.known, environ=environ(tmp_path))
        assert again.known is first.known
        assert again.content == b""
        server.respond = versioned('"b"', 0)
        changed = Got(f"{server.uri}/x.zip", first.known, environ=environ(tmp_path))
        assert changed.content == CONTENT
        assert changed.known != first.known


@pytest.mark.parametrize("age", [None, 1, -1000])
def test_what_cannot_be_told_apart_is_sent_again(tmp_path: Path, age: float | None) -> None:
    """A file that changed a second ago may change again within that second."""
    with serve(versioned("", age)) as server:
        first = Got(f"{server.uri}/x.zip", environ=environ(tmp_path))
        assert Got(f"{server.uri}/x.zip", first.known, environ=environ(tmp_path)).content == CONTENT


@pytest.mark.parametrize("headers", [{"Last-Modified": "yesterday"}, {"Last-Modified": "", "Date": "x"}])
def test_dates_that_make_no_sense(tmp_path: Path, headers: dict[str, str]) -> None:
    with serve(always(Answer(CONTENT, headers=headers))) as server:
        assert Got(f"{server.uri}/x.zip", environ=environ(tmp_path)).known.last_modified == ""


def test_conditions_are_of_one_place_and_no_other(tmp_path: Path) -> None:
    """`latest.zip` leads to another archive now, which happens to have the tag that the first one had."""
    answers: dict[str, Respond] = {
        "/latest.zip": always(redirect("/1.zip")),
        "/1.zip": versioned('"1"'),
        "/2.zip": versioned('"1"'),
    }
    with serve(lambda request: answers[request.path](request)) as server:
        first = Got(f"{server.uri}/latest.zip", environ=environ(tmp_path))
        assert Got(f"{server.uri}/latest.zip", first.known, environ=environ(tmp_path)).content == b""
        answers["/latest.zip"] = always(redirect("/2.zip"))
        assert Got(f"{server.uri}/latest.zip", first.known, environ=environ(tmp_path)).content == CONTENT


def test_news_that_nothing_changed_though_nobody_asked() -> None:
    with serve(always(Answer(b"", 304))) as server:
        assert "HTTP 304" in failure(f"{server.uri}/x.zip").message
        assert "HTTP 304" in failure(f"{server.uri}/x.zip", known=Known("0" * 64)).message


# --- what goes wrong ---


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (401, "netrc"),
        (403, "netrc"),
        (404, "check the address"),
        (407, "proxy"),
        (410, "removed"),
        (418, "check the address"),
        (429, "wait"),
        (500, "try again later"),
        (503, "try again later"),
        (204, "check the address"),
        (206, "check the address"),
        (302, "check the address"),
    ],
)
def test_statuses(status: int, hint: str) -> None:
    with serve(always(Answer(b"", status))) as server:
        error = failure(f"{server.with_user(f'me:{PASSWORD}')}/x.zip?token={PASSWORD}")
    assert error.message.startswith(f"{server.uri}/x.zip?token=*** cannot be downloaded: HTTP {status}")
    assert hint in error.hint


def test_server_that_is_not_there() -> None:
    with closed_port() as uri:
        error = failure(uri.replace("://", f"://me:{PASSWORD}@") + "/x.zip")
    assert error.message == f"{uri}/x.zip cannot be downloaded: connection refused"


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + CONTENT,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n" + CONTENT,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n" + CONTENT,
    ],
)
def test_answer_that_breaks_off(raw: bytes) -> None:
    with serve(always(raw)) as server:
        assert "cannot be downloaded: the connection broke off" in failure(f"{server.uri}/x.zip").message


@pytest.mark.parametrize("raw", [b"SSH-2.0-OpenSSH\r\n", b""])
def test_answer_that_is_no_http(raw: bytes) -> None:
    with serve(always(raw)) as server:
        assert "cannot be downloaded" in failure(f"{server.uri}/x.zip").message


def test_answer_that_says_to_be_too_long_is_not_waited_for() -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n"
    with serve(always(raw)) as server:
        assert (
            "is refused: it is longer than 1,000 bytes" in failure(f"{server.uri}/x.zip", most=1000).message
        )


def test_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    raw = b"HTTP/1.1 200 OK\r\n\r\n" + CONTENT
    with serve(always(raw)) as server:
        assert (
            "is refused: it is longer than 1,000 bytes" in failure(f"{server.uri}/x.zip", most=1000).message
        )
