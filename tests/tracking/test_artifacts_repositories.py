"""Which repository an artifact URI opens, and whom its credentials reach."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from projrun.errors import InvalidValueError, NotFoundError, TrackingError
from projrun.tracking.artifacts.local import LocalArtifacts
from projrun.tracking.artifacts.mlflow_artifacts import ROUTE
from projrun.tracking.artifacts.open import open_repository
from projrun.tracking.artifacts.uris import local_path, uri_scheme
from projrun.tracking.rest.transport import Transport
from tests.tracking.loopback import Answer, Loopback, Received, serve

TOKEN = {"MLFLOW_TRACKING_TOKEN": "the-token"}
FILES: dict[str, list[dict[str, object]]] = {
    "0/r": [{"path": "sub", "is_dir": True}, {"path": "b.txt", "is_dir": False, "file_size": "1"}],
    "0/r/sub": [{"path": "a.txt", "is_dir": False, "file_size": 5}],
}


def storage(request: Received) -> Answer:
    """An artifact server with two files."""
    _, _, place = request.path.partition(f"/{ROUTE}")
    if request.method == "PUT":
        return Answer(b"")
    if place.startswith("?path="):
        listed = FILES.get(place.removeprefix("?path=").replace("%2F", "/"), [])
        return Answer(json.dumps({"files": listed}).encode())
    return Answer(place.encode())


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serve(storage) as server:
        yield server


@pytest.fixture
def other() -> Iterator[Loopback]:
    with serve(storage) as other:
        yield other


@pytest.fixture
def transport(server: Loopback) -> Iterator[Transport]:
    with closing(Transport.tracking(f"{server.uri}/prefix", TOKEN)) as transport:
        yield transport


@pytest.mark.parametrize(
    ("uri", "scheme"),
    [
        ("", ""),
        ("/a/b", ""),
        ("./a:b", ""),
        ("C:\\a", ""),
        ("file:///a", "file"),
        ("S3://b/k", "s3"),
        ("mlflow-artifacts:/0", "mlflow-artifacts"),
        ("1a:b", ""),
    ],
)
def test_scheme(uri: str, scheme: str) -> None:
    assert uri_scheme(uri) == scheme


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/a/b c", "/a/b c"),
        ("file:///a/b%20c", "/a/b c"),
        ("file:/a/b", "/a/b"),
        ("file://localhost/a", "/a"),
        ("FILE:///a", "/a"),
    ],
)
def test_local_places(uri: str, path: str) -> None:
    assert local_path(uri) == Path(path)
    repository = open_repository(uri)
    assert isinstance(repository, LocalArtifacts)
    assert repository.root == Path(path)


@pytest.mark.parametrize("uri", ["file://other.host/a", "file:a", "file:", "file:///a%00b", "file://[x/a"])
def test_file_uri_that_names_no_file_here(uri: str) -> None:
    with pytest.raises(TrackingError, match="is not a file on this machine"):
        open_repository(uri)


@pytest.mark.parametrize("uri", ["dbfs:/a", "ftp://user:word@host/a", "memory://a", "simplecache::s3://a"])
def test_unknown_scheme_is_refused(uri: str, transport: Transport) -> None:
    with pytest.raises(TrackingError) as caught:
        open_repository(uri, transport)
    assert "cannot reach artifacts" in caught.value.message
    assert "word" not in caught.value.message


@pytest.mark.parametrize("uri", ["mlflow-artifacts:/0/r", f"http://host/{ROUTE}/0"])
def test_served_artifacts_need_a_server(uri: str) -> None:
    with pytest.raises(TrackingError, match="none is configured"):
        open_repository(uri)


def test_web_address_that_is_no_artifact_storage(transport: Transport) -> None:
    with pytest.raises(TrackingError, match="not the artifact storage"):
        open_repository("https://host.test/somewhere", transport)


def test_artifacts_of_the_tracking_server(server: Loopback, transport: Transport, tmp_path: Path) -> None:
    repository = open_repository("mlflow-artifacts:/0/r", transport)
    file = tmp_path / "file"
    file.write_bytes(b"content")
    repository.upload(file, "sub dir/é#.txt")
    request = server.received[-1]
    assert (request.method, request.body) == ("PUT", b"content")
    assert request.path == f"/prefix/{ROUTE}/0/r/sub%20dir/%C3%A9%23.txt"
    assert [entry.path for entry in repository.list("sub")] == ["sub/a.txt"]
    repository.download("", tmp_path / "all")
    assert (tmp_path / "all" / "sub" / "a.txt").read_text() == "/0/r/sub/a.txt"
    assert {request.headers["authorization"] for request in server.received} == {"Bearer the-token"}


def test_artifact_uri_that_names_the_tracking_server(server: Loopback, transport: Transport) -> None:
    """Without the tracking URI's prefix where it names the host alone, as MLflow's client asks."""
    host = server.uri.removeprefix("http://")
    for uri, prefix in (
        (f"mlflow-artifacts://{host}/0/r", ""),
        (f"{server.uri}/prefix/{ROUTE}/0/r", "/prefix"),
    ):
        assert [entry.path for entry in open_repository(uri, transport).list()] == ["b.txt", "sub"]
        assert server.received[-1].headers["authorization"] == "Bearer the-token"
        assert server.received[-1].path == f"{prefix}/{ROUTE}?path=0%2Fr"


def test_path_is_taken_as_mlflows_client_takes_it(server: Loopback, transport: Transport) -> None:
    for uri in ("mlflow-artifacts:/x y/a%20b", f"{server.uri}/prefix/{ROUTE}/x%20y/a%2520b"):
        open_repository(uri, transport).list()
        assert server.received[-1].path == f"/prefix/{ROUTE}?path=x+y%2Fa%2520b"


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("https://host.test/prefix", True),
        ("https://HOST.test:443/prefix/", True),
        ("https://host.test/other", True),
        ("http://host.test/prefix", False),
        ("https://host.test:444/prefix", False),
        ("https://other.test/prefix", False),
    ],
)
def test_credentials_are_for_one_server(address: str, trusted: bool) -> None:
    with closing(Transport.tracking("https://host.test/prefix", TOKEN)) as tracking:
        there = tracking.towards(urlsplit(address))
        assert ("Authorization" in there._session.headers) is trusted
        there.close()


@pytest.mark.parametrize("uri", ["mlflow-artifacts://host:port/0", f"https://[::1/{ROUTE}"])
def test_artifact_uri_that_is_malformed(transport: Transport, uri: str) -> None:
    with pytest.raises(TrackingError, match="is malformed"):
        open_repository(uri, transport)


def test_another_server_gets_no_credentials(server: Loopback, other: Loopback, transport: Transport) -> None:
    host = other.uri.removeprefix("http://")
    for uri in (f"mlflow-artifacts://{host}/0/r", f"{other.uri}/{ROUTE}/0/r"):
        assert len(open_repository(uri, transport).list()) == 2
    assert server.received == []
    assert [request.path for request in other.received] == [f"/{ROUTE}?path=0%2Fr"] * 2
    assert all("authorization" not in request.headers for request in other.received)


@pytest.mark.parametrize("path", ["../../etc/passwd", "/etc/passwd", "a/../../b", "..\\x", ""])
def test_name_that_climbs_out_of_the_destination_is_refused(
    server: Loopback, transport: Transport, tmp_path: Path, path: str
) -> None:
    files = [{"path": path, "is_dir": False, "file_size": 1}]
    server.respond = lambda _: Answer(json.dumps({"files": files}).encode())
    with pytest.raises(TrackingError):
        open_repository("mlflow-artifacts:/0/r", transport).download("", tmp_path / "back")
    assert list(tmp_path.iterdir()) == []


def test_root_that_climbs_out_is_refused(transport: Transport) -> None:
    with pytest.raises(InvalidValueError):
        open_repository("mlflow-artifacts:/0/../secret", transport)
    with pytest.raises(InvalidValueError):
        open_repository(f"http://host.test/{ROUTE}/0/%2e%2e/secret", transport)


def test_server_that_names_folders_without_end_is_stopped(
    server: Loopback, transport: Transport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projrun.tracking.artifacts.mlflow_artifacts._MOST_FOLDERS", 20)
    server.respond = lambda _: Answer(b'{"files":[{"path":"deeper","is_dir":true}]}')
    with pytest.raises(TrackingError, match="over 20 folders"):
        open_repository("mlflow-artifacts:/0/r", transport).download("", tmp_path / "back")
    assert len(server.received) == 20


def test_file_that_is_not_there_is_found_out_by_listing(transport: Transport, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"has no artifact 'sub/none' in '0/r'"):
        open_repository("mlflow-artifacts:/0/r", transport).download("sub/none", tmp_path / "back")
    assert not (tmp_path / "back").exists()
