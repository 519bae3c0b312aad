"""An image made of what is on this machine: busybox, a CPython, and the libraries that it loads."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_LEFT_OUT = re.compile(
    r"/(test|tests|idlelib|tkinter|turtledemo|ensurepip|lib2to3|site-packages|dist-packages|"
    r"__pycache__|config-[^/]*)(/|$)|_tkinter|\.a$"
)
_LOADED = re.compile(r"(?:=> )?(/\S+) \(0x")


def write_base(busybox: Path, stream: IO[bytes]) -> None:
    """A tar with /bin (busybox), /usr/bin/python and its standard library, /tmp and root's passwd entry."""
    with tarfile.open(fileobj=stream, mode="w") as archive:
        _folder(archive, "tmp", 0o1777)
        _text(archive, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        _text(archive, "etc/group", "root:x:0:\n")
        archive.add(busybox.resolve(), "bin/busybox")
        for applet in _output(str(busybox), "--list").split():
            if applet != "busybox":
                _link(archive, f"bin/{applet}", "busybox")
        _python(archive)


def _python(archive: tarfile.TarFile) -> None:
    program = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
    for file in {program, *_libraries(program, library)}:
        archive.add(file.resolve(), str(file).lstrip("/"))
    archive.add(library, str(library).lstrip("/"), filter=_wanted)
    for name in ("python", "python3"):
        _link(archive, f"usr/bin/{name}", str(program))


def _libraries(program: Path, library: Path) -> Iterator[Path]:
    modules = [path for path in (library / "lib-dynload").glob("*.so") if "_tkinter" not in path.name]
    for file in (program, *modules):
        for match in _LOADED.finditer(_output("ldd", str(file))):
            yield Path(match[1])


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if _LEFT_OUT.search(f"/{member.name}") else member


def _folder(archive: tarfile.TarFile, name: str, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, mode
    archive.addfile(member)


def _text(archive: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(text)
    archive.addfile(member, io.BytesIO(text.encode()))


def _link(archive: tarfile.TarFile, name: str, target: str) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, target
    archive.addfile(member)


def _output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout
