"""Solves and installs one conda environment with py-rattler, in its own process.

py-rattler works in threads that an interrupt does not stop; a process can be ended, and its credentials
and its memory end with it. `python -m projrun_backends.environments.conda.worker JOB` reads the job's file; what
is happening goes to stdout, errors to stderr, and the exit code gives the kind of error.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import url2pathname

UNSOLVABLE = 3
BAD_SPEC = 4
UNREACHABLE = 5
NOT_INSTALLED = 6
CHANGED = 7
UNFIT = 8

MEANINGS = {
    UNSOLVABLE: "its channels cannot satisfy all of its dependencies together",
    BAD_SPEC: "a dependency is not a valid conda match specification",
    UNREACHABLE: "a channel or package cannot be read",
    NOT_INSTALLED: "a package could not be installed",
    CHANGED: "a package is not the one that was locked",
    UNFIT: "the installed version of py-rattler is not supported",
}
"""What the exit codes mean."""


_CODES = {
    "SolverError": UNSOLVABLE,
    "InvalidMatchSpecError": BAD_SPEC,
    "InvalidChannelError": BAD_SPEC,
    "InvalidUrlError": BAD_SPEC,
    "GatewayError": UNREACHABLE,
}
_LOOK = 0.1
"""Seconds between two looks at whether the runner still lives."""


class ChangedPackageError(Exception):
    """A package's digest is not that of the lock."""


class Package(NamedTuple):
    """A package of a lock."""

    url: str
    digest: str
    """`sha256:…`, a bare md5, or nothing."""


class Job(NamedTuple):
    """What is to be made."""

    prefix: str
    packages_directory: str
    """The cache of downloaded packages."""
    repodata_directory: str
    channels: tuple[str, ...]
    """Addresses."""
    specs: tuple[str, ...]
    locked: tuple[Package, ...]
    """What is to be installed without a solve, where the environment is locked."""
    is_locked: bool
    priority: str
    add_pip: bool
    config: str
    """rattler's configuration, TOML: certificates, proxies, mirrors, the file with credentials."""

    def to_json(self) -> str:
        """For the file."""
        return json.dumps(self._asdict())

    @classmethod
    def from_json(cls, text: str) -> Job:
        """From the file."""
        content: dict[str, Any] = json.loads(text)
        content["locked"] = tuple(Package(*package) for package in content["locked"])
        return cls(**content)


def main(argv: Sequence[str]) -> int:
    """Do the job described in the file; return the exit code."""
    job = Job.from_json(Path(argv[0]).read_text(encoding="utf-8"))
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    try:
        asyncio.run(_make(job))
    except Exception as error:
        print(str(error).strip() or type(error).__name__, file=sys.stderr)  # noqa: T201 - its only output
        return _code(error)
    return 0


def _code(error: Exception) -> int:
    """By the names of rattler's errors, since not every version has the classes."""
    if isinstance(error, ImportError | AttributeError | TypeError):
        return UNFIT
    if isinstance(error, ChangedPackageError) or "hash mismatch" in str(error):
        return CHANGED
    return _CODES.get(type(error).__name__, NOT_INSTALLED)


def _end_with(parent: int) -> None:
    """A runner that was killed with -9 cannot end its tools: nothing would use what they still write."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(NOT_INSTALLED)


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - its only output


async def _make(job: Job) -> None:
    from rattler import Client, Config, install

    _say(f"Building a solution for {len(job.specs) or len(job.locked)} packages")
    client = Client.from_config(Config.from_toml(job.config), user_agent="projrun")
    records = await _find(job, client)
    _say(f"Resolved {len(records)} packages")
    for record in sorted(records, key=lambda one: one.name.normalized):
        _say(f"  {record.name.normalized} {record.version} {record.build}")
    _say(f"Installing {len(records)} packages")
    await install(
        records,
        job.prefix,
        cache_dir=Path(job.packages_directory),
        # Packages may rely on them, and conda runs them; the packages' content will be run anyway.
        execute_link_scripts=True,
        client=client,
        requested_specs=[spec._match_spec for spec in _specs(job)],
        reporter=_reporter(),
    )


async def _find(job: Job, client: Any) -> list[Any]:
    from rattler import Gateway, SourceConfig
    from rattler.exceptions import GatewayError

    find = _query if job.is_locked else _solve
    folder = Path(job.repodata_directory)
    try:
        return await find(job, Gateway(cache_dir=folder, client=client))
    except GatewayError as error:
        # Python's own http.server, for one, omits the date when it answers that nothing has changed.
        if "304 Not Modified" not in str(error):
            raise
        afresh = SourceConfig(cache_action="no-cache")
        return await find(job, Gateway(cache_dir=folder, client=client, default_config=afresh))


def _specs(job: Job) -> list[Any]:
    from rattler import MatchSpec
    from rattler.exceptions import InvalidMatchSpecError

    specs = []
    for text in job.specs:
        try:
            specs.append(MatchSpec(text))
        except InvalidMatchSpecError as error:
            raise InvalidMatchSpecError(f"{text!r}: {error}") from None
    return specs


async def _solve(job: Job, gateway: Any) -> list[Any]:
    from rattler import Channel, ChannelPriority, VirtualPackage, VirtualPackageOverrides, solve

    return await solve(
        [Channel(url) for url in job.channels],
        _specs(job),
        gateway=gateway,
        virtual_packages=VirtualPackage.detect(VirtualPackageOverrides.from_env()),
        channel_priority=ChannelPriority[job.priority.capitalize()],
        add_pip_as_python_dependency=job.add_pip,
    )


async def _query(job: Job, gateway: Any) -> list[Any]:
    """The very packages of a lock."""
    from rattler import MatchSpec, Subdir

    for package in job.locked:
        _check_local(package)
    addresses = [f"{one.url}#{one.digest}" if one.digest else one.url for one in job.locked]
    specs = [MatchSpec.from_url(address) for address in addresses]
    subdirs = [Subdir.current(), Subdir("noarch")]
    found = await gateway.query([], subdirs, specs, recursive=False)
    return [record for records in found for record in records]


def _check_local(package: Package) -> None:
    """rattler compares what it downloads with the digest, but not what is in a folder."""
    if not package.digest or not package.url.startswith("file://"):
        return
    file = Path(url2pathname(urlsplit(package.url).path))
    if not file.is_file():
        return  # rattler says so
    algorithm, _, digest = package.digest.rpartition(":")
    content = file.read_bytes()
    actual = hashlib.new(algorithm or "md5", content, usedforsecurity=False).hexdigest()
    if actual != digest:
        raise ChangedPackageError(f"{package.url} has the digest {actual}, not {digest}")


def _reporter() -> Any:
    from rattler import InstallerReporter

    class Reporter(InstallerReporter):
        """Says which packages are downloaded."""

        def __init__(self) -> None:
            self._names: dict[int, str] = {}

        def on_populate_cache_start(self, operation: int, package_name: str) -> int:
            self._names[operation] = package_name
            return operation

        def on_download_start(self, cache_entry: int) -> int:
            _say(f"Downloading {self._names.get(cache_entry, '')}")
            return cache_entry

    made: Any = Reporter  # abstract only to a type checker: its methods' bodies are docstrings
    return made()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Tearing down the interpreter while rattler's threads still call into it has crashed.
    os._exit(code)
