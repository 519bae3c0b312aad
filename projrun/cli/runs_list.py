"""`projrun runs list`: which runs a store holds."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from projrun.cli.rendering import own_places, print_warning
from projrun.cli.views import runs as runs_view
from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError, RequestError
from projrun.running.record.lookup import opened_store
from projrun.settings import Settings
from projrun.tracking.runs import RunStore
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.tracking.statuses import ViewType


def list_runs(values: Mapping[str, Any]) -> None:
    """Print the runs that the values of the options choose, by keyword."""
    options = {
        "experiment-name": values["experiment_name"],
        "experiment-id": values["experiment_id"],
        "tracking-uri": values["tracking_uri"],
    }
    if values["active"]:
        from projrun.cli.active.listing import list_active_runs

        list_active_runs(values)
        return
    with store_of(options) as (store, settings):
        experiments = _experiments(store, settings, "ALL" if values["deleted"] else "ACTIVE_ONLY")
        page = store.search_runs(
            list(experiments),
            filter_string=values["filter_string"] or "",
            order_by=values["order_by"] or ("attributes.start_time DESC",),
            max_results=values["max_results"],
            view_type="DELETED_ONLY" if values["deleted"] else "ACTIVE_ONLY",
        )
    if values["as_json"]:
        runs_view.print_list_json(page, experiments)
    else:
        runs_view.print_list(page, experiments)


@contextmanager
def store_of(options: dict[str, str | None]) -> Iterator[tuple[RunStore, Settings]]:
    """The tracking store that options by long name choose, and what else they set.

    What the store does not have, or does not take, was asked for wrongly: RequestError.
    """
    directories = own_places()
    settings = Settings(options, os.environ, directories.config)
    with opened_store(settings, directories, os.environ, Path.cwd(), print_warning) as store:
        try:
            yield store, settings
        except (NotFoundError, AlreadyExistsError, InvalidValueError) as error:
            raise RequestError(error.message, hint=error.hint) from error


def _experiments(store: RunStore, settings: Settings, view_type: ViewType) -> dict[str, str]:
    """The names of the experiments to list, by id."""
    chosen = settings.first_of("experiment-name", "experiment-id")
    if chosen is None:
        listed = store.search_experiments(view_type=view_type)
        return {found.experiment_id: found.name for found in listed.experiments}
    option, setting = chosen
    if option == "experiment-id":
        return {setting.value: store.get_experiment(setting.value).name}
    found_by_name = store.get_experiment_by_name(setting.value)
    if found_by_name is None:
        raise RequestError(f"{setting.origin}: experiment {setting.value!r} not found")
    return {found_by_name.experiment_id: found_by_name.name}
