"""Calls every public method of MlflowClient, and the fluent API, for runs, models and artifacts: mlflow 2 and 3.

Run by a Python that has mlflow and scikit-learn, with MLFLOW_TRACKING_URI set. Prints what each call gave, without
ids, times and random names, as one JSON object.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import pandas  # type: ignore[import-untyped, unused-ignore]  # of the Python that runs this
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from sklearn.tree import DecisionTreeClassifier

MLFLOW3 = int(mlflow.__version__.split(".")[0]) >= 3
LEFT_OUT = re.compile(
    "webhook|workspace|mcp_|trace|span|_dataset|search_datasets|prompt_version|parse_prompt|link_prompt|list_logged_prompts"
    "|detach_prompt|create_prompt|get_prompt|log_figure|log_image|log_stream|assessment"
)
"""Not served, or nothing but uploads of a file; prompts are registered models, seen by half of their calls."""
_ID = re.compile(r"\b(m-)?[0-9a-f]{32}\b")
_NAME = re.compile(r"\b[a-z]+-[a-z]+-\d{1,4}\b")
_TIME = re.compile(r"time|date|size|bytes|path|lineage|_ms$")
_PRIVATE = re.compile(r"mlflow\.(user|source|log-model|loggedArtifacts|modelVersions)|workspace")


def plain(value: Any, key: str = "") -> Any:
    """What two servers give alike."""
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: str(item[0]))
        return {
            str(name): plain(one, str(name))
            for name, one in items
            if not _TIME.search(str(name))
            and not _PRIVATE.search(str(name))
            and one not in (None, "", [], {})
            # Our versions tell their aliases in lists, too.
            and (name != "aliases" or isinstance(one, dict))
        }
    if isinstance(value, (list, tuple, set)):
        found = [plain(one, key) for one in value]
        return sorted(found, key=str) if key == "latest_versions" else found
    if isinstance(value, (bool, int, float)) or value is None:
        return value if value == value else "NaN"
    if isinstance(value, str):
        if key == "experiment_id":
            return "<experiment>"
        value = value.replace(os.environ["MLFLOW_TRACKING_URI"], "<server>")
        value = re.sub(r"(mlflow-artifacts:/)\d+", r"\1<experiment>", value)
        return _NAME.sub("<name>", _ID.sub("<id>", value))
    if hasattr(value, "__iter__"):
        return plain(dict(value), key)
    return type(value).__name__


class Seen:
    """What each call gave."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.called: set[str] = set()
        self.client = MlflowClient()

    def call(self, name: str, *arguments: Any, label: str = "", **named: Any) -> Any:
        """Call a method of the client; what it raises is kept by its code."""
        self.called.add(name)
        return self.keep(label or name, lambda: getattr(self.client, name)(*arguments, **named))

    def keep(self, label: str, call: Callable[[], Any]) -> Any:
        """Keep what a call gives."""
        try:
            result = call()
        except mlflow.exceptions.MlflowException as error:
            self.found[label] = f"error: {error.error_code}"
            return None
        self.found[label] = plain(result)
        return result


def experiments(seen: Seen) -> str:
    first = seen.call("create_experiment", "alpha", tags={"team": "red"})
    seen.call("create_experiment", "alpha", label="create_experiment twice")
    seen.call("set_experiment_tag", first, "k", "v")
    if hasattr(seen.client, "delete_experiment_tag"):
        seen.call("delete_experiment_tag", first, "team")
    seen.call("rename_experiment", first, "beta")
    seen.call("get_experiment", first)
    seen.call("get_experiment_by_name", "beta")
    seen.call("search_experiments", filter_string="name LIKE 'b%'", order_by=["name DESC"])
    seen.call("delete_experiment", first)
    seen.call("get_experiment", first, label="deleted experiment")
    seen.call("restore_experiment", first)
    return str(first)


