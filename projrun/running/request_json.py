"""A request as JSON and back. What is read may come from anywhere: nothing in it is trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from projrun.errors import RequestError
from projrun.project.binding import GivenValue
from projrun.running.request import RunRequest, SecretRef
from projrun.running.request_secrets import secrets_of
from projrun.settings.options import OPTIONS, Option

FORMAT = 1
"""Rises when an older projrun would misread what a newer one writes."""

_ORIGINS = ("command line", "parameters file", "api", "record")
_PARAMETER_KEYS = {"origin", "directory", "inside", "is_given", "if_declared"}


def to_json(request: RunRequest) -> str:
    """The request as JSON (ASCII). ValueError if it holds a secret by value: see `request_secrets.sealed`."""
    exposed = secrets_of(request)
    if exposed:
        raise ValueError(f"the request holds secrets: {', '.join(sorted(exposed))}")
    document: dict[str, object] = {"format": FORMAT, **request._asdict()}
    del document["registry_login"]  # empty, or a secret
    document["caller_directory"] = str(request.caller_directory)
    document["patch"] = None if request.patch is None else str(request.patch)
    document["parameters"] = {name: _parameter(value) for name, value in request.parameters.items()}
    document["secrets"] = {place: _reference(ref) for place, ref in request.secrets.items()}
    return json.dumps(document)


def _parameter(value: GivenValue) -> dict[str, object]:
    fields = value._asdict()
    del fields["text"]  # which is a secret wherever the project says so
    return {**fields, "directory": None if value.directory is None else str(value.directory)}


def _reference(ref: SecretRef) -> dict[str, str]:
    return {"variable": ref.variable} if ref.variable is not None else {"file": str(ref.file)}


def from_json(text: str) -> RunRequest:
    """The request that `to_json` wrote; RequestError for any other text."""
    document = _document(text)
    keys = {"format", *RunRequest._fields} - {"registry_login"}
    _check_keys(document, keys, "the request")
    secrets = {place: _read_reference(place, ref) for place, ref in _table(document, "secrets").items()}
    request = RunRequest(
        uri=_text(document, "uri"),
        caller_directory=_path(document, "caller_directory"),
        entry_point=_text(document, "entry_point"),
        version=None if document["version"] is None else _text(document, "version"),
        parameters={
            name: _read_parameter(name, value) for name, value in _table(document, "parameters").items()
        },
        options={name: _read_option(name, value) for name, value in _table(document, "options").items()},
        tags=_texts(document, "tags"),
        patch=None if document["patch"] is None else _path(document, "patch"),
        recorded=_texts(document, "recorded"),
        record=_text(document, "record"),
        secrets=secrets,
    )
    _check_settings(request.recorded)
    _check_places(request)
    return request


def _damaged(what: str) -> NoReturn:
    """Raises the error for a request that no projrun has written."""
    raise RequestError(f"the request is damaged: {what}", hint="write it again with this version of projrun")


def _document(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        _damaged("it is not JSON")
    if not isinstance(document, dict):
        _damaged("it is not a JSON object")
    version = document.get("format")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        _damaged("it has no format number")
    if version > FORMAT:
        raise RequestError(
            f"the request has format {version}, and this version of projrun reads {FORMAT}",
            hint="upgrade projrun, or write the request with this version",
        )
    return document


def _check_keys(table: Mapping[str, object], keys: set[str], where: str) -> None:
    unknown = sorted(table.keys() - keys)
    if unknown:
        raise RequestError(
            f"{where} has an unknown key {_shown(unknown[0])}",
            hint="upgrade projrun, or write the request with this version",
        )
    missing = sorted(keys - table.keys())
    if missing:
        _damaged(f"{where} has no {missing[0]!r}")


def _text(table: Mapping[str, object], key: str) -> str:
    value = table[key]
    if not isinstance(value, str):
        _damaged(f"{key!r} is not a string")
    return value


def _path(table: Mapping[str, object], key: str) -> Path:
    text = _text(table, key)
    if "\0" in text or not Path(text).is_absolute():
        _damaged(f"{key!r} is not an absolute path")
    return Path(text)


def _table(table: Mapping[str, object], key: str) -> dict[str, Any]:
    value = table[key]
    if not isinstance(value, dict):
        _damaged(f"{key!r} is not an object")
    return value


def _texts(table: Mapping[str, object], key: str) -> dict[str, str]:
    values = _table(table, key)
    return {name: _text(values, name) for name in values}


def _read_parameter(name: str, value: object) -> GivenValue:
    if not isinstance(value, dict):
        _damaged(f"parameter {_shown(name)} is not an object")
    _check_keys(value, _PARAMETER_KEYS, f"parameter {_shown(name)}")
    origin = _text(value, "origin")
    if origin not in _ORIGINS:
        _damaged(f"parameter {_shown(name)} has an unknown origin")
    flags = value["is_given"], value["if_declared"]
    if not all(isinstance(flag, bool) for flag in flags):
        _damaged(f"parameter {_shown(name)} has a flag that is neither true nor false")
    return GivenValue(
        "",
        origin,  # type: ignore[arg-type]  # one of the literals: compared above
        None if value["directory"] is None else _path(value, "directory"),
        None if value["inside"] is None else _text(value, "inside"),
        *flags,
    )


def _read_option(name: str, value: object) -> str | tuple[str, ...]:
    option = _option(name)
    if option.kind == "repeated":
        _damaged(f"the values of --{name} are in plain text")
    if not isinstance(value, str) or (option.kind == "flag" and value != "1"):
        _damaged(f"--{name} has a value of the wrong type")
    return value


def _option(name: str) -> Option:
    option = OPTIONS.get(name)
    if option is None or not option.requested:
        raise RequestError(
            f"the request has an unknown option {_shown(name)}",
            hint="upgrade projrun, or write the request with this version",
        )
    return option


def _check_settings(recorded: Mapping[str, str]) -> None:
    for name in recorded:
        if not _option(name).setting:
            _damaged(f"--{name} cannot be recorded")


def _read_reference(place: str, value: object) -> SecretRef:
    if isinstance(value, dict) and len(value) == 1:
        if "file" in value:
            return SecretRef(file=_path(value, "file"))
        if "variable" in value:
            return SecretRef(variable=_text(value, "variable"))
    _damaged(f"the reference to the secret {_shown(place)} is neither a variable nor a file")


def _check_places(request: RunRequest) -> None:
    for place in request.secrets:
        kind, _, name = place.partition("/")
        if kind == "options":
            _option(name)
        elif not (
            place in ("uri", "registry-login") or (kind == "parameters" and name in request.parameters)
        ):
            _damaged(f"nothing in it needs the secret {_shown(place)}")
    for name in request.parameters:
        if f"parameters/{name}" not in request.secrets:
            _damaged(f"parameter {_shown(name)} has no value")
    if secrets_of(request):
        _damaged("a secret is in plain text")


def _shown(text: str) -> str:
    return repr(text if len(text) < 80 else f"{text[:80]}…")
