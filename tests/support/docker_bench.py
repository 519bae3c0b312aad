"""Docker projects of one test, run by the real `projrun` command."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Completed, projrun_argv, run_projrun
from tests.support.docker import BASE_IMAGE, docker_output

PATIENCE = 60.0
"""Seconds that anything may take on a busy machine."""

LOG_METRIC = """\
import json, os, urllib.request

def log(key, value):
    uri = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
    metric = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": key, "value": value, "timestamp": 1, "step": 0}
    request = urllib.request.Request(uri, json.dumps(metric).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=60).read()
"""
"""What the `mlflow` client would do, for an image without it: `from metrics import log`."""


class DockerBench:
    """A daemon, and a folder of one test."""

    def __init__(self, host: str, folder: Path) -> None:
        self.host = host
        self.folder = folder

    def project(
        self,
        command: str,
        *,
        image: str = BASE_IMAGE,
        docker_env: Mapping[str, object] | None = None,
        parameters: Mapping[str, object] | None = None,
        name: str = "demo",
        **files: str,
    ) -> Path:
        """A project whose `main` is `command`; files by name (`train_py` is `train.py`)."""
        folder = self.folder / "project"
        folder.mkdir(exist_ok=True)
        entry = {"command": command, "parameters": dict(parameters or {})}
        document = {
            "name": name,
            "docker_env": {"image": image, **(docker_env or {})},
            "entry_points": {"main": entry},
        }
        (folder / "MLproject").write_text(json.dumps(document))  # JSON is YAML
        (folder / "metrics.py").write_text(LOG_METRIC)
        for file, text in files.items():
            (folder / file.replace("_py", ".py")).write_text(text)
        return folder

    def run(self, *arguments: str | Path, environ: Mapping[str, str] | None = None) -> Completed:
        """`projrun run` of the project to its end."""
        return run_projrun("run", "project", *arguments, cwd=self.folder, environ=environ)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """`projrun run` of the project, started."""
        return subprocess.Popen(
            [*projrun_argv(), "run", "project", *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def recorded(self, number: int = 0) -> dict[str, Any]:
        """What `projrun runs show` says of the newest run, or an older one."""
        identifier = self.runs()[number]["run_id"]
        shown = json.loads(run_projrun("runs", "show", identifier, "--json").check().stdout)
        assert isinstance(shown, dict)
        return shown

    def runs(self) -> list[dict[str, Any]]:
        """What `projrun runs list` says, the newest first."""
        listed = json.loads(run_projrun("runs", "list", "--json").check().stdout)
        return list(listed["runs"])

    def docker(self, *words: str) -> str:
        """What a docker command prints."""
        return docker_output(self.host, *words)

    def containers(self) -> list[str]:
        """The containers of this test's runs, running or not; other tests use the daemon too."""
        labels = self.docker("ps", "--all", "--format", '{{.Label "projrun.run_id"}}').split()
        return sorted(set(labels) & {run["run_id"] for run in self.runs()} if labels else ())

    def eventually(self, condition: Callable[[], object], what: str) -> None:
        """Wait until `condition` is true."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"waited {PATIENCE:.0f} s for: {what}")
            time.sleep(0.05)


def free_of(text: str, directory: Path) -> bool:
    """Whether no file below a folder holds a text."""
    return not any(
        text.encode() in Path(folder, name).read_bytes()
        for folder, _, names in os.walk(directory)
        for name in names
    )
