"""Databases of other programs: what is said of MLflow's own, whichever engine it is for."""

from __future__ import annotations

from collections.abc import Collection

from projrun.errors import RequestError


def refuse_mlflow(uri: str, tables: Collection[str], own: str) -> None:
    """Raises RequestError for MLflow's database; `own` says what to give projrun instead. `uri` has no password."""
    if {"experiments", "runs", "alembic_version"} <= set(tables):
        served = f"serve it with `mlflow server --backend-store-uri {uri}`"
        brought = f"bring it over with `projrun import {uri}`, or {served}"
        if not uri.startswith("sqlite:"):
            brought = f"{served}: `projrun import` from that server's address brings it over"
        raise RequestError(
            f"{uri} is MLflow's own database, which projrun never writes into",
            hint=f"{brought}; record to that server's address, or give {own}",
        )
