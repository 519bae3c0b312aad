"""Artifacts: a run's list, and the files themselves by the `mlflow-artifacts` routes, streamed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

import anyio.from_thread
import anyio.to_thread
import msgspec
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from projrun.errors import InvalidValueError, NotFoundError
from projrun.server import answers, permissions, wire
from projrun.server.api import reading, served_paths, streaming
from projrun.server.places import SERVED, ArtifactUri
from projrun.server.stores import Stores
from projrun.tracking.artifacts.files import write_whole
from projrun.tracking.artifacts.paths import checked_file_path, checked_new_path, contained
from projrun.tracking.runs import RunStore

_FILES = served_paths("artifacts/{path:path}", service="mlflow-artifacts")


class _Folder(wire.Message):
    path: str = ""


class _File(wire.Message):
    path: str


class _Entries(msgspec.Struct, omit_defaults=True):
    files: list[answers.File] = []


class _List(wire.OfRun):
    REFUSED: ClassVar[tuple[str, ...]] = ("page_token",)
    path: str = ""


class _Files(msgspec.Struct, omit_defaults=True):
    root_uri: ArtifactUri
    files: list[answers.File] = []


def _list_of_run(store: RunStore, message: _List) -> _Files:
    root = store.get_run(message.run).artifact_uri
    return _Files(ArtifactUri(root), answers.files(store.artifacts(root).list(message.path)))


def _list(store: RunStore, message: _Folder) -> _Entries:
    """The entries of a folder, by their names alone."""
    found = store.artifacts(SERVED).list(message.path)
    named = (info._replace(path=info.path.rpartition("/")[2]) for info in found)
    return _Entries(answers.files(tuple(named)))


async def _download(request: Request, stores: Stores, message: _File) -> Response:
    """A file's bytes, a range of them where the client asks for it."""
    path, copied = message.path, None
    try:
        folder = await stores.folder()
        if folder is not None:
            place = await anyio.to_thread.run_sync(_existing, folder, path)
        else:
            copied = await anyio.to_thread.run_sync(_temporary_folder)
            place = await stores.read(partial(_copy, path=path, target=copied))
    except BaseException:
        await _removed(copied)
        raise
    headers = {"X-Content-Type-Options": "nosniff"}
    removal = BackgroundTask(_removed, copied)
    return FileResponse(place, headers=headers, filename=place.name, background=removal)


async def _upload(request: Request, stores: Stores, message: _File) -> Response:
    """A file's bytes to disk as they arrive; the file appears whole or not at all."""
    path, received = message.path, None
    try:
        folder = await stores.folder()
        if folder is not None:
            place = await anyio.to_thread.run_sync(_writable, folder, path)
            await anyio.to_thread.run_sync(write_whole, _chunks(request), place)
        else:
            received = await anyio.to_thread.run_sync(_temporary_folder)
            await anyio.to_thread.run_sync(write_whole, _chunks(request), received / "file")
            await stores.read(partial(_send, file=received / "file", path=path))
    finally:
        await _removed(received)
    return Response()


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
        raise NotFoundError(f"there is no artifact {path!r}")
    return place


def _writable(root: Path, path: str) -> Path:
    place = contained(root, checked_new_path(path))
    if place.is_dir():
        raise InvalidValueError(f"the artifact {path!r} is a folder already")
    return place


def _copy(store: RunStore, path: str, target: Path) -> Path:
    place = store.artifacts(SERVED).download(checked_file_path(path), target)
    if not place.is_file():
        raise NotFoundError(f"there is no artifact {path!r}")
    return place


def _send(store: RunStore, file: Path, path: str) -> None:
    store.artifacts(SERVED).upload(file, checked_new_path(path))


def _temporary_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="projrun-artifact-"))


async def _removed(folder: Path | None) -> None:
    if folder is not None:
        await anyio.to_thread.run_sync(partial(shutil.rmtree, folder, ignore_errors=True))


ROUTES = (
    reading("GET", "artifacts/list", _List, _list_of_run, needs=permissions.READ_RUN),
    reading("GET", "artifacts", _Folder, _list, needs=permissions.READ_ARTIFACT, service="mlflow-artifacts"),
    streaming("GET", _FILES, _File, _download, needs=permissions.READ_ARTIFACT),
    streaming("PUT", _FILES, _File, _upload, needs=permissions.EDIT_ARTIFACT),
)
