"""A run that is continued (`--run-id`): what its record lacks is added, and nothing in it is changed.

As MLflow: its user, source, parent, params and tags stay; it is RUNNING until it ends again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, count

from projrun.errors import NotFoundError, RequestError
from projrun.sources.changes.record import PATCH_TAG
from projrun.sources.checkout import Checkout
from projrun.tracking.artifacts.repository import ArtifactRepository
from projrun.tracking.entities import Param, Run, Tag
from projrun.tracking.runs import RunStore

_PARENT = "mlflow.parentRunId"
_SOURCE = "mlflow.source."
_OF_THE_SOURCE = (_SOURCE, "mlflow.gitBranchName", "projrun.source.")
_OF_THE_END = (
    "projrun.exit_code", "projrun.reason", "projrun.signal", "projrun.oom", "projrun.timeout", "projrun.attempts",
)  # fmt: skip


def continued(
    store: RunStore,
    run_id: str,
    tags: Mapping[str, str],
    run_name: str | None,
    on_resume: Callable[[Run], None],
) -> tuple[Run, Run]:
    """The run as it was, and RUNNING again; RequestError for one that does not exist or was deleted.

    `on_resume` is called just before the store is asked to make it RUNNING.
    """
    try:
        run = store.get_run(run_id)
    except NotFoundError:
        raise RequestError(
            f"--run-id: the tracking store {store.uri} has no run {run_id!r}",
            hint="remove --run-id to create a run",
        ) from None
    if run.lifecycle_stage != "active":
        raise RequestError(f"--run-id: run {run_id!r} was deleted", hint="remove --run-id to create a run")
    for tag in run.tags:
        if tag.key in _OF_THE_END:  # of the end that it had: it will have another
            store.delete_tag(run_id, tag.key)
    run = run._replace(tags=tuple(tag for tag in run.tags if tag.key not in _OF_THE_END))
    missing = [Tag(key, value) for key, value in tags.items() if value and _is_missing(key, run)]
    if missing:
        store.log_batch(run_id, tags=missing)
    on_resume(run)
    return run, store.update_run(run_id, status="RUNNING", run_name=run_name)


def missing_params(run: Run, params: Sequence[Param], warn: Callable[[str], None]) -> list[Param]:
    """The params that the run does not have; of those that it has with another value, a warning."""
    recorded = {param.key: param.value for param in run.params}
    for param in params:
        text = recorded.get(param.key)
        cut = run.tag(f"projrun.param.{param.key}.truncated") is not None
        if text is not None and not cut and not _equal(text, param.value):
            warn(f"parameter {param.key} is {param.value!r} now; the record of the run keeps {text!r}")
    return [param for param in params if param.key not in recorded]


def has_source(run: Run, checkout: Checkout) -> bool:
    """Whether a continued run is of this source, and its uncommitted changes are not recorded yet."""
    recorded = (run.tag("mlflow.source.name"), run.tag("mlflow.source.git.commit"))
    return recorded in ((checkout.uri, checkout.commit), (None, None)) and run.tag(PATCH_TAG) is None


def free_path(repository: ArtifactRepository, path: str) -> str:
    """The artifact's path, or the next one with a number that the run does not have: `logs/output-2.log`."""
    folder, _, name = path.rpartition("/")
    taken = {file.path for file in repository.list(folder)}
    stem, dot, suffix = name.partition(".")
    numbered = (f"{folder}/{stem}-{number}{dot}{suffix}" for number in count(2))
    return next(free for free in chain([path], numbered) if free not in taken)


def _is_missing(key: str, run: Run) -> bool:
    # A run without a parent is complete, and it may be the active run that would become its own.
    if key == _PARENT or run.tag(key) is not None:
        return False
    # The commit of this project would be wrong beside the name of another source.
    return not (key.startswith(_OF_THE_SOURCE) and any(tag.key.startswith(_SOURCE) for tag in run.tags))


def _equal(one: str, other: str) -> bool:
    """Whether two values mean the same: `1` and the `1.0` that a script logged."""
    try:
        return one == other or float(one) == float(other)
    except ValueError:
        return False
