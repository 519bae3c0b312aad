"""How models are named on the command line: NAME, NAME/VERSION, NAME@ALIAS, also as models:/ URIs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from projrun.errors import RequestError
from projrun.tracking.entities import ModelVersion, ModelVersionPage, RegisteredModel, Tag
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.registry_rules import LATEST

_FORMS = "give NAME, NAME/VERSION or NAME@ALIAS"


class Named(NamedTuple):
    """A model, or one of its versions."""

    name: str
    version: str = ""
    """A number, `latest` or a stage."""
    alias: str = ""

    @property
    def is_version(self) -> bool:
        """Whether it is one version."""
        return bool(self.version or self.alias)


def parse_model(text: str) -> Named:
    """Raises RequestError."""
    body = text.removeprefix("models:/")
    name, slash, version = body.partition("/")
    if slash:
        named = Named(name, version)
        wrong = not version or "/" in version
    else:
        name, at, alias = body.rpartition("@")
        named = Named(name, "", alias) if at else Named(body)
        wrong = bool(at) and not alias
    if wrong or not named.name.strip():
        raise RequestError(f"{text!r} names no model", hint=_FORMS)
    return named


def version_of(registry: ModelRegistry, named: Named) -> ModelVersion:
    """The version. Raises RequestError for a name alone, NotFoundError for what is not there."""
    if named.alias:
        return registry.get_model_version_by_alias(named.name, named.alias)
    if named.version.isdigit():
        return registry.get_model_version(named.name, named.version)
    if not named.version:
        raise RequestError(f"{named.name!r} names no version", hint="give NAME/VERSION or NAME@ALIAS")
    stages = () if named.version.lower() == LATEST else (named.version,)
    found = registry.get_latest_versions(named.name, stages)
    if not found:
        raise RequestError(
            f"the model {named.name!r} has no version in {named.version!r}",
            hint=f"see `projrun models show {named.name}`",
        )
    return max(found, key=lambda version: int(version.version))


def versions_of(
    registry: ModelRegistry,
    model: RegisteredModel,
    *,
    filter_string: str = "",
    order_by: Sequence[str] = (),
    max_results: int = 1000,
) -> ModelVersionPage:
    """Versions of a model, the newest first where no order is given. A server's search may lack their aliases."""
    page = registry.search_model_versions(
        filter_string=" AND ".join(filter(None, (f"name = {_quoted(model.name)}", filter_string))),
        order_by=order_by or ["version_number DESC"],
        max_results=max_results,
    )
    aliases: dict[str, list[str]] = {}
    for each in model.aliases:
        aliases.setdefault(each.version, []).append(each.alias)
    versions = (
        version._replace(aliases=tuple(aliases.get(version.version, ()))) for version in page.versions
    )
    return page._replace(versions=tuple(versions))


def _quoted(text: str) -> str:
    """A text as filters have it."""
    return "'" + text.replace("'", "''") + "'"


def alias_of(named: Named, text: str) -> tuple[str, str]:
    """The name and the alias of NAME@ALIAS. Raises RequestError."""
    if not named.alias:
        raise RequestError(f"{text!r} names no alias", hint="give NAME@ALIAS")
    return named.name, named.alias


def parse_tags(texts: Sequence[str]) -> list[Tag]:
    """KEY=VALUE each. Raises RequestError."""
    tags = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise RequestError(f"{text!r} is not a tag", hint="give KEY=VALUE")
        tags.append(Tag(key, value))
    return tags
