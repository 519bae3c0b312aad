"""Files over HTTP: ranges, deletion, limits, slow clients, and that no browser runs what is in them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import MutableMapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from projrun.server.app import create_api
from projrun.server.endpoint import Endpoint
from projrun.server.files.threads import MOST
from projrun.server.stores import FileService, Stores
from projrun.tracking.sql.store import SqlStore
from tests.server.client import API, FILES, Answer, Client

CONTENT = bytes(range(256)) * 10


@pytest.fixture
def file(client: Client) -> str:
    """The path of a file below the secret."""
    assert client.send("PUT", f"{FILES}/0/file.bin", CONTENT).status == 200
    return f"{FILES}/0/file.bin"


def ask(client: Client, method: str, path: str, **headers: str) -> Answer:
    """A request with headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    client.connection.request(method, client.prefix + path, headers=named)
    response = client.connection.getresponse()
    found = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, found, response.read())


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=2550-", 206, 2550, 2560),
        ("bytes=-5", 206, 2555, 2560),
        ("bytes=-99999", 200, 0, 2560),
        ("bytes=100-99999", 206, 100, 2560),
        ("bytes=0-", 200, 0, 2560),
        ("bytes=5-2", 200, 0, 2560),
        ("bytes=0-1,4-5", 200, 0, 2560),
        ("bytes=-", 200, 0, 2560),
        ("lines=0-1", 200, 0, 2560),
        (f"bytes={'9' * 30}-", 200, 0, 2560),
    ],
)
def test_ranges(client: Client, file: str, asked: str, status: int, start: int, end: int) -> None:
    answer = ask(client, "GET", file, Range=asked)
    assert (answer.status, answer.body) == (status, CONTENT[start:end])
    assert answer.headers["content-length"] == str(end - start)
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/2560"
    head = ask(client, "HEAD", file, Range=asked)
    assert (head.status, head.body, head.headers["content-length"]) == (status, b"", str(end - start))


@pytest.mark.parametrize("asked", ["bytes=2560-", "bytes=99999-100000", "bytes=-0"])
def test_range_that_is_not_there(client: Client, file: str, asked: str) -> None:
    answer = ask(client, "GET", file, Range=asked)
    assert (answer.status, answer.headers["content-range"]) == (416, "bytes */2560")
    assert client.send("GET", file).body == CONTENT


@pytest.mark.parametrize("asked", ["bytes=0-", "bytes=0-99", "bytes=-1"])
def test_any_range_of_an_empty_file_is_all_of_it(client: Client, file: str, asked: str) -> None:
    client.send("PUT", file, b"")
    answer = ask(client, "GET", file, Range=asked)
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "0")


def test_range_of_a_file_that_was_replaced(client: Client, file: str) -> None:
    tag = client.send("GET", file).headers["etag"]
    assert ask(client, "GET", file, Range="bytes=0-1", If_Range=tag).status == 206
    client.send("PUT", file, CONTENT[::-1])
    answer = ask(client, "GET", file, Range="bytes=0-1", If_Range=tag)
    assert (answer.status, answer.body) == (200, CONTENT[::-1])


def test_deletion(client: Client, database: Path) -> None:
    for path in ("0/run/a.txt", "0/run/sub/b.txt", "0/run-2/c.txt"):
        client.send("PUT", f"{FILES}/{path}", b"x")
    answer = client.send("DELETE", f"{FILES}/0/run/a.txt")
    assert (answer.status, answer.json) == (200, {})
    assert client.send("DELETE", f"{FILES}/0/run").status == 200
    assert client.send("DELETE", f"{FILES}/0/run").status == 200
    root = database.parent / "artifacts"
    assert sorted(path.relative_to(root).as_posix() for path in root.rglob("*.txt")) == ["0/run-2/c.txt"]


@pytest.mark.parametrize(
    "path",
    [
        *("../projrun.db", "%2e%2e%2fprojrun.db", "%252e%252e/projrun.db", "link/projrun.db"),
        *("", ".", "%2e", "./", ".//.", "%2E/%2E"),
    ],
)
def test_nothing_else_is_deleted(client: Client, database: Path, path: str) -> None:
    client.send("PUT", f"{FILES}/x", b"x")
    (database.parent / "artifacts/link").symlink_to(database.parent)
    assert client.send("DELETE", f"{FILES}/{path}").error == (400, "INVALID_PARAMETER_VALUE")
    assert database.exists()
    assert (database.parent / "artifacts/x").exists()


