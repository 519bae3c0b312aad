"""From a model's address to its folder: used in place where it is on this machine, else fetched into the cache, once.

Addresses are those of MLflow (`runs:/ID/PATH`, `models:/NAME/3`, `models:/NAME@ALIAS`, `models:/m-ID`,
`mlflow-artifacts:/PATH`), folders of object stores, and whatever a project can be fetched from: folders, archives, git.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from projrun.bounded import LARGEST_FILE, read_file
from projrun.cache.entries import ContentCache
from projrun.credentials import redact_uri
from projrun.errors import ProjrunError, RequestError, SourceError
from projrun.http.object_stores import EXTRAS
from projrun.models.mlmodel import MLMODEL
from projrun.models.ownership import is_local, is_own
from projrun.sources.archives.known import Known, fingerprint, recall, remember
from projrun.sources.fetch import fetch
from projrun.sources.kinds import is_archive_name
from projrun.sources.options import FetchOptions
from projrun.sources.places import TREE, checkouts
from projrun.sources.policy import place_of
from projrun.sources.trusted_folders import prepare_cache
from projrun.tracking.artifacts.open import open_repository
from projrun.tracking.artifacts.paths import checked_path
from projrun.tracking.artifacts.references import Place, is_registered, resolve
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.artifacts.uris import below, uri_scheme
from projrun.tracking.entities import FileInfo
from projrun.tracking.runs import RunStore

_OF_STORES = ("runs", "models", "mlflow-artifacts")
_MOST_FILES = 100_000
_FORMS = "a model is a folder, runs:/RUN/PATH, models:/NAME/VERSION, models:/NAME@ALIAS or the address of an archive"


class Stores(NamedTuple):
    """Who is asked for `runs:`, `models:` and `mlflow-artifacts:` addresses."""

    runs: RunStore
    registry: RunStore
    """That of registered models: another one only where MLFLOW_REGISTRY_URI names it."""

    def asked(self, uri: str) -> tuple[RunStore, ...]:
        """The store that has an address, then that of runs, which the registry may lead to."""
        return (self.registry, self.runs) if is_registered(uri) else (self.runs,)

    def reached(self, uri: str, *, offline: bool) -> bool:
        """Whether an address can be resolved: `offline` contacts no server."""
        return not offline or all(map(is_local, self.asked(uri)))


class EmptyFolderError(SourceError):
    """There are no files at the address."""


class FetchedModel(NamedTuple):
    """A model's files on this machine."""

    shown: str
    """The address without credentials."""
    folder: Path
    """Read only: others may use it at the same time."""
    is_own: bool
    """Whether its code needs no more trust: it is in a folder that the address names, or `ownership` says so."""


def fetch_model(
    uri: str,
    options: FetchOptions,
    stores: Callable[[], AbstractContextManager[Stores]],
    names: frozenset[str] = frozenset(),
) -> FetchedModel:
    """The model that an address names; `stores` opens the tracking store where the address needs one.

    With `names`, only these files of its folder are fetched where they are not on this machine. Raises SourceError
    where it cannot be fetched, RequestError or TrackingError for an address that names nothing.
    """
    scheme = uri_scheme(uri)
    if scheme in EXTRAS and not is_archive_name(uri.partition("?")[0]):
        options.policy.check_place(*place_of(uri))
        return _Fetching(uri, (), options, names).fetched(Place(uri, ""))
    if not scheme and "@" not in uri and not (options.caller_directory / uri).expanduser().exists():
        raise RequestError(f"folder {uri!r} not found", hint=_FORMS)
    if scheme not in _OF_STORES:
        checkout = fetch(uri, None, options._replace(own_copy=False))
        return FetchedModel(checkout.uri, checkout.directory, is_own=checkout.cached is None)
    with stores() as opened:
        fetching = _Fetching(uri, opened.asked(uri), options, names)
        if not opened.reached(uri, offline=options.offline):
            return fetching.remembered()
        return fetching.fetched(resolve(uri, opened.runs, registry=opened.registry))


