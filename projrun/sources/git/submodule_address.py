"""A submodule's address where it is relative: `../other.git` next to the repository that has it."""

from __future__ import annotations

import re

from projrun.credentials import redact_uri
from projrun.errors import SourceError

_ROOT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/]*/|(?:\[[^]]*\]|[^:/\[])*(?:\[[^]]*\])?:/?|/|")
"""What always stays: `https://host/`, `git@host:`, `/`."""


def resolve_address(url: str, base: str) -> str:
    """The whole address of `url`, relative to the repository at `base` where it starts with `./` or `../`.

    As git does (`git help submodule`, "add"), but it never leaves the host: SourceError if it leads above that.
    """
    if not url.startswith(("./", "../")):
        return url
    base = base.partition("?")[0]
    match = _ROOT.match(base)
    root = match.group() if match else ""
    parts = [part for part in base[len(root) :].split("/") if part]
    for part in url.split("/"):
        if part == ".." and not parts:
            raise SourceError(f"{redact_uri(url)!r} leads above the top of its server")
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return root + "/".join(parts)
