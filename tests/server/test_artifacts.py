"""Artifacts over HTTP: streamed to disk and back, never outside of the store's folder."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.server.client import FILES, Client


@pytest.fixture
def root(database: Path, client: Client) -> Path:
    """The folder of the store's artifacts, with a secret beside it; the store is open, with SQLite's own files."""
    assert client.get("experiments/get", experiment_id=0).status == 200
    (database.parent / "outside.txt").write_text("secret")
    (database.parent / "artifacts").mkdir(exist_ok=True)
    return database.parent / "artifacts"


def test_file_goes_up_and_comes_back(client: Client, root: Path) -> None:
    content = bytes(range(256)) * 1000
    assert client.send("PUT", f"{FILES}/0/run/artifacts/{quote('a b/ü.bin')}", content).status == 200
    assert (root / "0/run/artifacts/a b/ü.bin").read_bytes() == content
    answer = client.send("GET", f"{FILES}/0/run/artifacts/{quote('a b/ü.bin')}")
    assert (answer.status, answer.body) == (200, content)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_chunked_upload_replaces_what_is_there(client: Client, root: Path) -> None:
    assert client.send("PUT", f"{FILES}/x", b"old and longer").status == 200
    assert client.send("PUT", f"{FILES}/x", (part for part in (b"new", b" ", b"one"))).status == 200
    assert (root / "x").read_bytes() == b"new one"
    assert [path.name for path in root.iterdir()] == ["x"]


def test_control_character_in_a_path_is_refused(client: Client, root: Path) -> None:
    for path in ("a%0ab", "a%09b", "a%00b"):
        assert client.send("PUT", f"{FILES}/{path}", b"x").status in (400, 404)
    assert list(root.iterdir()) == []


def test_name_of_a_file_that_is_being_written_is_refused(client: Client, root: Path) -> None:
    answer = client.send("PUT", f"{FILES}/a/.projrun-partial-x", b"x")
    assert answer.status == 400
    assert answer.json["error_code"] == "INVALID_PARAMETER_VALUE"
    assert list(root.iterdir()) == []


def test_empty_file(client: Client, root: Path) -> None:
    assert client.send("PUT", f"{FILES}/empty", b"").status == 200
    assert client.send("GET", f"{FILES}/empty").body == b""
    assert client.send("GET", f"{FILES}?path=").json == {
        "files": [{"path": "empty", "is_dir": False, "file_size": 0}]
    }


def test_listings(client: Client, root: Path, run_id: str) -> None:
    base = f"0/{run_id}/artifacts"
    for path in ("logs/output.log", "model/MLmodel", "top.txt"):
        client.send("PUT", f"{FILES}/{base}/{path}", b"12345")
    top = [
        {"path": "logs", "is_dir": True},
        {"path": "model", "is_dir": True},
        {"path": "top.txt", "is_dir": False, "file_size": 5},
    ]
    assert client.send("GET", f"{FILES}?path={quote(base, safe='')}").json == {"files": top}
    assert client.send("GET", f"{FILES}?path={base}/logs").json["files"][0]["path"] == "output.log"
    assert client.send("GET", f"{FILES}?path={base}/none").json == {}
    root_uri = f"mlflow-artifacts:/{base}"
    assert client.get("artifacts/list", run_id=run_id).json == {"root_uri": root_uri, "files": top}
    inner = client.get("artifacts/list", run_id=run_id, path="logs").json["files"]
    assert inner == [{"path": "logs/output.log", "is_dir": False, "file_size": 5}]


def test_experiment_with_a_location_of_its_own(client: Client, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    created = client.post("experiments/create", name="e", artifact_location=str(tmp_path / "elsewhere")).json
    run = client.post("runs/create", experiment_id=created["experiment_id"]).json["run"]["info"]
    folder = tmp_path / "elsewhere" / run["run_id"] / "artifacts"
    folder.mkdir(parents=True)
    (folder / "x").write_text("1")
    listed = client.get("artifacts/list", run_id=run["run_id"]).json
    assert listed["files"] == [{"path": "x", "is_dir": False, "file_size": 1}]


HOSTILE = [
    "../outside.txt",
    "..%2foutside.txt",
    "%2e%2e/outside.txt",
    "0/../../outside.txt",
    "0/%2e%2e%2f%2e%2e%2foutside.txt",
    "%2fetc%2fpasswd",
    "..%5coutside.txt",
    "link/outside.txt",
    "file-link",
    "x%00y",
    "C:%5cx",
    "%252e%252e/outside.txt",
    "0/%25252e%25252e%252f%252e%252e%252foutside.txt",
    "%255c..",
    "file:%2f%2f%2fetc/passwd",
]


@pytest.mark.parametrize("path", HOSTILE)
def test_path_that_leads_out_is_refused(client: Client, root: Path, path: str) -> None:
    (root / "link").symlink_to(root.parent)
    (root / "file-link").symlink_to(root.parent / "outside.txt")
    before = sorted(str(found) for found in root.parent.rglob("*"))
    assert client.send("GET", f"{FILES}/{path}").error == (400, "INVALID_PARAMETER_VALUE")
    assert client.send("PUT", f"{FILES}/{path}", b"overwritten").error == (400, "INVALID_PARAMETER_VALUE")
    assert sorted(str(found) for found in root.parent.rglob("*")) == before
    assert (root.parent / "outside.txt").read_text() == "secret"


@pytest.mark.parametrize("path", ["..", "../..", "/", "/etc", "0/../..", "link", "..\\x"])
def test_folder_that_leads_out_is_not_listed(client: Client, root: Path, run_id: str, path: str) -> None:
    (root / "link").symlink_to(root.parent)
    listed = client.send("GET", f"{FILES}?path={quote(path, safe='')}")
    assert listed.error == (400, "INVALID_PARAMETER_VALUE")
    if path != "link":
        assert client.get("artifacts/list", run_id=run_id, path=path).error == (
            400,
            "INVALID_PARAMETER_VALUE",
        )


def test_artifact_that_is_not_there(client: Client, root: Path) -> None:
    (root / "folder").mkdir()
    for path in ("none", "folder/none"):
        assert client.send("GET", f"{FILES}/{path}").error == (404, "RESOURCE_DOES_NOT_EXIST")
    for path in ("", ".", "folder"):
        assert client.send("GET", f"{FILES}/{path}").error == (400, "INVALID_PARAMETER_VALUE")


def test_folder_is_not_overwritten(client: Client, root: Path) -> None:
    (root / "folder").mkdir()
    assert client.send("PUT", f"{FILES}/folder", b"x").error == (400, "INVALID_PARAMETER_VALUE")
    assert (root / "folder").is_dir()


def test_file_below_a_file_is_the_clients_mistake(client: Client, root: Path) -> None:
    (root / "file").write_text("x")
    answer = client.send("PUT", f"{FILES}/file/below", b"x")
    assert answer.error == (400, "INVALID_PARAMETER_VALUE")
    assert (root / "file").read_text() == "x"


def test_upload_that_breaks_off_leaves_nothing(client: Client, root: Path) -> None:
    client.send("PUT", f"{FILES}/kept", b"old")

    def parts() -> Iterator[bytes]:
        yield b"new" * 100_000
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        client.send("PUT", f"{FILES}/kept", parts())
    client.close()
    assert client.send("GET", f"{FILES}/kept").body == b"old"
    deadline = time.monotonic() + 120
    while [path.name for path in root.iterdir()] != ["kept"]:
        assert time.monotonic() < deadline, "the half of an upload is still there"
        time.sleep(0.01)


def test_name_that_no_file_can_have(client: Client, root: Path) -> None:
    assert client.send("PUT", f"{FILES}/{'x' * 300}", b"x").error == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.integration  # a server with 200 MiB
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read as Linux counts it")
def test_large_files_are_never_held_in_memory(database: Path) -> None:
    """A process of its own, whose peak memory tells."""
    script = (
        "import resource, sys; from pathlib import Path; from contextlib import closing\n"
        "from projrun.server.endpoint import Endpoint; from tests.server.client import Client, FILES\n"
        "from projrun.tracking.sql.store import SqlStore\n"
        "opened = Endpoint.open(lambda: SqlStore.open(Path(sys.argv[1])))\n"
        "with opened as endpoint, closing(Client(endpoint)) as client:\n"
        "    client.send('PUT', FILES + '/small', b'x')\n"
        "    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "    part = bytes(1024 * 1024)\n"
        "    assert client.send('PUT', FILES + '/big', (part for _ in range(200))).status == 200\n"
        "    client.connection.request('GET', client.prefix + FILES + '/big')\n"
        "    response = client.connection.getresponse()\n"
        "    assert sum(len(part) for part in iter(lambda: response.read(1 << 20), b'')) == 200 << 20\n"
        "    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before\n"
        "    assert grown < 60 * 1024, f'{grown} KiB'\n"
    )
    subprocess.run([sys.executable, "-c", script, str(database)], check=True, timeout=60)
