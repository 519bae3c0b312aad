"""Whom the server answers, what it refuses by its settings, and what it says of what it has answered."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from projrun.server.access.passwords import TOKEN_PREFIX, digest
from projrun.server.program.configuration import Program
from projrun.tracking.parts import part_of
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.users import Users
from tests.server.program.asking import Asked, answers

API = "/api/2.0/mlflow/"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
SEARCH = Asked("POST", f"{API}runs/search", b'{"experiment_ids": ["0"]}')
CREATE = Asked("POST", f"{API}experiments/create", b'{"name": "e"}')
GET = Asked("GET", f"{API}experiments/get?experiment_id=0")


def test_another_host_reaches_nothing_but_the_health(database: Path) -> None:
    evil = {"host": "evil.example"}
    found = answers(
        database, Program(), GET._replace(headers=evil), Asked("GET", "/", headers=evil),
        Asked("GET", "/metrics", headers=evil), Asked("GET", "/health", headers=evil),
    )  # fmt: skip
    assert [answer.status for answer in found] == [403, 403, 403, 200]
    assert found[0].body.startswith(b"Invalid Host header - possible DNS rebinding attack detected")
    (admitted,) = answers(database, Program(allowed_hosts=("evil.*",)), GET._replace(headers=evil))
    assert admitted.status == 200


def test_another_site_writes_nothing_and_reads_nothing(database: Path) -> None:
    evil = {"origin": "https://evil.example"}
    written, read = answers(database, Program(), CREATE._replace(headers=evil), GET._replace(headers=evil))
    assert (written.status, written.body[:28]) == (403, b"Cross-origin request blocked")
    assert "access-control-allow-origin" not in read.headers


def test_a_site_that_is_allowed_asks_first_and_writes(database: Path) -> None:
    page = {"origin": "https://ui.example"}
    asked = {
        **page,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    first, written = answers(
        database, Program(allowed_origins=("https://ui.example",)),
        CREATE._replace(method="OPTIONS", body=b"", headers=asked), CREATE._replace(headers=page),
    )  # fmt: skip
    assert (first.status, first.headers["access-control-allow-origin"]) == (200, "https://ui.example")
    assert (written.status, written.headers["access-control-allow-origin"]) == (200, "https://ui.example")
    assert written.headers["access-control-allow-credentials"] == "true"


def test_a_star_allows_every_site_without_credentials(database: Path) -> None:
    (written,) = answers(
        database, Program(allowed_origins=("*",)), CREATE._replace(headers={"origin": "https://any.example"})
    )
    assert (written.status, written.headers["access-control-allow-origin"]) == (200, "*")
    assert "access-control-allow-credentials" not in written.headers


def test_every_answer_says_that_it_is_data(database: Path) -> None:
    for answer in answers(
        database, Program(), GET, Asked("GET", "/none"), Asked("GET", "/health"), Asked("GET", "/")
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    ("frames", "header", "ancestors"),
    [("SAMEORIGIN", "SAMEORIGIN", "'self'"), ("DENY", "DENY", "'none'"), ("NONE", None, None)],
)
def test_who_may_show_the_server_in_a_frame(
    database: Path, frames: str, header: str | None, ancestors: str | None
) -> None:
    for answer in answers(database, Program(frames=frames), GET, Asked("GET", "/")):
        assert answer.headers.get("x-frame-options") == header
        _, found, policy = answer.headers["content-security-policy"].partition("frame-ancestors ")
        assert (policy.partition(";")[0] if found else None) == ancestors


@pytest.mark.parametrize("path", ["/ml", "/ml/", "/ml/health", "/health", f"/ml{GET.path}", GET.path])
def test_paths_count_with_the_prefix_and_without(database: Path, path: str) -> None:
    (answer,) = answers(database, Program(prefix="/ml"), Asked("GET", path))
    assert answer.status == 200


def test_the_prefix_is_whole_parts_of_a_path(database: Path) -> None:
    (answer,) = answers(database, Program(prefix="/ml"), Asked("GET", "/mlhealth"))
    assert answer.status == 404


def test_a_read_only_server_changes_nothing(database: Path) -> None:
    upload = Asked("PUT", f"{FILES}/a/b", b"x")
    created, uploaded, found, read = answers(database, Program(read_only=True), CREATE, upload, SEARCH, GET)
    assert (created.status, json.loads(created.body)["error_code"]) == (403, "PERMISSION_DENIED")
    assert (uploaded.status, found.status, read.status) == (403, 200, 200)


def test_a_read_only_server_signs_no_uploads(database: Path) -> None:
    """A signed address lets its holder write into the object store, past the server."""
    body = json.dumps({"path": "x", "run_id": "r"}).encode()
    asked = Asked("POST", f"{API}artifacts/presigned-upload-url", body, {"content-type": "application/json"})
    (refused,) = answers(database, Program(read_only=True), asked)
    assert (refused.status, json.loads(refused.body)["error_code"]) == (403, "PERMISSION_DENIED")


def test_a_server_without_artifacts_says_so(database: Path) -> None:
    listed, read = answers(database, Program(serve_artifacts=False), Asked("GET", FILES), GET)
    assert (listed.status, json.loads(listed.body)["error_code"]) == (501, "NOT_IMPLEMENTED")
    assert read.status == 200


def test_a_server_of_artifacts_alone(database: Path) -> None:
    upload = Asked("PUT", f"{FILES}/a/b", b"x")
    answered = answers(
        database,
        Program(artifacts_only=True),
        GET,
        upload,
        Asked("GET", f"{FILES}?path=a"),
        Asked("GET", "/health"),
    )
    assert [answer.status for answer in answered] == [501, 200, 200, 200]


def test_metrics_count_by_route(database: Path) -> None:
    missing = Asked("GET", f"{API}runs/get?run_id=secret")
    *_, metrics = answers(
        database, Program(), GET, GET, missing, Asked("GET", f"{FILES}/x/secret"), Asked("BREW", "/secret"),
        Asked("GET", "/metrics"),
    )  # fmt: skip
    text = metrics.body.decode()
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert (
        f'projrun_http_requests_total{{method="GET",route="{API}experiments/get",status="200"}} 2\n' in text
    )
    assert f'{{method="GET",route="{FILES}/{{path:path}}",status="404"}} 1\n' in text
    assert '{method="other",route="none",status="404"} 1\n' in text
    assert "projrun_http_request_duration_seconds_count 5\n" in text
    assert 'duration_seconds_bucket{le="+Inf"} 5\n' in text
    assert "secret" not in text


def test_metrics_need_a_user_where_there_are_any(database: Path) -> None:
    with closing(SqlStore.open(database)) as store:
        users = part_of(store, Users)
        users.create_user("ann", "")
        token = f"{TOKEN_PREFIX}secret"
        users.create_token("ann", "prometheus", digest(token))
    nobody, page = Asked("GET", "/metrics"), Asked("GET", "/")
    bearer = nobody._replace(headers={"authorization": f"Bearer {token}"})
    wrong = nobody._replace(headers={"authorization": f"Bearer {token}x"})
    found = answers(database, Program(users=True), nobody, wrong, bearer, page)
    assert [answer.status for answer in found] == [401, 401, 200, 200]
    assert b"projrun_http_requests_total" not in found[0].body + found[1].body
    (public,) = answers(database, Program(users=True, public_metrics=True), nobody)
    assert (public.status, b"projrun_http_requests_active" in public.body) == (200, True)


def test_the_log_has_a_line_for_each_request(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = Asked("GET", "/a\n\x1b[2Jb?token=secret", headers={"authorization": "Basic c2VjcmV0"})
    answers(database, Program(log_format="json"), asked, GET)
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["path"] == "/a\n\x1b[2Jb"
    assert (second["method"], second["path"], second["status"]) == ("GET", f"{API}experiments/get", 200)
    assert set(second) == {"time", "client", "user", "method", "path", "status", "bytes", "ms"}
    answers(
        database, Program(log_format="text"), asked._replace(path="/a\n\x1b[2Jb 200 1 0.1ms?token=secret")
    )
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert len(line.split()) == 8
    assert "\x1b" not in line
    assert "secret" not in line
