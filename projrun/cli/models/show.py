"""`projrun models show`: a registered model, a version, or the files of any model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import click

from projrun.cli.completing.models import complete_model
from projrun.cli.models.opening import OpenedModel, opened_model
from projrun.cli.options import click_option, json_option, tracking_uri_option
from projrun.cli.records.model_names import parse_model, version_of, versions_of
from projrun.cli.records.model_registry import opened_models
from projrun.cli.rendering import print_facts, print_json, print_warning
from projrun.cli.reporter import CommandLineReporter
from projrun.cli.views import models as models_view
from projrun.cli.views.model_files import REQUIREMENTS, document_of, facts_of
from projrun.errors import ProjrunError
from projrun.models.mlmodel import MLMODEL
from projrun.settings.options import OPTIONS
from projrun.tracking.artifacts.uris import uri_scheme
from projrun.tracking.entities import ModelVersion
from projrun.tracking.registry import ModelRegistry

_FILES = frozenset({MLMODEL, REQUIREMENTS})


@click.command("show")
@click.argument("model", metavar="MODEL", shell_complete=complete_model)
@tracking_uri_option
@click_option(OPTIONS["offline"], "model")
@json_option
def show(model: str, **values: Any) -> None:
    """Show a registered model, a version, or a model's files.

    MODEL is NAME, NAME/VERSION or NAME@ALIAS in the registry, or where a model's files are: a folder (./FOLDER),
    runs:/RUN/PATH, models:/m-ID, an object store's or an archive's address. Of a version, both are shown.

    \b
    projrun models show wine@champion
    projrun models show runs:/latest/model
    """
    if not _names_files(model):
        named = parse_model(model)
        with opened_models(values["tracking_uri"], named) as registry:
            if not named.is_version:
                _show_model(registry, named.name, as_json=values["as_json"])
                return
            version = version_of(registry, named)
        _show_version(version, values)
        return
    opened = _opened(model, values)
    if values["as_json"]:
        print_json({"uri": opened.files.shown, **document_of(opened.mlmodel, opened.files.folder)})
    else:
        print_facts([("model", opened.files.shown), *_facts(opened)])


def _names_files(model: str) -> bool:
    if uri_scheme(model) == "models":
        return re.fullmatch(r"models:/m-[0-9a-f]{32}", model) is not None
    return bool(uri_scheme(model)) or model.startswith((".", "/", "~"))


def _opened(uri: str, values: Mapping[str, Any]) -> OpenedModel:
    return opened_model({**values, "uri": uri}, CommandLineReporter(), _FILES)


def _show_model(registry: ModelRegistry, name: str, *, as_json: bool) -> None:
    found = registry.get_registered_model(name)
    models_view.print_model(found, versions_of(registry, found), as_json=as_json)


def _show_version(version: ModelVersion, values: Mapping[str, Any]) -> None:
    """The version, and what its files say where they can be reached."""
    try:
        opened = _opened(f"models:/{version.name}/{version.version}", values)
    except ProjrunError as error:
        print_warning(f"the files of {version.name}/{version.version} cannot be looked at: {error.message}")
        models_view.print_version(version, as_json=values["as_json"])
        return
    files = document_of(opened.mlmodel, opened.files.folder) if values["as_json"] else None
    models_view.print_version(version, as_json=values["as_json"], files=files)
    if files is None:
        print_facts(_facts(opened))


def _facts(opened: OpenedModel) -> Iterator[tuple[str, str | None]]:
    """What its files say, and where they are on this machine; of what is fetched there is only a part."""
    folder = opened.files.folder
    if opened.files.is_own and opened.files.shown != str(folder):
        yield "folder", str(folder)
    yield from facts_of(opened.mlmodel, folder)
