"""What is asked of the server, and how it is answered."""

from __future__ import annotations

from . import state
from .entities import Experiment, Run
from .environment import deadline, module, warn
from .errors import LogError
from .sender import flush, prepare
from .values import pairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from .calls import Calls
    from .values import Json


def set_experiment(experiment_name: str | None = None, experiment_id: str | None = None) -> Experiment:
    """The experiment of the runs from now on, created if there is none of that name."""
    state.experiment = ("id", experiment_id) if experiment_id else ("name", experiment_name or "Default")
    chosen = state.experiment
    try:
        experiment: Experiment = ask(lambda calls: calls.experiment(chosen))
        return experiment
    except LogError as error:  # its runs wait, as all others do
        warn("set_experiment", str(error))
        return Experiment({"experiment_id": experiment_id or "", "name": experiment_name or ""})


def create_experiment(
    name: str, artifact_location: str | None = None, tags: Mapping[str, object] | None = None
) -> str:
    """The id of a new experiment. Raises LogError where there is one of that name."""
    body: Json = {"name": name, "tags": pairs(tags or {})}
    if artifact_location:
        body["artifact_location"] = artifact_location
    return str(_call("POST", "experiments/create", body)["experiment_id"])


def get_experiment_by_name(name: str) -> Experiment | None:
    """The experiment of that name, or None."""
    experiment: Experiment | None = ask(lambda calls: calls.experiment_named(name))
    return experiment


def get_experiment(experiment_id: str) -> Experiment:
    """An experiment. Raises LogError where there is none."""
    return Experiment(_call("GET", "experiments/get", {"experiment_id": experiment_id})["experiment"])


def set_experiment_tag(key: str, value: object) -> None:
    """A tag of the experiment of this thread's run, or of the next run."""
    ask(lambda calls: calls.tag_experiment(key, str(value)))


def search_runs(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str = "",
    run_view_type: int = 1,
    max_results: int = 100_000,
    order_by: Sequence[str] | None = None,
    output_format: str = "pandas",
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> Any:
    """Runs as a DataFrame of MLflow's columns, or a list of `Run` (`output_format="list"`). Raises LogError."""
    ids = list(experiment_ids or ())
    for name in experiment_names or ():
        experiment = get_experiment_by_name(name)
        ids += [experiment.experiment_id] if experiment else []
    if not (experiment_ids or experiment_names):
        ids = (
            _every_experiment()
            if search_all_experiments
            else [ask(lambda calls: calls.experiment_id(state.chosen_experiment()))]
        )
    view = {1: "ACTIVE_ONLY", 2: "DELETED_ONLY", 3: "ALL"}.get(run_view_type, str(run_view_type))
    body: Json = {
        "experiment_ids": ids,
        "filter": filter_string,
        "run_view_type": view,
        "order_by": list(order_by or ()),
    }
    answers: list[Json] = []
    while ids and len(answers) < max_results:
        page = _call("POST", "runs/search", {**body, "max_results": min(1000, max_results - len(answers))})
        answers += page.get("runs", ())
        if not page.get("next_page_token"):
            break
        body["page_token"] = page["next_page_token"]
    runs = [_found(answer) for answer in answers]
    return runs if output_format == "list" else _table(runs)


def get_run(run_id: str) -> Run:
    """A run as the server has it. Raises LogError where it cannot be asked, or has no such run."""
    return _found(_call("GET", "runs/get", {"run_id": run_id})["run"])


def read_artifact(run: Run, path: str) -> bytes | None:
    """What is in a file of a run's artifacts, or None. Raises LogError."""
    content: bytes | None = ask(lambda calls: calls.artifact(run, path))
    return content


def ask(question: Callable[[Calls], Any]) -> Any:
    """The answer, which comes after all that was logged before. Raises LogError."""
    holder: list[Any] = []
    prepare()
    state.queue.append((None, question, holder))
    if not flush() or not holder:
        raise LogError(f"no answer from {state.tracking_uri() or 'the store of projrun'} in {deadline():g} s")
    if isinstance(holder[0], Exception):
        raise LogError(str(holder[0])) from None
    return holder[0]


def _call(method: str, call: str, body: Json) -> Json:
    """The answer to a call of the REST API. Raises LogError."""
    answer: Json = ask(lambda calls: calls.server().call(method, call, body))
    return answer


def _found(answer: Json) -> Run:
    """A run as a server says it."""
    run = Run(answer["info"]["run_id"])
    run.know(answer["info"], answer.get("data", {}))
    return run


def _every_experiment() -> list[str]:
    """The ids of those that are not deleted."""
    body: Json = {"max_results": 1000}
    found: list[str] = []
    while True:
        page = _call("POST", "experiments/search", body)
        found += [each["experiment_id"] for each in page.get("experiments", ())]
        if not page.get("next_page_token"):
            return found
        body["page_token"] = page["next_page_token"]


def _table(runs: Sequence[Run]) -> Any:
    """The DataFrame of MLflow's `search_runs`."""
    try:
        pandas = module("pandas")
    except ImportError:
        raise LogError('pandas is not installed: search_runs(output_format="list") needs none') from None
    columns: dict[str, Any] = {
        name: [getattr(run.info, name) for run in runs]
        for name in ("run_id", "experiment_id", "status", "artifact_uri")
    }
    for name in ("start_time", "end_time"):
        columns[name] = pandas.to_datetime([getattr(run.info, name) for run in runs], unit="ms", utc=True)
    for kind, missing in (("metrics", float("nan")), ("params", None), ("tags", None)):
        values = [getattr(run.data, kind) for run in runs]
        for key in dict.fromkeys(key for each in values for key in each):
            columns[f"{kind}.{key}"] = [each.get(key, missing) for each in values]
    return pandas.DataFrame(columns)
