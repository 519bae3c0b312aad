"""The migration that gives registered models and versions keys of their own, and aliases.

A new name is one row. `last_version` counts the versions of a model, so that no number is used twice. Versions are read
through the view `model_versions`, which has the name of the model beside each.
"""

from __future__ import annotations

REGISTRY_KEYS: tuple[str, ...] = (
    """CREATE TABLE registry_models (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        description TEXT NOT NULL,
        creation_time BIGINT NOT NULL,
        last_update_time BIGINT NOT NULL,
        last_version BIGINT NOT NULL)""",
    """CREATE TABLE registry_model_tags (
        model BIGINT NOT NULL REFERENCES registry_models,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (model, key)) WITHOUT ROWID""",
    """CREATE TABLE registry_versions (
        id INTEGER PRIMARY KEY,
        model BIGINT NOT NULL REFERENCES registry_models,
        version BIGINT NOT NULL,
        creation_time BIGINT NOT NULL,
        last_update_time BIGINT NOT NULL,
        source TEXT NOT NULL,
        storage_location TEXT NOT NULL,
        run_id TEXT NOT NULL,
        status TEXT NOT NULL,
        description TEXT NOT NULL,
        model_id TEXT NOT NULL,
        run_link TEXT NOT NULL,
        current_stage TEXT NOT NULL,
        user_id TEXT NOT NULL,
        UNIQUE (model, version))""",
    "CREATE INDEX registry_versions_by_run ON registry_versions (run_id)",
    """CREATE TABLE registry_version_tags (
        version BIGINT NOT NULL REFERENCES registry_versions,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (version, key)) WITHOUT ROWID""",
    "CREATE INDEX registry_version_tags_by_key ON registry_version_tags (key)",
    """CREATE TABLE registry_aliases (
        model BIGINT NOT NULL REFERENCES registry_models,
        alias TEXT NOT NULL,
        version BIGINT NOT NULL REFERENCES registry_versions,
        PRIMARY KEY (model, alias)) WITHOUT ROWID""",
    "CREATE INDEX registry_aliases_by_version ON registry_aliases (version)",
    """INSERT INTO registry_models (name, description, creation_time, last_update_time, last_version)
        SELECT name, description, creation_time, last_update_time,
            coalesce((SELECT max(version) FROM model_versions WHERE model_versions.name = registered_models.name), 0)
        FROM registered_models ORDER BY name""",
    """INSERT INTO registry_model_tags (model, key, value)
        SELECT id, key, value FROM registered_model_tags
            JOIN registry_models ON registry_models.name = registered_model_tags.name""",
    """INSERT INTO registry_versions (model, version, creation_time, last_update_time, source, storage_location,
            run_id, status, description, model_id, run_link, current_stage, user_id)
        SELECT id, version, model_versions.creation_time, model_versions.last_update_time, source,
            coalesce((SELECT artifact_uri FROM logged_models WHERE 'models:/' || logged_models.model_id = source),
                source),
            run_id, status, model_versions.description, model_id, run_link, current_stage, ''
        FROM model_versions JOIN registry_models ON registry_models.name = model_versions.name
        ORDER BY id, version""",
    """INSERT INTO registry_version_tags (version, key, value)
        SELECT registry_versions.id, key, value FROM model_version_tags
            JOIN registry_models ON registry_models.name = model_version_tags.name
            JOIN registry_versions ON registry_versions.model = registry_models.id
                AND registry_versions.version = model_version_tags.version""",
    "DROP TABLE model_version_tags",
    "DROP TABLE model_versions",
    "DROP TABLE registered_model_tags",
    "DROP TABLE registered_models",
    """CREATE VIEW model_versions AS
        SELECT registry_versions.id, model, name, version, registry_versions.creation_time,
            registry_versions.last_update_time, source, storage_location, run_id, status,
            registry_versions.description, model_id, run_link, current_stage, user_id
        FROM registry_versions JOIN registry_models ON registry_models.id = registry_versions.model""",
)
