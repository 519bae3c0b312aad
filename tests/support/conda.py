"""A conda channel on this machine: the interpreter behind the tests, repackaged, and tiny packages made by hand."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from projrun_backends.environments.conda.lock import current_platform
from projrun_backends.environments.python.interpreters import running_interpreter
from projrun_backends.environments.python.seed_packages import seed_wheels
from tests.support.commands import missing
from tests.support.guard import PACKAGE_CACHE

_LEFT_OUT = frozenset(
    [
        "test",
        "tests",
        "idlelib",
        "tkinter",
        "turtledemo",
        "lib2to3",
        "pydoc_data",
        "site-packages",
        "ensurepip",
    ]
)
_DATE = 1_700_000_000

Content = bytes | Path
"""The content of a file: itself, or where it lies."""


class Package(NamedTuple):
    """A package to be made."""

    name: str
    version: str
    files: Mapping[str, Content]
    """By path in the prefix; of a noarch Python package its modules are below `site-packages/`."""
    links: Mapping[str, str] = {}
    depends: Sequence[str] = ()
    noarch: str | None = None
    """`python`, `generic`, or None for this platform."""
    entry_points: Sequence[str] = ()
    build: str = "0"


def conda_channel() -> Path:
    """The channel, made when it is not there yet and kept in `.cache`; several processes may ask at once."""
    interpreter = running_interpreter()
    if sys.platform != "linux" or Path(sys.base_prefix) == Path("/usr"):
        missing("a conda channel can be made from an interpreter that is not Debian's, on Linux")
    identity = f"{interpreter.path} {interpreter.version} {Path(__file__).read_text(encoding='utf-8')}"
    folder = PACKAGE_CACHE / "conda" / hashlib.sha256(identity.encode()).hexdigest()[:12]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock", timeout=300):
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            write_channel(folder / "channel", [_python(), _pip(), *_small_packages()])
            (folder / "complete").touch()
    return folder / "channel"


def conda_forge() -> Path:
    """A folder in which that channel is called `conda-forge`: the base for conda's `custom_channels`."""
    base = conda_channel().with_name("named")
    base.mkdir(exist_ok=True)
    with suppress(FileExistsError):
        (base / "conda-forge").symlink_to(conda_channel())
    return base


def shared_packages(cache: Path) -> None:
    """Let an environment cache use the downloaded packages of earlier tests: unpacking Python takes a second."""
    shared = conda_channel().with_name("packages")
    shared.mkdir(exist_ok=True)
    (cache / "conda-packages").mkdir(parents=True)
    (cache / "conda-packages/pkgs").symlink_to(shared)


def write_channel(folder: Path, packages: Sequence[Package]) -> Path:
    """Make the packages and the indexes; py-rattler must be installed."""
    from rattler.index import index_fs

    (folder / "noarch").mkdir(parents=True, exist_ok=True)
    for package in packages:
        _write_package(folder, package)
    asyncio.run(index_fs(folder))
    return folder


def module(name: str, version: str, *, depends: Sequence[str] = ("python",)) -> Package:
    """A noarch package of one module that holds its version, and of a command that prints it."""
    source = f"VERSION = {version!r}\n\ndef main():\n    print({name!r}, VERSION)\n"
    return Package(
        name,
        version,
        {f"site-packages/{name}.py": source.encode()},
        depends=depends,
        noarch="python",
        entry_points=[f"{name} = {name}:main"],
    )


def generic(name: str, files: Mapping[str, str]) -> Package:
    """A package of text files, without Python."""
    return Package(name, "1.0", {path: text.encode() for path, text in files.items()}, noarch="generic")


def _small_packages() -> list[Package]:
    return [
        module("cog", "1.0"),
        module("cog", "2.0"),
        module("crank", "1.0", depends=["python", "cog <2"]),
        module("lever", "1.0", depends=["python", "fulcrum"]),
        generic("plain", {"share/plain.txt": "plain\n"}),
        generic(
            "setter",
            {
                "etc/conda/activate.d/10-first.sh": 'export FIRST="$CONDA_PREFIX/share"\nset -- lost words\n',
                "etc/conda/activate.d/20-second.sh": 'export SECOND="${FIRST##*/} and ${OUTSIDE:-nothing}"\n',
                "etc/conda/env_vars.d/setter.json": '{"FROM_JSON": "a $HOME \\"b\\"", "REPLACED": "by the package"}',
            },
        ),
        generic(
            "linker", {"bin/.linker-post-link.sh": '#!/bin/sh\necho linked > "$PREFIX/share-linked.txt"\n'}
        ),
    ]


