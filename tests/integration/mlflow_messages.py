"""Prints the requests of MLflow's REST API as its protos have them, as JSON. Run by the Python of an mlflow.

The generated modules are loaded without mlflow itself, whose import takes seconds.
"""

import json
import sys
import types
from importlib import import_module
from pathlib import Path
from typing import Any

for folder in sys.path:
    if (Path(folder) / "mlflow" / "protos").is_dir():
        package = types.ModuleType("mlflow")
        package.__path__ = [str(Path(folder) / "mlflow")]
        sys.modules["mlflow"] = package
        break

databricks = import_module("mlflow.protos.databricks_pb2")


def kind(field: Any) -> Any:
    """A field's type: a scalar, the words of an enumeration, or the fields of a message."""
    if field.enum_type is not None:
        return {value.name: value.number for value in field.enum_type.values}
    message = field.message_type
    if message is None:
        return {value: name for name, value in vars(type(field)).items() if name.startswith("TYPE_")}[
            field.type
        ]
    if message.full_name.startswith("google."):
        return message.full_name
    return {"fields": fields(message)} if message.full_name not in SEEN else message.full_name


SEEN: "list[str]" = []


def fields(message: Any) -> "dict[str, Any]":
    """The fields of a message by name."""
    SEEN.append(message.full_name)
    found = {field.name: kind(field) for field in message.fields}
    SEEN.pop()
    return found


routes = {}
for module, service in (
    ("service", "MlflowService"),
    ("model_registry", "ModelRegistryService"),
    ("mlflow_artifacts", "MlflowArtifactsService"),
):
    descriptor = import_module("mlflow.protos." + module + "_pb2").DESCRIPTOR
    for method in descriptor.services_by_name[service].methods:
        for endpoint in method.GetOptions().Extensions[databricks.rpc].endpoints:
            path = f"/api/{endpoint.since.major}.0{endpoint.path}"
            routes[endpoint.method + " " + path] = {
                "message": method.input_type.name, "fields": fields(method.input_type),
            }  # fmt: skip
print(json.dumps(routes))
