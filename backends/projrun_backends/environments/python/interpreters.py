"""Finding a Python interpreter of a version: the running one, PATH, pyenv, uv, asdf and mise.

A version manager's folder names the version; any other interpreter is asked once, and the answer is
stored next to the environment cache.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from projrun.directories import home_folder
from projrun.errors import EnvironmentBuildError
from projrun.tuples import NamedTuple
from projrun_backends.environments.executables import path_folders, program, pyenv_versions
from projrun_backends.environments.python.versions import PythonRequest, PythonVersion

_STORE_NAME = r"(?:(cpython|pypy)-)?(\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)(t|\+freethreaded)?(?:-[a-z].*)?"
_FILE_NAME = r"python(\d)\.(\d+)t?"
_NAMES = ("python3", "python", *(f"python3.{minor}" for minor in range(6, 20)))
_ASK = """
import sys
version = sys.version_info
stage = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(version[3])
free_threaded = "t" in getattr(sys, "abiflags", "")
print(
    "%d.%d.%d" % version[:3] + (stage + str(version[4]) if stage else ""),
    sys.implementation.name + ("+freethreaded" if free_threaded else ""),
)
"""
_ASK_TIMEOUT = 10.0


class MissingInterpreterError(EnvironmentBuildError):
    """No installed interpreter has the requested version."""

    wanted = ""
    """What to name in `uv python install`."""


class Interpreter(NamedTuple):
    """An interpreter that environments can be made from."""

    path: Path
    version: PythonVersion
    implementation: str = "cpython"


def running_interpreter() -> Interpreter:
    """The one that runs projrun, outside of any virtual environment."""
    info = sys.version_info
    stage = {"alpha": "a", "beta": "b", "candidate": "rc"}.get(info.releaselevel)
    text = f"{info.major}.{info.minor}.{info.micro}" + (f"{stage}{info.serial}" if stage else "")
    version = PythonVersion.parse(text)
    assert version is not None  # noqa: S101 - the text was made just above
    free_threaded = "+freethreaded" if "t" in getattr(sys, "abiflags", "") else ""
    base = getattr(sys, "_base_executable", None) or sys.executable
    if base == sys.executable and sys.prefix != sys.base_prefix:
        base = os.path.realpath(base)  # Python 3.10 says so inside a virtual environment
    return Interpreter(Path(base).absolute(), version, sys.implementation.name + free_threaded)


def find_interpreter(
    request: PythonRequest | None, environ: Mapping[str, str], *, origin: str = "", memory: Path | None = None
) -> Interpreter:
    """The running interpreter if it matches, else the newest installed one that does.

    `origin` says for messages where the version is asked for; `memory` is the file in which the versions of
    interpreters that had to be asked are kept. Raises MissingInterpreterError where there is none.
    """
    running = running_interpreter()
    if request is None or request.matches(running.version):
        return running
    versions = _Versions(_stores(environ), memory)
    found = [known for path in _candidates(environ) if (known := versions.of(path, request)) is not None]
    versions.remember()
    fitting = [interpreter for interpreter in found if request.matches(interpreter.version)]
    if not fitting:
        raise _missing(request, origin, [running, *found])
    # max() keeps the first of equals: the order of PATH decides.
    return max(fitting, key=lambda one: (one.implementation == "cpython", one.version.final, one.version))


def installed(environ: Mapping[str, str]) -> list[tuple[str, Path]]:
    """Versions as folders and names of interpreters say them, the running one first: none is started to be asked."""
    running = running_interpreter()
    versions = _Versions(_stores(environ), None)
    found = {str(running.version): running.path}
    for path in _candidates(environ):
        version = versions.named(path)
        if version and not any(known.startswith(f"{version}.") for known in found):
            found.setdefault(version, path)
    return list(found.items())


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    """Each interpreter once, by its real path."""
    seen = set()
    folders = [*path_folders(environ), *_store_folders(environ)]
    for folder in folders:
        for name in _NAMES:
            path = program(folder, name)
            if path is None:
                continue
            real = Path(os.path.realpath(path))
            if real not in seen:
                seen.add(real)
                yield real


def _stores(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Folders that hold one folder for each interpreter, named by its version."""
    data = Path(environ.get("XDG_DATA_HOME") or home_folder(environ) / ".local/share")
    return (
        pyenv_versions(environ),
        Path(environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv/python"),
        Path(environ.get("ASDF_DATA_DIR") or home_folder(environ) / ".asdf") / "installs/python",
        Path(environ.get("MISE_DATA_DIR") or data / "mise") / "installs/python",
    )


def _store_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    for store in _stores(environ):
        try:
            folders = sorted(store.iterdir())
        except OSError:
            continue
        for folder in folders:
            yield folder / "bin"


class _Versions:
    """Versions of interpreters, asking as few of them as possible."""

    def __init__(self, stores: tuple[Path, ...], memory: Path | None) -> None:
        self._stores = {os.path.realpath(store) for store in stores}
        self._memory = memory
        self._known = _read_memory(memory)
        self._changed = False

    def of(self, path: Path, request: PythonRequest) -> Interpreter | None:
        """None for what does not run, and for what cannot match and would have to be asked."""
        stored = self._from_store(path)
        if stored is not None:
            return stored
        name = re.fullmatch(_FILE_NAME, path.name)
        if name and not request.may_match(int(name[1]), int(name[2])):
            return None
        return self._asked(path)

    def named(self, path: Path) -> str:
        """As its folder says, `3.11.7`, else its name, `3.11`; empty where neither does."""
        stored = self._from_store(path)
        name = re.fullmatch(_FILE_NAME, path.name)
        return str(stored.version) if stored else f"{name[1]}.{name[2]}" if name else ""

    def remember(self) -> None:
        """Keep what was asked for the next run; a folder that cannot be written is not an error."""
        if self._memory is None or not self._changed:
            return
        from projrun.cache.private_files import replace_private

        with suppress(OSError):
            replace_private(self._memory, json.dumps(self._known).encode("ascii"))

    def _from_store(self, path: Path) -> Interpreter | None:
        prefix = path.parent.parent
        if str(prefix.parent) not in self._stores:
            return None
        match = re.fullmatch(_STORE_NAME, prefix.name)
        version = PythonVersion.parse(match[2]) if match else None
        if match is None or version is None:
            return None
        return Interpreter(path, version, (match[1] or "cpython") + ("+freethreaded" if match[3] else ""))

    def _asked(self, path: Path) -> Interpreter | None:
        status = path.stat()
        stamp = f"{status.st_size} {status.st_mtime_ns}"
        known = self._known.get(str(path))
        if known is None or known[0] != stamp:
            known = [stamp, _ask(path)]
            self._known[str(path)] = known
            self._changed = True
        text, _, implementation = known[1].partition(" ")
        version = PythonVersion.parse(text)
        return Interpreter(path, version, implementation) if version else None


def _read_memory(memory: Path | None) -> dict[str, list[str]]:
    if memory is None:
        return {}
    try:
        text = memory.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return {}
    try:
        content = json.loads(text)
        return {
            str(path): [str(part) for part in known] for path, known in content.items() if len(known) == 2
        }
    except (ValueError, AttributeError, TypeError):
        return {}


def _ask(path: Path) -> str:
    try:
        done = subprocess.run(
            [path, "-I", "-S", "-c", _ASK],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=_ASK_TIMEOUT,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _missing(request: PythonRequest, origin: str, found: list[Interpreter]) -> MissingInterpreterError:
    unique = {interpreter.path: interpreter for interpreter in found}
    listed = sorted(unique.values(), key=lambda one: one.version, reverse=True)
    where = f"{origin}: " if origin else ""
    error = MissingInterpreterError(
        f"{where}Python {request.text} not found",
        hint=f"install it with {_installation(request.plain)}, or request an installed version",
        detail="found:\n" + "\n".join(f"  {one.version}  {one.path}" for one in listed),
    )
    error.wanted = request.plain
    return error


def _installation(wanted: str) -> str:
    """Commands that work as they are: uv has no Python before 3.8, pyenv takes no ranges."""
    if not re.fullmatch(r"\d+(\.\d+)*", wanted):
        return f"`uv python install {shlex.quote(wanted)}`"
    by_pyenv = f"`pyenv install {wanted}`"
    old = wanted.startswith("2.") or re.match(r"3\.[0-7](\.|$)", wanted)
    return by_pyenv if old else f"`uv python install {wanted}` or {by_pyenv}"
