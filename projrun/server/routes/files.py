"""Files for pages: those of runs, model versions and logged models, to be saved; and one to be kept for a run."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from projrun.errors import InvalidValueError
from projrun.server import answers, permissions, wire
from projrun.server.api import Route, own_paths, served_paths, streaming
from projrun.server.errors import TooLargeError
from projrun.server.files.names import safe_path
from projrun.server.files.receiving import receive
from projrun.server.files.sending import ArtifactResponse
from projrun.server.files.threads import in_thread
from projrun.server.stores import Stores
from projrun.tracking.artifacts.references import Place, resolve
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.artifacts.transfers import transfers_of
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.runs import RunStore

_LARGEST = 10 * 1024 * 1024
"""Bytes of a file that a page keeps, as with MLflow."""


class _OfRun(wire.OfRun, kw_only=True):
    path: str
    framed: bool = False


class _OfVersion(wire.Message):
    name: str
    version: str


class _FileOfVersion(_OfVersion):
    path: str


class _FolderOfVersion(_OfVersion):
    path: str = ""


class _OfModel(wire.Message):
    model_id: str
    artifact_file_path: str = ""


class _Kept(wire.Message):
    run_uuid: str = ""
    path: str = ""

    @property
    def run(self) -> str:
        """The run's id. Raises InvalidValueError where none is given."""
        if not self.run_uuid:
            raise InvalidValueError("Request must specify run_uuid.")
        return self.run_uuid


async def _of_run(request: Request, stores: Stores, message: _OfRun) -> Response:
    def find(store: RunStore) -> ArtifactRepository:
        return store.artifacts(store.get_run(message.run).artifact_uri)

    path = safe_path(message.path)
    return await _sent(await stores.read(find), path, framed=message.framed)


async def _of_version(request: Request, stores: Stores, message: _FileOfVersion) -> Response:
    path = safe_path(message.path)
    repository, folder = await stores.read(lambda store: _version(store, message))
    return await _sent(repository, safe_path(f"{folder}/{path}") if folder else path)


async def _list_of_version(request: Request, stores: Stores, message: _FolderOfVersion) -> Response:
    """The entries of a folder, by their paths below the version's."""
    path = safe_path(message.path)
    repository, folder = await stores.read(lambda store: _version(store, message))
    found = await in_thread(repository.list, f"{folder}/{path}".strip("/"))
    below = tuple(info._replace(path=info.path[len(folder) :].lstrip("/")) for info in found)
    return Response(msgspec.json.encode({"files": answers.files(below)}), media_type="application/json")


def _version(store: RunStore, message: _OfVersion) -> tuple[ArtifactRepository, str]:
    """Where the files of a version are."""
    registry = part_of(store, ModelRegistry)
    uri = registry.get_model_version_download_uri(message.name, message.version)
    # Any other URI is a place already; a name of a model would lead to what the caller may not read.
    place = resolve(uri, store) if uri.startswith("runs:") else Place(uri, "")
    return store.artifacts(place.artifact_uri), place.path


async def _of_model(request: Request, stores: Stores, message: _OfModel) -> Response:
    def find(store: RunStore) -> ArtifactRepository:
        return store.artifacts(part_of(store, LoggedModels).get_logged_model(message.model_id).artifact_uri)

    if not message.artifact_file_path:
        raise InvalidValueError('Request must include the "artifact_file_path" query parameter.')
    path = safe_path(message.artifact_file_path)
    return await _sent(await stores.read(find), path)


async def _sent(repository: ArtifactRepository, path: str, *, framed: bool = False) -> Response:
    return ArtifactResponse(await in_thread(transfers_of(repository).open, path), path, framed=framed)


async def _keep(request: Request, stores: Stores, message: _Kept) -> Response:
    """A file that a page makes, as an artifact of a run."""
    run = message.run
    if not message.path:
        raise InvalidValueError("Request must specify path.")
    path = safe_path(message.path)
    repository = await stores.read(lambda store: store.artifacts(store.get_run(run).artifact_uri))
    transfers = transfers_of(repository)
    limit = min(_LARGEST, stores.files.upload_limit or _LARGEST)
    try:
        await receive(request, lambda size: transfers.create(path, size), limit, empty=False)
    except TooLargeError:
        if limit < _LARGEST:
            raise
        raise InvalidValueError("Artifact size is too large. Max size is 10MB.") from None
    return Response(media_type="application/json")


_FILES_OF_MODEL = tuple(
    path
    for version in ("2.0", "3.0")
    for path in served_paths("logged-models/{model_id}/artifacts/files", version)
)

ROUTES: tuple[Route, ...] = (
    streaming(
        "GET", ("/get-artifact", *served_paths("get-artifact")), _OfRun, _of_run, needs=permissions.READ_RUN
    ),
    streaming(
        "GET",
        ("/model-versions/get-artifact", *served_paths("model-versions/get-artifact")),
        _FileOfVersion,
        _of_version,
        needs=permissions.READ_MODEL,
    ),
    streaming(
        "GET",
        own_paths("model-versions/files"),
        _FolderOfVersion,
        _list_of_version,
        needs=permissions.READ_MODEL,
    ),
    streaming("GET", _FILES_OF_MODEL, _OfModel, _of_model, needs=permissions.READ_LOGGED_MODEL),
    streaming("POST", served_paths("upload-artifact"), _Kept, _keep, needs=permissions.EDIT_RUN),
)
