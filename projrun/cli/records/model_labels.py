"""`projrun models alias`, `unalias`, `tag`, `untag`, `stage`: what models and versions are known by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import click

from projrun.cli.completing.models import complete_model
from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.records.model_names import Named, alias_of, parse_model, parse_tags, version_of, versions_of
from projrun.cli.records.model_registry import (
    aliases_text,
    model_argument,
    opened_models,
    print_changed,
    version_argument,
)
from projrun.cli.rendering import print_text
from projrun.errors import InvalidValueError, RequestError
from projrun.suggestions import did_you_mean
from projrun.tracking.entities import ModelVersion, Tag
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.registry_rules import ACTIVE_STAGES, STAGES, canonical_stage


@click.command("alias")
@version_argument
@click.argument("aliases", nargs=-1, required=True, metavar="ALIAS...")
@tracking_uri_option
@json_option
def alias(model: str, aliases: Sequence[str], tracking_uri: str | None, as_json: bool) -> None:
    """Let aliases name a version. An alias leaves the version that it named before.

    \b
    projrun models alias wine/3 champion
    projrun models alias wine@candidate champion
    """
    named = parse_model(model)
    with opened_models(tracking_uri, named) as registry:
        found = version_of(registry, named)
        for each in aliases:
            registry.set_registered_model_alias(found.name, each, found.version)
        told = f"{found.name}/{found.version}{aliases_text(aliases)}"
        print_changed(registry, Named(found.name, found.version), told, as_json=as_json)


@click.command("unalias")
@click.argument("model", metavar="NAME@ALIAS", shell_complete=complete_model)
@tracking_uri_option
@json_option
def unalias(model: str, tracking_uri: str | None, as_json: bool) -> None:
    """Remove an alias; the version stays."""
    named = parse_model(model)
    name, word = alias_of(named, model)
    with opened_models(tracking_uri, named) as registry:
        found = registry.get_model_version_by_alias(name, word)
        registry.delete_registered_model_alias(name, word)
        print_changed(registry, Named(name, found.version), f"removed {name}@{word}", as_json=as_json)


@click.command("tag")
@model_argument
@click.argument("tags", nargs=-1, required=True, metavar="KEY=VALUE...")
@tracking_uri_option
@json_option
def tag(model: str, tags: Sequence[str], tracking_uri: str | None, as_json: bool) -> None:
    """Set tags of a model or a version.

    \b
    projrun models tag wine team=red
    projrun models tag wine@champion reviewed=yes
    """
    named, given = parse_model(model), parse_tags(tags)
    with opened_models(tracking_uri, named) as registry:
        found, set_tag, _ = _tagging(registry, named)
        for each in given:
            set_tag(each)
        print_changed(registry, found, f"tagged {model}", as_json=as_json)


@click.command("untag")
@model_argument
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@tracking_uri_option
@json_option
def untag(model: str, keys: Sequence[str], tracking_uri: str | None, as_json: bool) -> None:
    """Remove tags of a model or a version."""
    named = parse_model(model)
    with opened_models(tracking_uri, named) as registry:
        found, _, delete_tag = _tagging(registry, named)
        for key in keys:
            delete_tag(key)
        print_changed(registry, found, f"removed tags of {model}", as_json=as_json)


def _tagging(
    registry: ModelRegistry, named: Named
) -> tuple[Named, Callable[[Tag], None], Callable[[str], None]]:
    """The model, or the version by its number, and how a tag of it is set and deleted."""
    if not named.is_version:
        return (
            named,
            partial(registry.set_registered_model_tag, named.name),
            partial(registry.delete_registered_model_tag, named.name),
        )
    found = version_of(registry, named)
    return (
        Named(found.name, found.version),
        partial(registry.set_model_version_tag, found.name, found.version),
        partial(registry.delete_model_version_tag, found.name, found.version),
    )


def _stages(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    return [stage for stage in STAGES if stage.lower().startswith(incomplete.lower())]


@click.command("stage")
@version_argument
@click.argument("stage", metavar="STAGE", shell_complete=_stages)
@click.option("--archive-existing", is_flag=True, help="Move the versions that are in the stage to Archived.")
@tracking_uri_option
@json_option
def stage(model: str, stage: str, archive_existing: bool, tracking_uri: str | None, as_json: bool) -> None:
    """Move a version to a stage.

    STAGE is None, Staging, Production or Archived. MLflow deprecates stages: use aliases.
    """
    named, stage = parse_model(model), _known(stage)
    with opened_models(tracking_uri, named) as registry:
        found = version_of(registry, named)
        moved = registry.transition_model_version_stage(
            found.name, found.version, stage, archive_existing=archive_existing
        )
        told = f"{moved.name}/{moved.version} is in {moved.current_stage}"
        print_changed(registry, Named(moved.name, moved.version), told, as_json=as_json)
        others = _others(registry, moved) if stage in ACTIVE_STAGES and not archive_existing else []
    if others:
        print_text(
            f"in {stage}, too: {', '.join(others)}; --archive-existing moves such to Archived", err=True
        )


def _known(stage: str) -> str:
    """In its own case."""
    try:
        return canonical_stage(stage)
    except InvalidValueError:
        raise RequestError(
            f"{stage!r} is not a stage{did_you_mean(stage, STAGES)}", hint=f"stages are {', '.join(STAGES)}"
        ) from None


def _others(registry: ModelRegistry, moved: ModelVersion) -> list[str]:
    """The other versions in its stage."""
    versions = versions_of(registry, registry.get_registered_model(moved.name)).versions
    return [
        f"{each.name}/{each.version}"
        for each in versions
        if each.current_stage == moved.current_stage and each.version != moved.version
    ]
