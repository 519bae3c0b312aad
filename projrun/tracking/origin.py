"""The id that projrun gives a run before it contacts a store: by it, a run whose creation had no answer is found."""

from __future__ import annotations

from projrun.errors import NotFoundError
from projrun.tracking.entities import Run
from projrun.tracking.runs import RunStore

ORIGIN = "projrun.origin.run_id"
"""The tag, in stores that give runs ids of their own."""
ORIGIN_MODEL = "projrun.origin.model_id"
"""The same for logged models."""
ORIGIN_VERSION = "projrun.origin.model_version"
"""The same for versions of registered models: where the version's files were."""


def find_by_origin(store: RunStore, experiment_id: str, origin_id: str) -> Run | None:
    """The run with that tag, deleted or not; None where the experiment has none."""
    page = store.search_runs(
        [experiment_id], filter_string=f"tags.`{ORIGIN}` = '{origin_id}'", view_type="ALL", max_results=1
    )
    return page.runs[0] if page.runs else None


def run_of_origin(store: RunStore, experiment_id: str, origin_id: str) -> Run:
    """The run that was created with that id, in any store. Raises NotFoundError where there is none."""
    try:
        return store.get_run(origin_id)  # stores of ours take the id itself
    except NotFoundError:
        found = find_by_origin(store, experiment_id, origin_id)
    if found is None:
        raise NotFoundError(f"no run with the origin {origin_id}")
    return found
