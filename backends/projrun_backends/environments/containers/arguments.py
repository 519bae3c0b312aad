"""`-A`: what the user passes on to `docker run`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from projrun.errors import RequestError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_SAME = {
    "d": "detach",
    "e": "env",
    "m": "memory",
    "net": "network",
    "u": "user",
    "v": "volume",
    "w": "workdir",
}
"""Other names of the options that mean something here."""

_REFUSED = {
    "cidfile": "projrun follows the container by its own file",
    "detach": "projrun waits for the container",
    "help": "see `docker run --help`",
    "restart": "a run starts once",
}
_PULLS = ("missing", "always", "never")


class Option(NamedTuple):
    """One option of `docker run`, under its long name where that matters here."""

    name: str
    value: str | None
    """None for a flag."""

    @property
    def word(self) -> str:
        """As one word of the command line; one-letter names get one dash, as in MLflow."""
        dashes = "-" if len(self.name) == 1 else "--"
        return f"{dashes}{self.name}" if self.value is None else f"{dashes}{self.name}={self.value}"


class Arguments(NamedTuple):
    """All `-A` arguments, sorted by who handles them."""

    options: tuple[Option, ...] = ()
    """For `docker run`, in the order given."""
    variables: tuple[tuple[str, str | None], ...] = ()
    """`-A env=…`: a value, or None to copy the caller's. Kept off the command line like all variables."""
    pull: str = "missing"
    """`-A pull=…`: projrun pulls itself."""

    def __repr__(self) -> str:
        names = [name for name, _ in self.variables]  # their values may be secrets
        return f"Arguments(options={self.options!r}, variables={names!r}, pull={self.pull!r})"

    def value(self, name: str) -> str | None:
        """The effective value of an option, the last one; None if it was not given."""
        values = self.values(name)
        return values[-1] if values else None

    def values(self, name: str) -> list[str]:
        """All values of an option."""
        return [option.value for option in self.options if option.name == name and option.value is not None]


def parse_arguments(given: Iterable[str]) -> Arguments:
    """Sort `name=value` and `flag` words. Raises RequestError for one that cannot work here."""
    options: list[Option] = []
    variables: list[tuple[str, str | None]] = []
    pull = "missing"
    for text in given:
        option = _option(text)
        if option.name == "env":
            variables.append(_variable(option))
        elif option.name == "pull":
            pull = _pull(option)
        elif option.name != "rm":  # projrun removes the container, when it has read how it ended
            options.append(option)
    return Arguments(tuple(options), tuple(variables), pull)


def _option(text: str) -> Option:
    written, equals, value = text.partition("=")
    if not _NAME.fullmatch(written):
        raise RequestError(
            f"-A {text!r} is not an option of `docker run`", hint="-A NAME=VALUE or -A FLAG, without dashes"
        )
    name = _SAME.get(written, written)
    if name in _REFUSED and value not in ("false", "no"):
        raise RequestError(f"-A {written}: {_REFUSED[name]}", hint="remove it")
    if "\0" in value:
        raise RequestError(f"-A {written}: a value cannot contain a NUL byte")
    return Option(name, value if equals else None)


def _variable(option: Option) -> tuple[str, str | None]:
    name, equals, value = (option.value or "").partition("=")
    if not name:
        raise RequestError("-A env has no variable name", hint="-A env=NAME=VALUE or -A env=NAME")
    return name, value if equals else None


def _pull(option: Option) -> str:
    if option.value not in _PULLS:
        raise RequestError(f"-A pull={option.value or ''} is unknown", hint=f"one of: {', '.join(_PULLS)}")
    return option.value
