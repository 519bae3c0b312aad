"""Symbolic links of an archive: each must stay inside it, whatever other links it passes through."""

from __future__ import annotations

from collections.abc import Mapping

from projrun.sources.archives.errors import quoted, refused
from projrun.sources.archives.names import Parts, folded

_LONGEST_CHAIN = 40
"""As many links as Linux follows."""


def check_links(links: Mapping[Parts, str]) -> None:
    """Raises UnpackError for one that leads out or loops. Targets may not exist."""
    known = {folded(place): target for place, target in links.items()}
    for place, target in links.items():
        _follow(place, target, known)


def _follow(place: Parts, target: str, links: Mapping[Parts, str]) -> None:
    """Walk a link's target step by step, as the system will; also where a step does not exist."""
    name = "/".join(place)
    here, ahead, chain = list(folded(place[:-1])), _steps(name, target), 0
    while ahead:
        step = ahead.pop()
        if step == "..":
            if not here:
                raise refused(name, f"is a link to {quoted(target)}, which leads out of the archive")
            here.pop()
            continue
        here.append(*folded((step,)))
        passed = links.get(tuple(here))
        if passed is not None:
            chain += 1
            if chain > _LONGEST_CHAIN:
                raise refused(name, f"is a link to {quoted(target)}, which is a loop")
            here.pop()
            ahead += _steps(name, passed)


def _steps(name: str, target: str) -> list[str]:
    """The parts of a target, the first one last; an absolute one always leads out."""
    if not target or target.startswith("/") or "\\" in target or "\0" in target or target[1:2] == ":":
        raise refused(name, f"is a link to {quoted(target)}, which leads out of the archive")
    return [step for step in reversed(target.split("/")) if step not in ("", ".")]
