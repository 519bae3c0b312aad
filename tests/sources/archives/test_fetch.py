"""Fetching archives into the cache: what is asked of whom, and what is left behind when it goes wrong."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from projrun.cache.entries import ContentCache, describe
from projrun.errors import ProjrunError, RequestError, SourceError
from projrun.settings import Setting
from projrun.sources.archives.fetch import fetch_archive
from projrun.sources.archives.limits import Limits
from projrun.sources.cached_tree import CachedTree
from projrun.sources.options import FetchOptions
from projrun.sources.places import archives, checkouts
from projrun.sources.policy import TrustPolicy
from tests.sources.archives.making import ENDINGS, archive, files_of
from tests.tracking.loopback import Answer, Loopback, Received, serve

CONTENT = archive(".zip", ["top/MLproject", "top/a"])
OTHER = archive(".zip", ["top/MLproject", "top/b"])
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILES = {"MLproject": "content", "a": "content"}


class Site:
    """What a web server has under each path; it knows ETags."""

    def __init__(self) -> None:
        self.files = {"/x.zip": CONTENT}
        self.sent = 0

    def __call__(self, request: Received) -> Answer:
        content = self.files.get(request.path.partition("?")[0])
        if content is None:
            return Answer(b"", 404)
        tag = f'"{hashlib.sha256(content).hexdigest()}"'
        if request.headers.get("if-none-match") == tag:
            return Answer(b"", 304, {"ETag": tag})
        self.sent += 1
        return Answer(content, headers={"ETag": tag})


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def server(site: Site) -> Iterator[Loopback]:
    with serve(site) as server:
        yield server


@pytest.fixture
def options(tmp_path: Path) -> FetchOptions:
    return FetchOptions(tmp_path / "cache", {"NETRC": "/nowhere"}, tmp_path)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    file = tmp_path / "x.zip"
    file.write_bytes(CONTENT)
    return file


def failure(location: object, options: FetchOptions, version: str | None = None) -> ProjrunError:
    """The error of a fetch that must fail, and leave nothing that a later run would use."""
    before = entries(options)
    with pytest.raises(ProjrunError) as caught:
        fetch_archive(str(location), version, options)
    assert entries(options) == before
    assert "\n" not in caught.value.message
    if not before:
        assert {path.suffix for path in options.cache.rglob("*") if path.is_file()} <= {".lock", ".json"}
    return caught.value


def entries(options: FetchOptions) -> list[str]:
    return [entry.key for entry in ContentCache(checkouts(options.cache), probe="tree").entries()]


# --- files of this machine ---


@pytest.mark.parametrize("ending", ENDINGS)
def test_local_archive(tmp_path: Path, options: FetchOptions, ending: str) -> None:
    file = tmp_path / f"some name{ending.upper()}"
    content = archive(ending, ["top/MLproject", "top/a"])
    file.write_bytes(content)
    fetched = fetch_archive(str(file), None, options)
    assert files_of(fetched.tree) == FILES
    assert fetched.digest == hashlib.sha256(content).hexdigest()
    assert (fetched.commit, fetched.branch, fetched.version, fetched.warnings) == (None, None, None, ())
    assert describe(fetched.tree.parent)["source"] == str(file)
    assert describe(fetched.tree.parent)["sha256"] == fetched.digest


def test_local_archive_is_known_by_its_content(local: Path, options: FetchOptions) -> None:
    first = fetch_archive(str(local), None, options)
    status = local.stat()
    other = local.with_name("other.zip")
    other.write_bytes(CONTENT)
    assert fetch_archive(str(other), None, options) == first
    local.write_bytes(OTHER)
    os.utime(local, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert set(files_of(fetch_archive(str(local), None, options).tree)) == {"MLproject", "b"}


@pytest.mark.parametrize("version", [f"sha256:{DIGEST}", f"sha256:{DIGEST.upper()}"])
def test_local_archive_with_its_hash(local: Path, options: FetchOptions, version: str) -> None:
    fetched = fetch_archive(str(local), version, options)
    assert fetched.version == f"sha256:{DIGEST}"
    local.write_bytes(OTHER)
    error = failure(local, options, version)
    assert isinstance(error, SourceError)
    assert DIGEST in error.message
    assert hashlib.sha256(OTHER).hexdigest() in error.message


def test_other_versions_are_a_mistake(local: Path, options: FetchOptions, server: Loopback) -> None:
    for place in (local, f"{server.uri}/x.zip"):
        assert isinstance(failure(place, options, "main"), RequestError)
    assert server.received == []


def test_local_archive_that_is_not_there(tmp_path: Path, options: FetchOptions) -> None:
    error = failure(tmp_path / "absent.zip", options)
    assert isinstance(error, RequestError)
    assert "not found" in error.message


def test_what_is_no_file_is_not_waited_for(tmp_path: Path, options: FetchOptions) -> None:
    os.mkfifo(tmp_path / "x.zip")
    (tmp_path / "y.zip").mkdir()
    for name in ("x.zip", "y.zip"):
        assert "is not a regular file" in failure(tmp_path / name, options).message


def test_local_archive_that_changes_meanwhile(local: Path, options: FetchOptions) -> None:
    """What is kept under a hash has that hash."""

    class Changing:
        def __enter__(self) -> None:
            os.utime(local, (1, 1))

        def __exit__(self, *_: object) -> None:
            pass

    error = failure(local, options._replace(activity=lambda _: Changing()))
    assert "changed while it was read" in error.message


def test_refused_archive_leaves_nothing(local: Path, options: FetchOptions) -> None:
    local.write_bytes(archive(".zip", ["a", "../evil"]))
    error = failure(local, options)
    assert isinstance(error, SourceError)
    assert error.message == f"{local} is refused: its member '../evil' leads out of the archive by '..'"
    local.write_bytes(CONTENT[:-10])
    assert failure(local, options).message.startswith(f"{local} is damaged: ")
    local.write_bytes(b"<html>")
    assert "it is a web page" in failure(local, options).message


def test_what_is_left_out_is_a_warning(local: Path, options: FetchOptions) -> None:
    local.write_bytes(archive(".zip", ["a", ".git/config"]))
    (warning,) = fetch_archive(str(local), None, options).warnings
    assert warning.startswith(f"{local}: its .git is skipped")


def test_cache_that_cannot_be_written(local: Path, options: FetchOptions) -> None:
    options.cache.write_text("a file")
    error = failure(local, options)
    assert isinstance(error, SourceError)
    assert "cannot be unpacked into" in error.message
    assert "PROJRUN_CACHE_DIR" in error.hint


# --- web servers ---


def test_download_and_what_is_asked_the_next_time(
    options: FetchOptions, server: Loopback, site: Site
) -> None:
    first = fetch_archive(f"{server.uri}/x.zip", None, options)
    assert files_of(first.tree) == FILES
    assert fetch_archive(f"{server.uri}/x.zip", None, options) == first
    assert (len(server.received), site.sent) == (2, 1)
    site.files["/x.zip"] = OTHER
    changed = fetch_archive(f"{server.uri}/x.zip", None, options)
    assert set(files_of(changed.tree)) == {"MLproject", "b"}
    assert set(files_of(first.tree)) == set(FILES)


def test_same_content_of_another_place_is_unpacked_once(
    options: FetchOptions, server: Loopback, local: Path
) -> None:
    assert (
        fetch_archive(f"{server.uri}/x.zip", None, options).tree
        == fetch_archive(str(local), None, options).tree
    )


def test_archive_that_is_cached_no_more_is_fetched_anew(
    options: FetchOptions, server: Loopback, site: Site
) -> None:
    first = fetch_archive(f"{server.uri}/x.zip", None, options)
    (first.tree / "MLproject").unlink()
    (first.tree / "a").unlink()
    first.tree.rmdir()
    assert files_of(fetch_archive(f"{server.uri}/x.zip", None, options).tree) == FILES
    assert (len(server.received), site.sent) == (2, 2)


def test_pinned_archive_that_is_cached_asks_nobody(options: FetchOptions, server: Loopback) -> None:
    version = f"sha256:{DIGEST.upper()}"
    first = fetch_archive(f"{server.uri}/x.zip", version, options)
    assert files_of(first.tree) == FILES
    assert len(server.received) == 1
    assert fetch_archive(f"{server.uri}/x.zip", version, options) == first
    assert fetch_archive("https://elsewhere.invalid/x.zip", version, options) == first
    assert len(server.received) == 1


def test_pinned_archive_that_is_another(options: FetchOptions, server: Loopback, site: Site) -> None:
    site.files["/x.zip"] = OTHER
    error = failure(f"{server.uri}/x.zip", options, f"sha256:{DIGEST}")
    assert DIGEST in error.message
    assert hashlib.sha256(OTHER).hexdigest() in error.message


def test_pinned_archive_says_nothing_of_the_latest(
    options: FetchOptions, server: Loopback, site: Site
) -> None:
    fetch_archive(f"{server.uri}/x.zip", f"sha256:{DIGEST}", options)
    site.files["/x.zip"] = OTHER
    assert set(files_of(fetch_archive(f"{server.uri}/x.zip", None, options).tree)) == {"MLproject", "b"}


def test_offline(options: FetchOptions, server: Loopback) -> None:
    offline, url = options._replace(offline=True), f"{server.uri}/x.zip"
    for version in (None, f"sha256:{DIGEST}"):
        error = failure(url, offline, version)
        assert error.message == f"{url} is not cached, and --offline contacts no server"
    fetched = fetch_archive(url, None, options)
    again = fetch_archive(url, None, offline)
    assert again._replace(notes=()) == fetched
    assert again.notes == (f"offline: {url} as last fetched is used (sha256:{DIGEST})",)
    assert fetch_archive(url, f"sha256:{DIGEST}", offline).notes == ()
    assert len(server.received) == 1


def test_local_archive_offline(local: Path, options: FetchOptions) -> None:
    assert fetch_archive(str(local), None, options._replace(offline=True)).notes == ()


def test_no_secret_is_kept_or_told(options: FetchOptions, server: Loopback, site: Site) -> None:
    url = f"{server.with_user('me:hunter2-Tok')}/x.zip?token=s3cr3t"
    said: list[str] = []

    class Said:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    def activity(text: str) -> Said:
        said.append(text)
        return Said()

    fetched = fetch_archive(url, None, options._replace(activity=activity))
    told = repr(fetched) + repr(said)
    site.files["/x.zip"] = archive(".zip", ["../evil"])
    told += failure(url, options).message
    kept = b"".join(path.read_bytes() for path in options.cache.rglob("*") if path.is_file())
    names = "".join(str(path) for path in options.cache.rglob("*"))
    for secret in ("hunter2-Tok", "s3cr3t"):
        assert secret not in told + names
        assert secret.encode() not in kept
    assert f"Fetching {server.uri}/x.zip?token=***" in said


def test_what_is_remembered_is_the_users_alone(options: FetchOptions, server: Loopback) -> None:
    fetch_archive(f"{server.uri}/x.zip", None, options)
    place = archives(options.cache)
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    place.chmod(0o777)
    assert "the cache is refused" in failure(f"{server.uri}/x.zip", options).message


def test_many_first_runs_at_once_fetch_once(options: FetchOptions, server: Loopback, site: Site) -> None:
    together = threading.Barrier(8)

    def run(version: str | None) -> CachedTree:
        together.wait()
        return fetch_archive(f"{server.uri}/x.zip", version, options)

    for version in (None, f"sha256:{hashlib.sha256(OTHER).hexdigest()}"):
        site.sent = 0
        with ThreadPoolExecutor(8) as pool:
            trees = {fetched.tree for fetched in pool.map(run, [version] * 8)}
        assert len(trees) == 1
        assert site.sent == 1
        site.files["/x.zip"] = OTHER


def test_server_that_trickles_is_given_up(options: FetchOptions, server: Loopback) -> None:
    end = threading.Event()

    def trickle(_: Received) -> bytes:
        end.wait(20)
        return b""

    server.respond = trickle
    started = time.monotonic()
    with pytest.raises(SourceError, match=r"it was not complete after 0.3 s"):
        fetch_archive(f"{server.uri}/x.zip", None, options, limits=Limits(seconds=0.3))
    assert time.monotonic() - started < 10
    end.set()


def test_download_that_is_too_long(options: FetchOptions, server: Loopback) -> None:
    with pytest.raises(SourceError, match="is refused: it is longer than 100 bytes"):
        fetch_archive(f"{server.uri}/x.zip", None, options, limits=Limits(download=100))


# --- trust ---


def test_places_that_are_not_allowed(options: FetchOptions, server: Loopback, local: Path) -> None:
    strict = options._replace(policy=TrustPolicy(hosts=[Setting("example.org", "config.toml")]))
    version = f"sha256:{DIGEST}"
    error = failure(f"{server.uri}/x.zip", strict)
    assert "config.toml sets allowed-hosts to 'example.org'" in error.message
    fetch_archive(str(local), None, strict)
    failure(
        f"{server.uri}/x.zip", strict, version
    )  # cached or not: whence code comes is what the rule is about
    failure("s3://bucket/x.zip", strict)
    no_files = options._replace(policy=TrustPolicy(protocols=[Setting("https", "config.toml")]))
    assert "allowed-protocols" in failure(local, no_files).message
    assert server.received == []


def test_archives_that_must_be_pinned(options: FetchOptions, server: Loopback, local: Path) -> None:
    strict = options._replace(policy=TrustPolicy(pinned=[Setting("true", "config.toml")]))
    for place in (local, f"{server.uri}/x.zip"):
        error = failure(place, strict)
        assert error.message == f"{place} is refused: config.toml sets require-pinned"
        assert files_of(fetch_archive(str(place), f"sha256:{DIGEST}", strict).tree) == FILES


# --- object stores ---


class Bucket(MemoryFileSystem):  # type: ignore[misc]
    """fsspec's file system in memory, under the name of S3."""

    protocol = "s3"

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("s3:/")))


def test_object_store(monkeypatch: pytest.MonkeyPatch, options: FetchOptions) -> None:
    monkeypatch.setitem(sys.modules["fsspec.registry"]._registry, "s3", Bucket)
    Bucket().pipe("/bucket/x.zip", CONTENT)
    try:
        fetched = fetch_archive("s3://bucket/x.zip", None, options)
        assert files_of(fetched.tree) == FILES
        assert fetch_archive("s3://bucket/x.zip", None, options) == fetched
        Bucket().pipe("/bucket/x.zip", OTHER)
        assert set(files_of(fetch_archive("s3://bucket/x.zip", None, options).tree)) == {"MLproject", "b"}
        strict = options._replace(policy=TrustPolicy(hosts=[Setting("other", "config.toml")]))
        assert "'bucket' is refused" in failure("s3://bucket/x.zip", strict).message
    finally:
        fsspec.filesystem("memory").rm("/bucket", recursive=True)