def runs(seen: Seen, experiment: str, folder: Path) -> str:
    run = seen.call("create_run", experiment, start_time=5, tags={"a": "1"}, run_name="one")
    run_id = run.info.run_id
    child = seen.client.create_run(experiment, start_time=6, tags={"mlflow.parentRunId": run_id}).info.run_id
    seen.call("log_metric", run_id, "m", 0.5, 1, 2)
    seen.call("log_metric", run_id, "m", float("nan"), 2, 3)
    seen.call("log_param", run_id, "p", "1")
    seen.call("log_param", run_id, "p", "2", label="log_param again")
    seen.call("log_batch", run_id, [Metric("b", 1.0, 1, 0)], [Param("q", "2")], [RunTag("t", "3")])
    seen.call("set_tag", run_id, "gone", "1")
    seen.call("delete_tag", run_id, "gone")
    seen.call("delete_tag", run_id, "gone", label="delete_tag again")
    (folder / "file.txt").write_text("hello")
    (folder / "tree").mkdir()
    (folder / "tree" / "b.txt").write_text("b")
    seen.call("log_artifact", run_id, str(folder / "file.txt"))
    seen.call("log_artifacts", run_id, str(folder / "tree"), "tree")
    seen.call("log_dict", run_id, {"a": 1}, "dict.json")
    seen.call("log_text", run_id, "text", "text.txt")
    seen.call("log_table", run_id, {"x": [1, 2]}, "table.json")
    seen.keep(
        "load_table", lambda: seen.client.load_table(experiment, "table.json", [run_id]).to_dict("list")
    )
    seen.called.add("load_table")
    seen.call("list_artifacts", run_id)
    seen.call("list_artifacts", run_id, "tree", label="list_artifacts below")
    seen.keep("download", lambda: Path(seen.client.download_artifacts(run_id, "tree/b.txt")).read_text())
    seen.called.add("download_artifacts")
    dataset = mlflow.data.from_pandas(pandas.DataFrame({"x": [1, 2]}), name="frame", source="local.csv")
    used = mlflow.entities.DatasetInput(dataset._to_mlflow_entity(), [])
    seen.call("log_inputs", run_id, [used])
    seen.call("update_run", run_id, "RUNNING", "renamed")
    seen.call("set_terminated", run_id, "FINISHED", 9)
    seen.call("get_run", run_id)
    seen.call("get_parent_run", child)
    seen.call("get_metric_history", run_id, "m")
    seen.call("search_runs", [experiment], "metrics.b > 0 and tags.t = '3'", order_by=["start_time"])
    seen.call("delete_run", child)
    seen.call("search_runs", [experiment], run_view_type=2, label="deleted runs")
    seen.call("restore_run", child)
    return str(run_id)


def registry(seen: Seen, run_id: str) -> None:
    seen.call("create_registered_model", "wine", tags={"k": "v"}, description="first")
    seen.call("create_registered_model", "wine", label="create_registered_model twice")
    seen.call("update_registered_model", "wine", "second")
    seen.call("rename_registered_model", "wine", "beer")
    seen.call("set_registered_model_tag", "beer", "t", "1")
    seen.call("delete_registered_model_tag", "beer", "k")
    for number in (1, 2, 3):
        seen.call("create_model_version", "beer", f"s3://b/{number}", run_id, label=f"version {number}")
    seen.call("create_model_version", "beer", "/etc", run_id, label="version of /etc")
    seen.call("update_model_version", "beer", "1", "described")
    seen.call("set_model_version_tag", "beer", "1", "t", "1")
    seen.call("set_model_version_tag", "beer", "1", "u", "1", label="another tag")
    seen.call("delete_model_version_tag", "beer", "1", "u")
    seen.call("transition_model_version_stage", "beer", "1", "Production")
    seen.call("transition_model_version_stage", "beer", "2", "Production", True, label="archive the others")
    seen.call("get_model_version_stages", "beer", "1")
    seen.call("get_latest_versions", "beer", ["Production"])
    seen.call("get_latest_versions", "beer", ["Staging"], label="no latest version")
    seen.call("set_registered_model_alias", "beer", "best", "2")
    seen.call("get_model_version_by_alias", "beer", "best")
    seen.call("get_model_version", "beer", "1")
    seen.call("get_model_version_download_uri", "beer", "2")
    seen.call("search_model_versions", "name = 'beer'", order_by=["version_number ASC"])
    seen.call("search_registered_models", "name LIKE 'be%'")
    seen.call("get_registered_model", "beer")
    seen.call("copy_model_version", "models:/beer/2", "copied")
    seen.call("delete_registered_model_alias", "beer", "best")
    seen.call("get_model_version_by_alias", "beer", "best", label="alias that is gone")
    seen.call("delete_model_version", "beer", "3")
    seen.keep("number after", lambda: seen.client.create_model_version("beer", "s3://b/4").version)
    seen.call("delete_registered_model", "copied")
    seen.call("get_registered_model", "copied", label="deleted model")


def logged_models(seen: Seen, experiment: str, run_id: str, folder: Path) -> None:
    model = seen.call("create_logged_model", experiment, "lm", run_id, {"t": "1"}, {"p": "1"}, "kind")
    model_id = model.model_id
    seen.call("log_model_params", model_id, {"q": "2"})
    seen.call("set_logged_model_tags", model_id, {"u": "2"})
    seen.call("delete_logged_model_tag", model_id, "t")
    seen.call("log_model_artifact", model_id, str(folder / "file.txt"))
    seen.call("log_model_artifacts", model_id, str(folder / "tree"))
    seen.call("list_logged_model_artifacts", model_id)
    seen.call("log_metric", run_id, "acc", 0.5, 1, 2, model_id=model_id, label="metric of a model")
    seen.call("log_outputs", run_id, [mlflow.entities.LoggedModelOutput(model_id, 1)])
    seen.call("finalize_logged_model", model_id, "READY")
    seen.call("get_logged_model", model_id)
    seen.call(
        "search_logged_models", [experiment], "metrics.acc > 0.1", order_by=[{"field_name": "metrics.acc"}]
    )
    seen.call("search_logged_models", [experiment], "name = 'other'", label="no logged models")
    seen.call("delete_logged_model", model_id)
    seen.call("get_logged_model", model_id, label="deleted logged model")


