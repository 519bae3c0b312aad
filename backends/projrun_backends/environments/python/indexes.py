"""Where packages come from: pip's configuration, and the same for uv, which does not read it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from projrun.bounded import read_file
from projrun.directories import home_folder
from projrun.project.files import exists, is_file
from projrun.project.text import parse_toml
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

_DECIDING_PIP_OPTIONS = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "pre",
    "prefer-binary",
    "only-binary",
    "no-binary",
)
"""The options that decide what is installed, and so are part of an environment's key; `constraint` by content."""
_DECIDING_UV_VARIABLES = (
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_NO_INDEX",
    "UV_INDEX_STRATEGY",
    "UV_OVERRIDE",
    "UV_EXCLUDE",
    "UV_EXCLUDE_NEWER",
    "UV_PRERELEASE",
    "UV_RESOLUTION",
    "UV_TORCH_BACKEND",
    "UV_NO_BINARY",
    "UV_NO_BUILD",
    "UV_NO_DEV",
    "UV_CONFIG_FILE",
    "UV_NO_CONFIG",
)
_UV_INDEX_KEYS = ("index", "index-url", "extra-index-url", "find-links", "no-index", "pip")
_FALSE = frozenset({"", "0", "false", "no", "off"})


class PackageSettings(NamedTuple):
    """The user's configuration of package indexes; may contain credentials."""

    pip: Mapping[str, str]
    """pip's options by long name, from its files and `PIP_*`, as pip merges them."""
    uv: Mapping[str, str]
    """uv's own variables that decide what is installed."""
    uv_file: Mapping[str, Any]
    """The index settings of the person's and the machine's uv.toml."""
    uv_constraints: tuple[str, ...] = ()
    """uv's constraint files."""

    def pip_items(self, option: str) -> list[str]:
        """The values of an option that takes several."""
        return self.pip.get(option, "").split()

    def pip_enabled(self, option: str) -> bool:
        """A switch, as pip reads it."""
        return self.pip.get(option, "").strip().lower() not in _FALSE

    def deciding_pip(self) -> list[tuple[str, str]]:
        """The part of pip's configuration that decides what is installed."""
        return [(option, self.pip[option]) for option in _DECIDING_PIP_OPTIONS if self.pip.get(option)]


class UvSettings(NamedTuple):
    """pip's configuration in uv's words."""

    environ: Mapping[str, str]
    """Variables, because an index's URL may hold a password and arguments show in the process list."""
    arguments: tuple[str, ...]


def package_settings(environ: Mapping[str, str]) -> PackageSettings:
    """Read pip's and uv's configuration as this caller would have it read."""
    uv = {name: environ[name] for name in _DECIDING_UV_VARIABLES if environ.get(name)}
    constraints = tuple(environ.get("UV_CONSTRAINT", "").split())
    return PackageSettings(_pip_options(environ), uv, _uv_file(environ), constraints)


def uv_settings(settings: PackageSettings, environ: Mapping[str, str]) -> UvSettings:
    """For `uv pip install`: pip's configuration, where uv has none of its own."""
    variables: dict[str, str] = {}

    def hand_over(value: str, name: str, *others: str) -> None:
        if value and not any(environ.get(other) for other in (name, *others)):
            variables[name] = value

    if not settings.uv_file:
        hand_over(settings.pip.get("index-url", "").strip(), "UV_DEFAULT_INDEX", "UV_INDEX_URL")
        extra = _reachable(settings.pip_items("extra-index-url"))
        hand_over(" ".join(extra), "UV_INDEX", "UV_EXTRA_INDEX_URL")
        hand_over(",".join(_reachable(settings.pip_items("find-links"))), "UV_FIND_LINKS")
    # pip takes the best version of all indexes, and the files that MLproject names are written for pip.
    hand_over("unsafe-best-match", "UV_INDEX_STRATEGY")
    hand_over(" ".join(settings.pip_items("constraint")), "UV_CONSTRAINT")
    hand_over("allow" if settings.pip_enabled("pre") else "", "UV_PRERELEASE")
    hand_over(" ".join(settings.pip_items("trusted-host")), "UV_INSECURE_HOST")
    hand_over(settings.pip.get("timeout", "").partition(".")[0], "UV_HTTP_TIMEOUT", "HTTP_TIMEOUT")
    hand_over(settings.pip.get("cert", ""), "SSL_CERT_FILE", "SSL_CERT_DIR")
    hand_over(settings.pip.get("client-cert", ""), "SSL_CLIENT_CERT")
    hand_over(settings.pip.get("proxy", ""), "ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy")
    return UvSettings(variables, tuple(_uv_arguments(settings)))


