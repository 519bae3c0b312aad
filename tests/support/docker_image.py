"""An image made of what is on this machine: busybox, a CPython, and the libraries that it loads."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

_LEFT_OUT = re.compile(
    r"/(test|tests|idlelib|tkinter|turtledemo|ensurepip|lib2to3|site-packages|dist-packages|"
    r"__pycache__|config-[^/]*)(/|$)|_tkinter|\.a$"
)
_LEFT_OUT_BESIDE_PIP = re.compile(_LEFT_OUT.pattern.replace("ensurepip|", ""))
_LOADED = re.compile(r"(?:=> )?(/\S+) \(0x")


_OF_WHEELS = ("libstdc++", "libgcc_s", "libpthread", "libdl", "librt", "libm", "libutil")


def write_base(busybox: Path, stream: IO[bytes], *, installs: bool = False) -> None:
    """A tar with /bin (busybox), /usr/bin/python and its standard library, /tmp and root's passwd entry.

    With `installs` also what pip needs, and libraries that wheels expect.
    """
    with tarfile.open(fileobj=stream, mode="w") as archive:
        _folder(archive, "tmp", 0o1777)
        _text(archive, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        _text(archive, "etc/group", "root:x:0:\n")
        archive.add(busybox.resolve(), "bin/busybox")
        for applet in _output(str(busybox), "--list").split():
            if applet != "busybox":
                _link(archive, f"bin/{applet}", "busybox")
        if installs:
            _python(archive, _LEFT_OUT_BESIDE_PIP, _libraries_of_wheels())
        else:
            _python(archive, _LEFT_OUT)


def _libraries_of_wheels() -> Iterator[Path]:
    known = _output("ldconfig", "-p")
    for library in _OF_WHEELS:
        found = re.search(rf"\s{re.escape(library)}\.so\.\d \(.*=> (\S+)", known)
        if found:
            yield Path(found[1])


def _python(archive: tarfile.TarFile, left_out: re.Pattern[str], more: Iterable[Path] = ()) -> None:
    program = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
    for file in {program, *_libraries(program, library), *more}:
        archive.add(file.resolve(), str(file).lstrip("/"))
    archive.add(
        library,
        str(library).lstrip("/"),
        filter=lambda member: None if left_out.search(f"/{member.name}") else member,
    )
    for name in ("python", "python3"):
        _link(archive, f"usr/bin/{name}", str(program))


def _libraries(program: Path, library: Path) -> Iterator[Path]:
    modules = [path for path in (library / "lib-dynload").glob("*.so") if "_tkinter" not in path.name]
    for file in (program, *modules):
        for match in _LOADED.finditer(_output("ldd", str(file))):
            yield Path(match[1])


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
