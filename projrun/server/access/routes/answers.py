"""Roles and grants in the JSON of MLflow's basic-auth app."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from projrun.tracking import users

WORKSPACE = "default"
"""The only one: workspaces are not served."""


class Grant(msgspec.Struct):
    """What a role gives on a resource."""

    id: int
    role_id: int
    resource_type: str
    resource_pattern: str
    permission: str


class Role(msgspec.Struct):
    """A role with its grants."""

    id: int
    name: str
    workspace: str
    description: str | None
    permissions: list[Grant]


class Assignment(msgspec.Struct):
    """That a user has a role."""

    id: int
    user_id: int
    role_id: int


def role(value: users.Role) -> Role:
    """A role."""
    return Role(value.id, value.name, WORKSPACE, value.description, [Grant(*each) for each in value.grants])


def roles(values: Iterable[users.Role]) -> list[Role]:
    """Roles."""
    return [role(each) for each in values]
