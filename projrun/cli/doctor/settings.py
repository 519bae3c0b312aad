"""Settings and variables that are set, and where each comes from; secrets are masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from projrun.credentials import redact_uri, without_credentials
from projrun.settings import Settings
from projrun.settings.options import OPTIONS

_SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|KEY|CREDENTIAL|AUTH|LOGIN")
_OURS = ("PROJRUN_", "MLFLOW_")


class Shown(NamedTuple):
    """One of them, as it may be shown."""

    name: str
    value: str
    origin: str


def shown_settings(settings: Settings, environ: Mapping[str, str]) -> list[Shown]:
    """What is not a default, then variables that no setting reads."""
    found = [
        Shown(name, _masked(name, setting.value), setting.origin)
        for name, option in OPTIONS.items()
        if option.setting and (setting := settings.get(name)) is not None
    ]
    read = {variable for option in OPTIONS.values() for variable in option.variables}
    others = sorted(name for name in environ if name.startswith(_OURS) and name not in read and environ[name])
    return [*found, *(Shown(name, _masked(name, environ[name]), "the environment") for name in others)]


def _masked(name: str, value: str) -> str:
    if _SECRET.search(name.upper().replace("-", "_")):
        return "***"
    return without_credentials(redact_uri(value))
