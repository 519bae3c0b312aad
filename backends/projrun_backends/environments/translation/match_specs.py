"""conda's match specifications, as people write them: name, version, build, channel.

https://docs.conda.io/projects/conda/en/stable/user-guide/concepts/pkg-specs.html
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ADDRESS = r"[A-Za-z][\w+.-]*://\S+\.(?:conda|tar\.bz2)(?:#\S*)?"
_BRACKETS = r"([^\[\]]*)\[([^\[\]]*)\]\s*"
_PAIR = r"\s*(\w+)\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|([^\s,'\"]*))\s*(?:,|$)"
_NAMED = r"(?:\S+::)?([A-Za-z0-9_][\w.-]*)\s*(.*)"
_BUILD = r"(.*[^=<>!~,|])=([^=<>!~,|]+)"
_IGNORED_KEYS = frozenset({"build", "build_number", "channel", "subdir"})


class MatchSpec(NamedTuple):
    """A dependency of a conda file."""

    name: str
    """In lower case; of a package file its address."""
    version: str = ""
    """As conda writes it, without spaces: `=1.2`, `>=1.2,<2|3.*`; empty for any."""
    build: str = ""
    """Of the three parts that an export writes: `numpy=1.24.3=py310h5f9d8c6_1`."""


def parse_match_spec(text: str) -> MatchSpec | None:
    """None for what cannot be understood."""
    text = text.strip()
    if re.fullmatch(_ADDRESS, text):
        return MatchSpec(text)
    keys: dict[str, str] = {}
    bracketed = re.fullmatch(_BRACKETS, text)
    if bracketed:
        found = _keys(bracketed[2])
        if found is None:
            return None
        text, keys = bracketed[1].strip(), found
    named = re.fullmatch(_NAMED, text)
    parts = _version_and_build(named[2]) if named else None
    if named is None or parts is None:
        return None
    version, build = parts
    return MatchSpec(named[1].lower(), _compact(keys["version"]) if "version" in keys else version, build)


def package_name(dependency: str) -> str | None:
    """The package that a match specification is for, in lower case; None if it is invalid.

    Of an address of a package file, the whole address.
    """
    if re.fullmatch(_ADDRESS, dependency):
        return dependency
    match = re.fullmatch(_NAMED, dependency)
    return match[1].lower() if match else None


def _keys(text: str) -> dict[str, str] | None:
    """What is between the brackets; None for keys that choose more than a version, a build and a channel."""
    keys: dict[str, str] = {}
    position = 0
    while position < len(text):
        pair = re.compile(_PAIR).match(text, position)
        if pair is None or (pair[1] != "version" and pair[1] not in _IGNORED_KEYS):
            return None
        keys[pair[1]] = pair[2] or pair[3] or pair[4] or ""
        position = pair.end()
    return keys


def _version_and_build(rest: str) -> tuple[str, str] | None:
    """`=1.2.3=h1_0` and `1.2.3 h1_0` ask for a build, and so for exactly that version."""
    words = _compact(rest).split()
    if len(words) > 2:
        return None
    version = words[0] if words else ""
    build = words[1] if len(words) == 2 else ""
    if not build and (parts := re.fullmatch(_BUILD, version)):
        version, build = parts[1], parts[2]
    if build and re.fullmatch(r"=?[^=<>!~,|*]+", version):
        version = f"=={version.removeprefix('=')}"
    return version, build


def _compact(text: str) -> str:
    """`>= 1.2 , < 2` as `>=1.2,<2`; a space that is left stands before a build."""
    text = re.sub(r"\s*([,|])\s*", r"\1", text.strip())
    return re.sub(r"([<>=!~])\s+", r"\1", text)
