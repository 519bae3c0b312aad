"""Where the files of a new model version may be: a client must not make the server read what is not its own.

A version's source is downloaded by other clients, and shown by the server itself. The rules and words are MLflow's: a
folder of this machine and what the server keeps must be a run's or a logged model's own, and no path may leave its
place, however it is written.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from projrun.errors import InvalidValueError, NotFoundError, ProjrunError
from projrun.tracking.artifacts.uris import local_path
from projrun.tracking.entities import ModelVersion, Tag
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.registry import IS_PROMPT, ModelRegistry
from projrun.tracking.registry_rules import LATEST
from projrun.tracking.runs import RunStore

PROMPT_SOURCES = ("dummy-source", "prompt-template")
"""What MLflow's clients write as the source of a prompt, which has no files."""
_NAMES_A_HOST = frozenset(
    {"ftp", "sftp", "hdfs", "viewfs", "http", "https", "mlflow-artifacts", "r2", "b2", "abfss"}
)
"""Schemes of which the server would connect to the host that the URI names."""
_HERE = re.compile(r"\.|localhost.*|127\.0\.0\.1.*")


class Origin(NamedTuple):
    """Where a version comes from."""

    source: str
    run_id: str
    model_id: str


def check_origin(store: RunStore, given: Origin, tags: tuple[Tag, ...]) -> Origin:
    """What to register; a version of another model is named by its number. Raises InvalidValueError, NotFoundError."""
    values = {tag.key: tag.value for tag in tags}
    if values.get(IS_PROMPT, "").lower() == "true":
        if given.source not in PROMPT_SOURCES:
            raise InvalidValueError(
                f"Invalid prompt source: '{given.source}'. Prompt sources must use an MLflow placeholder."
            )
        return given
    origin = _from_registry(store, given)
    _Check(store, origin).check()
    return origin


def _from_registry(store: RunStore, given: Origin) -> Origin:
    """A source that is a version: its number, and the run and the logged model that it came from."""
    parts = _split(given.source)
    if parts.scheme != "models":
        return given
    if parts.netloc:
        raise _invalid(given.source, "Registered model sources must use the active model registry.")
    name, version, alias = _registered_name(given.source, parts.path)
    if not name:
        return given
    registry = part_of(store, ModelRegistry)
    tags = {tag.key: tag.value for tag in registry.get_registered_model(name).tags}
    if tags.get(IS_PROMPT, "").lower() == "true":
        raise _invalid(given.source, "Prompt versions cannot be used as model version sources.")
    if alias:
        found = registry.get_model_version_by_alias(name, alias)
    elif version.isdigit():
        found = registry.get_model_version(name, version)
    else:
        found = _of_stage(registry, name, version)
    if given.run_id not in ("", found.run_id) or given.model_id not in ("", found.model_id):
        raise _invalid(
            given.source,
            "The run_id and model_id request parameters must match the referenced model version.",
        )
    return Origin(f"models:/{name}/{found.version}", found.run_id, found.model_id)


def source_model(source: str) -> str:
    """The registered model of which a source is a version; empty for all else. Raises InvalidValueError."""
    parts = _split(source)
    return _registered_name(source, parts.path)[0] if parts.scheme == "models" else ""


def _registered_name(source: str, path: str) -> tuple[str, str, str]:
    """The name, the version or stage, and the alias of `models:/…`; no name for a logged model."""
    parts = path.lstrip("/").split("/")
    if not path.startswith("/") or len(parts) > 2 or not all(part.strip() for part in parts):
        raise _not_its_owner(source, "model_id")
    if len(parts) == 2:
        return parts[0], parts[1], ""
    name, at, alias = parts[0].rpartition("@")
    return (name, "", alias) if at else ("", "", "")


def _of_stage(registry: ModelRegistry, name: str, stage: str) -> ModelVersion:
    """The newest version in a stage, or of all for `latest`."""
    found = registry.get_latest_versions(name, () if stage.lower() == LATEST else (stage,))
    if not found:
        raise NotFoundError(f"No versions of model with name '{name}' and stage '{stage}' found")
    return max(found, key=lambda version: int(version.version))


