"""`projrun runs list`: which runs a store holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from projrun.cli.records.opening import store_of
from projrun.cli.tables import Layout
from projrun.cli.views import runs as runs_view
from projrun.errors import RequestError
from projrun.settings import Settings
from projrun.tracking.runs import RunStore
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.tracking.statuses import ViewType


def list_runs(values: Mapping[str, Any]) -> None:
    """Print the runs that the values of the options choose, by keyword."""
    options = {
        "experiment-id": values["experiment_id"],
        "tracking-uri": values["tracking_uri"],
    }
    if values["active"]:
        from projrun.cli.active.listing import list_active_runs

        list_active_runs(values)
        return
    with store_of(options) as (store, settings):
        view: ViewType = "ALL" if values["deleted"] else "ACTIVE_ONLY"
        experiments = _experiments(store, settings, values["experiment_name"], view)
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
        layout = Layout(values["columns"], values["as_csv"])
        runs_view.print_list(page, experiments, layout, nested=not values["order_by"])


def _experiments(
    store: RunStore, settings: Settings, names: Sequence[str], view_type: ViewType
) -> dict[str, str]:
    """The names of the experiments to list, by id."""
    if names:
        return dict(_named(store, name, "--experiment-name") for name in names)
    chosen = settings.first_of("experiment-name", "experiment-id")
    if chosen is None:
        listed = store.search_experiments(view_type=view_type)
        return {found.experiment_id: found.name for found in listed.experiments}
    option, setting = chosen
    if option == "experiment-id":
        return {setting.value: store.get_experiment(setting.value).name}
    return dict([_named(store, setting.value, setting.origin)])


def _named(store: RunStore, name: str, origin: str) -> tuple[str, str]:
    found = store.get_experiment_by_name(name)
    if found is None:
        raise RequestError(f"{origin}: experiment {name!r} not found")
    return found.experiment_id, found.name
