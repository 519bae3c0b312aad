"""A JobSpec as JSON: what people may see in the text itself, the rest in a file that only its owner may read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from projrun.cache.private_files import NotPrivateError, read_private, write_private
from projrun.execution.protocol import JobSpec, Limits

_VERSION = 1
_PRIVATE = frozenset({"environ", "end_environ", "secrets"})
"""Fields that never stand in the text: a variable may hold a password that projrun does not know of."""
_HERE = frozenset({"kept_open"})
"""Fields that mean something in one process only."""
_TEXTS = frozenset({"command", "end_function", "mark"})
_PATHS = frozenset({"directory", "log_file"})
_LISTS = frozenset({"argv_prefix", "secrets", "argv", "end_argv"})
_FLAGS = frozenset(
    {"forward_stdout_to_stderr", "terminal", "keyboard", "passes_keys", "timestamps", "end_leftovers"}
)
_TABLES = frozenset({"environ", "end_environ", "end_details"})


def write_spec(spec: JobSpec, private: Path) -> str:
    """Write a job's specification as JSON; secrets go to the new file `private`, mode 0600.

    Secret is every variable, and each field in which a masked text stands. Raises OSError where the file exists
    or cannot be written.
    """
    fields = {name: _plain(value) for name, value in spec._asdict().items() if name not in _HERE}
    hidden = {name for name, value in fields.items() if name in _PRIVATE or _mentions(value, spec.secrets)}
    write_private(private, json.dumps({name: fields[name] for name in sorted(hidden)}))
    public = {name: value for name, value in fields.items() if name not in hidden}
    return json.dumps({"version": _VERSION, "private": os.path.abspath(private), **public})  # noqa: PTH100 - no links resolved


def read_spec(text: str) -> JobSpec:
    """Read what `write_spec` wrote, together with its private file.

    Raises ValueError for anything else, and for a private file that others may read; OSError for one that is gone.
    """
    public = _object(text, "a job specification")
    if public.pop("version", None) != _VERSION:
        raise ValueError(f"not a job specification of version {_VERSION}")
    private = public.pop("private", None)
    if not isinstance(private, str):
        raise ValueError("the job specification names no private file")
    fields = {**public, **_object(_read_private(Path(private)), private)}
    unknown = fields.keys() ^ (set(JobSpec._fields) - _HERE)
    if unknown:
        raise ValueError(f"not a job specification: {min(unknown)} is missing or unknown")
    return JobSpec(**{name: _typed(name, value) for name, value in fields.items()})


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Limits):
        return value._asdict()
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value


def _mentions(value: object, secrets: tuple[str, ...]) -> bool:
    if isinstance(value, dict):
        return any(_mentions(one, secrets) for item in value.items() for one in item)
    if isinstance(value, list):
        return any(_mentions(one, secrets) for one in value)
    return isinstance(value, str) and any(secret in value for secret in secrets if secret)


def _read_private(file: Path) -> str:
    try:
        return read_private(file)
    except NotPrivateError as error:
        raise ValueError(f"{file} may be read or written by others: {error}") from None


def _object(text: str, what: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{what} is not a JSON object")
    return value


def _typed(name: str, value: object) -> Any:
    if name in _LISTS and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if name in _TABLES and isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
        return value
    if name in _PATHS and isinstance(value, str):
        return Path(value)
    if name in _TEXTS and isinstance(value, str):
        return value
    if name == "grace_period" and _is_number(value):
        return float(value)  # type: ignore[arg-type]  # asked just now
    if name == "limits" and _is_limits(value):
        return Limits(**value)  # type: ignore[arg-type]  # asked just now
    if name in _FLAGS and isinstance(value, bool):
        return value
    raise ValueError(f"not a job specification: {name} has the wrong type")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_limits(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == set(Limits._fields)
        and all(map(_is_number, value.values()))
    )
