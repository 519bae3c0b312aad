"""A server's REST API, for tests that fill a store through it."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen


class Api:
    """Calls of one server."""

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def post(self, route: str, **message: Any) -> Any:
        """A call below MLflow's API."""
        return self.send("POST", f"/api/2.0/mlflow/{route}", json.dumps(message).encode())

    def put(self, path: str, content: bytes) -> None:
        """A file of those that the server keeps."""
        self.send("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}", content)

    def experiment(self, name: str, **tags: str) -> str:
        """A new experiment; its id."""
        answer = self.post("experiments/create", name=name, tags=_pairs(tags))
        return str(answer["experiment_id"])

    def run(
        self,
        experiment: str,
        name: str,
        *,
        params: dict[str, str] | None = None,
        metrics: dict[str, list[float | str]] | None = None,
        tags: dict[str, str] | None = None,
        status: str = "FINISHED",
        start: int = 1_700_000_000_000,
    ) -> str:
        """A run with the histories of its metrics, a value a second, over after a minute; its id."""
        created = self.post(
            "runs/create", experiment_id=experiment, run_name=name, start_time=start, tags=_pairs(tags or {})
        )
        run = str(created["run"]["info"]["run_id"])
        points = [
            {"key": key, "value": value, "timestamp": start + 1000 * step, "step": step}
            for key, values in (metrics or {}).items()
            for step, value in enumerate(values)
        ]
        self.post("runs/log-batch", run_id=run, metrics=points, params=_pairs(params or {}))
        if status != "RUNNING":
            self.post("runs/update", run_id=run, status=status, end_time=start + 60_000)
        return run

    def send(self, method: str, path: str, body: bytes | None = None) -> Any:
        """Any call; its answer."""
        request = Request(self.uri + path, body, {"Content-Type": "application/json"}, method=method)
        with urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"{}")


def _pairs(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
