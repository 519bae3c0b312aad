"""Databases of other programs: what is said of MLflow's own, whichever engine it is for."""

from __future__ import annotations

from collections.abc import Collection

from projrun.errors import RequestError


def refuse_mlflow(uri: str, tables: Collection[str], own: str) -> None:
    """Raises RequestError for MLflow's database; `own` says what to give projrun instead. `uri` has no password."""
    if {"experiments", "runs", "alembic_version"} <= set(tables):
        raise RequestError(
            f"{uri} is MLflow's own database, which projrun never writes into",
            hint=f"serve it with `mlflow server --backend-store-uri {uri}` and record to that server's address, "
            f"or give {own}",
        )
