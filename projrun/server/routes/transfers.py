"""Large files past the server: uploads in parts and downloads by signed addresses, where the artifacts are in S3."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from projrun.errors import InvalidValueError
from projrun.server import wire
from projrun.server.api import Route, Streamer, reading, served_paths, streaming
from projrun.server.calls import check_content_type, read_body
from projrun.server.decoding import decode
from projrun.server.files.names import safe_path
from projrun.server.files.threads import in_thread
from projrun.server.permissions import READ_ARTIFACT, READ_RUN, Needs, Resource
from projrun.server.places import SERVED, Places
from projrun.server.stores import Stores
from projrun.tracking.artifacts.signatures import ArtifactSignatures, Part, signatures_of
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import NotKeptError, part_of
from projrun.tracking.runs import RunStore

_DOWNLOAD_SECONDS, _UPLOAD_SECONDS = 300, 900
"""How long addresses are valid, as with MLflow."""
_LONGEST = 7 * 24 * 3600
"""Seconds: S3 refuses more when the address is used."""
_SERVICE = "mlflow-artifacts"
_NOT_SUPPORTED = "is not supported for the current artifact repository"
_NO_PARTS = f"Multipart upload {_NOT_SUPPORTED}"
"""By these words MLflow's client knows that it may send the file whole."""
_Sent = TypeVar("_Sent", bound="_OfFile")


class _Folder(wire.Message):
    artifact_path: str


class _OfFile(wire.Message):
    """`path` is the file's on the client; only its name counts."""

    path: str

    def place(self, folder: _Folder) -> str:
        """The path of the artifact. Raises InvalidValueError."""
        name = self.path.replace("\\", "/").rpartition("/")[2]
        return safe_path(f"{safe_path(folder.artifact_path)}/{name}")


class _Begin(_OfFile):
    num_parts: int = 1


class _PartSent(wire.Message):
    part_number: int = 0
    etag: str = ""
    url: str = ""


class _Finish(_OfFile):
    upload_id: str = ""
    parts: tuple[_PartSent, ...] = ()


class _Abort(_OfFile):
    upload_id: str = ""


class _Presigned(wire.Message):
    path: str


class _Credential(msgspec.Struct):
    url: str
    part_number: int
    headers: dict[str, str] = {}


class _Begun(msgspec.Struct):
    upload_id: str
    credentials: list[_Credential]


class _Address(msgspec.Struct, omit_defaults=True):
    url: str
    headers: dict[str, str]
    file_size: int | None = None


class _OfRunFile(wire.OfRun, kw_only=True):
    path: str
    expiration: int = _DOWNLOAD_SECONDS


class _UploadOf(wire.Message):
    path: str
    run_id: str = ""
    model_id: str = ""
    expiration: int = _UPLOAD_SECONDS


class _RunAddress(msgspec.Struct, omit_defaults=True):
    presigned_url: str
    headers: dict[str, str] = {}
    file_size: int | None = None


async def _begin(request: Request, stores: Stores, folder: _Folder) -> Response:
    if (
        stores.files.upload_limit is not None
    ):  # S3 takes parts of any size: the client sends the file here instead
        raise NotKeptError(_NO_PARTS)
    sent, signatures = await _sent(request, stores, _Begin)
    upload = await in_thread(signatures.begin, sent.place(folder), sent.num_parts)
    credentials = [_Credential(address, number) for number, address in enumerate(upload.addresses, 1)]
    return _json(_Begun(upload.upload_id, credentials))


async def _finish(request: Request, stores: Stores, folder: _Folder) -> Response:
    sent, signatures = await _sent(request, stores, _Finish)
    parts = [Part(part.part_number, part.etag) for part in sent.parts]
    await in_thread(signatures.finish, sent.place(folder), sent.upload_id, parts)
    return _json({})


async def _abort(request: Request, stores: Stores, folder: _Folder) -> Response:
    sent, signatures = await _sent(request, stores, _Abort)
    await in_thread(signatures.abort, sent.place(folder), sent.upload_id)
    return _json({})


async def _sent(request: Request, stores: Stores, message: type[_Sent]) -> tuple[_Sent, ArtifactSignatures]:
    """The body, and what signs."""
    check_content_type(request.scope["headers"])
    sent = decode(await read_body(request.receive), message, Places(None).read)
    return sent, await stores.read(lambda store: _signatures(store, SERVED, "Multipart upload"))


def _json(answer: object) -> Response:
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _download(store: RunStore, message: _Presigned) -> _Address:
    signatures = _signatures(store, SERVED, "Multipart download")
    return _Address(*signatures.download(safe_path(message.path), _DOWNLOAD_SECONDS))


def _download_of_run(store: RunStore, message: _OfRunFile) -> _RunAddress:
    path, seconds = safe_path(message.path), _checked(message.expiration)
    signatures = _direct(store, store.get_run(message.run).artifact_uri, "Presigned download")
    return _RunAddress(*signatures.download(path, seconds))


def _upload(store: RunStore, message: _UploadOf) -> _RunAddress:
    if bool(message.run_id) == bool(message.model_id):
        raise InvalidValueError("Exactly one of run_id and model_id must be provided.")
    path, seconds = safe_path(message.path), _checked(message.expiration)
    if message.run_id:
        uri = store.get_run(message.run_id).artifact_uri
    else:
        uri = part_of(store, LoggedModels).get_logged_model(message.model_id).artifact_uri
    return _RunAddress(*_direct(store, uri, "Presigned upload").upload(path, seconds))


def _direct(store: RunStore, uri: str, what: str) -> ArtifactSignatures:
    """For artifacts that clients reach themselves."""
    scheme = uri.partition(":")[0]
    if scheme in ("http", "https", "mlflow-artifacts"):
        raise InvalidValueError(
            f"{what} is not supported for proxied artifact storage (artifact URI scheme: {scheme})."
        )
    return _signatures(store, uri, what)


def _signatures(store: RunStore, uri: str, what: str) -> ArtifactSignatures:
    found = signatures_of(store.artifacts(uri))
    if found is None:
        raise NotKeptError(f"{what} {_NOT_SUPPORTED}")
    return found


def _checked(seconds: int) -> int:
    if not 1 <= seconds <= _LONGEST:
        raise InvalidValueError(f"expiration must be between 1 and {_LONGEST} seconds (got {seconds}).")
    return seconds


def _folder(message: Any) -> tuple[Resource]:
    return (Resource("artifact", message.artifact_path),)


def _either(message: Any) -> tuple[Resource]:
    return (
        Resource("run", message.run_id) if message.run_id else Resource("logged_model", message.model_id),
    )


def _posting(action: str, streamer: Streamer[_Folder]) -> Route:
    """What an upload needs is done by threads for files: the store is not written."""
    paths = served_paths(f"mpu/{action}/{{artifact_path:path}}", service=_SERVICE)
    return streaming("POST", paths, _Folder, streamer, needs=Needs("EDIT", _folder))


ROUTES: tuple[Route, ...] = (
    _posting("create", _begin),
    _posting("complete", _finish),
    _posting("abort", _abort),
    reading("GET", "presigned/{path:path}", _Presigned, _download, needs=READ_ARTIFACT, service=_SERVICE),
    reading("POST", "artifacts/presigned-download-url", _OfRunFile, _download_of_run, needs=READ_RUN),
    reading("POST", "artifacts/presigned-upload-url", _UploadOf, _upload, needs=Needs("EDIT", _either)),
)
