"""What every git process of projrun gets: an environment without surprises, and settings that run no code."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

REMOTE = "projrun"
"""What git calls the repository: no file of the mirror holds its address, where a query may be secret."""

SAFE_SETTINGS = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
)
"""What a repository's configuration could otherwise start."""

_FILTER_OFF = (("clean", ""), ("smudge", ""), ("process", ""), ("required", "false"))

_REPOSITORY_VARIABLES = frozenset(
    # `git rev-parse --local-env-vars`, but for the settings handed over in GIT_CONFIG_*: set in a git hook,
    # they would lead git to the hook's repository.
    (
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_CONFIG_PARAMETERS",  # of a surrounding `git -c`: it would take precedence over our settings
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NAMESPACE",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    )
)


def git_environ(
    environ: Mapping[str, str], *, protocols: str, settings: Sequence[tuple[str, str]] = ()
) -> dict[str, str]:
    """The environment of a git process: `protocols` as GIT_ALLOW_PROTOCOL takes them, never a prompt.

    `settings` go in through GIT_CONFIG_COUNT (git 2.31), after the caller's own: a key may hold a `=` there,
    and a value does not show in the process list.
    """
    ours = {key: value for key, value in environ.items() if key not in _REPOSITORY_VARIABLES}
    ours.update(GIT_ALLOW_PROTOCOL=protocols, GIT_TERMINAL_PROMPT="0", GIT_NO_LAZY_FETCH="1")
    ours.update(LC_ALL="C", LANGUAGE="C")  # its messages are read
    count = ours.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    everything = (*SAFE_SETTINGS, *settings)
    for number, (key, value) in enumerate(everything, first):
        ours[f"GIT_CONFIG_KEY_{number}"], ours[f"GIT_CONFIG_VALUE_{number}"] = key, value
    ours["GIT_CONFIG_COUNT"] = str(first + len(everything))
    return ours


def filters_off(keys: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Settings under which no content filter runs of those that the settings `filter.NAME.…` in `keys` make."""
    names = {key.partition(".")[2].rpartition(".")[0] for key in keys}
    return tuple((f"filter.{name}.{key}", value) for name in sorted(names) for key, value in _FILTER_OFF)
