"""Roles, their members and their grants in SQL. Each function works within the caller's transaction."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError
from projrun.tracking.sql.engine import Connection, in_list, insert_new
from projrun.tracking.users import Grant, Membership, Role, User

RESOURCE_TYPES = ("experiment", "registered_model", "prompt")
"""MLflow has more; those are about what no store of ours keeps."""
PERMISSIONS = ("READ", "USE", "EDIT", "MANAGE", "DENY", "NO_PERMISSIONS")
_OWN = re.compile(r"__user_\d+__")
_GRANT = "id, role_id, resource_type, resource_pattern, permission"


def own_name(user: User) -> str:
    """The name of a user's own role: MLflow's."""
    return f"__user_{user.id}__"


def create(connection: Connection, name: str, description: str | None) -> Role:
    """Raises AlreadyExistsError."""
    if _OWN.fullmatch(name):
        raise InvalidValueError(f"Role name '{name}' is reserved for the grants of one user")
    if not name or len(name) > 255:
        raise InvalidValueError("a role needs a name of 1 to 255 characters")
    return _create(connection, name, description)


def _create(connection: Connection, name: str, description: str | None) -> Role:
    if not connection.execute(insert_new("roles", "name, description"), (name, description)).rowcount:
        raise AlreadyExistsError(f"Role (name={name}, workspace=default) already exists.")
    return select(connection, "WHERE name = ?", name)[0]


def own(connection: Connection, user: User) -> Role:
    """The role of this user alone, made if needed."""
    found = select(connection, "WHERE name = ?", own_name(user))
    if found:
        return found[0]
    role = _create(connection, own_name(user), None)
    assign(connection, user, role.id)
    return role


def get(connection: Connection, role_id: int) -> Role:
    """Raises NotFoundError."""
    found = select(connection, "WHERE id = ?", role_id)
    if not found:
        raise NotFoundError(f"Role with id={role_id} not found")
    return found[0]


def select(connection: Connection, condition: str = "", *values: object) -> tuple[Role, ...]:
    """Roles with their grants, by their ids."""
    rows = connection.execute(f"SELECT id, name, description FROM roles {condition} ORDER BY id", values)
    found = [Role(*row) for row in rows.fetchall()]
    return tuple(role._replace(grants=_grants(connection, "role_id = ?", role.id)) for role in found)


def of_user(connection: Connection, user: User) -> tuple[Role, ...]:
    """All that a user has."""
    condition = "WHERE id IN (SELECT role_id FROM role_members WHERE user_id = ?)"
    return select(connection, condition, user.id)


def update(connection: Connection, role_id: int, name: str | None, description: str | None) -> Role:
    """Change what is given."""
    role = get(connection, role_id)
    if name is not None and name != role.name:
        if _OWN.fullmatch(name) or not name:
            raise InvalidValueError(f"Role name '{name}' is reserved or empty")
        if select(connection, "WHERE name = ?", name):
            raise AlreadyExistsError(f"Role with name={name} already exists in workspace=default")
        connection.execute("UPDATE roles SET name = ? WHERE id = ?", (name, role_id))
    if description is not None:
        connection.execute("UPDATE roles SET description = ? WHERE id = ?", (description, role_id))
    return get(connection, role_id)


def delete(connection: Connection, role_id: int) -> None:
    """With its grants and memberships. Raises NotFoundError."""
    get(connection, role_id)
    for statement in (
        "DELETE FROM grants WHERE role_id = ?",
        "DELETE FROM role_members WHERE role_id = ?",
        "DELETE FROM roles WHERE id = ?",
    ):
        connection.execute(statement, (role_id,))


def delete_user(connection: Connection, user: User) -> None:
    """The user's memberships, and the role of this user alone."""
    for role in select(connection, "WHERE name = ?", own_name(user)):
        delete(connection, role.id)
    connection.execute("DELETE FROM role_members WHERE user_id = ?", (user.id,))


def assign(connection: Connection, user: User, role_id: int) -> Membership:
    """Raises NotFoundError, AlreadyExistsError."""
    get(connection, role_id)
    values = (user.id, role_id)
    if not connection.execute(insert_new("role_members", "user_id, role_id"), values).rowcount:
        raise AlreadyExistsError(
            f"User role assignment (user_id={user.id}, role_id={role_id}) already exists"
        )
    return members(connection, "user_id = ? AND role_id = ?", *values)[0]


