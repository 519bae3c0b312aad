"""The tables of users. A token is kept as its digest alone, a password as a salted hash."""

from __future__ import annotations

USERS: tuple[str, ...] = (
    """CREATE TABLE users (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        secret TEXT NOT NULL,
        is_admin BIGINT NOT NULL,
        creation_time BIGINT NOT NULL)""",
    """CREATE TABLE user_tokens (
        digest TEXT NOT NULL PRIMARY KEY,
        user_id BIGINT NOT NULL REFERENCES users,
        name TEXT NOT NULL,
        creation_time BIGINT NOT NULL,
        expiry_time BIGINT,
        UNIQUE (user_id, name))""",
    """CREATE TABLE roles (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        description TEXT)""",
    """CREATE TABLE role_members (
        id INTEGER PRIMARY KEY,
        user_id BIGINT NOT NULL REFERENCES users,
        role_id BIGINT NOT NULL REFERENCES roles,
        UNIQUE (user_id, role_id))""",
    """CREATE TABLE grants (
        id INTEGER PRIMARY KEY,
        role_id BIGINT NOT NULL REFERENCES roles,
        resource_type TEXT NOT NULL,
        resource_pattern TEXT NOT NULL,
        permission TEXT NOT NULL,
        UNIQUE (role_id, resource_type, resource_pattern))""",
    "CREATE INDEX grants_by_resource ON grants (resource_type, resource_pattern)",
)
