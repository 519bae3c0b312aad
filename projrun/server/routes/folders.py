"""Artifacts as a page shows them: a folder as a zip archive, the first rows of a table. Not MLflow's routes."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from projrun.server import permissions, wire
from projrun.server.api import own_paths, streaming
from projrun.server.files.names import safe_path
from projrun.server.files.threads import in_thread
from projrun.server.stores import Stores
from projrun.tracking.artifacts.media import disposition_of
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.artifacts.transfers import transfers_of
from projrun.tracking.runs import RunStore


class _Folder(wire.OfRun):
    path: str = ""


class _Table(wire.OfRun, kw_only=True):
    path: str
    rows: wire.Int64 = 100


class _Preview(msgspec.Struct):
    columns: list[str]
    rows: list[list[str]]
    total: int | None
    more: bool


async def _zip(request: Request, stores: Stores, message: _Folder) -> Response:
    from projrun.server.files.zipping import files_below, zipped

    path = safe_path(message.path)
    repository = await _of_run(stores, message.run)
    files = await in_thread(files_below, repository, path)
    name = path.rpartition("/")[2] or message.run
    headers = {
        "content-disposition": disposition_of(f"{name}.zip"),
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(zipped(repository, files, path), headers=headers, media_type="application/zip")


async def _table(request: Request, stores: Stores, message: _Table) -> Response:
    from projrun.server.files.previews import preview

    path = safe_path(message.path)
    repository = await _of_run(stores, message.run)

    def read() -> _Preview:
        file = transfers_of(repository).open(path)
        try:
            return _Preview(*preview(file, path, message.rows))
        finally:
            file.close()

    return Response(msgspec.json.encode(await in_thread(read)), media_type="application/json")


async def _of_run(stores: Stores, run_id: str) -> ArtifactRepository:
    def find(store: RunStore) -> ArtifactRepository:
        return store.artifacts(store.get_run(run_id).artifact_uri)

    return await stores.read(find)


ROUTES = (
    streaming("GET", own_paths("artifacts/zip"), _Folder, _zip, needs=permissions.READ_RUN),
    streaming("GET", own_paths("artifacts/table"), _Table, _table, needs=permissions.READ_RUN),
)
