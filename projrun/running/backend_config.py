"""`--backend-config`: a JSON object for the execution backend, and as people may see it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from projrun.bounded import parse_json, read_file
from projrun.credentials import MASK
from projrun.errors import RequestError
from projrun.settings import Setting


def read_backend_config(setting: Setting, caller_directory: Path) -> Mapping[str, object]:
    """A JSON object, or the path of a file that holds one and ends in `.json` (as in MLflow)."""
    text, origin = setting.value, setting.origin
    if not text.lstrip().startswith("{"):
        file = caller_directory / text
        origin = f"{origin} {text}"
        try:
            text = read_file(file).decode("utf-8")
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise RequestError(f"{origin}: {reason}", hint="give a .json file or a JSON object") from None
    try:
        parsed = parse_json(text)
    except ValueError as error:
        raise RequestError(
            f"{origin}: not JSON: {error}", hint="give a .json file or a JSON object"
        ) from None
    if not isinstance(parsed, dict):
        raise RequestError(f"{origin}: not a JSON object", hint='for example {"key": "value"}')
    return parsed


def shown_config(config: Mapping[str, object]) -> dict[str, object]:
    """The keys, the nested ones too, without values: only the backend knows which of them are secrets."""
    return {name: _shown(value) for name, value in config.items()}


def _shown(value: object) -> object:
    if isinstance(value, dict):
        return shown_config(value)
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return MASK
