"""Whether and how often the use of the machine is recorded: projrun's option, and MLflow's variables."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping

from projrun.errors import RequestError
from projrun.http.variables import decimal, number
from projrun.settings import Setting
from projrun.tuples import NamedTuple

ENABLED = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
_INTERVAL = "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL"
_SAMPLES = "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING"
_NODE = "MLFLOW_SYSTEM_METRICS_NODE_ID"


class Sampling(NamedTuple):
    """How the use of the machine is sampled."""

    interval: float
    """Seconds between two samples."""
    samples: int
    """How many become one value."""
    node: str
    """Part of the metrics' names, for runs on several machines."""


def sampling_of(setting: Setting, environ: Mapping[str, str], *, nested: bool) -> Sampling | None:
    """What an enabled setting asks for; RequestError for what cannot be.

    Without psutil, MLflow's variable is left to the command's own client, and a nested run goes without.
    """
    if importlib.util.find_spec("psutil") is None:
        if nested or setting.origin == f"${ENABLED}":
            return None
        raise RequestError(
            f"{setting.origin}: system metrics need psutil", hint="pip install 'projrun[metrics]'"
        )
    interval, samples = decimal(environ, _INTERVAL, 10.0), number(environ, _SAMPLES, 1)
    for name, value in ((_INTERVAL, interval), (_SAMPLES, samples)):
        if value == 0:
            raise RequestError(f"{name} is 0, not a number above zero")
    return Sampling(interval, samples, environ.get(_NODE, ""))


def variables() -> dict[str, str]:
    """What the command gets: its own MLflow client must not record the same again; nested runs of projrun do."""
    return {ENABLED: "false", "PROJRUN_SYSTEM_METRICS": "1"}
