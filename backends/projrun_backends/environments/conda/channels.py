"""Channels: the addresses behind their names, and the credentials in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

from projrun_backends.environments.conda.settings import CondaSettings, expand_variables
from projrun_backends.environments.python.conda_files import CondaDocument

_NO_DEFAULTS = "nodefaults"
_TOKEN = r"/t/([^/]+)/"  # noqa: S105 - where anaconda.org's addresses hold one
_URL = r"[A-Za-z][\w+.-]*://.*"
_SUBDIR = r"/(?:noarch|(?:linux|osx|win|freebsd|emscripten|wasi|zos)-[a-z0-9_]+)/?$"
_CHANNEL_OF_SPEC = r"(?s)(\S+)::(.*)"


class Channel(NamedTuple):
    """A channel's address without credentials, and the credentials apart."""

    url: str
    """Without a slash at the end."""
    user: str = ""
    password: str = ""
    token: str = ""
    """Of an address `https://host/t/TOKEN/channel`."""

    def __repr__(self) -> str:
        """Plans are shown: no credentials."""
        return f"<channel {self.url}>"

    @property
    def tokened_url(self) -> str:
        """The address that holds the token, where there is one."""
        if not self.token:
            return self.url
        scheme, rest = self.url.split("://", 1)
        host, slash, path = rest.partition("/")
        return f"{scheme}://{host}/t/{self.token}{slash}{path}"

    @property
    def secrets(self) -> frozenset[str]:
        """What must not be shown."""
        return frozenset(secret for secret in (self.password, self.token) if secret)


class ChannelNames:
    """The URLs behind channel names, by conda's configuration."""

    def __init__(self, settings: CondaSettings, environ: Mapping[str, str], folder: Path) -> None:
        """`folder` is where relative paths begin."""
        self._settings = settings
        self._environ = environ
        self._folder = folder

    def of(self, conda: CondaDocument) -> tuple[Channel, ...]:
        """The file's channels, then the configured ones unless it says `nodefaults`, then those of its specs.

        Where neither names a channel: `defaults`, as in conda.
        """
        named = [text.value for text in conda.channels if text.value]
        if _NO_DEFAULTS not in named:
            named += self._settings.channels
        wanted = [name for name in named if name != _NO_DEFAULTS]
        of_specs = [
            channel for text in conda.dependencies if (channel := _split_spec(text.value)[0]) is not None
        ]
        wanted = wanted or ([] if _NO_DEFAULTS in named else ["defaults"])
        return tuple(dict.fromkeys(self._resolve_all([*wanted, *of_specs])))

    def spec(self, dependency: str) -> str:
        """A match specification whose channel is named by its address."""
        channel, rest = _split_spec(dependency)
        if channel is None:
            return dependency
        # Of several (`defaults::numpy`), a specification can name only one: the channels' order decides.
        resolved = list(self._resolve(channel))
        return f"{resolved[0].url}::{rest}" if len(resolved) == 1 else rest

    def _resolve_all(self, names: Iterable[str]) -> Iterator[Channel]:
        for name in names:
            yield from self._resolve(name)

    def _resolve(self, name: str) -> Iterator[Channel]:
        name = expand_variables(name, self._environ)
        settings = self._settings
        if name == "defaults":
            yield from (self._single(channel) for channel in settings.default_channels)
        elif name in settings.custom_multichannels:
            yield from (self._single(channel) for channel in settings.custom_multichannels[name])
        else:
            yield self._single(name)

    def _single(self, name: str) -> Channel:
        name = re.sub(_SUBDIR, "", expand_variables(name, self._environ))
        if re.fullmatch(_URL, name):
            return _channel(name)
        if name.startswith((".", "/", "~", os.sep)) or os.path.isabs(name):  # noqa: PTH117 - may be no path
            path = os.path.join(self._folder, os.path.expanduser(name))  # noqa: PTH111, PTH118 - see above
            return _channel(Path(os.path.normpath(path)).as_uri())
        for custom, base in self._settings.custom_channels.items():
            if name == custom or name.startswith(f"{custom}/"):
                return _channel(f"{_address(base)}/{name}")
        return _channel(f"{_address(self._settings.channel_alias)}/{name}")


def _split_spec(dependency: str) -> tuple[str | None, str]:
    match = re.fullmatch(_CHANNEL_OF_SPEC, dependency)
    return (match[1], match[2]) if match else (None, dependency)


def _address(base: str) -> str:
    return (base if "://" in base else f"https://{base}").rstrip("/")


def _channel(url: str) -> Channel:
    token = re.search(_TOKEN, url)
    if token:
        url = url.replace(token[0], "/", 1)
    parts = urlsplit(url.rstrip("/"))
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    # An address without a host, `file:///path`, loses its slashes in urlunsplit of some versions.
    plain = re.sub(r"^file:/(?!/)", "file:///", plain)
    return Channel(plain, unquote(user), unquote(password), token[1] if token else "")
