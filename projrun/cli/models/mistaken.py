"""What is said of an address that leads to no model: what there is instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

from projrun.cli.records.model_names import parse_model
from projrun.cli.records.model_registry import absent
from projrun.errors import NotFoundError, ProjrunError, RequestError
from projrun.models.fetching import EmptyFolderError, Stores
from projrun.models.mlmodel import NoModelError
from projrun.tracking.artifacts.uris import uri_scheme
from projrun.tracking.logged_models import models_of_run
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry

_LOGGED = r"m-[0-9a-f]{32}"
_BARE = r"[^/@:]+(?:@[\w-]+|/[0-9]+)"
"""NAME@ALIAS or NAME/VERSION, where a scheme is missing."""


def explained(
    error: ProjrunError,
    uri: str,
    stores: Callable[[], AbstractContextManager[Stores]],
    *,
    offline: bool = False,
) -> ProjrunError:
    """The error to raise instead; the same where there is nothing better to say."""
    scheme = uri_scheme(uri)
    if not scheme and re.fullmatch(_BARE, uri):
        return RequestError(f"folder {uri!r} not found; did you mean 'models:/{uri}'?")
    if scheme not in ("runs", "models"):
        return error
    try:
        with stores() as opened:
            if not opened.reached(uri, offline=offline):
                return error
            return _of_run(error, uri, opened) if scheme == "runs" else _of_registry(error, uri, opened)
    except ProjrunError:
        return error


def _of_run(error: ProjrunError, uri: str, stores: Stores) -> ProjrunError:
    if not isinstance(error, NotFoundError | EmptyFolderError | NoModelError):
        return error
    run_id, _, path = uri.partition(":")[2].lstrip("/").partition("/")
    names = models_of_run(stores.runs, stores.runs.get_run(run_id))
    if path in names:
        return error
    has = f"its models: {', '.join(names)}" if names else f"it logged none; see `projrun runs show {run_id}`"
    what = f"has no model {path!r}" if path else "is no model: its address has no path"
    return RequestError(f"run {run_id} {what}", hint=has)


def _of_registry(error: ProjrunError, uri: str, stores: Stores) -> ProjrunError:
    named = parse_model(uri)
    if not isinstance(error, NotFoundError) or re.fullmatch(_LOGGED, named.name):
        return error
    registry = part_of(stores.registry, ModelRegistry)
    found = absent(registry, named, error)
    if named.is_version or found.message != error.message:
        return found
    return RequestError(
        f"{uri} names no version",
        hint=f"give models:/{named.name}/VERSION or @ALIAS; see `projrun models versions {named.name}`",
    )
