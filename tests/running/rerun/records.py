"""Runs as a tracking store returns them, made for one test."""

from __future__ import annotations

from collections.abc import Mapping

from projrun.tracking.entities import Param, Run, Tag

COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAGS = {
    "mlflow.project.entryPoint": "main",
    "mlflow.source.name": "https://host/team/repository#train",
    "mlflow.source.git.commit": COMMIT,
    "projrun.version": "0.1.0",
    "projrun.parameters": "[]",
}


def recorded(params: Mapping[str, str] | None = None, /, **tags: str | None) -> Run:
    """A run that projrun recorded; in the names of tags, `__` is a dot, and None leaves one out."""
    more = {name.replace("__", "."): value for name, value in tags.items()}
    everything = {**TAGS, **more}
    return Run(
        run_id="4f" * 16,
        experiment_id="7",
        run_name="quiet-owl",
        status="FINISHED",
        start_time=1,
        end_time=2,
        artifact_uri="mlflow-artifacts:/7/x/artifacts",
        params=tuple(Param(key, value) for key, value in (params or {}).items()),
        tags=tuple(Tag(key, value) for key, value in everything.items() if value is not None),
    )
