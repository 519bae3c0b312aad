"""Fetching an archive into the cache, where it is stored unpacked under the hash of its content."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

from projrun.cache.entries import ContentCache
from projrun.cache.locks import exclusive
from projrun.credentials import redact_uri
from projrun.directories import make_private
from projrun.errors import RequestError, SourceError
from projrun.sources.archives.deadline import within
from projrun.sources.archives.digest import check_digest, digest_of, parse_digest
from projrun.sources.archives.errors import UnpackError
from projrun.sources.archives.known import Known, fingerprint, recall, remember
from projrun.sources.archives.limits import LIMITS, Limits
from projrun.sources.archives.remote import RemoteArchive, Sink
from projrun.sources.archives.stored import StoredArchive
from projrun.sources.cached_tree import CachedTree
from projrun.sources.options import FetchOptions
from projrun.sources.places import TOP, TREE, archives, checkouts
from projrun.sources.policy import place_of
from projrun.sources.trusted_folders import check_owned

_LAYOUT = "archive-2"
"""Part of each key: increase it when archives are unpacked differently."""

Build = Callable[[Path], None]


def fetch_archive(
    location: str, version: str | None, options: FetchOptions, *, limits: Limits = LIMITS
) -> CachedTree:
    """The unpacked archive: a local path, an http(s) URL, or a URI of an object store; each ends as archives do.

    `version` is `sha256:HASH`, of an archive that is cached then no server is asked. Raises RequestError for any
    other version and for a file that does not exist, SourceError where fetching failed, or the archive or the
    place is refused.
    """
    protocol, host = place_of(location)
    wanted = None if version is None else parse_digest(version)
    shelf = _Shelf(location, options, limits)
    options.policy.check_place(protocol, host)
    options.policy.check_pinned(shelf.shown, pinned=wanted is not None)
    with _failures(shelf.shown, options.cache):
        if protocol == "file":
            fetched = shelf.local(Path(location), wanted)
        else:
            check_owned(archives(options.cache))
            fetched = shelf.pinned(wanted) if wanted else shelf.latest()
    return fetched._replace(version=wanted and f"sha256:{wanted}")


class _Shelf:
    """One archive, and its place in the cache."""

    def __init__(self, location: str, options: FetchOptions, limits: Limits) -> None:
        self.shown = redact_uri(location)
        self._location = location
        self._options = options
        self._limits = limits
        self._cache = ContentCache(checkouts(options.cache), probe=TREE)
        self._left_out: tuple[str, ...] = ()

    def local(self, place: Path, wanted: str | None) -> CachedTree:
        """A file of this machine: its content is hashed each time, its name and dates mean nothing."""
        with _open_file(place) as file:
            before = os.fstat(file.fileno())
            digest = digest_of(file)
            check_digest(digest, wanted, self.shown)

            def build(entry: Path) -> None:
                self._unpack(file, place.name, entry)
                after = os.fstat(file.fileno())
                if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                    raise SourceError(f"{self.shown} changed while it was read", hint="try again")

            return self._entry(digest, build)

    def pinned(self, wanted: str) -> CachedTree:
        """The archive with a known hash: fetched where it is not cached, and then it must have that hash."""

        def build(entry: Path) -> None:
            self._check_online()
            with _unnamed_file(self._options.cache) as file:
                self._download(self._remote(), file, None, wanted)
                self._unpack(file, self._remote().name, entry)

        return self._entry(wanted, build)

    def latest(self) -> CachedTree:
        """The archive as the server has it now; offline, as it was fetched last."""
        remote = self._remote()
        record = archives(self._options.cache) / f"{fingerprint(remote.identity)}.json"
        known = self._usable(recall(record))
        if self._options.offline:
            if known is None:
                self._check_online()
            else:
                note = f"offline: {self.shown} as last fetched is used (sha256:{known.digest})"
                return self.pinned(known.digest)._replace(notes=(note,))
        # Concurrent first runs fetch once: those that waited ask whether anything changed since.
        with _lock(record) if known is None else nullcontext():
            return self._current(remote, self._usable(recall(record)), record)

    def _current(self, remote: RemoteArchive, known: Known | None, record: Path) -> CachedTree:
        with _unnamed_file(self._options.cache) as file:
            news = self._download(remote, file, known, None)
            if news is known:
                return self.pinned(news.digest)
            fetched = self._entry(news.digest, lambda entry: self._unpack(file, remote.name, entry))
            remember(record, news)
        return fetched

    def _remote(self) -> RemoteArchive:
        if self._location.lower().startswith(("http://", "https://")):
            from projrun.sources.archives.web import WebArchive

            return WebArchive(self._location, self._options.environ, self._options.policy)
        return StoredArchive(self._location, self._options.environ)

    def _download(
        self, remote: RemoteArchive, file: BinaryIO, known: Known | None, wanted: str | None
    ) -> Known:
        sink = Sink(file, self._limits.download, self.shown)
        with self._options.activity(f"Fetching {self.shown}"):
            news = within(self._limits.seconds, lambda: remote.obtain(sink, known), self.shown)
        check_digest(news.digest, wanted, self.shown)
        return news

    def _unpack(self, file: BinaryIO, name: str, entry: Path) -> None:
        from projrun.sources.archives.extraction import unpack

        try:
            with self._options.activity(f"Unpacking {self.shown}"):
                self._left_out = unpack(file, name, entry / TREE, self._limits)
        except UnpackError as error:
            raise SourceError(f"{self.shown} {error.text}", hint=error.hint) from None

    def _entry(self, digest: str, build: Build) -> CachedTree:
        facts = {"kind": "archive", "source": self.shown, "sha256": digest}
        entry, built = self._cache.get_or_build(_key(digest), build, facts=facts)
        warnings = tuple(f"{self.shown}: {line}" for line in self._left_out) if built else ()
        return CachedTree(entry / TREE, digest=digest, warnings=warnings, top=_top(entry))

    def _usable(self, known: Known | None) -> Known | None:
        """What is remembered about an archive that is no longer cached is useless."""
        return known if known and self._cache.find(_key(known.digest)) else None

    def _check_online(self) -> None:
        if self._options.offline:
            raise SourceError(
                f"{self.shown} is not cached, and --offline contacts no server",
                hint="run it once without --offline",
            )


def _top(entry: Path) -> str:
    try:
        return os.fsdecode((entry / TOP).read_bytes())
    except FileNotFoundError:
        return ""


def _key(digest: str) -> str:
    return hashlib.sha256(f"{_LAYOUT}:{digest}".encode()).hexdigest()


@contextmanager
def _open_file(place: Path) -> Iterator[BinaryIO]:
    try:
        regular = stat.S_ISREG(place.stat().st_mode)
        opened = place.open("rb") if regular else None
    except FileNotFoundError:
        raise RequestError(f"archive {str(place)!r} not found") from None
    except OSError as error:
        raise SourceError(f"{str(place)!r} cannot be read: {error.strerror}") from None
    if opened is None:  # reading a pipe would wait for ever
        raise SourceError(f"{str(place)!r} is not a regular file")
    with opened:
        yield opened


@contextmanager
def _unnamed_file(cache: Path) -> Iterator[BinaryIO]:
    """A file on the cache's disk that disappears when it is closed, however this process ends."""
    make_private(cache)
    with TemporaryFile(dir=cache) as file:
        yield cast(BinaryIO, file)


@contextmanager
def _lock(record: Path) -> Iterator[None]:
    make_private(record.parent)
    with exclusive(record.with_suffix(".lock")):
        yield


@contextmanager
def _failures(shown: str, cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"{shown} cannot be unpacked into {cache}: {error.strerror or type(error).__name__}",
            hint="free some space, or set PROJRUN_CACHE_DIR to a writable folder",
        ) from error
