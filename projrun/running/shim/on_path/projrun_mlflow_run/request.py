"""The request for projrun that a call of `mlflow.run` makes: a file, and one with all values that it holds."""

import json
import os
import shutil
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

FORMAT = 1
"""`projrun.running.request_json.FORMAT`: both come with one projrun."""

_TEXT_OPTIONS = ("experiment_name", "experiment_id", "run_id", "run_name", "storage_dir", "env_manager")


class RequestFile:
    """A request in a folder that only this user can read; projrun removes the files when it has read them."""

    def __init__(self, call: "Mapping[str, Any]") -> None:
        """From the arguments of `mlflow.run` that were given, of any version of MLflow."""
        self.folder = tempfile.mkdtemp(prefix="projrun-")
        self.path = os.path.join(self.folder, "call.request.json")
        secrets = os.path.join(self.folder, "call.secrets.json")
        try:
            values = _values(call)
            _write(secrets, values)
            _write(self.path, _document(call, {place: {"file": secrets} for place in values}))
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove what is left of it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _document(call: "Mapping[str, Any]", secrets: "Mapping[str, object]") -> "dict[str, object]":
    """Without any value: which of them is a secret, only the project says."""
    version = call.get("version")
    named = {"origin": "api", "directory": None, "inside": None, "is_given": True, "if_declared": False}
    return {
        "format": FORMAT,
        "uri": "",
        "caller_directory": os.getcwd(),
        "entry_point": str(call.get("entry_point") or "main"),
        "version": None if version is None else str(version),
        "parameters": {str(name): named for name in call.get("parameters") or {}},
        "options": {},
        "tags": {},
        "patch": None,
        "recorded": {},
        "record": "",
        "secrets": secrets,
    }


def _values(call: "Mapping[str, Any]") -> "dict[str, object]":
    """The values by their places in the request."""
    found = {"uri": str(call["uri"])}  # type: dict[str, object]
    for name, value in (call.get("parameters") or {}).items():
        found["parameters/" + str(name)] = str(value)
    for option in _TEXT_OPTIONS:
        value = call.get(option)
        if value is not None:
            found["options/" + option.replace("_", "-")] = str(value)
    # Of MLflow 1.
    if call.get("use_conda") is False and call.get("env_manager") is None:
        found["options/env-manager"] = "local"
    if call.get("build_image"):
        found["options/build-image"] = "1"
    docker_args = list(_words(call.get("docker_args") or {}))
    if docker_args:
        found["options/docker-args"] = docker_args
    config = call.get("backend_config")
    if config:
        found["options/backend-config"] = (
            json.dumps(config, default=str) if isinstance(config, dict) else str(config)
        )
    if call.get("docker_auth"):
        found["registry-login"] = {str(name): str(value) for name, value in call["docker_auth"].items()}
    return found


def _words(docker_args: "Mapping[str, Any]") -> "Iterator[str]":
    """`True` is a flag, a list repeats the option, `False` omits it."""
    for name, given in docker_args.items():
        for one in given if isinstance(given, (list, tuple)) else (given,):
            if one is True:
                yield str(name)
            elif one is not False:
                yield f"{name}={one}"


def _write(file: str, document: "Mapping[str, object]") -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        json.dump(document, stream)
