"""What goes over the wire: headers, proxies, TLS, files."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import RequestError, TrackingError
from projrun.tracking.rest.store import RestStore
from projrun.tracking.rest.transport import Transport, _FileBody
from projrun.tracking.rest.wire import nothing
from tests.tracking.loopback import Answer, Loopback, always, serve
from tests.tracking.test_rest_answers import FOUND, HTML, get_run


def ask(uri: str, environ: dict[str, str]) -> None:
    with closing(Transport.tracking(uri, environ)) as transport:
        transport.get("x", [("name", "a b&c")], nothing)


def test_request_is_what_mlflow_servers_read() -> None:
    with serve(always(Answer())) as server:
        ask(server.uri, {"MLFLOW_WORKSPACE": "team"})
        (request,) = server.received
    assert request.path == "/x?name=a+b%26c"
    assert request.headers["user-agent"].startswith("projrun/")
    assert request.headers["x-mlflow-workspace"] == "team"
    assert "authorization" not in request.headers


def test_environment_of_the_process_is_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "not-this")
    (Path.home() / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    with serve(always(Answer())) as server:
        ask(server.uri, {"HOME": str(tmp_path), "MLFLOW_TRACKING_TOKEN": "this"})
        (request,) = server.received
    assert request.headers["authorization"] == "Bearer this"


def test_connection_is_kept() -> None:
    with serve(always(FOUND)) as server, closing(RestStore(server.uri, {})) as store:
        for _ in range(3):
            store.get_run("r1")
    assert len(server.received) == 3
    assert len({request.port for request in server.received}) == 1


def test_proxy_is_used_and_bypassed() -> None:
    with serve(always(FOUND)) as proxy, serve(always(FOUND)) as server:
        environ = {"HTTP_PROXY": proxy.with_user("proxy-user:word")}
        get_run("http://tracking.test/prefix", environ)
        get_run(server.uri, {**environ, "NO_PROXY": "127.0.0.1"})
        (proxied,), (direct,) = proxy.received, server.received
    assert proxied.path == "http://tracking.test/prefix/api/2.0/mlflow/runs/get?run_id=r1"
    assert proxied.headers["proxy-authorization"] == "Basic cHJveHktdXNlcjp3b3Jk"
    assert direct.path == "/api/2.0/mlflow/runs/get?run_id=r1"
    assert "proxy-authorization" not in direct.headers


# --- TLS ---

ARGUMENTS = (
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out certificate.pem "
    "-days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a self-signed certificate of 127.0.0.1 and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [openssl, *ARGUMENTS.split()],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    both = folder / "both.pem"
    both.write_bytes((folder / "certificate.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return both


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_certificate_that_nobody_vouches_for_is_refused(tls: ssl.SSLContext) -> None:
    with serve(always(FOUND), tls) as server, pytest.raises(TrackingError) as caught:
        get_run(server.uri)
    assert f"no secure connection to the tracking server {server.uri}: self" in caught.value.message
    assert "MLFLOW_TRACKING_SERVER_CERT_PATH" in caught.value.hint
    assert server.received == []


@pytest.mark.parametrize(
    "variable", ["MLFLOW_TRACKING_SERVER_CERT_PATH", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
)
def test_certificate_file_is_trusted(tls: ssl.SSLContext, certificate: Path, variable: str) -> None:
    with serve(always(FOUND), tls) as server:
        get_run(server.uri, {variable: str(certificate)})
        assert len(server.received) == 1


@pytest.mark.parametrize("value", ["true", "1"])
def test_insecure_tls_is_taken_without_a_warning(tls: ssl.SSLContext, value: str) -> None:
    with serve(always(FOUND), tls) as server:
        get_run(server.uri, {"MLFLOW_TRACKING_INSECURE_TLS": value})
        assert len(server.received) == 1


def test_insecure_and_a_certificate_contradict_each_other(certificate: Path) -> None:
    environ = {
        "MLFLOW_TRACKING_INSECURE_TLS": "true",
        "MLFLOW_TRACKING_SERVER_CERT_PATH": str(certificate),
    }
    with pytest.raises(RequestError, match="contradict"):
        RestStore("https://127.0.0.1:1", environ)


def test_client_certificate_is_shown_to_the_server(tls: ssl.SSLContext, certificate: Path) -> None:
    tls.load_verify_locations(certificate)
    tls.verify_mode = ssl.CERT_REQUIRED
    trust = {"MLFLOW_TRACKING_SERVER_CERT_PATH": str(certificate)}
    with serve(always(FOUND), tls) as server:
        with pytest.raises(TrackingError):
            get_run(server.uri, trust)
        assert server.received == []
        get_run(server.uri, {**trust, "MLFLOW_TRACKING_CLIENT_CERT_PATH": str(certificate)})
        assert len(server.received) == 1


def test_https_to_a_server_of_http_says_so() -> None:
    with serve(always(FOUND)) as server, pytest.raises(TrackingError) as caught:
        get_run(server.uri.replace("http:", "https:"))
    assert "wrong version number" in caught.value.message
    assert "write http://" in caught.value.hint


# --- files ---


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_bytes(b"0123456789" * 300_000)
    return file


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serve(always(Answer(b""))) as server:
        yield server


@pytest.fixture
def transport(server: Loopback) -> Iterator[Transport]:
    with closing(Transport.tracking(server.uri, {})) as transport:
        yield transport


def test_file_is_sent_with_its_length(server: Loopback, transport: Transport, file: Path) -> None:
    transport.upload("a", file)
    file.write_bytes(b"")
    transport.upload("b", file)
    assert [request.method for request in server.received] == ["PUT", "PUT"]
    assert server.received[0].body == b"0123456789" * 300_000
    assert server.received[1].headers["content-length"] == "0"


def test_file_that_grows_meanwhile_does_not_spoil_the_connection(
    server: Loopback, transport: Transport, file: Path
) -> None:
    with file.open("rb") as stream:
        body = _FileBody(stream)
        with file.open("ab") as more:
            more.write(b"more")
        transport._put("a", body)
    transport.upload("b", file)
    assert [len(request.body) for request in server.received] == [3_000_000, 3_000_004]
    assert server.received[0].port == server.received[1].port


def test_file_that_shrinks_meanwhile_is_an_error(transport: Transport, file: Path) -> None:
    with file.open("rb") as stream:
        body = _FileBody(stream)
        os.truncate(file, 5)
        with pytest.raises(TrackingError, match="became shorter while it was uploaded"):
            transport._put("a", body)


def test_upload_is_repeated_from_the_start(server: Loopback, transport: Transport, file: Path) -> None:
    answers = [Answer(b""), Answer(b"", 503)]
    server.respond = lambda _: answers.pop()
    transport.patient = True
    transport.upload("a", file)
    assert [len(request.body) for request in server.received] == [3_000_000, 3_000_000]


def test_upload_to_a_page_that_says_200_is_an_error(
    server: Loopback, transport: Transport, file: Path
) -> None:
    server.respond = always(Answer(b"<html>", 200, HTML))
    with pytest.raises(TrackingError, match="an HTML page"):
        transport.upload("a", file)


def test_download_replaces_only_when_it_is_whole(
    server: Loopback, transport: Transport, tmp_path: Path
) -> None:
    place = tmp_path / "deep" / "place"
    server.respond = always(Answer(b"whole"))
    transport.download("a", place)
    server.respond = always(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf")
    with pytest.raises(TrackingError, match="broke off"):
        transport.download("a", place)
    assert [entry.name for entry in place.parent.iterdir()] == ["place"]
    assert place.read_bytes() == b"whole"