def test_a_page_in_a_frame_runs_nothing_and_loads_nothing(client: Client, run_id: str) -> None:
    root = f"{FILES}/0/{run_id}/artifacts"
    for name in ("page.html", "drawing.svg"):
        client.send("PUT", f"{root}/{name}", b"<p style='color: red'>text</p>")
    place = f"/get-artifact?run_id={run_id}&framed=true&path="
    page = client.send("GET", f"{place}page.html").headers
    policy = page["content-security-policy"]
    assert page["content-disposition"] == "inline"
    assert "script-src" not in policy
    assert policy.startswith("default-src 'none'; ")
    assert policy.endswith("frame-ancestors 'self'; sandbox")
    # Only pages: a drawing is shown as an image.
    drawing = client.send("GET", f"{place}drawing.svg").headers
    assert drawing["content-disposition"].startswith("attachment")
    assert "frame-ancestors 'none'" in drawing["content-security-policy"]


def test_files_of_runs_versions_and_models(client: Client, run_id: str) -> None:
    root = f"{FILES}/0/{run_id}/artifacts"
    client.send("PUT", f"{root}/page.html", b"<script>alert(1)</script>")
    for path in (f"/get-artifact?run_uuid={run_id}", f"{API}get-artifact?run_id={run_id}"):
        answer = client.send("GET", f"{path}&path=page.html")
        assert (answer.status, answer.body) == (200, b"<script>alert(1)</script>")
        assert answer.headers["content-type"] == "text/html"
        assert answer.headers["content-disposition"] == 'attachment; filename="page.html"'
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
    client.post("registered-models/create", name="m")
    source = f"mlflow-artifacts:/0/{run_id}/artifacts"
    created = client.post("model-versions/create", name="m", source=source, run_id=run_id)
    version = created.json["model_version"]["version"]
    query = f"name=m&version={version}&path=page.html"
    assert client.send("GET", f"/model-versions/get-artifact?{query}").status == 200
    client.send("PUT", f"{root}/model/MLmodel", b"flavors: {}")
    created = client.post("model-versions/create", name="m", source=f"runs:/{run_id}/model", run_id=run_id)
    query = f"name=m&version={created.json['model_version']['version']}&path=MLmodel"
    assert client.send("GET", f"/model-versions/get-artifact?{query}").body == b"flavors: {}"
    client.send("PUT", f"{root}/model/data/part", b"1")
    for path, expected in (
        ("", [{"path": "MLmodel", "is_dir": False, "file_size": 11}, {"path": "data", "is_dir": True}]),
        ("data", [{"path": "data/part", "is_dir": False, "file_size": 1}]),
        ("none", []),
    ):
        listed = client.send("GET", f"/api/projrun/1/model-versions/files?{query}".replace("MLmodel", path))
        assert listed.json == {"files": expected}
    created = client.post("logged-models", experiment_id="0", name="logged", source_run_id=run_id)
    info = created.json["model"]["info"]
    place = info["artifact_uri"].removeprefix("mlflow-artifacts:")
    client.send("PUT", f"{FILES}{place}/MLmodel", b"flavors: {}")
    files = f"logged-models/{info['model_id']}/artifacts/files"
    answer = client.get(files, artifact_file_path="MLmodel")
    assert (answer.body, answer.headers["content-type"]) == (b"flavors: {}", "text/plain")
    assert client.get(files).error == (400, "INVALID_PARAMETER_VALUE")
    listed = client.get(f"logged-models/{info['model_id']}/artifacts/directories").json
    assert listed["files"] == [{"path": "MLmodel", "is_dir": False, "file_size": 11}]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("..%2f..%2fx", 400),
        ("%252e%252e/x", 400),
        ("/etc/passwd", 400),
        ("none", 404),
        ("", 400),
        ("folder", 400),
    ],
)
def test_file_of_a_run_that_is_refused(client: Client, run_id: str, path: str, status: int) -> None:
    client.send("PUT", f"{FILES}/0/{run_id}/artifacts/folder/x", b"x")
    assert client.send("GET", f"/get-artifact?run_uuid={run_id}&path={path}").error[0] == status
    assert client.send("GET", "/get-artifact?run_uuid=none&path=x").error == (404, "RESOURCE_DOES_NOT_EXIST")


