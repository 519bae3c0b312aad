"""What single users may do: grant, revoke and look up permissions, in the words of MLflow 3 and of MLflow 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from projrun.errors import InvalidValueError, NotFoundError
from projrun.server import wire
from projrun.server.access.permitting import LEVELS, Permissions
from projrun.server.access.routes.answers import WORKSPACE
from projrun.server.access.routes.users import OWN, Named
from projrun.server.api import AsCaller, Caller, Route, reading, writing
from projrun.server.permissions import SIGNED_IN, Kind, Needs, Resource
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.users import Users

KINDS: dict[str, Kind] = {
    "experiment": "experiment",
    "registered_model": "registered_model",
    "prompt": "registered_model",
}


class _OnResource(Named):
    resource_type: str
    resource_id: str


class _Grant(_OnResource):
    permission: str


class _Effective(msgspec.Struct):
    allowed: bool
    permission: str


class _Row(msgspec.Struct):
    role_id: int
    role_name: str
    workspace: str
    resource_type: str
    resource_pattern: str
    permission: str


class _Rows(msgspec.Struct):
    is_admin: bool
    permissions: list[_Row]


class _OnExperiment(Named):
    experiment_id: str


class _GrantExperiment(_OnExperiment):
    permission: str


class _OnModel(wire.Message):
    name: str
    username: str


class _GrantModel(_OnModel):
    permission: str


class _ExperimentPermission(msgspec.Struct):
    experiment_id: str
    user_id: int
    permission: str


class _ModelPermission(msgspec.Struct):
    name: str
    user_id: int
    permission: str


class _OfExperiment(msgspec.Struct):
    experiment_permission: _ExperimentPermission


class _OfModel(msgspec.Struct):
    registered_model_permission: _ModelPermission


def _kind(resource_type: str) -> Kind:
    kind = KINDS.get(resource_type)
    if kind is None:
        known = tuple(sorted(KINDS))
        raise InvalidValueError(f"Invalid resource type '{resource_type}'. Valid resource types are: {known}")
    return kind


def _resource(message: Any) -> tuple[Resource]:
    """What a grant is about: a grant on all of a type is for administrators, who need no permission."""
    kind = _kind(message.resource_type)
    return (Resource("everything" if message.resource_id == "*" else kind, message.resource_id),)


MANAGE = Needs("MANAGE", _resource)
"""For those who manage the resource, and for administrators."""
MANAGE_OR_OWN = Needs("MANAGE", _resource, own=lambda message, user: message.username == user)


def _grant(store: RunStore, message: _Grant) -> None:
    users = part_of(store, Users)
    users.grant(message.username, message.resource_type, message.resource_id, message.permission)


def _revoke(store: RunStore, message: _OnResource) -> None:
    part_of(store, Users).revoke(message.username, message.resource_type, message.resource_id)


def _get(rules: Permissions) -> Callable[[RunStore, _OnResource], _Effective]:
    def get(store: RunStore, message: _OnResource) -> _Effective:
        user = part_of(store, Users).get_user(message.username)
        found = rules.permission(user, _kind(message.resource_type), message.resource_id, store)
        return _Effective(LEVELS[found] >= LEVELS["USE"], found)

    return get


def _rows(store: RunStore, name: str) -> _Rows:
    users = part_of(store, Users)
    rows = [
        _Row(role.id, role.name, WORKSPACE, grant.resource_type, grant.resource_pattern, grant.permission)
        for role in users.list_user_roles(name)
        for grant in role.grants
    ]
    return _Rows(users.get_user(name).is_admin, rows)


def _list(store: RunStore, message: Named, caller: Caller) -> _Rows:
    return _rows(store, message.username)


def _list_current(store: RunStore, message: wire.Message, caller: Caller) -> _Rows:
    return _rows(store, caller.user)


def routes(rules: Permissions) -> tuple[Route, ...]:
    """Those of MLflow 3, which are about a resource of any type."""
    base = "users/permissions"
    return (
        writing("POST", f"{base}/grant", _Grant, _grant, needs=MANAGE, version="3.0"),
        writing("POST", f"{base}/revoke", _OnResource, _revoke, needs=MANAGE, version="3.0"),
        reading("GET", f"{base}/get", _OnResource, _get(rules), needs=MANAGE_OR_OWN, version="3.0"),
        reading("GET", f"{base}/list", Named, AsCaller(_list), needs=OWN, version="3.0"),
        reading(
            "GET",
            "users/current/permissions",
            wire.Message,
            AsCaller(_list_current),
            needs=SIGNED_IN,
            version="3.0",
        ),
        *_of_mlflow_2("experiments", _OnExperiment, _GrantExperiment, _experiment_shown),
        *_of_mlflow_2("registered-models", _OnModel, _GrantModel, _model_shown),
    )


def _experiment_shown(message: Any, user_id: int, permission: str) -> msgspec.Struct:
    return _OfExperiment(_ExperimentPermission(message.experiment_id, user_id, permission))


def _model_shown(message: Any, user_id: int, permission: str) -> msgspec.Struct:
    return _OfModel(_ModelPermission(message.name, user_id, permission))


def _of_mlflow_2(
    service: str, message: type[Any], grant: type[Any], shown: Callable[[Any, int, str], msgspec.Struct]
) -> tuple[Route, ...]:
    """Create, get, update and delete what a user was granted on one experiment or registered model."""

    def place(message: Any) -> tuple[str, str]:
        if service == "experiments":
            return "experiment", message.experiment_id
        return "registered_model", message.name

    def own(store: RunStore, message: Any) -> str:
        user = part_of(store, Users).get_user(message.username)
        kind, name = place(message)
        for role in part_of(store, Users).list_user_roles(user.name):
            for each in role.grants:
                if role.name == f"__user_{user.id}__" and each[2:4] == (kind, name):
                    return each.permission
        raise NotFoundError(f"Permission for user={user.name} on {kind}={name} not found")

    def answer(store: RunStore, message: Any) -> msgspec.Struct:
        user = part_of(store, Users).get_user(message.username)
        return shown(message, user.id, own(store, message))

    def create(store: RunStore, message: Any) -> msgspec.Struct:
        part_of(store, Users).grant(message.username, *place(message), message.permission)
        return answer(store, message)

    def update(store: RunStore, message: Any) -> None:
        own(store, message)
        part_of(store, Users).grant(message.username, *place(message), message.permission, again=True)

    def delete(store: RunStore, message: Any) -> None:
        part_of(store, Users).revoke(message.username, *place(message))

    def about(message: Any) -> tuple[Resource]:
        kind, name = place(message)
        return (Resource("everything" if name == "*" else KINDS[kind], name),)

    needs, base = Needs("MANAGE", about), f"{service}/permissions"
    return (
        writing("POST", f"{base}/create", grant, create, needs=needs),
        reading("GET", f"{base}/get", message, answer, needs=needs),
        writing("PATCH", f"{base}/update", grant, update, needs=needs),
        writing("DELETE", f"{base}/delete", message, delete, needs=needs),
    )