class _Check:
    """The rules for one version."""

    def __init__(self, store: RunStore, origin: Origin) -> None:
        self._store = store
        self._source = origin.source
        self._parts = _split(origin.source)
        self._model_id, self._run_id = origin.model_id, origin.run_id
        self._owner = "model_id" if origin.model_id else "run_id"

    def check(self) -> None:
        """Raises InvalidValueError."""
        scheme = self._parts.scheme
        if scheme in _NAMES_A_HOST and (scheme != "mlflow-artifacts" or self._parts.netloc):
            self._check_host(scheme)
        if scheme in ("", "file"):
            self._check_folder()
            return
        self._check_path()
        if scheme == "runs" and (self._model_id or self._parts.netloc or self._first() != self._run_id):
            self._refuse()
        logged = scheme == "models" and not _registered_name(self._source, self._parts.path)[0]
        if logged and self._first() != (self._model_id or None):
            raise _not_its_owner(self._source, "model_id")
        if scheme == "mlflow-artifacts" and not self._is_within_root(_is_within):
            self._refuse()

    def _check_host(self, scheme: str) -> None:
        with suppress(InvalidValueError):  # no such run or model
            if self._is_within_root(_is_within):
                return  # where the experiment keeps its artifacts anyway
        raise InvalidValueError(
            f"'source' cannot use the '{scheme}' scheme: the '{scheme}' scheme addresses a host other than the "
            "tracking server's configured artifact storage, so the server would connect to the host named in the URI."
        )

    def _check_folder(self) -> None:
        host = self._parts.hostname
        if host and not _HERE.fullmatch(host):
            raise _invalid(self._source, "A file URI must not name another host.")
        if self._is_within_root(_is_below):
            return
        raise _invalid(
            self._source,
            f"To use a local path as a model version source, the {self._owner} request parameter has to be specified"
            " and the local path has to be contained within the artifact directory of the run specified by the"
            f" {self._owner}.",
        )

    def _check_path(self) -> None:
        source = self._source
        while (unquoted := unquote_plus(source)) != source:
            source = unquoted
        path = re.sub(r"/+", "/", _split(source).path.rstrip("/"))
        is_whole = path.startswith("/") and posixpath.normpath(path) == path
        if not is_whole or "\0" in path or ".." in source.split("/"):
            raise _invalid(
                self._source,
                "If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, "
                "an absolute path must be provided without relative path references present. "
                "Please provide an absolute path.",
            )

    def _first(self) -> str:
        return self._parts.path.lstrip("/").partition("/")[0]

    def _is_within_root(self, is_within: Callable[[str, str], bool]) -> bool:
        """Whether the source is the run's or the model's own. Raises InvalidValueError for one that is not there."""
        if not (self._run_id or self._model_id):
            return False
        try:
            if self._model_id:
                models = part_of(self._store, LoggedModels)
                return is_within(self._source, models.get_logged_model(self._model_id).artifact_uri)
            return is_within(self._source, self._store.get_run(self._run_id).artifact_uri)
        except NotFoundError:
            self._refuse()

    def _refuse(self) -> NoReturn:
        raise _not_its_owner(self._source, self._owner)


def _is_within(source: str, root: str) -> bool:
    scheme, host, path = _normal(source)
    own_scheme, own_host, own_path = _normal(root)
    return (scheme, host) == (own_scheme, own_host) and bool(own_path) and path[: len(own_path)] == own_path


def path_below(uri: str, root: str) -> str:
    """The path of what is below a root, decoded; empty for all else. Raises InvalidValueError for what is no URI."""
    scheme, host, path = _normal(uri)
    own_scheme, own_host, own_path = _normal(root)
    if (scheme, host) != (own_scheme, own_host) or path[: len(own_path)] != own_path:
        return ""
    return "/".join(path[len(own_path) :])


def _normal(uri: str) -> tuple[str, str, list[str]]:
    parts = _split(uri)
    return parts.scheme, parts.netloc.lower(), [_unquoted(part) for part in parts.path.split("/") if part]


def _unquoted(text: str) -> str:
    while (unquoted := unquote(text)) != text:
        text = unquoted
    return text


def _is_below(source: str, root: str) -> bool:
    """For folders of this machine: after links, since the server would follow them."""
    if _split(root).scheme not in ("", "file"):
        return False
    try:
        place, own = (Path(local_path(uri)).resolve() for uri in (source, root))
    except (ProjrunError, OSError, ValueError, RuntimeError):
        return False
    return own in (place, *place.parents)


def _split(uri: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        parts.hostname  # noqa: B018 - raises for a malformed one
        return parts
    except ValueError:
        raise _invalid(uri, "It is not a URI.") from None


def _invalid(source: str, why: str) -> InvalidValueError:
    return InvalidValueError(f"Invalid model version source: '{source}'. {why}")


def _not_its_owner(source: str, parameter: str) -> InvalidValueError:
    return _invalid(
        source, f"The {parameter} request parameter must identify the resource that contains the source."
    )