def _uv_arguments(settings: PackageSettings) -> Iterable[str]:
    if settings.pip_enabled("no-index"):
        yield "--no-index"
    for option in ("only-binary", "no-binary"):
        for package in settings.pip.get(option, "").replace(",", " ").split():
            yield f"--{option}={package}"


def _reachable(places: Iterable[str]) -> list[str]:
    """Without folders that do not exist: pip passes over them with a warning, uv fails."""
    return [place for place in places if _exists(place)]


def _exists(place: str) -> bool:
    if place.startswith("file:"):
        return exists(Path(unquote(urlsplit(place).path)))
    return "://" in place or exists(Path(os.path.expanduser(place)))  # noqa: PTH111 - Path raises for ~nobody


def _pip_options(environ: Mapping[str, str]) -> dict[str, str]:
    """Sections take precedence over files: `[install]` of any file wins over `[global]` of all."""
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}}
    for file in _pip_files(environ):
        if is_file(file):
            _read_pip_file(file, sections)
    variables = {
        name[4:].lower().replace("_", "-"): value
        for name, value in environ.items()
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE" and value
    }
    return {**sections["global"], **sections["install"], **variables}


def _pip_files(environ: Mapping[str, str]) -> list[Path]:
    """In the order in which pip reads them, the later ones over the earlier (pip's documentation, "Configuration")."""
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return []
    if chosen and exists(Path(chosen)):
        # As pip does: the person's own files count only without it.
        return [*_machine_pip_files(environ), Path(chosen)]
    return [*_machine_pip_files(environ), *_personal_pip_files(environ)]


def _machine_pip_files(environ: Mapping[str, str]) -> list[Path]:
    if sys.platform == "darwin":
        return [Path("/Library/Application Support/pip/pip.conf")]
    shared = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    return [*(Path(folder) / "pip/pip.conf" for folder in shared), Path("/etc/pip.conf")]


def _personal_pip_files(environ: Mapping[str, str]) -> list[Path]:
    own = home_folder(environ)
    config = Path(environ.get("XDG_CONFIG_HOME") or own / ".config") / "pip"
    library = own / "Library/Application Support/pip"
    if sys.platform == "darwin" and library.is_dir():
        config = library
    return [own / ".pip/pip.conf", config / "pip.conf"]


def _read_pip_file(file: Path, sections: dict[str, dict[str, str]]) -> None:
    from configparser import Error, RawConfigParser

    parser = RawConfigParser()
    try:
        parser.read(file, encoding="utf-8")
    except (Error, OSError, UnicodeDecodeError):
        return  # pip itself says what is wrong with it
    for section, options in sections.items():
        if parser.has_section(section):
            options.update({name.replace("_", "-"): value for name, value in parser.items(section)})


def _uv_file(environ: Mapping[str, str]) -> dict[str, Any]:
    if environ.get("UV_NO_CONFIG"):
        return {}
    config = Path(environ.get("XDG_CONFIG_HOME") or home_folder(environ) / ".config")
    chosen = environ.get("UV_CONFIG_FILE")
    files = [Path(chosen)] if chosen else [Path("/etc/uv/uv.toml"), config / "uv/uv.toml"]
    found: dict[str, Any] = {}
    for file in files:
        if is_file(file):
            table = _read_toml(file)
            found.update({key: table[key] for key in _UV_INDEX_KEYS if key in table})
    return found


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return parse_toml(read_file(file).decode("utf-8"))
    except (OSError, ValueError):
        return {}  # uv itself says what is wrong with it
