"""`Users`: who may do what with a store that a server shares. Kept in the store's own database, where it has one.

Permissions are MLflow's: a role has grants, a user has roles, and each user has one role alone, for what was granted to
the user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from projrun.tuples import NamedTuple

SESSION = "session "
"""The beginning of the names of tokens that browsers have: they end with the password."""


class User(NamedTuple):
    """A person or program that may sign in. `secret` is the hash of a password; empty for one who has none."""

    id: int
    name: str
    secret: str
    is_admin: bool


class Token(NamedTuple):
    """What a program signs in with for its user. Times are milliseconds."""

    name: str
    creation_time: int
    expiry_time: int | None = None


class Grant(NamedTuple):
    """A permission on one resource, or on all of a type with the pattern `*`."""

    id: int
    role_id: int
    resource_type: str
    resource_pattern: str
    permission: str


class Role(NamedTuple):
    """A named set of grants."""

    id: int
    name: str
    description: str | None = None
    grants: tuple[Grant, ...] = ()


class Membership(NamedTuple):
    """That a user has a role."""

    id: int
    user_id: int
    role_id: int


@runtime_checkable
class Users(Protocol):
    """Users, their tokens, roles and grants. Raises NotFoundError, AlreadyExistsError, InvalidValueError."""

    def create_user(self, name: str, secret: str, *, is_admin: bool = False) -> User: ...
    def get_user(self, name: str) -> User: ...
    def find_user(self, name: str) -> User | None: ...
    def list_users(self) -> tuple[User, ...]: ...
    def update_user(self, name: str, *, secret: str | None = None, is_admin: bool | None = None) -> User: ...
    def delete_user(self, name: str) -> None: ...

    def create_token(self, user: str, name: str, digest: str, expiry_time: int | None = None) -> Token: ...
    def list_tokens(self, user: str) -> tuple[Token, ...]: ...
    def delete_token(self, user: str, name: str) -> None: ...
    def find_token_user(self, digest: str) -> User | None:
        """Whose token it is, as long as it has not expired."""
        ...

    def grant(
        self, user: str, resource_type: str, resource_pattern: str, permission: str, *, again: bool = False
    ) -> None:
        """`again`: over an earlier one."""
        ...

    def revoke(self, user: str, resource_type: str, resource_pattern: str) -> None: ...
    def granted(
        self, user_id: int, resource_type: str, patterns: Sequence[str] | None = None
    ) -> Mapping[str, Sequence[str]]:
        """By pattern, the permissions that all the user's roles give; of some patterns, or of all."""
        ...

    def forget_resource(self, resource_type: str, name: str) -> None:
        """Drop what users were granted on it: its name may be used again."""
        ...

    def rename_resource(self, resource_type: str, name: str, new_name: str) -> None: ...

    def create_role(self, name: str, description: str | None = None) -> Role: ...
    def get_role(self, role_id: int) -> Role: ...
    def list_roles(self) -> tuple[Role, ...]: ...
    def update_role(
        self, role_id: int, *, name: str | None = None, description: str | None = None
    ) -> Role: ...
    def delete_role(self, role_id: int) -> None: ...
    def add_grant(
        self, role_id: int, resource_type: str, resource_pattern: str, permission: str
    ) -> Grant: ...
    def update_grant(self, grant_id: int, permission: str) -> Grant: ...
    def remove_grant(self, grant_id: int) -> None: ...
    def assign_role(self, user: str, role_id: int) -> Membership: ...
    def unassign_role(self, user: str, role_id: int) -> None: ...
    def list_user_roles(self, user: str) -> tuple[Role, ...]: ...
    def list_role_members(self, role_id: int) -> tuple[Membership, ...]: ...
