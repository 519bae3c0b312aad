"""What Python callers pass to `projrun.run` and `projrun.rerun`, as a request holds it.

What has a plain text (a number, a path) is taken for it; RequestError names the argument of anything else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from projrun.credentials import HiddenMapping
from projrun.errors import RequestError
from projrun.project.binding import GivenValue
from projrun.running.record.parent import imported_tracking_uri
from projrun.settings.options import Option, options_of

if TYPE_CHECKING:
    from projrun.settings.options import Command


def text_of(name: str, value: object) -> str:
    """The text of an argument that stands for one."""
    if isinstance(value, str):
        return value
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise RequestError(f"{name}: {value!r} is not a string", hint=f"give {name} as a string")


def options_from(command: Command, keywords: Mapping[str, object]) -> dict[str, str | tuple[str, ...]]:
    """The options among the keywords, by their names and as the command line gives them."""
    given = {
        option.name: _option(option, keywords.get(option.keyword))
        for option in accepted(command)
        if option.requested
    }
    given["tracking-uri"] = given["tracking-uri"] or imported_tracking_uri()
    return {name: value for name, value in given.items() if value is not None}


def accepted(command: Command) -> tuple[Option, ...]:
    """The options of a command that are also keywords."""
    return tuple(option for option in options_of(command) if option.api)


def parameters_from(given: object) -> dict[str, GivenValue]:
    """The parameters: values of any type, passed as their `str()` as in MLflow."""
    return {
        text_of("parameters", name): GivenValue(str(value), "api")
        for name, value in _mapping("parameters", given).items()
    }


def registry_login_from(given: Mapping[str, str] | None) -> Mapping[str, str]:
    """`docker_auth`, whose values appear in no message."""
    strings = isinstance(given, Mapping) and all(isinstance(value, str) for value in given.values())
    if given is not None and not strings:
        raise RequestError(
            "docker_auth: must be a mapping, and its values must be strings",
            hint="for example username, password and registry",
        )
    return HiddenMapping(given or {})


def explained(command: Command, names: Iterable[str], own: Mapping[str, str]) -> str:
    """The lines of a docstring about these keywords: from the table of options, else from `own`."""
    options = {option.keyword: option for option in options_of(command)}
    lines = ["Parameters:"]
    for name in names:
        if name in own:
            text = own[name]
        else:
            hint = options[name].hint(command)
            text = f"{options[name].help} [{hint}]" if hint else options[name].help
        lines.append(f"    {name}: {text}")
    return "\n".join(lines)


def _mapping(name: str, given: object) -> Mapping[object, object]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise RequestError(f"{name}: must be a mapping, not {type(given).__name__}")
    return given


def _option(option: Option, value: object) -> str | tuple[str, ...] | None:
    if option.kind == "flag":
        return "1" if value else None
    if value is None:
        return None
    if option.kind == "repeated":
        pairs = _mapping(option.keyword, value).items()
        return (
            tuple(word for name, one in pairs for word in _words(text_of(option.keyword, name), one)) or None
        )
    if option.kind == "json" and isinstance(value, Mapping):
        return _json(option.keyword, value)
    if option.name == "retry-on" and isinstance(value, (list, tuple, set, frozenset)):
        return ",".join(text_of(option.keyword, one) for one in value)
    if isinstance(value, timedelta):
        return text_of(option.keyword, value.total_seconds())
    return text_of(option.keyword, value)


def _json(name: str, value: object) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError(f"{name}: cannot be written as JSON: {error}") from None


def _words(name: str, value: object) -> Iterator[str]:
    """MLflow's `docker_args`: True is a flag; here a list repeats the option, False omits it."""
    for one in value if isinstance(value, (list, tuple)) else (value,):
        if one is True:
            yield name
        elif one is not False:
            yield f"{name}={one}"
