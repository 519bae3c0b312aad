"""`projrun models`: the model registry of any tracking store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import click

from projrun.cli.options import json_option, tracking_uri_option
from projrun.cli.records.model_names import Named, alias_of, parse_model, parse_tags, version_of
from projrun.cli.records.opening import store_of
from projrun.cli.rendering import print_line
from projrun.cli.views import models as models_view
from projrun.errors import RequestError
from projrun.tracking.entities import Tag
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.registry_open import opened_registry

_model = click.argument("model", metavar="MODEL")
_version = click.argument("model", metavar="NAME/VERSION")


@click.group()
def models() -> None:
    """List, show, register and change registered models and their versions.

    MODEL is NAME, NAME/VERSION or NAME@ALIAS, as in models:/ URIs. The registry is that of the tracking store, or
    $MLFLOW_REGISTRY_URI.

    \b
    projrun models register runs:/latest/model wine --alias candidate
    projrun models alias wine@candidate champion
    projrun models show wine
    """


@models.command("list")
@click.option("--versions", is_flag=True, help="List versions instead of models.")
@click.option(
    "--filter", "filter_string", metavar="TEXT", default="",
    help="MLflow's filter: \"name LIKE 'a%'\", \"tags.team = 'x'\"; for versions also \"run_id = 'x'\".",
)  # fmt: skip
@click.option(
    "--order-by", multiple=True, metavar="COLUMN", help='For example "last_updated_timestamp DESC".'
)
@click.option(
    "-n", "--max-results", metavar="N", type=click.IntRange(1, 1000), default=100, show_default=True,
    help="Number of models or versions to list.",
)  # fmt: skip
@tracking_uri_option
@json_option
def list_models(
    versions: bool,
    filter_string: str,
    order_by: Sequence[str],
    max_results: int,
    tracking_uri: str | None,
    as_json: bool,
) -> None:
    """List registered models, or versions. Models by name, versions the last changed first."""
    with opened_models(tracking_uri) as registry:
        if versions:
            found = registry.search_model_versions(
                filter_string=filter_string, order_by=order_by, max_results=max_results
            )
            models_view.print_versions(found, as_json=as_json)
        else:
            page = registry.search_registered_models(
                filter_string=filter_string, order_by=order_by, max_results=max_results
            )
            models_view.print_models(page, as_json=as_json)


@models.command("register")
@click.argument("source", metavar="SOURCE")
@click.argument("name", metavar="NAME")
@click.option("--description", metavar="TEXT", default="", help="Of the version.")
@click.option("--alias", "aliases", metavar="ALIAS", multiple=True, help="Alias for the version.")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="Tag of the version.")
@tracking_uri_option
@json_option
def register_model(
    source: str,
    name: str,
    description: str,
    aliases: Sequence[str],
    tags: Sequence[str],
    tracking_uri: str | None,
    as_json: bool,
) -> None:
    """Make a new version of the model NAME. The model is created if it does not exist.

    SOURCE is what a run logged (runs:/RUN/PATH, where RUN is also a prefix or `latest`), a logged model
    (models:/m-ID), a version to copy (models:/NAME/VERSION, models:/NAME@ALIAS), or the URI of a folder in an
    object store (s3://, gs://, abfss://).

    \b
    projrun models register runs:/latest/model wine
    projrun models register models:/wine@candidate wine-live --alias champion
    """
    from projrun.cli.records.registration import register

    given = parse_tags(tags)
    with (
        store_of({"tracking-uri": tracking_uri}) as (store, _),
        opened_registry(store, os.environ) as registry,
    ):
        made = register(store, registry, source, name, description, given)
        for alias in aliases:
            registry.set_registered_model_alias(made.name, alias, made.version)
        made = registry.get_model_version(made.name, made.version)
    if as_json:
        models_view.print_version(made, as_json=True)
    else:
        print_line(f"registered {made.name}/{made.version}{_as_aliases(aliases)}")


@models.command("update")
@_model
@click.option("--description", metavar="TEXT", required=True, help="New description; empty removes it.")
@tracking_uri_option
def update_model(model: str, description: str, tracking_uri: str | None) -> None:
    """Change the description of a model or a version."""
    named = parse_model(model)
    with opened_models(tracking_uri) as registry:
        if named.is_version:
            found = version_of(registry, named)
            registry.update_model_version(found.name, found.version, description=description)
        else:
            registry.update_registered_model(named.name, description=description)
    print_line(f"updated {model}")


@models.command("rename")
@click.argument("name", metavar="NAME")
@click.argument("new_name", metavar="NEW_NAME")
@tracking_uri_option
def rename_model(name: str, new_name: str, tracking_uri: str | None) -> None:
    """Give a model another name. Versions, aliases and tags stay with it."""
    with opened_models(tracking_uri) as registry:
        registry.rename_registered_model(name, new_name)
    print_line(f"renamed {name} to {new_name}")


@models.command("delete")
@_model
@click.option("--with-versions", is_flag=True, help="Delete a model that has versions.")
@tracking_uri_option
def delete_model(model: str, with_versions: bool, tracking_uri: str | None) -> None:
    """Delete a version, or a model. There is no way back; the files stay, and version numbers are not used again."""
    named = parse_model(model)
    with opened_models(tracking_uri) as registry:
        if named.is_version:
            found = version_of(registry, named)
            registry.delete_model_version(found.name, found.version)
            print_line(f"deleted {found.name}/{found.version}")
            return
        if registry.get_registered_model(named.name).latest_versions and not with_versions:
            raise RequestError(
                f"the model {named.name!r} has versions",
                hint=f"delete one (projrun models delete {named.name}/VERSION), or all with --with-versions",
            )
        registry.delete_registered_model(named.name)
    print_line(f"deleted {named.name}")


@models.command("alias")
@_version
@click.argument("aliases", nargs=-1, required=True, metavar="ALIAS...")
@tracking_uri_option
def set_alias(model: str, aliases: Sequence[str], tracking_uri: str | None) -> None:
    """Let aliases name a version. An alias leaves the version that it named before."""
    named = parse_model(model)
    with opened_models(tracking_uri) as registry:
        found = version_of(registry, named)
        for alias in aliases:
            registry.set_registered_model_alias(found.name, alias, found.version)
    print_line(f"{found.name}/{found.version}{_as_aliases(aliases)}")


@models.command("unalias")
@click.argument("model", metavar="NAME@ALIAS")
@tracking_uri_option
def delete_alias(model: str, tracking_uri: str | None) -> None:
    """Remove an alias; the version stays."""
    name, alias = alias_of(parse_model(model), model)
    with opened_models(tracking_uri) as registry:
        registry.get_model_version_by_alias(name, alias)
        registry.delete_registered_model_alias(name, alias)
    print_line(f"removed {name}@{alias}")


@models.command("tag")
@_model
@click.argument("tags", nargs=-1, required=True, metavar="KEY=VALUE...")
@tracking_uri_option
def set_tags(model: str, tags: Sequence[str], tracking_uri: str | None) -> None:
    """Set tags of a model or a version."""
    named, given = parse_model(model), parse_tags(tags)
    with opened_models(tracking_uri) as registry:
        set_tag, _ = _tagging(registry, named)
        for tag in given:
            set_tag(tag)
    print_line(f"tagged {model}")


@models.command("untag")
@_model
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@tracking_uri_option
def delete_tags(model: str, keys: Sequence[str], tracking_uri: str | None) -> None:
    """Remove tags of a model or a version."""
    named = parse_model(model)
    with opened_models(tracking_uri) as registry:
        _, delete_tag = _tagging(registry, named)
        for key in keys:
            delete_tag(key)
    print_line(f"removed tags of {model}")


@models.command("stage")
@_version
@click.argument("stage", metavar="STAGE")
@click.option("--archive-existing", is_flag=True, help="Move the versions that are there to Archived.")
@tracking_uri_option
def set_stage(model: str, stage: str, archive_existing: bool, tracking_uri: str | None) -> None:
    """Move a version to a stage: None, Staging, Production or Archived. MLflow deprecates stages: use aliases."""
    named = parse_model(model)
    with opened_models(tracking_uri) as registry:
        found = version_of(registry, named)
        moved = registry.transition_model_version_stage(
            found.name, found.version, stage, archive_existing=archive_existing
        )
    print_line(f"{moved.name}/{moved.version} is in {moved.current_stage}")


def _tagging(registry: ModelRegistry, named: Named) -> tuple[Callable[[Tag], None], Callable[[str], None]]:
    """How a tag of a model, or of a version, is set and deleted."""
    if not named.is_version:
        return (
            partial(registry.set_registered_model_tag, named.name),
            partial(registry.delete_registered_model_tag, named.name),
        )
    found = version_of(registry, named)
    return (
        partial(registry.set_model_version_tag, found.name, found.version),
        partial(registry.delete_model_version_tag, found.name, found.version),
    )


@contextmanager
def opened_models(tracking_uri: str | None) -> Iterator[ModelRegistry]:
    """The registry of the tracking store that an option chooses."""
    with (
        store_of({"tracking-uri": tracking_uri}) as (store, _),
        opened_registry(store, os.environ) as registry,
    ):
        yield registry


def _as_aliases(aliases: Sequence[str]) -> str:
    return f" as {', '.join(f'@{alias}' for alias in aliases)}" if aliases else ""


def quoted(text: str) -> str:
    """A text as filters have it."""
    return "'" + text.replace("'", "''") + "'"
