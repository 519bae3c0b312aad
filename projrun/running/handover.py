"""A request on its way to another process of this user: a JSON file, and one with its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.cache.private_files import write_private
from projrun.running.request import RunRequest
from projrun.running.request_json import from_json, to_json
from projrun.running.request_secrets import read_text, sealed, unsealed


def hand_over(request: RunRequest, folder: Path, name: str) -> Path:
    """Write a request for another process of this user; what is left from before is replaced. Raises OSError."""
    file = folder / f"{name}.request.json"
    discard_request(file)
    try:
        write_private(file, to_json(sealed(request, _secrets_file(file))))
    except BaseException:
        discard_request(file)
        raise
    return file


def take_over(file: Path, environ: Mapping[str, str]) -> RunRequest:
    """The request that `hand_over` wrote, which is removed; RequestError for one that cannot be read."""
    request = unsealed(from_json(read_text(file)), environ)
    discard_request(file)
    return request


def discard_request(file: Path) -> None:
    """Remove a request and its secrets, where they are still there."""
    file.unlink(missing_ok=True)
    _secrets_file(file).unlink(missing_ok=True)


def _secrets_file(file: Path) -> Path:
    return file.with_name(file.name.removesuffix(".request.json") + ".secrets.json")
