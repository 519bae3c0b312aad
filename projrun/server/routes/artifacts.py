"""Artifacts: a run's list, and the files that the server passes on, by MLflow's `mlflow-artifacts` routes."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from projrun.server import answers, permissions, wire
from projrun.server.api import reading, served_paths, streaming
from projrun.server.files.names import safe_path
from projrun.server.files.receiving import receive
from projrun.server.files.sending import ArtifactResponse
from projrun.server.files.threads import in_thread
from projrun.server.places import SERVED, ArtifactUri
from projrun.server.stores import Stores
from projrun.tracking.artifacts.local_transfers import LocalTransfers
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


def _list_of_run(store: RunStore, message: _List) -> _Files:
    path = safe_path(message.path)
    root = store.get_run(message.run).artifact_uri
    return _Files(ArtifactUri(root), answers.files(store.artifacts(root).list(path)))


def _list(store: RunStore, message: _Folder) -> _Entries:
    """The entries of a folder, by their names alone."""
    found = store.artifacts(SERVED).list(safe_path(message.path))
    named = (info._replace(path=info.path.rpartition("/")[2]) for info in found)
    return _Entries(answers.files(tuple(named)))


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
    return Response(b"{}", media_type="application/json")


async def _delete(request: Request, stores: Stores, message: _File) -> Response:
    """A file, or a folder with all that is in it."""
    path = safe_path(message.path)
    transfers = await _served(stores)
    await in_thread(transfers.delete, path)
    return Response(b"{}", media_type="application/json")


async def _served(stores: Stores) -> ArtifactTransfers:
    """The files that the server passes on; a folder of this machine is known without asking the store."""
    folder = await stores.folder()
    if folder is not None:
        return LocalTransfers(folder)
    return transfers_of(await stores.read(lambda store: store.artifacts(SERVED)))


ROUTES = (
    reading("GET", "artifacts/list", _List, _list_of_run, needs=permissions.READ_RUN),
    reading("GET", "artifacts", _Folder, _list, needs=permissions.READ_ARTIFACT, service="mlflow-artifacts"),
    streaming("GET", _FILES, _File, _download, needs=permissions.READ_ARTIFACT),
    streaming("PUT", _FILES, _File, _upload, needs=permissions.EDIT_ARTIFACT),
    streaming("DELETE", _FILES, _File, _delete, needs=permissions.MANAGE_ARTIFACT),
)
