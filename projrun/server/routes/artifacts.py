"""Artifacts: a run's list, and the files that the server passes on, by MLflow's `mlflow-artifacts` routes."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from projrun.server import answers, permissions, wire
from projrun.server.api import PROXIED, served_paths, streaming
from projrun.server.files.names import safe_path
from projrun.server.files.receiving import receive
from projrun.server.files.sending import ArtifactResponse
from projrun.server.files.threads import in_thread
from projrun.server.places import SERVED, ArtifactUri, Places
from projrun.server.stores import Stores
from projrun.tracking.artifacts.local_transfers import LocalTransfers
from projrun.tracking.artifacts.paths import checked_file_path
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.artifacts.transfers import ArtifactTransfers, transfers_of
from projrun.tracking.runs import RunStore

_FILES = served_paths("artifacts/{path:path}", service="mlflow-artifacts")


class _Folder(wire.Message):
    path: str = ""


class _File(wire.Message):
    path: str


class _Entries(msgspec.Struct, omit_defaults=True):
    files: list[answers.File] = []


class _List(wire.OfRun):
    path: str = ""
    page_token: str = ""


class _Files(msgspec.Struct, omit_defaults=True):
    root_uri: ArtifactUri
    files: list[answers.File] = []


async def _list_of_run(request: Request, stores: Stores, message: _List) -> Response:
    path = safe_path(message.path)

    def find(store: RunStore) -> tuple[str, ArtifactRepository]:
        root = store.get_run(message.run).artifact_uri
        return root, store.artifacts(root)

    root, repository = await stores.read(find)
    found = _Files(ArtifactUri(root), answers.files(await in_thread(repository.list, path)))
    places = Places(None if request.scope.get(PROXIED) else await stores.folder())
    return _json(msgspec.json.encode(found, enc_hook=places.write))


async def _list(request: Request, stores: Stores, message: _Folder) -> Response:
    """The entries of a folder, by their names alone."""
    path = safe_path(message.path)
    repository = await stores.read(lambda store: store.artifacts(SERVED))
    found = await in_thread(repository.list, path)
    named = (info._replace(path=info.path.rpartition("/")[2]) for info in found)
    return _json(msgspec.json.encode(_Entries(answers.files(tuple(named)))))


async def _download(request: Request, stores: Stores, message: _File) -> Response:
    """A file's bytes, a range of them where the client asks for it."""
    path = safe_path(message.path)
    transfers = await _served(stores)
    return ArtifactResponse(await in_thread(transfers.open, path), path)


async def _upload(request: Request, stores: Stores, message: _File) -> Response:
    """A file's bytes as they arrive; the file appears whole or not at all."""
    path = safe_path(message.path)
    transfers = await _served(stores)
    await receive(request, lambda size: transfers.create(path, size), stores.files.upload_limit)
    return _json(b"{}")


async def _delete(request: Request, stores: Stores, message: _File) -> Response:
    """A file, or a folder with all that is in it; never all that the server keeps, which `.` would name."""
    path = checked_file_path(safe_path(message.path))
    transfers = await _served(stores)
    await in_thread(transfers.delete, path)
    return _json(b"{}")


async def _served(stores: Stores) -> ArtifactTransfers:
    """The files that the server passes on; a folder of this machine is known without asking the store."""
    folder = await stores.folder()
    if folder is not None:
        return LocalTransfers(folder)
    return transfers_of(await stores.read(lambda store: store.artifacts(SERVED)))


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


ROUTES = (
    streaming("GET", served_paths("artifacts/list"), _List, _list_of_run, needs=permissions.READ_RUN),
    streaming(
        "GET",
        served_paths("artifacts", service="mlflow-artifacts"),
        _Folder,
        _list,
        needs=permissions.READ_ARTIFACT,
    ),
    streaming("GET", _FILES, _File, _download, needs=permissions.READ_ARTIFACT),
    streaming("PUT", _FILES, _File, _upload, needs=permissions.EDIT_ARTIFACT),
    streaming("DELETE", _FILES, _File, _delete, needs=permissions.MANAGE_ARTIFACT),
)