class _Fetching:
    """One model, and its place in the cache."""

    def __init__(
        self, uri: str, asked: Sequence[RunStore], options: FetchOptions, names: frozenset[str]
    ) -> None:
        self.shown = redact_uri(uri)
        self._asked = asked
        self._options = options
        self._names = names
        self._cache = ContentCache(checkouts(options.cache), probe=TREE)
        places = " ".join(store.uri for store in asked)
        self._record = options.cache / "models" / f"{fingerprint(f'{places} {uri} {sorted(names)}')}.json"

    def remembered(self) -> FetchedModel:
        """The files that the address led to when it was last asked for."""

        def refuse(entry: Path) -> None:
            raise SourceError(
                f"{self.shown} is not cached, and --offline contacts no server",
                hint="run it once without --offline",
            )

        known = recall(self._record)
        return self._entry(known.digest if known else fingerprint(self.shown), refuse)

    def fetched(self, place: Place) -> FetchedModel:
        """The files at a place: those that the server lists now."""
        if self._asked:
            repository = self._asked[-1].artifacts(place.artifact_uri)
        else:
            repository = open_repository(place.artifact_uri, environ=self._options.environ)
        if repository.folder is not None:
            folder = repository.folder / checked_path(place.path)
            return FetchedModel(self.shown, folder, is_own=is_own(folder, self._asked))
        if self._options.offline:
            return self.remembered()
        prepare_cache(self._options.cache)
        files = self._listed(repository, place.path)
        # A run's folder, and a version made of it, are one place.
        where = below(place.artifact_uri, place.path) if place.path else place.artifact_uri
        store = self._asked[-1].uri if self._asked else ""
        # Its MLmodel file tells a model from the one that was saved at the same place before: it has an id and a time.
        mlmodel = self._mlmodel(repository, place.path) if MLMODEL in dict(files) else ""
        key = sha256(json.dumps([store, where.rstrip("/"), files, mlmodel]).encode()).hexdigest()
        names = [name for name, _ in files] if self._names else [""]

        def build(entry: Path) -> None:
            self._download(repository, place.path, names, entry)
            if mlmodel and _digest(entry / TREE / MLMODEL) != mlmodel:
                raise SourceError(f"{self.shown} changed while it was fetched", hint="try again")

        return self._entry(key, build)

    def _mlmodel(self, repository: ArtifactRepository, path: str) -> str:
        """A digest of the file's content."""
        name = "/".join(filter(None, (path, MLMODEL)))
        with self._explained(), TemporaryDirectory(prefix="projrun-model-") as folder:
            return _digest(repository.download(name, Path(folder)))

    def _listed(self, repository: ArtifactRepository, path: str) -> list[tuple[str, int | None]]:
        """The paths in the folder, and their sizes."""
        listed = repository.list(path) if self._names else _files(repository, path)
        files = [(file.path[len(path) :].lstrip("/"), file.size) for file in listed if not file.is_dir]
        chosen = [file for file in files if not self._names or file[0] in self._names]
        if not chosen:
            raise EmptyFolderError(f"{self.shown} is not a model's folder, or is empty")
        return chosen

    def _entry(self, key: str, build: Callable[[Path], None]) -> FetchedModel:
        facts = {"kind": "model", "source": self.shown}
        with self._explained():
            entry, _ = self._cache.get_or_build(key, build, facts=facts)
            remember(self._record, Known(key))
        return FetchedModel(self.shown, entry / TREE, is_own=False)

    def _download(self, repository: ArtifactRepository, path: str, names: Sequence[str], entry: Path) -> None:
        """Each of the names below a path; the empty one is the folder itself."""
        with self._explained(), self._options.activity(f"Fetching {self.shown}"):
            for name in names:
                repository.download("/".join(filter(None, (path, name))), entry / "files")
        (entry / "files" / path).rename(entry / TREE)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Errors of the repository and of the disk as the source's."""
        try:
            yield
        except SourceError:
            raise
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise SourceError(
                f"{self.shown} cannot be fetched into {self._options.cache}: {reason}"
            ) from error
        except ProjrunError as error:
            raise SourceError(
                f"{self.shown} cannot be fetched: {error.message}", hint=error.hint, detail=error.detail
            ) from error


def _digest(mlmodel: Path) -> str:
    return sha256(read_file(mlmodel, LARGEST_FILE)).hexdigest()


def _files(repository: ArtifactRepository, path: str) -> Iterator[FileInfo]:
    """All files below a folder, in a fixed order."""
    folders, count = [path], 0
    while folders:
        for each in repository.list(folders.pop()):
            count += 1
            if count > _MOST_FILES:
                raise SourceError(f"{path or 'the model'} has more than {_MOST_FILES} files")
            if each.is_dir:
                folders.append(each.path)
            else:
                yield each
