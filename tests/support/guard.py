"""Keeps tests away from the real home: a home of their own, and an alarm on projrun's real folders."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from projrun.directories import Directories

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE_CACHE = (
    REPOSITORY / ".cache"
).resolve()  # environments hold their own path, which a link may outlive
"""Package caches and the tests' own virtual environments, kept between test runs, not in version control."""

_CLEARED_PREFIXES = (
    "PROJRUN_",
    "GITHUB_",
    "MLFLOW_",
    "XDG_",
    "GIT_",
    "DATABRICKS_",
    "CONDA_",
    "MAMBA_",
    "RATTLER_",
    "AWS_",
    "AZURE_",
    "BOTO",
    "CLOUDSDK_",
    "FSSPEC_",
    "GOOGLE_",
    "S3_",
)
_KEPT = frozenset({"GIT_SSL_CAINFO", "GIT_EXEC_PATH"})
# PYTHONDONTWRITEBYTECODE makes every Python that a test starts two to four times slower.
_CLEARED = frozenset(
    {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV", "GITLAB_CI", "NETRC", "CONDARC", "MAMBARC"}
)

_GIT_CONFIG = """\
[user]
\tname = Test Person
\temail = test@example.invalid
[init]
\tdefaultBranch = main
[commit]
\tgpgsign = false
"""


class Watched(NamedTuple):
    """What one of the real folders looked like: the names and times of what lies directly in it."""

    folder: Path
    entries: frozenset[tuple[str, int]]


def real_folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where projrun keeps the person's own things, outside the tests."""
    places = Directories.locate(environ)
    return (places.data, places.cache, places.config.parent)


def watch(folders: tuple[Path, ...]) -> tuple[Watched, ...]:
    """The state of the folders now, shallow: it is read after every test."""
    return tuple(Watched(folder, frozenset(_entries(folder))) for folder in folders)


def _entries(folder: Path) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(folder) as found:
            yield ".", 0
            for entry in found:
                yield entry.name, entry.stat(follow_symlinks=False).st_mtime_ns
    except FileNotFoundError:
        return


def changed(before: tuple[Watched, ...], after: tuple[Watched, ...]) -> str:
    """The folders that differ, for a message; empty where none does."""
    return ", ".join(str(old.folder) for old, new in zip(before, after, strict=True) if old != new)


def guarded_environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """`environ` without what belongs to the person, with `home` as the home folder.

    Package indexes that environment variables name are kept: tests that install packages need them.
    """
    kept = {name: value for name, value in environ.items() if not _belongs_to_person(name)}
    # pyenv's default root lies in the real home, which its shims would no longer find.
    pyenv = Path(environ.get("PYENV_ROOT") or Path(environ.get("HOME", "")) / ".pyenv")
    if pyenv.is_dir():
        kept["PYENV_ROOT"] = str(pyenv)
    return kept | {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # A machine in a cloud gives credentials to whoever asks; any other asks for seconds.
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_GCE_CHECK": "true",
        "PIP_CACHE_DIR": str(PACKAGE_CACHE / "pip"),
        "UV_CACHE_DIR": str(PACKAGE_CACHE / "uv"),
        "VIRTUALENV_OVERRIDE_APP_DATA": str(PACKAGE_CACHE / "virtualenv"),
    }


def _belongs_to_person(name: str) -> bool:
    return name in _CLEARED or (name.startswith(_CLEARED_PREFIXES) and name not in _KEPT)


class Guard:
    """The guarded environment of one pytest process, from its configuration to its end."""

    def __init__(self) -> None:
        self._original = dict(os.environ)
        self.folder = Path(tempfile.mkdtemp(prefix="projrun-tests-"))
        self._watched = watch(real_folders(self._original))
        self._unused: _Home | None = None
        _replace_environment(guarded_environment(self._original, self.new_home()))

    def touched(self) -> str:
        """Those of the person's folders that changed since this was asked last; empty where none did."""
        before = self._watched
        self._watched = watch(tuple(watched.folder for watched in before))
        return changed(before, self._watched)

    def unused_home(self) -> str:
        """An empty home folder; the one that was given last where nobody left a trace in it."""
        if self._unused is None or self._unused != _Home.look(self._unused.folder):
            self._unused = _Home.look(str(self.new_home()))
        return self._unused.folder

    def new_home(self) -> Path:
        """An empty home folder that nobody used before, with a git identity."""
        home = Path(tempfile.mkdtemp(prefix="home-", dir=self.folder))  # in forks of this process too
        (home / ".gitconfig").write_text(_GIT_CONFIG, encoding="utf-8")
        return home

    def close(self) -> None:
        """Give the process its environment back and remove the homes."""
        _replace_environment(self._original)
        shutil.rmtree(self.folder, ignore_errors=True)


class _Home(NamedTuple):
    """What a home folder looked like: the names in it; number, size and time of its git configuration."""

    folder: str
    names: list[str]
    configuration: tuple[int, int, int]

    @classmethod
    def look(cls, folder: str) -> _Home:
        try:
            file = os.lstat(f"{folder}/.gitconfig")
            with os.scandir(folder) as entries:
                names = [entry.name for entry in entries]
            return cls(folder, names, (file.st_ino, file.st_size, file.st_ctime_ns))
        except OSError:
            return cls(folder, [], (0, 0, 0))


def restore_environment(environ: Mapping[bytes, bytes]) -> None:
    """Make the process's environment equal to `environ`, setting only what differs: it runs after every test."""
    now = dict(os.environb)
    if now == environ:
        return
    for name in now.keys() - environ.keys():
        del os.environb[name]
    os.environb.update({name: value for name, value in environ.items() if now.get(name) != value})


def _replace_environment(environ: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environ)
