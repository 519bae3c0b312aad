"""Grows MLflow's database to many runs and points: by MLflow's client, that would take an hour."""

import sqlite3
import sys
import uuid
from contextlib import closing


def grow(database: str, runs: int, points: int) -> None:
    """Add runs of the experiment `wine`, each with `points` values of two metrics."""
    with closing(sqlite3.connect(database)) as connection:
        (experiment,) = connection.execute(
            "SELECT experiment_id FROM experiments WHERE name LIKE '%wine'"
        ).fetchone()
        for number in range(runs):
            run = uuid.UUID(int=number + 2**100).hex
            connection.execute(
                "INSERT INTO runs (run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage,"
                " artifact_uri, experiment_id) VALUES (?, ?, 'ada', 'FINISHED', ?, ?, ?, '', ?)",
                (
                    run,
                    f"grown-{number}",
                    50_000 + number,
                    90_000 + number,
                    "deleted" if number % 50 == 7 else "active",
                    experiment,
                ),
            )
            connection.execute(
                "INSERT INTO params (key, value, run_uuid) VALUES ('alpha', ?, ?)", (str(number), run)
            )
            connection.execute(
                "INSERT INTO tags (key, value, run_uuid) VALUES ('mlflow.runName', ?, ?)",
                (f"grown-{number}", run),
            )
            for key in ("loss", "val/acc"):
                rows = [
                    (key, 1 / (step + 1 + number), 5000 + step, run, step, 0) for step in range(points // 2)
                ]
                connection.executemany(
                    "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)",
                    rows,
                )
                connection.execute(
                    "INSERT INTO latest_metrics (key, value, timestamp, run_uuid, step, is_nan)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    rows[-1],
                )
        connection.commit()


if __name__ == "__main__":
    grow(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