def prompts(seen: Seen) -> None:
    seen.call("register_prompt", "greeting", "Hi {{name}}", commit_message="first")
    seen.keep("prompt", lambda: seen.client.load_prompt("prompts:/greeting/1").template)
    seen.call("set_prompt_alias", "greeting", "live", 1)
    seen.keep("prompt by alias", lambda: seen.client.load_prompt("prompts:/greeting@live").version)
    seen.call("set_prompt_tag", "greeting", "t", "1")
    seen.call("delete_prompt_tag", "greeting", "t")
    seen.call("delete_prompt_alias", "greeting", "live")
    seen.keep("prompts", lambda: [prompt.name for prompt in seen.client.search_prompts()])
    seen.call("search_registered_models", "name LIKE 'g%'", label="models that are no prompts")
    seen.called |= {"load_prompt", "search_prompts"}
    seen.call("delete_prompt", "greeting")


class Doubler(mlflow.pyfunc.PythonModel):  # type: ignore[misc]  # mlflow is not installed here
    """A model without a library."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """Twice what it is given."""
        return [2 * value for value in model_input["x"]]


def _predict(uri: str, frame: Any) -> Any:
    return mlflow.pyfunc.load_model(uri).predict(frame)


def fluent(seen: Seen) -> None:
    mlflow.set_experiment("fluent")
    mlflow.set_experiment_tags({"a": "1"})
    with mlflow.start_run(run_name="trained") as run:
        mlflow.log_params({"a": 1})
        mlflow.log_metrics({"m": 1.0}, step=1)
        mlflow.set_tags({"t": "1"})
        given: dict[str, Any] = {"name": "model"} if MLFLOW3 else {"artifact_path": "model"}
        logged = mlflow.pyfunc.log_model(
            python_model=Doubler(), registered_model_name="doubler", pip_requirements=[], **given
        )
    client, frame = seen.client, pandas.DataFrame({"x": [1, 2]})
    client.transition_model_version_stage("doubler", "1", "Production")
    client.set_registered_model_alias("doubler", "best", "1")
    for uri in (logged.model_uri, f"runs:/{run.info.run_id}/model", "models:/doubler/1", "models:/doubler/Production",
                "models:/doubler@best", "models:/doubler/latest"):  # fmt: skip
        seen.keep(f"loaded {plain(uri)}", partial(_predict, uri, frame))
    seen.keep("registered", lambda: mlflow.register_model(f"runs:/{run.info.run_id}/model", "again").version)
    seen.keep("runs", lambda: sorted(mlflow.search_runs(experiment_names=["fluent"])["tags.t"].to_list()))
    if MLFLOW3:
        seen.keep(
            "models",
            lambda: sorted(mlflow.search_logged_models(experiment_ids=[run.info.experiment_id])["name"]),
        )
    seen.keep("last run", lambda: mlflow.last_active_run().data.params)


def autologged(seen: Seen) -> None:
    mlflow.set_experiment("autologged")
    mlflow.sklearn.autolog(max_tuning_runs=3, log_models=False)
    features, target = load_iris(return_X_y=True)
    with mlflow.start_run() as run:
        GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2]}, cv=2).fit(
            features, target
        )
    mlflow.sklearn.autolog(disable=True)
    found = seen.client.search_runs([run.info.experiment_id])
    seen.found["autologged params"] = sorted(
        (len(each.data.params), len(each.data.metrics)) for each in found
    )
    seen.found["autologged files"] = sorted(each.path for each in seen.client.list_artifacts(run.info.run_id))
    seen.found["autologged best"] = {
        key: value for key, value in seen.client.get_run(run.info.run_id).data.params.items() if "best" in key
    }


def main() -> None:
    """Call everything."""
    warnings.simplefilter("ignore")
    seen = Seen()
    with tempfile.TemporaryDirectory() as name:
        experiment = experiments(seen)
        run_id = runs(seen, experiment, Path(name))
        registry(seen, run_id)
        if MLFLOW3:
            logged_models(seen, experiment, run_id, Path(name))
            prompts(seen)
        fluent(seen)
        autologged(seen)
    methods = {name for name in dir(MlflowClient) if not name.startswith("_") and name != "tracking_uri"}
    seen.found["not called"] = sorted(
        name
        for name in methods - seen.called
        if not LEFT_OUT.search(name) and (MLFLOW3 or "prompt" not in name)
    )
    print(json.dumps(seen.found, sort_keys=True))


if __name__ == "__main__":
    main()
