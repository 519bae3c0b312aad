"""The secrets of a request: out of the value into a file that only its owner may read, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from projrun.cache.private_files import NotPrivateError, read_private, write_private
from projrun.credentials import HiddenMapping, redact_uri
from projrun.errors import RequestError
from projrun.running.request import RunRequest, SecretRef
from projrun.settings.options import OPTIONS

Secret = str | list[str] | dict[str, str]


def secrets_of(request: RunRequest) -> dict[str, Secret]:
    """What must not be seen, by its place: all that may be a secret, since only the project says what is one."""
    found: dict[str, Secret] = {}
    if redact_uri(request.uri) != request.uri:
        found["uri"] = request.uri
    for name, value in request.options.items():
        if not isinstance(value, str):
            found[f"options/{name}"] = list(value)
        elif OPTIONS[name].kind == "json" or redact_uri(value) != value:
            found[f"options/{name}"] = value
    if request.registry_login:
        found["registry-login"] = dict(request.registry_login)
    found.update({f"parameters/{name}": given.text for name, given in request.parameters.items()})
    return {place: secret for place, secret in found.items() if place not in request.secrets}


def sealed(request: RunRequest, file: Path) -> RunRequest:
    """The request with its secrets in a new file (mode 0600) instead. Raises OSError."""
    secrets = secrets_of(request)
    if not secrets:
        return request
    write_private(file, json.dumps(secrets))
    return request._replace(
        uri=redact_uri(request.uri),
        options={name: value for name, value in request.options.items() if f"options/{name}" not in secrets},
        registry_login={},
        parameters={name: given._replace(text="") for name, given in request.parameters.items()},
        secrets={**request.secrets, **dict.fromkeys(secrets, SecretRef(file=file))},
    )


def unsealed(request: RunRequest, environ: Mapping[str, str]) -> RunRequest:
    """The request with its secrets in it; RequestError for one that is missing, or that others may have read."""
    files: dict[Path, Mapping[str, object]] = {}
    for place, ref in request.secrets.items():
        if ref.file is not None:
            if ref.file not in files:
                files[ref.file] = _read_secrets(ref.file)
            value = files[ref.file].get(place)
        else:
            value = _from_variable(place, environ.get(ref.variable or ""))
        request = _with_secret(request, place, value, ref)
    return request._replace(secrets={})


def _with_secret(request: RunRequest, place: str, value: Any, ref: SecretRef) -> RunRequest:
    kind, _, name = place.partition("/")
    if not _fits(place, value):
        where = f"${ref.variable}" if ref.file is None else str(ref.file)
        raise RequestError(f"{where} does not hold the secret {place!r} of the request")
    if kind == "uri":
        return request._replace(uri=value)
    if kind == "registry-login":
        return request._replace(registry_login=HiddenMapping(value))
    if kind == "options":
        option = tuple(value) if isinstance(value, list) else value
        return request._replace(options={**request.options, name: option})
    given = request.parameters[name]._replace(text=value)
    return request._replace(parameters={**request.parameters, name: given})


def _fits(place: str, value: object) -> bool:
    if place == "registry-login":
        return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())
    if _is_repeated(place):
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)


def _is_repeated(place: str) -> bool:
    kind, _, name = place.partition("/")
    return kind == "options" and OPTIONS[name].kind == "repeated"


def _from_variable(place: str, text: str | None) -> object:
    """A variable holds a string as it is, a list or an object as JSON."""
    if text is None or not (place == "registry-login" or _is_repeated(place)):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _read_secrets(file: Path) -> Mapping[str, object]:
    try:
        secrets = json.loads(read_text(file))
    except (ValueError, RecursionError):
        secrets = None
    if not isinstance(secrets, dict):
        raise RequestError(f"{file} is not a file of secrets: it is not a JSON object")
    return secrets


def read_text(file: Path) -> str:
    """The text of a file that only its owner may read; RequestError for any other."""
    try:
        return read_private(file)
    except NotPrivateError as error:
        raise RequestError(
            f"{file} is refused: {error}", hint="it must be a file of yours with mode 0600"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RequestError(f"cannot read {file}: {reason}") from None
