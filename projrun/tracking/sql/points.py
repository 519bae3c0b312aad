"""The migration that keeps metrics as series of points: keys once, points clustered in about 30 bytes each.

A series is what one run logged under one key, for one model and dataset where they are given; it knows the latest of
its points. A NaN is stored as 0 with `is_nan` 1, because SQLite stores NaN as NULL. The points name their series
without REFERENCES, which would look it up for each of a million points. `ordered` is 1 while time never goes back as
steps go on: then the order of the key is that of the history. `summarized_step` and `summarized_timestamp` say up to
where `summaries` hold the series.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements

from __future__ import annotations

POINTS: tuple[str, ...] = (
    """CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        run BIGINT NOT NULL REFERENCES runs,
        key TEXT NOT NULL,
        model_id TEXT NOT NULL,
        dataset_name TEXT NOT NULL,
        dataset_digest TEXT NOT NULL,
        step BIGINT NOT NULL,
        timestamp BIGINT NOT NULL,
        value DOUBLE PRECISION NOT NULL,
        is_nan INTEGER NOT NULL,
        latest INTEGER NOT NULL,
        ordered INTEGER NOT NULL,
        summarized_step BIGINT,
        summarized_timestamp BIGINT,
        UNIQUE (run, key, model_id, dataset_name, dataset_digest))""",
    """CREATE TABLE points (
        series BIGINT NOT NULL,
        step BIGINT NOT NULL,
        timestamp BIGINT NOT NULL,
        value DOUBLE PRECISION NOT NULL,
        is_nan INTEGER NOT NULL,
        PRIMARY KEY (series, step, timestamp, value, is_nan)) WITHOUT ROWID""",
    """CREATE TABLE summaries (
        series BIGINT NOT NULL,
        number BIGINT NOT NULL,
        points BIGINT NOT NULL,
        stride BIGINT NOT NULL,
        first_step BIGINT NOT NULL,
        first_timestamp BIGINT NOT NULL,
        first_value DOUBLE PRECISION NOT NULL,
        first_is_nan INTEGER NOT NULL,
        last_step BIGINT NOT NULL,
        last_timestamp BIGINT NOT NULL,
        least DOUBLE PRECISION,
        least_step BIGINT,
        least_timestamp BIGINT,
        greatest DOUBLE PRECISION,
        greatest_step BIGINT,
        greatest_timestamp BIGINT,
        PRIMARY KEY (series, number)) WITHOUT ROWID""",
    # A metric that named a model stood in both tables; one that was logged for two models, only once in `metrics`.
    """CREATE TABLE moved AS
        SELECT run, key, coalesce(model_id, '') AS model_id, coalesce(dataset_name, '') AS dataset_name,
            coalesce(dataset_digest, '') AS dataset_digest, step, timestamp, value, is_nan FROM metrics
        UNION
        SELECT run, key, model_id, coalesce(dataset_name, ''), coalesce(dataset_digest, ''),
            step, timestamp, value, is_nan FROM logged_model_metrics""",
    """INSERT INTO series (run, key, model_id, dataset_name, dataset_digest, step, timestamp, value, is_nan,
            latest, ordered)
        SELECT DISTINCT run, key, model_id, dataset_name, dataset_digest, 0, 0, 0.0, 0, 0, 0 FROM moved""",
    """INSERT INTO points (series, step, timestamp, value, is_nan)
        SELECT series.id, moved.step, moved.timestamp, moved.value, moved.is_nan FROM moved
        JOIN series ON series.run = moved.run AND series.key = moved.key AND series.model_id = moved.model_id
            AND series.dataset_name = moved.dataset_name AND series.dataset_digest = moved.dataset_digest
        ORDER BY 1, 2, 3, 4, 5""",
    """UPDATE series SET (step, timestamp, value, is_nan) =
        (SELECT step, timestamp, value, is_nan FROM points WHERE points.series = series.id
        ORDER BY points.step DESC, points.timestamp DESC, points.value DESC, points.is_nan DESC LIMIT 1)""",
    """UPDATE series SET latest = 1 WHERE id = (SELECT other.id FROM series AS other
        WHERE other.run = series.run AND other.key = series.key
        ORDER BY other.step DESC, other.timestamp DESC, other.value DESC, other.id LIMIT 1)""",
    "DROP TABLE moved",
    "DROP TABLE metrics",
    "DROP TABLE latest_metrics",
    "DROP TABLE logged_model_metrics",
    "CREATE INDEX series_by_value ON series (key, is_nan, value, run) WHERE latest = 1",
    "CREATE INDEX series_by_model ON series (model_id) WHERE model_id <> ''",
)

SEARCHED: tuple[str, ...] = (
    """CREATE VIEW latest_metrics AS
        SELECT run, key, timestamp, step, value, is_nan, dataset_name, dataset_digest, model_id FROM series
        WHERE latest = 1""",
    """CREATE VIEW logged_model_metrics AS
        SELECT run, model_id, key, points.timestamp AS timestamp, points.step AS step, points.value AS value,
            points.is_nan AS is_nan, dataset_name, dataset_digest
        FROM series JOIN points ON points.series = series.id WHERE model_id <> ''""",
    "CREATE INDEX params_by_value ON params (key, substr(value, 1, 250), run)",
    "CREATE INDEX tags_by_value ON tags (key, substr(value, 1, 250), run)",
    "DROP INDEX runs_by_start",
    "CREATE INDEX runs_by_experiment ON runs (experiment_id, start_time, id)",
    "CREATE INDEX runs_by_start ON runs (start_time, id)",
    "CREATE INDEX runs_by_end ON runs (end_time, start_time, id)",
    "CREATE INDEX runs_by_status ON runs (status, start_time, id)",
    "CREATE INDEX runs_by_name ON runs (substr(run_name, 1, 250), start_time, id)",
)
"""What searches read: metrics as they stood in tables of their own, and indexes.

A value may have thousands of characters, of which the first 250 are indexed.
"""

_OF_SERIES = "FROM points WHERE points.series = series.id AND points.is_nan = 0"
EXTREMES: tuple[str, ...] = (
    "ALTER TABLE series ADD COLUMN least DOUBLE PRECISION",
    "ALTER TABLE series ADD COLUMN greatest DOUBLE PRECISION",
    f"UPDATE series SET least = (SELECT min(value) {_OF_SERIES}), greatest = (SELECT max(value) {_OF_SERIES})",
)
"""What tables of runs show beside the latest value; NULL where all are NaN."""

NAN_OF_SUMMARIES: tuple[str, ...] = (
    "ALTER TABLE summaries ADD COLUMN nan_step BIGINT",
    "ALTER TABLE summaries ADD COLUMN nan_timestamp BIGINT",
    "DELETE FROM summaries",
    "UPDATE series SET summarized_step = NULL, summarized_timestamp = NULL WHERE summarized_step IS NOT NULL",
)
"""The first NaN of each, which charts show. Those without it are made again when a chart asks for them."""
