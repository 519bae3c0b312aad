"""Roles: named sets of grants that users are given. As in MLflow's basic-auth app; for administrators."""

from __future__ import annotations

import msgspec

from projrun.errors import InvalidValueError
from projrun.server import wire
from projrun.server.access.routes import answers
from projrun.server.access.routes.users import OWN, Named
from projrun.server.api import AsCaller, Caller, Route, reading, writing
from projrun.server.permissions import ADMIN
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.users import Users


class _Workspace(wire.Message):
    workspace: str = answers.WORKSPACE


class _Create(_Workspace, kw_only=True):
    name: str
    description: str | None = None


class _OfRole(wire.Message):
    role_id: wire.Int64


class _Update(_OfRole):
    name: str | None = None
    description: str | None = None


class _Add(_OfRole):
    resource_type: str
    resource_pattern: str
    permission: str


class _OfGrant(wire.Message):
    role_permission_id: wire.Int64


class _Change(_OfGrant):
    permission: str


class _Assign(Named):
    role_id: wire.Int64


class _Role(msgspec.Struct):
    role: answers.Role


class _Roles(msgspec.Struct):
    roles: list[answers.Role]


class _Grant(msgspec.Struct):
    role_permission: answers.Grant


class _Grants(msgspec.Struct):
    role_permissions: list[answers.Grant]


class _Assignment(msgspec.Struct):
    assignment: answers.Assignment


class _Assignments(msgspec.Struct):
    assignments: list[answers.Assignment]


def _check(workspace: str) -> None:
    if workspace != answers.WORKSPACE:
        raise InvalidValueError(f"there is no workspace {workspace!r}: this server has only the default one")


def _create(store: RunStore, message: _Create) -> _Role:
    _check(message.workspace)
    return _Role(answers.role(part_of(store, Users).create_role(message.name, message.description)))


def _get(store: RunStore, message: _OfRole) -> _Role:
    return _Role(answers.role(part_of(store, Users).get_role(message.role_id)))


def _list(store: RunStore, message: _Workspace) -> _Roles:
    found = part_of(store, Users).list_roles() if message.workspace == answers.WORKSPACE else ()
    return _Roles(answers.roles(found))


def _update(store: RunStore, message: _Update) -> _Role:
    users = part_of(store, Users)
    role = users.update_role(message.role_id, name=message.name, description=message.description)
    return _Role(answers.role(role))


def _delete(store: RunStore, message: _OfRole) -> None:
    part_of(store, Users).delete_role(message.role_id)


def _add(store: RunStore, message: _Add) -> _Grant:
    users = part_of(store, Users)
    grant = users.add_grant(
        message.role_id, message.resource_type, message.resource_pattern, message.permission
    )
    return _Grant(answers.Grant(*grant))


def _remove(store: RunStore, message: _OfGrant) -> None:
    part_of(store, Users).remove_grant(message.role_permission_id)


def _list_grants(store: RunStore, message: _OfRole) -> _Grants:
    role = part_of(store, Users).get_role(message.role_id)
    return _Grants([answers.Grant(*grant) for grant in role.grants])


def _change(store: RunStore, message: _Change) -> _Grant:
    grant = part_of(store, Users).update_grant(message.role_permission_id, message.permission)
    return _Grant(answers.Grant(*grant))


def _assign(store: RunStore, message: _Assign) -> _Assignment:
    membership = part_of(store, Users).assign_role(message.username, message.role_id)
    return _Assignment(answers.Assignment(*membership))


def _unassign(store: RunStore, message: _Assign) -> None:
    part_of(store, Users).unassign_role(message.username, message.role_id)


def _of_user(store: RunStore, message: Named, caller: Caller) -> _Roles:
    return _Roles(answers.roles(part_of(store, Users).list_user_roles(message.username)))


def _users(store: RunStore, message: _OfRole) -> _Assignments:
    members = part_of(store, Users).list_role_members(message.role_id)
    return _Assignments([answers.Assignment(*member) for member in members])


ROUTES: tuple[Route, ...] = (
    writing("POST", "roles/create", _Create, _create, needs=ADMIN, version="3.0"),
    reading("GET", "roles/get", _OfRole, _get, needs=ADMIN, version="3.0"),
    reading("GET", "roles/list", _Workspace, _list, needs=ADMIN, version="3.0"),
    writing("PATCH", "roles/update", _Update, _update, needs=ADMIN, version="3.0"),
    writing("DELETE", "roles/delete", _OfRole, _delete, needs=ADMIN, version="3.0"),
    writing("POST", "roles/permissions/add", _Add, _add, needs=ADMIN, version="3.0"),
    writing("DELETE", "roles/permissions/remove", _OfGrant, _remove, needs=ADMIN, version="3.0"),
    reading("GET", "roles/permissions/list", _OfRole, _list_grants, needs=ADMIN, version="3.0"),
    writing("PATCH", "roles/permissions/update", _Change, _change, needs=ADMIN, version="3.0"),
    writing("POST", "roles/assign", _Assign, _assign, needs=ADMIN, version="3.0"),
    writing("DELETE", "roles/unassign", _Assign, _unassign, needs=ADMIN, version="3.0"),
    reading("GET", "users/roles/list", Named, AsCaller(_of_user), needs=OWN, version="3.0"),
    reading("GET", "roles/users/list", _OfRole, _users, needs=ADMIN, version="3.0"),
)
