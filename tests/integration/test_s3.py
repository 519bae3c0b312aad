"""Artifacts in S3, as moto's server stands in for it: in pieces, whole or not at all, and by signed addresses."""

from __future__ import annotations

import os
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import requests

from projrun.errors import InvalidValueError, NotFoundError, TrackingError
from projrun.testing.artifacts import ArtifactConformance
from projrun.tracking.artifacts.remote import RemoteArtifacts
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.artifacts.signatures import ArtifactSignatures, Part, signatures_of
from projrun.tracking.artifacts.transfers import ArtifactTransfers, transfers_of
from tests.support.program import projrun_server
from tests.support.s3 import S3, s3_server
from tests.tracking.transfers_kit import WholeKit, content, written

pytestmark = [pytest.mark.integration, pytest.mark.together("S3")]

MEBI = 1024 * 1024


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as s3:
        yield s3


@pytest.fixture
def variables(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    for name, value in s3.variables.items():
        monkeypatch.setenv(name, value)
    return s3.variables


@pytest.fixture
def bucket(s3: S3, variables: Mapping[str, str]) -> str:
    """The URI of a new bucket."""
    name = f"bucket-{uuid.uuid4().hex}"
    urllib.request.urlopen(urllib.request.Request(f"{s3.address}/{name}", method="PUT"), timeout=60).close()
    return f"s3://{name}"


@pytest.fixture
def artifacts(bucket: str, variables: Mapping[str, str]) -> RemoteArtifacts:
    return RemoteArtifacts(f"{bucket}/some/folder", variables)


class TestConformance(ArtifactConformance):
    @pytest.fixture
    def artifacts(self, bucket: str, variables: Mapping[str, str]) -> ArtifactRepository:
        return RemoteArtifacts(f"{bucket}/0/run/artifacts", variables)


class TestTransfers(WholeKit):
    @pytest.fixture
    def repository(self, artifacts: RemoteArtifacts) -> ArtifactRepository:
        return artifacts

    def test_large_file_goes_in_parts(self, transfers: ArtifactTransfers) -> None:
        pieces = [bytes([number]) * MEBI for number in range(20)]
        written(transfers, "large", *pieces)
        assert content(transfers, "large") == b"".join(pieces)

    def test_large_file_that_is_discarded_leaves_no_parts(
        self, transfers: ArtifactTransfers, artifacts: RemoteArtifacts
    ) -> None:
        new = transfers.create("large")
        for _ in range(20):
            new.write(bytes(MEBI))
        uploads = _uploads(artifacts)
        assert [upload["Key"] for upload in uploads] == ["some/folder/large"]
        new.discard()
        assert _uploads(artifacts) == []
        with pytest.raises(NotFoundError):
            transfers.open("large")

    def test_file_that_is_replaced_is_not_mixed_with_the_old_one(self, transfers: ArtifactTransfers) -> None:
        written(transfers, "file", b"old" * 1000)
        file = transfers.open("file")
        assert file.read(0, 3) == b"old"
        written(transfers, "file", b"new" * 1000)
        with pytest.raises(TrackingError, match="does not give file"):
            file.read(3, 3)
        file.close()


def _uploads(artifacts: RemoteArtifacts) -> list[dict[str, str]]:
    name = artifacts.place("").partition("/")[0]
    found = artifacts.filesystem.call_s3("list_multipart_uploads", Bucket=name)
    return list(found.get("Uploads", []))


@pytest.fixture
def signatures(artifacts: RemoteArtifacts) -> ArtifactSignatures:
    found = signatures_of(artifacts)
    assert found is not None
    return found


def _put(address: str, body: bytes, headers: Mapping[str, str] | None = None) -> str:
    answer = requests.put(address, data=body, headers=headers, timeout=60)
    answer.raise_for_status()
    return answer.headers.get("ETag", "")


def test_upload_in_parts(signatures: ArtifactSignatures, artifacts: RemoteArtifacts) -> None:
    pieces = [b"a" * 5 * MEBI, b"the end"]
    upload = signatures.begin("a b/é.bin", len(pieces))
    parts = [
        Part(number, _put(address, piece))
        for number, (address, piece) in enumerate(zip(upload.addresses, pieces, strict=True), 1)
    ]
    assert artifacts.list("a b") == ()
    signatures.finish("a b/é.bin", upload.upload_id, parts)
    assert content(transfers_of(artifacts), "a b/é.bin") == b"".join(pieces)


def test_upload_that_is_aborted(signatures: ArtifactSignatures, artifacts: RemoteArtifacts) -> None:
    upload = signatures.begin("file", 1)
    _put(upload.addresses[0], b"x")
    signatures.abort("file", upload.upload_id)
    assert _uploads(artifacts) == []
    assert artifacts.list() == ()
    with pytest.raises(NotFoundError, match="no such upload"):
        signatures.abort("file", upload.upload_id)
    for parts in (0, 10_001, -1):
        with pytest.raises(InvalidValueError, match="1 to 10000 parts"):
            signatures.begin("file", parts)
    with pytest.raises(InvalidValueError):
        signatures.begin("../file", 1)


def test_download_by_a_signed_address(signatures: ArtifactSignatures, artifacts: RemoteArtifacts) -> None:
    written(transfers_of(artifacts), "page é.html", b"<script>")
    signed = signatures.download("page é.html", 60)
    assert signed.size == 8
    with urllib.request.urlopen(signed.address, timeout=60) as answer:
        assert answer.read() == b"<script>"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    with pytest.raises(NotFoundError):
        signatures.download("none", 60)


def test_upload_by_a_signed_address(signatures: ArtifactSignatures, artifacts: RemoteArtifacts) -> None:
    signed = signatures.upload("plot.png", 60)
    _put(signed.address, b"png", signed.headers)
    assert content(transfers_of(artifacts), "plot.png") == b"png"


def test_bucket_that_is_not_there(variables: Mapping[str, str]) -> None:
    artifacts = RemoteArtifacts("s3://no-such-bucket/x", variables)
    assert artifacts.list() == ()
    with pytest.raises(NotFoundError):
        transfers_of(artifacts).open("file")
    found = signatures_of(artifacts)
    assert found is not None
    with pytest.raises(NotFoundError, match="no such bucket"):
        found.begin("file", 1)


_CLIENT = """
import os, sys
from pathlib import Path
import mlflow
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

folder = Path(sys.argv[1])
big = folder / "big.bin"
content = os.urandom(1024) * 1024 * 60
big.write_bytes(content)
(folder / "small.txt").write_text("small")
client = MlflowClient()
run = client.create_run("0")
root = run.info.artifact_uri
client.log_artifact(run.info.run_id, str(big), "models")
client.log_artifact(run.info.run_id, str(folder / "small.txt"))
assert [(each.path, each.file_size) for each in client.list_artifacts(run.info.run_id, "models")] == [
    ("models/big.bin", len(content))
]
for path, expected in (("models/big.bin", content), ("small.txt", b"small")):
    found = client.download_artifacts(run.info.run_id, path, str(folder))
    assert Path(found).read_bytes() == expected
    Path(found).unlink()
get_artifact_repository(root).delete_artifacts("small.txt")
assert [each.path for each in client.list_artifacts(run.info.run_id)] == ["models"]
print(root)
"""


def test_mlflow_sends_large_files_in_parts(
    s3: S3, bucket: str, variables: Mapping[str, str], mlflow3_python: Path, tmp_path: Path
) -> None:
    """The server says that it can; the client sends six parts to S3 itself, and fetches the file there."""
    sizes = {f"MLFLOW_MULTIPART_{way}_MINIMUM_FILE_SIZE": "50000000" for way in ("UPLOAD", "DOWNLOAD")}
    (tmp_path / "client").mkdir()
    (tmp_path / "server").mkdir()
    destination = f"{bucket}/mlflow"
    with projrun_server(
        tmp_path / "server", "--artifacts-destination", destination, environ=variables
    ) as program:
        environ = {
            **os.environ,
            **sizes,
            "MLFLOW_TRACKING_URI": program.uri,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        }
        done = subprocess.run(
            [str(mlflow3_python), "-c", _CLIENT, str(tmp_path / "client")],
            env=environ, capture_output=True, text=True, timeout=200, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
    root = done.stdout.strip().splitlines()[-1].removeprefix("mlflow-artifacts:/")
    artifacts = RemoteArtifacts(destination, variables)
    info = artifacts.filesystem.info(artifacts.place(f"{root}/models/big.bin"))
    assert info["ETag"].strip('"').endswith("-6")
    assert not (tmp_path / "server" / "artifacts" / "0").exists()
