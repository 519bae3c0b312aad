"""conda's own configuration: `.condarc` files and `CONDA_*` variables, merged as conda merges them.

https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/use-condarc.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from projrun.bounded import read_file
from projrun.directories import home_folder
from projrun.errors import RequestError
from projrun.project.files import is_file
from projrun.project.text import LocatedError

_ALIAS = "https://conda.anaconda.org"
_DEFAULT_CHANNELS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_PRIORITIES = {
    "strict": "strict",
    "flexible": "flexible",
    "disabled": "disabled",
    # As conda read it before version 4.6.
    "true": "flexible",
    "false": "disabled",
}
_LISTS = ("channels", "default_channels")
_MAPPINGS = ("custom_channels", "custom_multichannels", "proxy_servers")
_WORDS = ("channel_alias", "channel_priority", "ssl_verify", "add_pip_as_python_dependency")
_FALSE = frozenset({"false", "no", "off", "0", "n"})


class CondaSettings(NamedTuple):
    """What of it decides where packages come from; may hold credentials."""

    channels: tuple[str, ...] = ()
    """Searched after those of the file; empty if none is configured."""
    default_channels: tuple[str, ...] = _DEFAULT_CHANNELS
    """The channels behind `defaults`."""
    channel_alias: str = _ALIAS
    custom_channels: Mapping[str, str] = {}
    custom_multichannels: Mapping[str, tuple[str, ...]] = {}
    channel_priority: str = "flexible"
    """`strict`, `flexible` or `disabled`."""
    ssl_verify: str = "true"
    """`true`, `false`, or the path of a file with certificates."""
    proxies: Mapping[str, str] = {}
    """By scheme."""
    add_pip: bool = True
    """Whether every Python brings pip."""


class _Found(NamedTuple):
    """The keys of all files, before they are read: each list and mapping with the strongest first."""

    words: dict[str, str]
    lists: dict[str, list[str]]
    mappings: dict[str, dict[str, object]]


def conda_settings(environ: Mapping[str, str]) -> CondaSettings:
    """Read it as conda would for this caller. Raises RequestError for a file that is not YAML."""
    found = _Found({}, {}, {})
    for file in _files(environ):
        _merge(found, _read(file, environ))
    _merge(found, _variables(environ))
    defaults = CondaSettings()
    return CondaSettings(
        channels=tuple(found.lists.get("channels", ())),
        default_channels=tuple(found.lists.get("default_channels", ())) or defaults.default_channels,
        channel_alias=found.words.get("channel_alias", _ALIAS),
        custom_channels={name: str(base) for name, base in found.mappings.get("custom_channels", {}).items()},
        custom_multichannels={
            name: tuple(_texts(channels))
            for name, channels in found.mappings.get("custom_multichannels", {}).items()
        },
        channel_priority=_priority(found.words.get("channel_priority", defaults.channel_priority)),
        ssl_verify=_verification(found.words.get("ssl_verify", ""), environ),
        proxies={scheme: str(url) for scheme, url in found.mappings.get("proxy_servers", {}).items() if url},
        add_pip=found.words.get("add_pip_as_python_dependency", "true").lower() not in _FALSE,
    )


def expand_variables(text: str, environ: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` filled in, as conda does in files: how tokens are kept out of them."""
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda match: environ.get(match[1] or match[2], match[0]), text)


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    """In conda's order, the weakest first."""
    system = [Path("/etc/conda"), Path("/var/lib/conda")]
    own = home_folder(environ)
    config = Path(environ.get("XDG_CONFIG_HOME") or own / ".config") / "conda"
    for folder in (*system, *_roots(environ), config, own / ".conda"):
        yield from (folder / ".condarc", folder / "condarc")
        yield from _drop_ins(folder / "condarc.d")
    yield own / ".condarc"
    if environ.get("CONDA_PREFIX"):
        yield Path(environ["CONDA_PREFIX"]) / ".condarc"
    if environ.get("CONDARC"):
        yield Path(expand_variables(environ["CONDARC"], environ))


def _roots(environ: Mapping[str, str]) -> Iterator[Path]:
    """The installation of conda itself, where there is one."""
    program = environ.get("CONDA_EXE", "")
    root = environ.get("CONDA_ROOT") or (str(Path(program).parent.parent) if program else "")
    if root:
        yield Path(root)


def _drop_ins(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in (".yml", ".yaml"))
    except OSError:
        return []


def _read(file: Path, environ: Mapping[str, str]) -> dict[str, object]:
    if not is_file(file):
        return {}
    import yaml

    from projrun.project.reading.document import parse_document

    try:
        text = read_file(file).decode("utf-8")
        parse_document(str(file), text)  # refuses what expands to too much
        content = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - strings only
    except OSError:
        return {}  # another user's: conda skips it too
    except (yaml.YAMLError, ValueError, LocatedError) as error:
        summary = " ".join(str(error).split())
        raise RequestError(
            f"{file} is not YAML: {summary}", hint="correct it, or name another with CONDARC"
        ) from None
    return _expanded(content, environ) if isinstance(content, dict) else {}


def _expanded(content: Mapping[object, object], environ: Mapping[str, str]) -> dict[str, object]:
    return {str(name): _expand(value, environ) for name, value in content.items()}


def _expand(value: object, environ: Mapping[str, str]) -> object:
    if isinstance(value, list):
        return [_expand(item, environ) for item in value]
    if isinstance(value, dict):
        return _expanded(value, environ)
    return expand_variables(str(value), environ)


def _variables(environ: Mapping[str, str]) -> dict[str, object]:
    """`CONDA_CHANNELS=a,b` and the like."""
    found: dict[str, object] = {}
    for name in (*_LISTS, *_WORDS):
        value = environ.get(f"CONDA_{name.upper()}")
        if value:
            found[name] = value.split(",") if name in _LISTS else value
    return found


def _merge(found: _Found, content: Mapping[str, object]) -> None:
    """Lay a stronger file over what was found: its scalars win, its lists and mappings come first."""
    for name in _LISTS:
        texts = _texts(content.get(name) or content.get(name.removesuffix("s")))
        found.lists[name] = list(dict.fromkeys([*texts, *found.lists.get(name, [])]))
    for name in _MAPPINGS:
        value = content.get(name)
        if isinstance(value, dict):
            found.mappings[name] = {**found.mappings.get(name, {}), **value}
    for name in _WORDS:
        value = content.get(name)
        if isinstance(value, str) and value:
            found.words[name] = value


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        return [value.strip()] if value.strip() else []
    if isinstance(value, list):
        return [str(item).strip() for item in value if str(item).strip()]
    return []


def _priority(word: str) -> str:
    try:
        return _PRIORITIES[word.lower()]
    except KeyError:
        raise RequestError(
            f"conda's channel_priority is {word!r}", hint="one of: strict, flexible, disabled"
        ) from None


def _verification(word: str, environ: Mapping[str, str]) -> str:
    """conda uses requests, which reads REQUESTS_CA_BUNDLE."""
    if word.lower() in _FALSE:
        return "false"
    if word.lower() in ("", "true", "yes", "on", "1", "y", "truststore", "<truststore>"):
        return environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or "true"
    return str(Path(os.path.expanduser(word)))  # noqa: PTH111 - Path raises for ~nobody
