"""Artifacts: a run's list, and the files themselves by the `mlflow-artifacts` routes, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio.from_thread
import anyio.to_thread
import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from projrun.errors import InvalidValueError, NotFoundError
from projrun.server import answers, wire
from projrun.server.api import reading
from projrun.server.errors import explain
from projrun.server.stores import Stores
from projrun.tracking.artifacts.files import write_whole
from projrun.tracking.artifacts.local import LocalArtifacts
from projrun.tracking.artifacts.paths import checked_file_path, contained
from projrun.tracking.sql.store import SqlStore

_FILES = "/api/2.0/mlflow-artifacts/artifacts"


class _List(wire.OfRun):
    path: str = ""


class _Files(msgspec.Struct, omit_defaults=True):
    root_uri: str = ""
    files: list[answers.File] = []


def _list_of_run(store: SqlStore, message: _List) -> _Files:
    root = store.get_run(message.run).artifact_uri
    return _Files(root, answers.files(store.artifacts(root).list(message.path)))


def _list_route(stores: Stores) -> Route:
    """The entries of a folder, by their names alone."""

    def find(path: str) -> _Files:
        found = LocalArtifacts(stores.artifact_root).list(path)
        return _Files(
            files=answers.files(tuple(info._replace(path=info.path.rpartition("/")[2]) for info in found))
        )

    async def respond(request: Request) -> Response:
        try:
            found = await anyio.to_thread.run_sync(find, request.query_params.get("path", ""))
        except Exception as error:
            return explain(error)
        return Response(msgspec.json.encode(found), media_type="application/json")

    return Route(_FILES, respond, methods=["GET"])


def _download_route(stores: Stores) -> Route:
    """A file's bytes, a range of them where the client asks for it."""

    async def respond(request: Request) -> Response:
        try:
            place = await anyio.to_thread.run_sync(
                _existing, stores.artifact_root, request.path_params["path"]
            )
        except Exception as error:
            return explain(error)
        headers = {"X-Content-Type-Options": "nosniff"}
        return FileResponse(place, headers=headers, filename=place.name)

    return Route(f"{_FILES}/{{path:path}}", respond, methods=["GET"])


def _upload_route(stores: Stores) -> Route:
    """A file's bytes to disk as they arrive; the file appears whole or not at all."""

    async def respond(request: Request) -> Response:
        try:
            place = await anyio.to_thread.run_sync(
                _writable, stores.artifact_root, request.path_params["path"]
            )
            await anyio.to_thread.run_sync(write_whole, _chunks(request), place)
        except Exception as error:
            return explain(error)
        return Response()

    return Route(f"{_FILES}/{{path:path}}", respond, methods=["PUT"])


def _chunks(request: Request) -> Iterator[bytes]:
    """The body, for a thread: each part is fetched on the event loop."""
    stream = request.stream()

    async def following() -> bytes | None:
        return await anext(stream, None)

    while (part := anyio.from_thread.run(following)) is not None:
        yield part


def _existing(root: Path, path: str) -> Path:
    place = contained(root, checked_file_path(path))
    if not place.is_file():
        raise NotFoundError(f"artifact {path!r} not found")
    return place


def _writable(root: Path, path: str) -> Path:
    place = contained(root, checked_file_path(path))
    if place.is_dir():
        raise InvalidValueError(f"the artifact {path!r} is a folder already")
    return place


ROUTES = (
    reading("GET", "artifacts/list", _List, _list_of_run),
    _list_route,
    _download_route,
    _upload_route,
)
