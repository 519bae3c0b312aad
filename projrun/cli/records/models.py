"""`projrun models`: the model registry of any tracking store. Aliases, tags and stages are in `model_labels`."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from projrun.cli.asking import confirm, must_ask
from projrun.cli.completing.models import complete_name
from projrun.cli.options import json_option, layout_options, limit_option, tracking_uri_option
from projrun.cli.quantities import count_text
from projrun.cli.records.model_names import Named, parse_model, parse_tags, version_of, versions_of
from projrun.cli.records.model_registry import (
    aliases_text,
    model_argument,
    name_argument,
    opened_models,
    print_changed,
)
from projrun.cli.records.opening import store_of
from projrun.cli.rendering import print_json, print_line
from projrun.cli.tables import Layout
from projrun.cli.views import models as models_view
from projrun.errors import RequestError
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.registry_open import opened_registry

_filter = click.option(
    "--filter", "filter_string", metavar="TEXT", default="",
    help="MLflow's filter: \"name LIKE 'a%'\", \"tags.team = 'x'\"; for versions also \"run_id = 'x'\".",
)  # fmt: skip
_order_by = click.option(
    "--order-by", multiple=True, metavar="COLUMN", help='For example "last_updated_timestamp DESC".'
)


@click.group()
def models() -> None:
    """Register models, name and describe their versions; look at, serve and predict with any model.

    MODEL is NAME, NAME/VERSION or NAME@ALIAS, as in models:/ URIs. The registry is that of the tracking store, or
    $MLFLOW_REGISTRY_URI.

    \b
    projrun models register runs:/latest/model wine --alias champion
    projrun models show wine@champion
    projrun models serve -m models:/wine@champion -p 1234
    """


@models.command("list")
@_filter
@_order_by
@limit_option(1000)
@layout_options
@tracking_uri_option
@json_option
def list_models(
    filter_string: str,
    order_by: Sequence[str],
    max_results: int,
    tracking_uri: str | None,
    as_json: bool,
    layout: Layout,
) -> None:
    """List registered models, by name.

    \b
    projrun models list --filter "tags.team = 'red'"
    """
    with opened_models(tracking_uri) as registry:
        page = registry.search_registered_models(
            filter_string=filter_string, order_by=order_by, max_results=max_results
        )
    models_view.print_models(page, layout, as_json=as_json, filtered=bool(filter_string))


@models.command("versions")
@click.argument("name", metavar="[NAME]", required=False, shell_complete=complete_name)
@_filter
@_order_by
@limit_option(1000)
@layout_options
@tracking_uri_option
@json_option
def list_versions(
    name: str | None,
    filter_string: str,
    order_by: Sequence[str],
    max_results: int,
    tracking_uri: str | None,
    as_json: bool,
    layout: Layout,
) -> None:
    """List the versions of a model, or of all.

    Those of one model the newest first, those of all the last changed first.

    \b
    projrun models versions wine
    projrun models versions --filter "run_id = '3f2a...'"
    """
    named = None if name is None else Named(name)
    with opened_models(tracking_uri, named) as registry:
        if named is None:
            page = registry.search_model_versions(
                filter_string=filter_string, order_by=order_by, max_results=max_results
            )
        else:
            page = versions_of(
                registry,
                registry.get_registered_model(named.name),
                filter_string=filter_string,
                order_by=order_by,
                max_results=max_results,
            )
    models_view.print_versions(page, layout, as_json=as_json)


@models.command("register")
@click.argument("source", metavar="SOURCE")
@click.argument("name", metavar="NAME", shell_complete=complete_name)
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
    (models:/m-ID), a version to copy (models:/NAME/VERSION, models:/NAME@ALIAS), a model's folder (./FOLDER), which
    is copied into the store, or the URI of a folder in an object store (s3://, gs://, abfss://).

    \b
    projrun models register runs:/latest/model wine
    projrun models register ./model wine
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
        print_line(f"registered {made.name}/{made.version}{aliases_text(aliases)}")


@models.command("describe")
@model_argument
@click.argument("text", metavar="TEXT")
@tracking_uri_option
@json_option
def describe_model(model: str, text: str, tracking_uri: str | None, as_json: bool) -> None:
    """Say what a model or a version is.

    TEXT replaces the description, an empty one removes it. `projrun models show` shows it.

    \b
    projrun models describe wine "Alcohol from the other measurements"
    """
    named = parse_model(model)
    with opened_models(tracking_uri, named) as registry:
        if named.is_version:
            found = version_of(registry, named)
            registry.update_model_version(found.name, found.version, description=text)
            named = Named(found.name, found.version)
        else:
            registry.update_registered_model(named.name, description=text)
        print_changed(registry, named, f"described {model}", as_json=as_json)


@models.command("rename")
@name_argument
@click.argument("new_name", metavar="NEW_NAME")
@tracking_uri_option
@json_option
def rename_model(name: str, new_name: str, tracking_uri: str | None, as_json: bool) -> None:
    """Give a model another name. Versions, aliases and tags stay with it."""
    with opened_models(tracking_uri, Named(name)) as registry:
        registry.rename_registered_model(name, new_name)
        print_changed(registry, Named(new_name), f"renamed {name} to {new_name}", as_json=as_json)


@models.command("delete")
@model_argument
@click.option("--with-versions", is_flag=True, help="Delete a model that has versions.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask on a terminal.")
@tracking_uri_option
@json_option
def delete_model(model: str, with_versions: bool, yes: bool, tracking_uri: str | None, as_json: bool) -> None:
    """Delete a version, or a model. There is no way back; the files stay, and version numbers are not used again.

    On a terminal it asks first.

    \b
    projrun models delete wine/2
    projrun models delete wine --with-versions --yes
    """
    named = parse_model(model)
    with opened_models(tracking_uri, named) as registry:
        if named.is_version:
            found = version_of(registry, named)
            named = Named(found.name, found.version)
            what = f"{found.name}/{found.version}"
            losing = f" ({', '.join(f'@{alias}' for alias in found.aliases)})" if found.aliases else ""
        else:
            what, losing = named.name, _losing(registry, named.name, with_versions=with_versions)
        if must_ask(yes=yes or as_json):
            confirm(f"Delete {what}{losing} for good?", RequestError(f"{what} was not deleted"))
        if named.version:
            registry.delete_model_version(named.name, named.version)
        else:
            registry.delete_registered_model(named.name)
    if as_json:
        print_json({"deleted": {"name": named.name, "version": named.version or None}})
    else:
        print_line(f"deleted {what}")


def _losing(registry: ModelRegistry, name: str, *, with_versions: bool) -> str:
    """What goes with a model. RequestError for versions that may not."""
    model = registry.get_registered_model(name)
    if not model.latest_versions:
        return ""
    if not with_versions:
        raise RequestError(
            f"the model {name!r} has versions",
            hint=f"delete one (projrun models delete {name}/VERSION), or all with --with-versions",
        )
    return " with its " + count_text(len(versions_of(registry, model).versions), "version")
