"""Where projrun keeps things: the data folder (`$PROJRUN_HOME`), the cache, the configuration file."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from projrun.errors import RequestError
from projrun.tuples import NamedTuple

JOURNAL = "journal.db"
"""The run-scoped store in the folder of a run, where there is one."""


class Directories(NamedTuple):
    """The three places; none of them has to exist."""

    data: Path
    """The embedded store, its artifacts, the marks of active runs."""
    cache: Path
    """Environments and checkouts: may be deleted at any time when no run is active."""
    config: Path
    """The file `config.toml`."""

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """The folders that hold nothing but projrun's: not that of a configuration file which a variable names."""
        is_own = self.config.name == "config.toml" and self.config.parent.name == "projrun"
        return (self.data, self.config.parent) if is_own else (self.data,)

    @property
    def database(self) -> Path:
        """The embedded store's SQLite file; its artifacts are next to it."""
        return self.data / "projrun.db"

    @property
    def active(self) -> Path:
        """A folder for each run that is being supervised now, or has something to deliver."""
        return self.data / "active"

    @property
    def logs(self) -> Path:
        """The outputs of runs whose tracking store could not take them."""
        return self.data / "logs"

    @property
    def environments(self) -> Path:
        """The cache of built environments."""
        return self.cache / "environments"

    @classmethod
    def locate(cls, environ: Mapping[str, str]) -> Directories:
        """From `PROJRUN_HOME`, `PROJRUN_CACHE_DIR` and `PROJRUN_CONFIG`, else the platform's own folders."""
        home = environ.get("PROJRUN_HOME")
        if home:
            base = expanded(home, "PROJRUN_HOME").absolute()
            places = cls(base, base / "cache", base / "config.toml")
        else:
            places = _platform_directories(environ)
        cache, config = environ.get("PROJRUN_CACHE_DIR"), environ.get("PROJRUN_CONFIG")
        if cache:
            places = places._replace(cache=expanded(cache, "PROJRUN_CACHE_DIR").absolute())
        if config:
            places = places._replace(config=expanded(config, "PROJRUN_CONFIG").absolute())
        return places


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter, and those above it that are missing (XDG base directory spec.).

    `mkdir(parents=True)` would leave the ones above to the umask. Raises OSError.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileNotFoundError:
        make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileExistsError:
        if not folder.is_dir():
            raise


def is_read_only(folder: Path) -> bool:
    """Whether it lies on a file system that is mounted read-only."""
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def expanded(path: str, origin: str) -> Path:
    """A path with `~` expanded; RequestError, naming `origin`, if the home folder does not exist."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise RequestError(f"{origin}: {path}: home folder not found", hint="give the full path") from None


def home_folder(environ: Mapping[str, str]) -> Path:
    """The caller's home folder; RequestError if there is none."""
    home = environ.get("HOME")
    try:
        return Path(home) if home else Path.home()
    except RuntimeError:  # a container's uid without a name
        raise RequestError("no home folder: HOME is not set", hint="set HOME or PROJRUN_HOME") from None


def _platform_directories(environ: Mapping[str, str]) -> Directories:
    if not sys.platform.startswith("linux"):
        import platformdirs

        return Directories(
            platformdirs.user_data_path("projrun", appauthor=False),
            platformdirs.user_cache_path("projrun", appauthor=False),
            platformdirs.user_config_path("projrun", appauthor=False) / "config.toml",
        )
    # The XDG base directory specification, as platformdirs reads it: its import costs 20 ms of every run.
    home = home_folder(environ)

    def xdg(variable: str, default: str) -> Path:
        value = environ.get(variable, "")
        return (Path(value) if value.startswith("/") else home / default) / "projrun"

    return Directories(
        xdg("XDG_DATA_HOME", ".local/share"),
        xdg("XDG_CACHE_HOME", ".cache"),
        xdg("XDG_CONFIG_HOME", ".config") / "config.toml",
    )
