"""What `--build-image` sends to the daemon: a Dockerfile, and the project without what `.dockerignore` names."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from projrun.bounded import read_file
from projrun_backends.environments.containers.mounts import CODE
from projrun_backends.environments.containers.user import User

_FOLDER = "code"
IGNORE_FILE = ".dockerignore"


def dockerfile(base: str, user: User | None) -> str:
    """MLflow's: the code copied over an image. It belongs to the user who will run it, who may write next to it."""
    owner = f"--chown={user.uid}:{user.gid} " if user else ""
    return f"FROM {base}\nCOPY {owner}{_FOLDER}/ {CODE}/\nWORKDIR {CODE}/\n"


def write_context(directory: Path, text: str, stream: IO[bytes]) -> None:
    """The tar of a project's folder. Raises OSError for a file that cannot be read."""
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("Dockerfile")
        content = text.encode()
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
        archive.addfile(_anonymous(archive.gettarinfo(directory, _FOLDER)))
        for name in _names(directory):
            _add(archive, directory / name, f"{_FOLDER}/{name}")


def _names(directory: Path) -> Iterator[str]:
    from docker.utils.build import PatternMatcher

    matcher = PatternMatcher(_patterns(directory / IGNORE_FILE))
    yield from sorted(set(matcher.walk(os.fspath(directory))))


def _patterns(file: Path) -> list[str]:
    """https://docs.docker.com/build/concepts/context/#dockerignore-files; a byte order mark is skipped."""
    if not file.is_file():
        return []
    text = read_file(file).decode("utf-8-sig", "surrogateescape")
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    if stat.S_IFMT(path.lstat().st_mode) not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        return  # sockets and pipes, as `docker build` does
    member = _anonymous(archive.gettarinfo(path, name))
    if member.isreg():
        with path.open("rb") as content:
            archive.addfile(member, content)
    else:
        archive.addfile(member)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    # The owner's rights for all who may read at all: who runs the image is not who owns the files here.
    member.mode |= (member.mode & 0o500) >> 3 | (member.mode & 0o500) >> 6
    return member
