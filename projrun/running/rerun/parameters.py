"""The parameters of a recorded run, as values for a new one."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from projrun.credentials import MASK
from projrun.errors import RequestError
from projrun.project.binding import GivenValue
from projrun.project.shown import listed
from projrun.running.rerun.record import Record

_MASKED_QUERY = re.compile(r"://[^\s]*[?&][^=&\s]+=\*\*\*")


def repeated_parameters(record: Record, given: Mapping[str, GivenValue]) -> dict[str, GivenValue]:
    """What the run was given, in its order, with the values given now instead of or in addition to them.

    A value that the record does not hold (a secret, one that was too long for the store, an address whose token
    was removed) must be given again, unless it was the default: RequestError names all that are missing. MLflow's
    params may be the project's own as well, so they count only if the entry point declares them, and their values lose
    MLflow's quotes.
    """
    lost = {name: why for name, why in _lost(record) if name not in given}
    asked = {name: why for name, why in lost.items() if record.by_user is None or name in record.by_user}
    if asked:
        raise _incomplete(record, asked)
    names = record.params if record.given is None else record.given
    directory, inside = _directory(record), _inside(record)
    recorded = {
        name: GivenValue(
            _text(record, name),
            "record",
            directory,
            inside,
            is_given=record.by_user is not None and name in record.by_user,
            if_declared=record.given is None,
        )
        for name in names
        if name in record.params and name not in given and name not in lost
    }
    return {name: given[name] if name in given else recorded[name] for name in (*recorded, *given)}


def recorded_text(record: Record, name: str) -> str | None:
    """A parameter as the run was given it; None where it is not in the record."""
    return _text(record, name) if name in record.params else None


def _text(record: Record, name: str) -> str:
    text = record.params[name]
    return text if record.version else unquoted(text)


def unquoted(text: str) -> str:
    """The word that `mlflow run` quoted for the shell before it recorded it; other text as it is."""
    try:
        words = shlex.split(text)
    except ValueError:
        return text
    return words[0] if len(words) == 1 and shlex.quote(words[0]) == text else text


def _lost(record: Record) -> Iterator[tuple[str, str]]:
    """The parameters whose values were not recorded, and why."""
    for name in record.params if record.given is None else record.given:
        value = record.params.get(name)
        if value is None:
            yield name, "is not recorded"
        elif name in record.truncated:
            yield name, f"was too long for the store: its first {len(value)} characters are recorded"
        elif record.version and value == MASK:
            yield name, "is a secret, which is never recorded"
        elif record.version and _MASKED_QUERY.search(value):
            yield name, "is a URL with a token, which is never recorded"


def _incomplete(record: Record, lost: Mapping[str, str]) -> RequestError:
    supply = " ".join(f"-P {shlex.quote(name)}=VALUE" for name in lost)
    return RequestError(
        f"the record of {record.shown} lacks the value of {listed(lost)}",
        hint=f"give {supply}",
        detail="\n".join(f"{listed([name])} {why}" for name, why in lost.items()),
    )


def _directory(record: Record) -> Path | None:
    """What relative paths were relative to; None where that folder is not on this machine."""
    directory = record.caller_directory
    try:
        return directory if directory is not None and directory.is_dir() else None
    except OSError:  # a name that is too long
        return None


def _inside(record: Record) -> str | None:
    """Where the run was started, from the project's folder, where that was inside of the project's repository.

    The files there may have changed; those of the commit are meant.
    """
    if record.commit is None or record.caller_directory is None:
        return None
    location, _, subdirectory = record.source.partition("#")
    top = Path(location.removeprefix("file://"))
    if not top.is_absolute() or not record.caller_directory.is_relative_to(top):
        return None
    return os.path.relpath(record.caller_directory, top / subdirectory)
