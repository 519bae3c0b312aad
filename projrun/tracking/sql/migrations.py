"""Numbered migrations: entry N brings a store from version N to N + 1. Never edit a released one.

Types are PostgreSQL's names where SQLite takes them by affinity. What else differs is in SQLite's words, and a dialect
rewrites it: `INTEGER PRIMARY KEY` (a table's own key: the database gives numbers), `WITHOUT ROWID`, `BLOB`, `NOW`. Both
have `ALTER TABLE ... RENAME` and `ADD COLUMN`; a table is changed further by making `NAME_new`, copying, dropping and
renaming (SQLite checks foreign keys at the end). An indexed value has at most 2,700 bytes on PostgreSQL: index
`substr(value, 1, 250)` of a longer one. Times are milliseconds. A NaN is stored as 0 with `is_nan` 1, because SQLite
stores NaN as NULL.

A new entry: append it to MIGRATIONS, and count it in `engine.VERSION`.
"""

# ruff: noqa: S608 -- only constants of this package are put into statements

from __future__ import annotations

from collections.abc import Sequence

from projrun.tracking.sql.engine import Connection
from projrun.tracking.sql.points import EXTREMES, NAN_OF_SUMMARIES, POINTS, SEARCHED
from projrun.tracking.sql.registry.schema import REGISTRY_KEYS
from projrun.tracking.sql.traces.schema import TRACES
from projrun.tracking.sql.users.schema import USERS

Migration = tuple[str, ...]
NOW = "CAST(strftime('%s', 'now') AS BIGINT) * 1000"
"""The time in milliseconds."""

