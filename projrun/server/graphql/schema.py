"""The types of MLflow's GraphQL schema, and which call of the REST API each field of a query is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Call(NamedTuple):
    """A call of the REST API, below `/api/2.0/mlflow/`."""

    method: str
    route: str
    type: str
    """Of what it answers."""


QUERIES: Mapping[str, Call] = {
    "mlflowGetExperiment": Call("GET", "experiments/get", "MlflowGetExperimentResponse"),
    "mlflowGetRun": Call("GET", "runs/get", "MlflowGetRunResponse"),
    "mlflowListArtifacts": Call("GET", "artifacts/list", "MlflowListArtifactsResponse"),
    "mlflowSearchRuns": Call("POST", "runs/search", "MlflowSearchRunsResponse"),
    "mlflowSearchModelVersions": Call("GET", "model-versions/search", "MlflowSearchModelVersionsResponse"),
    "mlflowGetMetricHistoryBulkInterval": Call(
        "GET", "metrics/get-history-bulk-interval", "MlflowGetMetricHistoryBulkIntervalResponse"
    ),
}
MUTATIONS: Mapping[str, Call] = {
    "mlflowSearchRuns": QUERIES["mlflowSearchRuns"],
    "mlflowSearchDatasets": Call("POST", "experiments/search-datasets", "MlflowSearchDatasetsResponse"),
}
ECHOES: Mapping[str, str] = {"test": "Test", "testMutation": "TestMutation"}
"""Fields of MLflow's own tests, with their types."""

TEXT, LONG, OTHER = "", "LongString", "Scalar"
"""Kinds of scalars: text and words, integers as text, all else as it is."""


def _texts(names: str, **others: str) -> dict[str, str]:
    return {**dict.fromkeys(names.split(), TEXT), **others}


_KEY_VALUE = _texts("key value")
TYPES: Mapping[str, Mapping[str, str]] = {
    "ApiError": _texts("code message helpUrl traceId"),
    "Test": _texts("output"),
    "TestMutation": _texts("output"),
    "MlflowGetExperimentResponse": {"experiment": "MlflowExperiment", "apiError": "ApiError"},
    "MlflowGetRunResponse": {"run": "MlflowRunExtension", "apiError": "ApiError"},
    "MlflowSearchRunsResponse": _texts("nextPageToken", runs="MlflowRunExtension", apiError="ApiError"),
    "MlflowListArtifactsResponse": _texts(
        "rootUri nextPageToken", files="MlflowFileInfo", apiError="ApiError"
    ),
    "MlflowSearchModelVersionsResponse": _texts(
        "nextPageToken", modelVersions="MlflowModelVersion", apiError="ApiError"
    ),
    "MlflowSearchDatasetsResponse": {"datasetSummaries": "MlflowDatasetSummary", "apiError": "ApiError"},
    "MlflowGetMetricHistoryBulkIntervalResponse": {
        "metrics": "MlflowMetricWithRunId",
        "apiError": "ApiError",
    },
    "MlflowExperiment": _texts(
        "experimentId name artifactLocation lifecycleStage effectiveTraceArchivalRetention workspace",
        lastUpdateTime=LONG, creationTime=LONG, tags="MlflowExperimentTag",
    ),
    "MlflowExperimentTag": _KEY_VALUE,
    "MlflowRunExtension": {
        "info": "MlflowRunInfo", "data": "MlflowRunData", "inputs": "MlflowRunInputs",
        "outputs": "MlflowRunOutputs", "experiment": "MlflowExperiment", "modelVersions": "MlflowModelVersion",
    },
    "MlflowRunInfo": _texts(
        "runId runUuid runName experimentId userId status artifactUri lifecycleStage", startTime=LONG, endTime=LONG
    ),
    "MlflowRunData": {"metrics": "MlflowMetricExtension", "params": "MlflowParam", "tags": "MlflowRunTag"},
    "MlflowMetricExtension": _texts(
        "key datasetName datasetDigest modelId runId", value=OTHER, timestamp=LONG, step=LONG
    ),
    "MlflowMetricWithRunId": _texts("key runId", value=OTHER, timestamp=LONG, step=LONG),
    "MlflowParam": _KEY_VALUE,
    "MlflowRunTag": _KEY_VALUE,
    "MlflowInputTag": _KEY_VALUE,
    "MlflowRunInputs": {"datasetInputs": "MlflowDatasetInput", "modelInputs": "MlflowModelInput"},
    "MlflowDatasetInput": {"dataset": "MlflowDataset", "tags": "MlflowInputTag"},
    "MlflowDataset": _texts("name digest sourceType source schema profile"),
    "MlflowModelInput": _texts("modelId"),
    "MlflowRunOutputs": {"modelOutputs": "MlflowModelOutput"},
    "MlflowModelOutput": _texts("modelId", step=LONG),
    "MlflowFileInfo": _texts("path", isDir=OTHER, fileSize=LONG),
    "MlflowDatasetSummary": _texts("experimentId name digest context"),
    "MlflowModelVersion": _texts(
        "name version userId currentStage description source runId status statusMessage runLink modelId",
        creationTimestamp=LONG, lastUpdatedTimestamp=LONG, aliases=OTHER, tags="MlflowModelVersionTag",
    ),
    "MlflowModelVersionTag": _KEY_VALUE,
}  # fmt: skip
