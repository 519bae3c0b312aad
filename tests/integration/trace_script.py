"""A script that traces what it does, for mlflow 2.14 and later: writes traces, then finds, tags and deletes them.

Run by a Python that has mlflow, with MLFLOW_TRACKING_URI set. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import Any

import mlflow
from mlflow import MlflowClient

MLFLOW3 = int(mlflow.__version__.split(".")[0]) >= 3
client = MlflowClient()
experiment = mlflow.set_experiment(os.environ["EXPERIMENT"]).experiment_id


@mlflow.trace(  # type: ignore[untyped-decorator,unused-ignore]
    name="ask", attributes={"kind": "question"}
)
def ask(question: str) -> str:
    """A traced function with a span inside."""
    with mlflow.start_span("think", span_type="LLM") as span:
        span.set_inputs({"text": question})
        span.set_outputs(question.upper())
    if question == "bad":
        raise ValueError("no")
    return question[::-1]


with mlflow.start_run() as run:
    ask("hello")
ask("world")
with suppress(ValueError):
    ask("bad")
if MLFLOW3:
    mlflow.flush_trace_async_logging()


def found(text: str = "", **options: Any) -> list[Any]:
    """The traces of the experiment."""
    return list(client.search_traces([experiment], filter_string=text, **options))


def identity(trace: Any) -> str:
    """Its id."""
    return str(trace.info.trace_id if MLFLOW3 else trace.info.request_id)


for _ in range(50):  # clients send traces in the background
    if len(found()) == 3:
        break
    time.sleep(0.2)
newest_first = found()
oldest = newest_first[-1]
whole = client.get_trace(identity(oldest))
client.set_trace_tag(identity(oldest), "team", "red")
tagged = [identity(trace) == identity(oldest) for trace in found("tags.team = 'red'")]
client.delete_trace_tag(identity(oldest), "team")
record = {
    "states": [str(trace.info.status).rpartition(".")[2] for trace in newest_first],
    "spans": [[span.name, span.span_type, span.inputs] for span in whole.data.spans],
    "request": json.loads(whole.data.request),
    "name": oldest.info.tags["mlflow.traceName"],
    "of_run": len(found(f"run_id = '{run.info.run_id}'")),
    "failed": len(found("status = 'ERROR'")),
    "named": len(found("name = 'ask'")),
    "oldest_first": [identity(trace) for trace in found(order_by=["timestamp_ms ASC"])]
    == [identity(trace) for trace in reversed(newest_first)],
    "page": len(found(max_results=2)),
    "tagged": tagged,
    "untagged": len(found("tags.team = 'red'")),
    "frame": len(mlflow.search_traces(experiment_ids=[experiment])),
    "deleted": client.delete_traces(experiment, trace_ids=[identity(oldest)])
    if MLFLOW3
    else client.delete_traces(experiment, request_ids=[identity(oldest)]),
    "left": len(found()),
    "all": client.delete_traces(experiment, max_timestamp_millis=int(time.time() * 1000) + 1000),
}
try:
    client.get_trace(identity(oldest))
except mlflow.MlflowException as error:
    record["gone"] = error.error_code
if MLFLOW3:
    ask("judged")
    mlflow.flush_trace_async_logging()
    (judged,) = found()
    made = mlflow.log_feedback(trace_id=identity(judged), name="good", value=True, rationale="because")
    mlflow.update_assessment(
        trace_id=identity(judged),
        assessment_id=made.assessment_id,
        assessment=mlflow.entities.Feedback(name="good", value=False),
    )
    (kept,) = client.get_trace(identity(judged)).info.assessments
    record["feedback"] = [kept.name, kept.feedback.value]
    mlflow.delete_assessment(trace_id=identity(judged), assessment_id=made.assessment_id)
    record["assessments"] = len(client.get_trace(identity(judged)).info.assessments)
print(json.dumps(record))