def test_page_keeps_a_file(client: Client, run_id: str, database: Path) -> None:
    def keep(query: str, body: bytes) -> Answer:
        return client.send("POST", f"/ajax-api/2.0/mlflow/upload-artifact?{query}", body)

    assert keep(f"run_uuid={run_id}&path=table/x.json", b"{}").status == 200
    place = database.parent / "artifacts/0" / run_id / "artifacts"
    assert (place / "table/x.json").read_bytes() == b"{}"
    for query, body, message in (
        (f"path=x&run_id={run_id}", b"x", "Request must specify run_uuid."),
        (f"run_uuid={run_id}", b"x", "Request must specify path."),
        (f"run_uuid={run_id}&path=../x", b"x", "Invalid path"),
        (f"run_uuid={run_id}&path=x", b"", "Request must specify data."),
        (
            f"run_uuid={run_id}&path=x",
            bytes(10 << 20) + b"x",
            "Artifact size is too large. Max size is 10MB.",
        ),
    ):
        answer = keep(query, body)
        assert answer.error == (400, "INVALID_PARAMETER_VALUE")
        assert answer.json["message"] == message
    assert [path.name for path in place.iterdir()] == ["table"]


def test_signed_addresses_need_an_object_store(client: Client, run_id: str) -> None:
    service = "/api/2.0/mlflow-artifacts"
    for method, path, what in (
        ("POST", "mpu/create/0", "Multipart upload"),
        ("POST", "mpu/complete/0", "Multipart upload"),
        ("POST", "mpu/abort/0", "Multipart upload"),
        ("GET", "presigned/0/x", "Multipart download"),
    ):
        body = b'{"path": "/home/me/x", "num_parts": 2}' if method == "POST" else None
        answer = client.send(method, f"{service}/{path}", body)
        assert answer.error == (501, "NOT_IMPLEMENTED")
        assert answer.json["message"] == f"{what} is not supported for the current artifact repository"
    answer = client.post("artifacts/presigned-download-url", run_id=run_id, path="x")
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert "not supported for proxied artifact storage" in answer.json["message"]
    answer = client.post("artifacts/presigned-upload-url", run_id=run_id, model_id="m", path="x")
    assert answer.json["message"] == "Exactly one of run_id and model_id must be provided."


def test_clients_that_are_slow_hold_nobody_up(client: Client, endpoint: Endpoint, file: str) -> None:
    """More of them than there are threads for files."""
    with ExitStack() as stack:
        slow = [stack.enter_context(closing(Client(endpoint))) for _ in range(2 * MOST)]
        for number, each in enumerate(slow):
            each.connection.putrequest("PUT", f"{each.prefix}{FILES}/slow-{number}")
            each.connection.putheader("Content-Length", "1000000")
            each.connection.endheaders()
            each.connection.send(b"x" * 300_000)
        began = time.monotonic()
        assert client.send("GET", file).body == CONTENT
        assert client.send("PUT", f"{FILES}/quick", b"x").status == 200
        assert client.get("experiments/get", experiment_id=0).status == 200
        assert time.monotonic() - began < 20  # the slow ones never end
    assert b"slow" not in client.send("GET", f"{FILES}?path=").body


def test_client_that_leaves_a_download(client: Client, endpoint: Endpoint) -> None:
    size = 8 << 20
    client.send("PUT", f"{FILES}/large", bytes(size))
    before = threading.active_count()
    for _ in range(3):
        with closing(Client(endpoint)) as other:
            other.connection.request("GET", f"{other.prefix}{FILES}/large")
            other.connection.getresponse().read(10)
    assert len(client.send("GET", f"{FILES}/large").body) == size
    assert threading.active_count() <= before + MOST


def test_limit_counts_what_arrives(database: Path) -> None:
    """Whatever the client says about the size."""

    def status(service: FileService, method: str, path: str, body: bytes = b"") -> int:
        sent: list[int] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message.get("status", 0))

        scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": []}
        with Stores(lambda: SqlStore.open(database), files=service) as stores:
            asyncio.run(create_api(stores)(scope, receive, send))  # type: ignore[arg-type]  # all that is needed
        return sent[0]

    assert status(FileService(upload_limit=3), "PUT", f"{FILES}/x", b"123") == 200
    assert status(FileService(upload_limit=3), "PUT", f"{FILES}/x", b"1234") == 413
    assert (
        status(
            FileService(upload_limit=3), "POST", "/api/2.0/mlflow-artifacts/mpu/create/a", b'{"path": "x"}'
        )
        == 501
    )
    assert (database.parent / "artifacts/x").read_bytes() == b"123"


@pytest.mark.parametrize("location", ["ftp://host/x", "dbfs:/x", "file://host/x", "http://host/x"])
def test_artifacts_that_no_retry_reaches(client: Client, location: str) -> None:
    """503 would have clients try for minutes."""
    made = client.post("experiments/create", name="elsewhere", artifact_location=location).json
    run = client.post("runs/create", experiment_id=made["experiment_id"]).json["run"]["info"]["run_id"]
    answer = client.send("GET", f"/get-artifact?run_id={run}&path=x")
    assert answer.error == (501, "NOT_IMPLEMENTED")
