"""Summaries of long series: for each 512 points where they begin, and the least and the greatest of them.

They are made when first asked for and extended as the series grows. A point that comes before their end removes those
from its place on.
"""

from __future__ import annotations

from projrun.tracking.sql.engine import Connection


def forget(connection: Connection, series: int, step: int, timestamp: int) -> None:
    """Remove what a new point makes wrong."""
    connection.execute(
        "DELETE FROM summaries WHERE series = ? AND (last_step, last_timestamp) >= (?, ?)",
        (series, step, timestamp),
    )
    last = "FROM summaries WHERE series = ? ORDER BY number DESC LIMIT 1"
    connection.execute(
        f"UPDATE series SET summarized_step = (SELECT last_step {last}),"  # noqa: S608 -- constants
        f" summarized_timestamp = (SELECT last_timestamp {last}) WHERE id = ?",
        (series, series, series),
    )
