"""Models that can be loaded without MLflow: scikit-learn's, and Python functions with a module of their own."""

from __future__ import annotations

import importlib
import json
import logging
import os
import pickle
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SKLEARN = "mlflow.sklearn"
_log = logging.getLogger("projrun.scoring")


class LoadError(Exception):
    """Why a model cannot be loaded, in one line."""


def needs_mlflow(function: dict[str, str]) -> bool:
    """Whether a module of MLflow loads it; `function` is its flavor `python_function`."""
    module = function["loader_module"]
    return module != SKLEARN and module.partition(".")[0] == "mlflow"


def load(folder: str, flavors: dict[str, Any]) -> Callable[..., Any]:
    """The function that predicts. Raises LoadError, and whatever the model's own code raises."""
    function = flavors["python_function"]
    if function.get("code"):
        sys.path.insert(0, os.path.join(folder, function["code"]))
    path = os.path.join(folder, function["data"]) if "data" in function else folder
    name = function.get("predict_fn", "predict")
    if function["loader_module"] == SKLEARN:
        return _sklearn(path, function, flavors.get("sklearn", {}), name)
    config = _config(function.get("config"))
    module: Any = importlib.import_module(function["loader_module"])
    model = module._load_pyfunc(path, config) if config else module._load_pyfunc(path)
    if not hasattr(model, name):
        raise LoadError("what its loader module gives has no method {}".format(name))
    predict: Callable[..., Any] = getattr(model, name)
    return predict


def _sklearn(path: str, function: dict[str, Any], flavor: dict[str, Any], name: str) -> Callable[..., Any]:
    if os.environ.get("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true").lower() not in ("true", "1"):
        raise LoadError("MLFLOW_ALLOW_PICKLE_DESERIALIZATION forbids it")
    if not os.path.isfile(path):
        path = os.path.join(path, function["model_path"])
    model = _unpickled(path, flavor)
    if name != "predict":
        predict: Callable[..., Any] = getattr(model, name)
        return predict
    return lambda data: model.predict(data)


def _unpickled(path: str, flavor: dict[str, Any]) -> Any:
    form = flavor.get("serialization_format", "pickle")
    if form == "skops":
        import skops.io

        return skops.io.load(path, trusted=flavor.get("skops_trusted_types"))
    if form not in ("pickle", "cloudpickle"):
        raise LoadError("its serialization format {!r} is not known".format(form))
    if form == "cloudpickle":
        import cloudpickle  # noqa: F401  # what it wrote refers to it
    with open(path, "rb") as stream:
        return pickle.load(stream)  # noqa: S301  # whoever serves a model trusts its code


def _config(config: dict[str, Any] | None) -> dict[str, Any] | None:
    """The model's configuration, with what variables say of its keys."""
    if not config:
        return None
    for variable in ("MLFLOW_PYFUNC_INFERENCE_CONFIG", "SERVING_MODEL_CONFIG"):
        given = json.loads(os.environ.get(variable) or "{}")
        config = {**config, **{key: value for key, value in given.items() if key in config}}
        unknown = sorted(set(given) - set(config))
        if unknown:
            _log.warning("The model's configuration has no %s, which %s gives: ignored.", unknown, variable)
    return config
