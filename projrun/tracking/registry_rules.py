"""What the registry takes: names, aliases, versions, stages and tags. The texts are MLflow's: clients match them."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Sequence

from projrun.errors import InvalidValueError
from projrun.tracking import limits
from projrun.tracking.entities import Tag

STAGES = ("None", "Staging", "Production", "Archived")
ACTIVE_STAGES = ("Staging", "Production")
TAG_VALUE = 100_000
ALIAS = 255
LATEST = "latest"
"""The alias, in any case, that is the newest version and cannot be set."""

_ALIAS = re.compile(r"[\w\-]+")
_VERSION_ALIAS = re.compile(r"[vV]\d+")
_NUMBER = re.compile(r"[0-9]{1,18}")


def check_name(name: str, field: str = "name") -> None:
    """`/` and `:` are parts of `models:/name/version`; the store of files had a folder of the name."""
    if not name.strip():
        raise InvalidValueError(f"Missing value for required parameter '{field}'.")
    if "/" in name or ":" in name:
        raise InvalidValueError(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")
    path = posixpath.normpath(name)
    if path != name or path == "." or path.startswith(".."):
        raise InvalidValueError(
            f"Invalid value {json.dumps(name)} for parameter 'name' supplied: Names may be treated as files in certain"
            f" cases, and must not resolve to other names when treated as such. This name would resolve to {path!r}"
        )


def check_alias(alias: str) -> None:
    """Raises InvalidValueError for what cannot be an alias."""
    if not alias:
        raise InvalidValueError("Registered model alias name cannot be empty.")
    if not _ALIAS.fullmatch(alias):
        raise InvalidValueError(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )
    if len(alias) > ALIAS:
        raise InvalidValueError(
            f"'Registered model alias name' exceeds the maximum length of {ALIAS} characters"
        )


def check_new_alias(alias: str) -> None:
    """As `check_alias`, and it must not mean something already."""
    check_alias(alias)
    if alias.lower() == LATEST:
        raise InvalidValueError("'latest' alias name (case insensitive) is reserved.")
    if _VERSION_ALIAS.match(alias):
        raise InvalidValueError(f"Version alias name '{alias}' is reserved.")


def version_number(version: str) -> int:
    """Raises InvalidValueError for a version that is not a number."""
    if not _NUMBER.fullmatch(version):
        raise InvalidValueError(f"Parameter 'version' must be an integer, got '{version}'.")
    return int(version)


def canonical_stage(stage: str) -> str:
    """A stage in its own case. Raises InvalidValueError for one that MLflow does not have."""
    for known in STAGES:
        if known.lower() == stage.lower():
            return known
    raise InvalidValueError(
        f"Invalid Model Version stage: {stage}. Value must be one of {', '.join(STAGES)}."
    )


def check_tags(tags: Sequence[Tag]) -> None:
    """Raises InvalidValueError."""
    for tag in tags:
        limits.check_key(tag.key, "tag")
        if len(tag.value) > TAG_VALUE:
            raise InvalidValueError(f"'value' exceeds the maximum length of {TAG_VALUE} characters")
