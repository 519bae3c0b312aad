"""Reads the requests of a probe: one a line, in the files of `calls/`.

    [!DIFFERENCE] [[Header: value]] METHOD PATH [BODY] [-> NAME=KEY.KEY …]

A path without a leading `/` stands below `/api/2.0/mlflow/`. `$NAME` is what an earlier line saved from that server's
answer, `$u` a text of this scenario alone. `<<TEXT*COUNT>>` is the text so often, with `#` as its number; texts that
hold a `{` are joined by commas. `!DIFFERENCE` names why we answer otherwise (`allowed.py`). `#` begins a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).with_name("calls")

_LINE = re.compile(
    r"(?:!(?P<allowed>[\w-]+) )?(?:\[(?P<header>[\w-]+): *(?P<value>[^\]]*)\] )?(?P<method>[A-Z]+) (?P<path>\S+)"
    r"(?: (?P<body>.*?))?(?: -> (?P<saves>\w+=[\w.]+(?: \w+=[\w.]+)*))?$"
)
_REPEATED = re.compile(r"<<(.*?)\*(\d+)>>")
_NAME = re.compile(r"\$(\w+)")


class Call(NamedTuple):
    """One request. `saves` are names, with the keys that lead to their value in the answer."""

    line: str
    allowed: str
    method: str
    path: str
    body: str | None
    headers: Mapping[str, str]
    saves: tuple[tuple[str, tuple[str, ...]], ...]


def scenarios() -> list[str]:
    """The names of the files."""
    return sorted(file.stem for file in FOLDER.glob("*.txt"))


def read_calls(scenario: str) -> list[Call]:
    """The requests of a file, in their order."""
    return list(_read(FOLDER / f"{scenario}.txt"))


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """The text with values for its names, and what is to be repeated."""
    return _REPEATED.sub(_repeat, _NAME.sub(lambda match: values.get(match[1], match[0]), text))


def _repeat(match: re.Match[str]) -> str:
    parts = (match[1].replace("#", str(number)) for number in range(int(match[2])))
    return ("," if "{" in match[1] or '"' in match[1] else "").join(parts)


def _read(file: Path) -> Iterator[Call]:
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        found = _LINE.match(line)
        if found is None:
            raise ValueError(f"{file.name}: {line}")
        path = found["path"] if found["path"].startswith("/") else f"/api/2.0/mlflow/{found['path']}"
        headers = {found["header"]: found["value"]} if found["header"] else {}
        saves = [save.partition("=") for save in (found["saves"] or "").split()]
        saved = tuple((name, tuple(keys.split("."))) for name, _, keys in saves)
        yield Call(line, found["allowed"] or "", found["method"], path, found["body"], headers, saved)