def _python() -> Package:
    """This interpreter with its standard library, compiled, and without what a package manager does not need."""
    base, version = Path(sys.base_prefix), running_interpreter().version
    name = f"python{version.major}.{version.minor}"
    files: dict[str, Content] = {f"bin/{name}": _relocated(base / "bin" / name, base)}
    files |= {f"lib/{library.name}": library for library in base.glob(f"lib/lib{name}.so.*")}
    files |= {str(path.relative_to(base)): path for path in _library(base / "lib" / name)}
    files[f"lib/{name}/site-packages/README.txt"] = b""
    links = {"bin/python": name, "bin/python3": name}
    return Package("python", str(version), files, links)


def _relocated(executable: Path, base: Path) -> bytes:
    """With the path of its library, where it is an absolute one, made relative in place."""
    absolute = os.fsencode(base / "lib") + b"\0"
    return executable.read_bytes().replace(absolute, b"$ORIGIN/../lib".ljust(len(absolute), b"\0"))


def _library(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _LEFT_OUT and not name.startswith("config-")]
        yield from (Path(parent, name) for name in names if ".opt-" not in name)


def _pip() -> Package:
    wheel = seed_wheels(running_interpreter().version)[0]
    with zipfile.ZipFile(wheel) as archive:
        files = {
            f"site-packages/{name}": archive.read(name)
            for name in archive.namelist()
            if not name.endswith("/")
        }
    version = wheel.name.split("-")[1]
    entry_points = ["pip = pip._internal.cli.main:main"]
    return Package("pip", version, files, {}, ["python >=3.7"], "python", entry_points)


def _write_package(channel: Path, package: Package) -> None:
    subdir = "noarch" if package.noarch else current_platform()
    file = channel / subdir / f"{package.name}-{package.version}-{package.build}.tar.bz2"
    file.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(file, "w:bz2", compresslevel=1) as archive:
        for path, text in _information(package, subdir).items():
            _add(archive, path, json.dumps(text).encode())
        for path, content in package.files.items():
            _add(archive, path, content)
        for path, target in package.links.items():
            link = tarfile.TarInfo(path)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)


def _add(archive: tarfile.TarFile, path: str, content: Content) -> None:
    data = content if isinstance(content, bytes) else content.read_bytes()
    member = tarfile.TarInfo(path)
    member.size, member.mtime = len(data), _DATE
    if isinstance(content, Path):
        # Compiled modules name the time of their source.
        member.mtime = int(content.stat().st_mtime)
    member.mode = 0o755 if path.startswith("bin/") else 0o644
    archive.addfile(member, io.BytesIO(data))


def _information(package: Package, subdir: str) -> dict[str, object]:
    """The files below `info/`: https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html"""
    index: dict[str, object] = {
        "name": package.name,
        "version": package.version,
        "build": package.build,
        "build_number": 0,
        "depends": list(package.depends),
        "subdir": subdir,
        "timestamp": _DATE * 1000,
    }
    information: dict[str, object] = {"info/paths.json": {"paths": list(_paths(package)), "paths_version": 1}}
    if package.noarch:
        index["noarch"] = package.noarch
    if package.noarch == "python":
        noarch = {"type": "python", "entry_points": list(package.entry_points)}
        information["info/link.json"] = {"noarch": noarch, "package_metadata_version": 1}
    return {"info/index.json": index, **information}


def _paths(package: Package) -> Iterator[dict[str, object]]:
    for path, content in package.files.items():
        data = content if isinstance(content, bytes) else content.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        yield {"_path": path, "path_type": "hardlink", "sha256": digest, "size_in_bytes": len(data)}
    for path in package.links:
        yield {
            "_path": path,
            "path_type": "softlink",
            "sha256": hashlib.sha256().hexdigest(),
            "size_in_bytes": 0,
        }
