"""What `conda activate` does to a shell, as a child's environment and a script that starts it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

UNSET = frozenset(
    {
        "PYTHONHOME",
        "__PYVENV_LAUNCHER__",
        "VIRTUAL_ENV",
        "VIRTUAL_ENV_PROMPT",
        "CONDA_PROMPT_MODIFIER",
    }
)
"""What names another environment."""

ISOLATED = {"PYTHONNOUSERSITE": "1"}
"""A virtual environment ignores the user's own packages; a conda environment uses them by default:
what pip finds there it would not install."""

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_UNSET_VALUE = "***unset***"
"""What `conda env config vars unset` leaves in the state file."""

# Sourced without arguments, a script would see, and could shift, those of the command.
_STARTER = """\
command=("$@")
set --
for script in "$CONDA_PREFIX"/etc/conda/activate.d/*.sh; do
    . "$script"
done
exec "${command[@]}"
"""


def activation_variables(
    prefix: Path, declared: Iterable[tuple[str, str]] = ()
) -> tuple[dict[str, str], frozenset[str]]:
    """The variables that commands in `prefix` get, and those that they must not inherit.

    `declared` are those of the environment file's `variables:`, which take precedence over the packages'.
    """
    configured = {**dict(_configured(prefix)), **dict(declared)}
    unset = frozenset(name for name, value in configured.items() if value == _UNSET_VALUE)
    variables = {name: value for name, value in configured.items() if name not in unset}
    own = {"CONDA_PREFIX": str(prefix), "CONDA_DEFAULT_ENV": str(prefix), "CONDA_SHLVL": "1"}
    return {**ISOLATED, **variables, **own}, UNSET | unset


def activation_path(prefix: Path) -> tuple[Path, ...]:
    """The folders of `prefix` that conda puts on PATH."""
    return (prefix / "bin",)


def starter(prefix: Path) -> tuple[str, ...]:
    """The words before a command's argv that run its packages' scripts first; none where there are no scripts."""
    has_scripts = any((prefix / "etc/conda/activate.d").glob("*.sh"))
    return ("bash", "-c", _STARTER, "bash") if has_scripts else ()


def python_of(prefix: Path) -> Path:
    """Its interpreter, which may not exist: an environment may contain only R."""
    return prefix / "bin/python"


def _configured(prefix: Path) -> Iterator[tuple[str, str]]:
    """In conda's order: the packages' files, then what the user set."""
    for file in sorted((prefix / "etc/conda/env_vars.d").glob("*.json")):
        yield from _texts(_read(file))
    state = _read(prefix / "conda-meta/state").get("env_vars")
    if isinstance(state, dict):
        yield from _texts(state)


def _read(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # conda reports it and continues, too
    return content if isinstance(content, dict) else {}


def _texts(content: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        if re.fullmatch(_NAME, name) and "\0" not in str(value):
            yield name, str(value)