_EXPERIMENTS: Migration = (
    """CREATE TABLE experiments (
        experiment_id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        artifact_location TEXT NOT NULL,
        lifecycle_stage TEXT NOT NULL DEFAULT 'active',
        creation_time BIGINT NOT NULL,
        last_update_time BIGINT NOT NULL)""",
    """CREATE TABLE experiment_tags (
        experiment_id BIGINT NOT NULL REFERENCES experiments,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (experiment_id, key)) WITHOUT ROWID""",
    f"""INSERT INTO experiments (experiment_id, name, artifact_location, creation_time, last_update_time)
        VALUES (0, 'Default', 'mlflow-artifacts:/0', {NOW}, {NOW})""",
)
_RUNS: Migration = (
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY,
        run_id TEXT NOT NULL UNIQUE,
        experiment_id BIGINT NOT NULL REFERENCES experiments,
        run_name TEXT NOT NULL,
        user_id TEXT NOT NULL,
        status TEXT NOT NULL,
        start_time BIGINT NOT NULL,
        end_time BIGINT,
        artifact_uri TEXT NOT NULL,
        lifecycle_stage TEXT NOT NULL DEFAULT 'active')""",
    "CREATE INDEX runs_by_start ON runs (experiment_id, start_time)",
    """CREATE TABLE params (
        run BIGINT NOT NULL REFERENCES runs,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (run, key)) WITHOUT ROWID""",
    """CREATE TABLE tags (
        run BIGINT NOT NULL REFERENCES runs,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (run, key)) WITHOUT ROWID""",
)
_METRIC_COLUMNS = """key TEXT NOT NULL,
        timestamp BIGINT NOT NULL,
        step BIGINT NOT NULL,
        value DOUBLE PRECISION NOT NULL,
        is_nan INTEGER NOT NULL,
        dataset_name TEXT,
        dataset_digest TEXT,
        model_id TEXT,"""
_METRICS: Migration = (
    f"""CREATE TABLE metrics (
        run BIGINT NOT NULL REFERENCES runs,
        {_METRIC_COLUMNS}
        PRIMARY KEY (run, key, timestamp, step, value, is_nan)) WITHOUT ROWID""",
    f"""CREATE TABLE latest_metrics (
        run BIGINT NOT NULL REFERENCES runs,
        {_METRIC_COLUMNS}
        PRIMARY KEY (run, key)) WITHOUT ROWID""",
    """CREATE TABLE logged_model_metrics (
        run BIGINT NOT NULL REFERENCES runs,
        model_id TEXT NOT NULL REFERENCES logged_models,
        key TEXT NOT NULL,
        timestamp BIGINT NOT NULL,
        step BIGINT NOT NULL,
        value DOUBLE PRECISION NOT NULL,
        is_nan INTEGER NOT NULL,
        dataset_name TEXT,
        dataset_digest TEXT,
        PRIMARY KEY (model_id, key, timestamp, step, run, value, is_nan)) WITHOUT ROWID""",
)
_DATASETS: Migration = (
    """CREATE TABLE datasets (
        id INTEGER PRIMARY KEY,
        experiment_id BIGINT NOT NULL REFERENCES experiments,
        name TEXT NOT NULL,
        digest TEXT NOT NULL,
        source_type TEXT NOT NULL,
        source TEXT NOT NULL,
        schema TEXT,
        profile TEXT,
        UNIQUE (experiment_id, name, digest))""",
    """CREATE TABLE run_datasets (
        run BIGINT NOT NULL REFERENCES runs,
        dataset BIGINT NOT NULL REFERENCES datasets,
        PRIMARY KEY (run, dataset)) WITHOUT ROWID""",
    """CREATE TABLE run_dataset_tags (
        run BIGINT NOT NULL REFERENCES runs,
        dataset BIGINT NOT NULL REFERENCES datasets,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (run, dataset, key)) WITHOUT ROWID""",
)
_LOGGED_MODELS: Migration = (
    """CREATE TABLE logged_models (
        model_id TEXT NOT NULL PRIMARY KEY,
        experiment_id BIGINT NOT NULL REFERENCES experiments,
        name TEXT NOT NULL,
        artifact_uri TEXT NOT NULL,
        creation_time BIGINT NOT NULL,
        last_update_time BIGINT NOT NULL,
        status TEXT NOT NULL,
        model_type TEXT NOT NULL,
        source_run_id TEXT NOT NULL)""",
    """CREATE TABLE logged_model_params (
        model_id TEXT NOT NULL REFERENCES logged_models,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (model_id, key)) WITHOUT ROWID""",
    """CREATE TABLE logged_model_tags (
        model_id TEXT NOT NULL REFERENCES logged_models,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (model_id, key)) WITHOUT ROWID""",
    """CREATE TABLE run_models (
        run BIGINT NOT NULL REFERENCES runs,
        direction TEXT NOT NULL,
        model_id TEXT NOT NULL REFERENCES logged_models,
        step BIGINT NOT NULL,
        PRIMARY KEY (run, direction, model_id)) WITHOUT ROWID""",
)
_REGISTRY: Migration = (
    """CREATE TABLE registered_models (
        name TEXT NOT NULL PRIMARY KEY,
        description TEXT NOT NULL,
        creation_time BIGINT NOT NULL,
        last_update_time BIGINT NOT NULL)""",
    """CREATE TABLE registered_model_tags (
        name TEXT NOT NULL REFERENCES registered_models,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (name, key)) WITHOUT ROWID""",
    """CREATE TABLE model_versions (
        name TEXT NOT NULL REFERENCES registered_models,
        version BIGINT NOT NULL,
        creation_time BIGINT NOT NULL,
        last_update_time BIGINT NOT NULL,
        source TEXT NOT NULL,
        run_id TEXT NOT NULL,
        status TEXT NOT NULL,
        description TEXT NOT NULL,
        model_id TEXT NOT NULL,
        run_link TEXT NOT NULL,
        current_stage TEXT NOT NULL,
        PRIMARY KEY (name, version)) WITHOUT ROWID""",
    """CREATE TABLE model_version_tags (
        name TEXT NOT NULL,
        version BIGINT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (name, version, key),
        FOREIGN KEY (name, version) REFERENCES model_versions) WITHOUT ROWID""",
)

_LIFE_CYCLE: Migration = (
    "ALTER TABLE experiments ADD COLUMN deleted_time BIGINT",
    "ALTER TABLE runs ADD COLUMN deleted_time BIGINT",
    "ALTER TABLE logged_models ADD COLUMN lifecycle_stage TEXT NOT NULL DEFAULT 'active'",
    "ALTER TABLE logged_models ADD COLUMN deleted_time BIGINT",
)

MIGRATIONS: tuple[Migration, ...] = (
    _EXPERIMENTS + _RUNS + _LOGGED_MODELS + _METRICS + _DATASETS + _REGISTRY,
    POINTS,
    SEARCHED,
    REGISTRY_KEYS,
    _LIFE_CYCLE,
    USERS,
    TRACES,
    EXTREMES,
    NAN_OF_SUMMARIES,
)


def migrate(connection: Connection, migrations: Sequence[Migration]) -> None:
    """Apply migrations, inside the caller's transaction; the engine keeps the version."""
    for migration in migrations:
        for statement in migration:
            connection.execute(connection.dialect.schema(statement))