def unassign(connection: Connection, user: User, role_id: int) -> None:
    """Raises NotFoundError."""
    values = (user.id, role_id)
    if not connection.execute("DELETE FROM role_members WHERE user_id = ? AND role_id = ?", values).rowcount:
        raise NotFoundError(f"User role assignment (user_id={user.id}, role_id={role_id}) not found")


def members(connection: Connection, condition: str, *values: object) -> tuple[Membership, ...]:
    """Memberships, by their ids."""
    rows = connection.execute(
        f"SELECT id, user_id, role_id FROM role_members WHERE {condition} ORDER BY id", values
    ).fetchall()
    return tuple(Membership(*row) for row in rows)


def add_grant(
    connection: Connection, role_id: int, resource_type: str, pattern: str, permission: str
) -> Grant:
    """Raises AlreadyExistsError where the role has one on the resource."""
    _check(resource_type, permission)
    get(connection, role_id)
    values = (role_id, resource_type, pattern, permission)
    if not connection.execute(insert_new("grants", _GRANT.removeprefix("id, ")), values).rowcount:
        raise AlreadyExistsError(
            f"Role permission (role_id={role_id}, resource_type={resource_type}, resource_pattern={pattern})"
            " already exists."
        )
    return _grants(connection, "role_id = ? AND resource_type = ? AND resource_pattern = ?", *values[:3])[0]


def get_grant(connection: Connection, grant_id: int) -> Grant:
    """Raises NotFoundError."""
    found = _grants(connection, "id = ?", grant_id)
    if not found:
        raise NotFoundError(f"Role permission with id={grant_id} not found")
    return found[0]


def update_grant(connection: Connection, grant_id: int, permission: str) -> Grant:
    """Another permission on the same resource."""
    grant = get_grant(connection, grant_id)
    _check(grant.resource_type, permission)
    connection.execute("UPDATE grants SET permission = ? WHERE id = ?", (permission, grant_id))
    return grant._replace(permission=permission)


def remove_grant(connection: Connection, grant_id: int) -> None:
    """Raises NotFoundError."""
    get_grant(connection, grant_id)
    connection.execute("DELETE FROM grants WHERE id = ?", (grant_id,))


def granted(
    connection: Connection, user_id: int, resource_type: str, patterns: Sequence[str] | None
) -> Mapping[str, Sequence[str]]:
    """By pattern, the permissions of all the user's roles."""
    condition = "" if patterns is None else f" AND {in_list('resource_pattern', patterns)}"
    rows = connection.execute(
        "SELECT resource_pattern, permission FROM grants JOIN role_members"
        " ON role_members.role_id = grants.role_id"
        f" WHERE user_id = ? AND resource_type = ?{condition}",
        (user_id, resource_type, *(patterns or ())),
    ).fetchall()
    found: dict[str, list[str]] = {}
    for pattern, permission in rows:
        found.setdefault(pattern, []).append(permission)
    return found


def forget(connection: Connection, resource_type: str, name: str) -> None:
    """Drop what single users were granted; roles that a person made keep theirs, as with MLflow."""
    connection.execute(
        "DELETE FROM grants WHERE resource_type = ? AND resource_pattern = ?"
        r" AND role_id IN (SELECT id FROM roles WHERE substr(name, 1, 7) = '__user_')",
        (resource_type, name),
    )


def rename(connection: Connection, resource_type: str, name: str, new_name: str) -> None:
    """What was granted on a resource is granted on its new name."""
    forget(connection, resource_type, new_name)
    connection.execute(
        "UPDATE grants SET resource_pattern = ? WHERE resource_type = ? AND resource_pattern = ?"
        r" AND role_id IN (SELECT id FROM roles WHERE substr(name, 1, 7) = '__user_')",
        (new_name, resource_type, name),
    )


def _grants(connection: Connection, condition: str, *values: object) -> tuple[Grant, ...]:
    rows = connection.execute(f"SELECT {_GRANT} FROM grants WHERE {condition} ORDER BY id", values).fetchall()
    return tuple(Grant(*row) for row in rows)


def _check(resource_type: str, permission: str) -> None:
    if permission not in PERMISSIONS:
        raise InvalidValueError(f"Invalid permission '{permission}'. Valid permissions are: {PERMISSIONS}")
    if resource_type not in RESOURCE_TYPES:
        raise InvalidValueError(
            f"Invalid resource type '{resource_type}'. Valid resource types are: {RESOURCE_TYPES}"
        )
