"""What a person reads when the tracking server is down, refuses, or is none."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing

import pytest

from projrun.errors import (
    AlreadyExistsError,
    InvalidValueError,
    NotFoundError,
    RequestError,
    TrackingError,
)
from projrun.http.failures import one_line
from projrun.tracking.entities import Param
from projrun.tracking.rest import answers, transport
from projrun.tracking.rest.store import RestStore
from tests.tracking.loopback import Answer, Received, Respond, always, closed_port, serve, silent

RUN = {
    "run": {
        "info": {
            "run_id": "r1",
            "experiment_id": "0",
            "status": "RUNNING",
            "start_time": 1,
            "artifact_uri": "mlflow-artifacts:/0/r1/artifacts",
        }
    }
}
FOUND = Answer(json.dumps(RUN).encode())
HTML = {"Content-Type": "text/html; charset=utf-8"}
SECRET = "s3cr3t-w0rd"


def get_run(uri: str, environ: Mapping[str, str] | None = None, *, patient: bool = False) -> None:
    with closing(RestStore(uri, environ or {}, patient=patient)) as store:
        store.get_run("r1")


def failure(uri: str, environ: Mapping[str, str] | None = None, *, patient: bool = False) -> TrackingError:
    """The error of asking for a run, which is one line and holds no secret."""
    with pytest.raises(TrackingError) as caught:
        get_run(uri, environ, patient=patient)
    error = caught.value
    assert "\n" not in error.message
    assert SECRET not in f"{error.message}{error.hint}{error.detail}"
    assert error.exit_code == 5
    return error


# --- nobody there ---


def test_closed_port_is_told_at_once() -> None:
    with closed_port() as uri:
        started = time.monotonic()
        error = failure(uri)
    assert error.message == f"the tracking server {uri} cannot be reached: connection refused"
    assert "--tracking-uri" in error.hint
    assert time.monotonic() - started < transport.CONNECT_TIMEOUT


def test_credentials_in_the_url_are_not_shown() -> None:
    with closed_port() as uri:
        error = failure(uri.replace("://", f"://someone:{SECRET}@"))
    assert f"{uri} cannot be reached" in error.message


def test_secret_of_the_loopback_endpoint_is_not_shown() -> None:
    with closed_port() as uri:
        error = failure(f"{uri}/{'0123456789abcdef' * 2}")
    assert f"{uri}/*** cannot be reached" in error.message


def test_host_that_takes_no_connection_is_given_the_connect_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    assert transport.CONNECT_TIMEOUT == 5.0
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT", 0.3)
    with silent(accepting=False) as uri:
        started = time.monotonic()
        error = failure(uri)
    assert error.message.endswith("no connection within 0.3 s")
    assert time.monotonic() - started < 4  # less than it is given elsewhere


def test_server_that_never_answers_is_given_the_request_timeout() -> None:
    with silent(accepting=True) as uri:
        error = failure(uri, {"MLFLOW_HTTP_REQUEST_TIMEOUT": "1"})
    assert error.message.endswith("no answer within 1 s")


def test_server_that_stops_in_the_middle_of_its_answer() -> None:
    begun = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{"run":'
    with serve(always(begun)) as server:
        error = failure(server.uri)
    assert "the connection broke off" in error.message


def test_server_that_closes_without_an_answer() -> None:
    with serve(always(b"")) as server:
        error = failure(server.uri)
    assert "it closed the connection without an answer" in error.message


@pytest.mark.parametrize("host", ["a..b", "x" * 70 + ".example"])
def test_host_name_that_is_none(host: str) -> None:
    assert "its host name is malformed" in failure(f"http://{host}").message


# --- somebody else there ---

NONSENSE: dict[str, tuple[Answer | bytes, str]] = {
    "an HTML page": (Answer(b"<html>Welcome</html>", 200, HTML), "an HTML page (HTTP 200)"),
    "an HTML page for 404": (Answer(b"<h1>Not Found</h1>", 404, HTML), "an HTML page (HTTP 404)"),
    "another API's 404": (Answer(b'{"detail":"Not Found"}', 404), "invalid JSON (HTTP 404)"),
    "JSON cut short": (Answer(FOUND.body[:-9]), "invalid JSON"),
    "nothing": (Answer(b""), "invalid JSON"),
    "binary": (Answer(bytes(range(256))), "invalid JSON"),
    "a list": (Answer(b"[]"), "JSON that is not an object"),
    "a number with more digits than Python reads": (Answer(b'{"a":' + b"9" * 5000 + b"}"), "invalid JSON"),
    "nested without end": (Answer(b'{"a":' + b"[" * 100_000), "invalid JSON"),
    "an object without a run": (Answer(b'{"greeting":"hello"}'), "'run' is missing"),
    "a run that is text": (Answer(b'{"run":"hello"}'), "'run' is a str, not an object"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_called_so(name: str) -> None:
    answer, what = NONSENSE[name]
    with serve(always(answer)) as server:
        error = failure(server.uri)
    assert "answered something that is not MLflow's REST API" in error.message
    assert what in error.message
    assert "check the address" in error.hint


def test_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "LARGEST_ANSWER", 1024 * 1024)
    with serve(always(Answer(b" " * 1024 * 1024 + FOUND.body))) as server:
        assert "more than 1 MB" in failure(server.uri).message


def test_logging_to_a_page_that_says_200_is_an_error() -> None:
    with serve(always(Answer(b"<html></html>", 200, HTML))) as server:
        with closing(RestStore(server.uri, {})) as store, pytest.raises(TrackingError, match="an HTML page"):
            store.log_batch("r1", params=[Param("a", "1")])
        assert server.received[0].path == "/api/2.0/mlflow/runs/log-batch"


def test_redirect_to_a_login_page_is_not_followed() -> None:
    with serve(always(Answer(b"<html>log in</html>", 200, HTML))) as login:
        elsewhere = {"Location": f"{login.uri}/login?token={SECRET}"}
        with serve(always(Answer(b"", 302, elsewhere))) as server:
            error = failure(server.uri, {"MLFLOW_TRACKING_TOKEN": SECRET})
        assert login.received == []
    assert "not MLflow's REST API" in error.message
    assert f"a redirect to {login.uri}/login (HTTP 302)" in error.message
    assert "MLFLOW_TRACKING_TOKEN" in error.hint


# --- MLflow there, saying no ---


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_name_their_origin(status: int) -> None:
    with serve(
        always(Answer(b"You are not authenticated.", status, {"Content-Type": "text/plain"}))
    ) as server:
        error = failure(server.uri, {"MLFLOW_TRACKING_TOKEN": SECRET})
    assert error.message == (
        f"the tracking server {server.uri} refused the credentials "
        f"(HTTP {status}; those of MLFLOW_TRACKING_TOKEN): You are not authenticated."
    )
    assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in error.hint


def test_what_a_server_does_not_permit_asks_for_no_credentials() -> None:
    body = b'{"error_code": "PERMISSION_DENIED", "message": "this server is read-only (--read-only)"}'
    with serve(always(Answer(body, 403))) as server:
        error = failure(server.uri)
    assert error.message == (
        f"the tracking server {server.uri} does not permit this: this server is read-only (--read-only)"
    )
    assert error.hint == ""


def test_refusal_without_credentials_says_that_none_were_given() -> None:
    with serve(always(Answer(b"<html>401</html>", 401, HTML))) as server:
        error = failure(server.uri)
    assert error.message.endswith("refused the credentials (HTTP 401; none were given)")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("RESOURCE_DOES_NOT_EXIST", 404, NotFoundError),
        ("RESOURCE_ALREADY_EXISTS", 400, AlreadyExistsError),
        ("INVALID_PARAMETER_VALUE", 400, InvalidValueError),
        ("BAD_REQUEST", 400, InvalidValueError),
        ("ENDPOINT_NOT_FOUND", 404, TrackingError),
        ("INVALID_STATE", 400, TrackingError),
    ],
)
def test_error_code_decides_the_class(code: str, status: int, kind: type[TrackingError]) -> None:
    body = json.dumps({"error_code": code, "message": "no\nsuch\x1b[31m thing"}).encode()
    with serve(always(Answer(body, status))) as server:
        error = failure(server.uri)
    assert type(error) is kind
    assert error.message == f"the tracking server {server.uri} says {code}: no such [31m thing"


def test_long_error_in_pieces_is_read() -> None:
    body = json.dumps({"error_code": "INVALID_PARAMETER_VALUE", "message": "x" * 200_000}).encode()
    pieces = [body[start : start + 5_000] for start in range(0, len(body), 5_000)]
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    with serve(always(b"HTTP/1.1 400 No\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked)) as server:
        assert isinstance(failure(server.uri), InvalidValueError)


def test_long_message_of_a_server_is_cut() -> None:
    assert len(one_line("word " * 1000)) < 500
    assert one_line(" a\r\n\tb\x00 ") == "a b"


# --- patience ---


def failing_first(times: int, answer: Answer) -> Respond:
    """A server that gives `answer` some times, then the run."""
    left = [answer] * times
    return lambda _: left.pop() if left else FOUND


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_before_a_run_has_begun_a_failure_is_told_at_once(status: int) -> None:
    with serve(failing_first(1, Answer(b"<html>", status, HTML))) as server:
        error = failure(server.uri)
        assert len(server.received) == 1
    assert f"failed (HTTP {status})" in error.message


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_once_a_run_has_begun_a_failing_server_is_asked_again(status: int) -> None:
    with serve(failing_first(1, Answer(b"", status))) as server:
        get_run(server.uri, patient=True)
        assert len(server.received) == 2


def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    with serve(always(Answer(b"", 503, {"Retry-After": "3600"}))) as server:
        failure(server.uri, patient=True)
        assert len(server.received) == 5
    assert pauses == [5.0, 5.0, 5.0, 5.0]


def test_patience_is_for_an_outage_not_for_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    with serve(always(Answer(b"", 503))) as server, closing(RestStore(server.uri, {}, patient=True)) as store:

        def requests_of_a_failing_call() -> int:
            before = len(server.received)
            with pytest.raises(TrackingError):
                store.get_run("r1")
            return len(server.received) - before

        assert [requests_of_a_failing_call() for _ in range(3)] == [5, 1, 1]
        server.respond = always(FOUND)
        store.get_run("r1")
        server.respond = always(Answer(b"", 503))
        assert requests_of_a_failing_call() == 5


def test_pauses_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    with closed_port() as uri:
        failure(uri, {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "6"}, patient=True)
    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0, 5.0]


def test_number_of_retries_is_the_clients_setting() -> None:
    with serve(always(Answer(b"", 503))) as server:
        failure(server.uri, {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}, patient=True)
        assert len(server.received) == 1


def test_server_that_says_no_is_not_asked_again() -> None:
    body = b'{"error_code":"RESOURCE_DOES_NOT_EXIST"}'
    with serve(always(Answer(body, 404))) as server:
        failure(server.uri, patient=True)
        assert len(server.received) == 1


def test_what_must_not_happen_twice_is_not_sent_twice() -> None:
    with serve(always(Answer(b"", 503))) as server, closing(RestStore(server.uri, {}, patient=True)) as store:
        for action in (
            lambda: store.create_run("0", start_time=1),
            lambda: store.create_experiment("x"),
            lambda: store.delete_tag("r1", "x"),
        ):
            with pytest.raises(TrackingError):
                action()
        assert len(server.received) == 3


def test_store_becomes_patient_when_a_run_has_begun() -> None:
    def respond(request: Received) -> Answer:
        number = len(server.received)
        return Answer(b"", 503) if number in (1, 3) else FOUND

    with serve(respond) as server, closing(RestStore(server.uri, {})) as store:
        with pytest.raises(TrackingError):
            store.get_run("r1")
        store.create_run("0", start_time=1)
        assert store.get_run("r1").run_id == "r1"
        assert len(server.received) == 4


def test_run_that_is_taken_up_makes_the_store_patient() -> None:
    info = json.dumps({"run_info": RUN["run"]["info"]}).encode()
    with serve(always(Answer(info))) as server, closing(RestStore(server.uri, {})) as store:
        store.update_run("r1", end_time=5)
        assert not store.transport.patient
        store.update_run("r1", status="RUNNING")
        assert store.transport.patient


# --- settings that cannot work ---


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (
            {"MLFLOW_HTTP_REQUEST_TIMEOUT": "soon"},
            "MLFLOW_HTTP_REQUEST_TIMEOUT is 'soon', not a whole number",
        ),
        ({"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "-1"}, "MLFLOW_HTTP_REQUEST_MAX_RETRIES is '-1'"),
        ({"MLFLOW_TRACKING_SERVER_CERT_PATH": "/no/such.pem"}, "names '/no/such.pem', which does not exist"),
        ({"REQUESTS_CA_BUNDLE": "/no/such.pem"}, "REQUESTS_CA_BUNDLE names '/no/such.pem'"),
        ({"MLFLOW_TRACKING_CLIENT_CERT_PATH": "/no/such.pem"}, "names '/no/such.pem', which does not exist"),
        ({"MLFLOW_TRACKING_TOKEN": f"{SECRET}\n"}, "MLFLOW_TRACKING_TOKEN contains a character"),
    ],
)
def test_setting_that_cannot_work_is_a_mistake_of_the_request(environ: dict[str, str], words: str) -> None:
    with pytest.raises(RequestError) as caught:
        RestStore("http://127.0.0.1:9", environ)
    assert words in caught.value.message
    assert SECRET not in caught.value.message
