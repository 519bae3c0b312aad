"""`Users` over an engine: each call is one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from projrun.errors import AlreadyExistsError, NotFoundError
from projrun.tracking.sql.engine import Engine
from projrun.tracking.sql.users import accounts, roles
from projrun.tracking.users import Grant, Membership, Role, Token, User


class SqlUsers:
    """See `projrun.tracking.users.Users`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create_user(self, name: str, secret: str, *, is_admin: bool = False) -> User:
        with self._engine.writing() as connection:
            return accounts.create(connection, name, secret, is_admin=is_admin)

    def get_user(self, name: str) -> User:
        with self._engine.reading() as connection:
            return accounts.get(connection, name)

    def find_user(self, name: str) -> User | None:
        with self._engine.reading() as connection:
            return accounts.find(connection, name)

    def list_users(self) -> tuple[User, ...]:
        with self._engine.reading() as connection:
            return accounts.select_all(connection)

    def update_user(self, name: str, *, secret: str | None = None, is_admin: bool | None = None) -> User:
        with self._engine.writing() as connection:
            return accounts.update(connection, name, secret, is_admin)

    def delete_user(self, name: str) -> None:
        with self._engine.writing() as connection:
            user = accounts.get(connection, name)
            roles.delete_user(connection, user)
            accounts.delete(connection, user)

    def create_token(self, user: str, name: str, digest: str, expiry_time: int | None = None) -> Token:
        with self._engine.writing() as connection:
            return accounts.create_token(
                connection, accounts.get(connection, user), name, digest, expiry_time
            )

    def list_tokens(self, user: str) -> tuple[Token, ...]:
        with self._engine.reading() as connection:
            return accounts.tokens(connection, accounts.get(connection, user))

    def delete_token(self, user: str, name: str) -> None:
        with self._engine.writing() as connection:
            accounts.delete_token(connection, accounts.get(connection, user), name)

    def find_token_user(self, digest: str) -> User | None:
        with self._engine.reading() as connection:
            return accounts.token_user(connection, digest)

    def grant(
        self, user: str, resource_type: str, resource_pattern: str, permission: str, *, again: bool = False
    ) -> None:
        with self._engine.writing() as connection:
            role = roles.own(connection, accounts.get(connection, user))
            grant = _on(role, resource_type, resource_pattern)
            if grant is None:
                roles.add_grant(connection, role.id, resource_type, resource_pattern, permission)
            elif again:
                roles.update_grant(connection, grant.id, permission)
            else:
                raise AlreadyExistsError(
                    f"Permission for user={user} on resource_type={resource_type},"
                    f" resource_id={resource_pattern} already exists."
                )

    def revoke(self, user: str, resource_type: str, resource_pattern: str) -> None:
        with self._engine.writing() as connection:
            role = roles.own(connection, accounts.get(connection, user))
            grant = _on(role, resource_type, resource_pattern)
            if grant is None:
                raise NotFoundError(
                    f"Permission for user={user} on resource_type={resource_type},"
                    f" resource_id={resource_pattern} not found."
                )
            roles.remove_grant(connection, grant.id)

    def granted(
        self, user_id: int, resource_type: str, patterns: Sequence[str] | None = None
    ) -> Mapping[str, Sequence[str]]:
        with self._engine.reading() as connection:
            return roles.granted(connection, user_id, resource_type, patterns)

    def forget_resource(self, resource_type: str, name: str) -> None:
        with self._engine.writing() as connection:
            roles.forget(connection, resource_type, name)

    def rename_resource(self, resource_type: str, name: str, new_name: str) -> None:
        with self._engine.writing() as connection:
            roles.rename(connection, resource_type, name, new_name)

    def create_role(self, name: str, description: str | None = None) -> Role:
        with self._engine.writing() as connection:
            return roles.create(connection, name, description)

    def get_role(self, role_id: int) -> Role:
        with self._engine.reading() as connection:
            return roles.get(connection, role_id)

    def list_roles(self) -> tuple[Role, ...]:
        with self._engine.reading() as connection:
            return roles.select(connection)

    def update_role(self, role_id: int, *, name: str | None = None, description: str | None = None) -> Role:
        with self._engine.writing() as connection:
            return roles.update(connection, role_id, name, description)

    def delete_role(self, role_id: int) -> None:
        with self._engine.writing() as connection:
            roles.delete(connection, role_id)

    def add_grant(self, role_id: int, resource_type: str, resource_pattern: str, permission: str) -> Grant:
        with self._engine.writing() as connection:
            return roles.add_grant(connection, role_id, resource_type, resource_pattern, permission)

    def update_grant(self, grant_id: int, permission: str) -> Grant:
        with self._engine.writing() as connection:
            return roles.update_grant(connection, grant_id, permission)

    def remove_grant(self, grant_id: int) -> None:
        with self._engine.writing() as connection:
            roles.remove_grant(connection, grant_id)

    def assign_role(self, user: str, role_id: int) -> Membership:
        with self._engine.writing() as connection:
            return roles.assign(connection, accounts.get(connection, user), role_id)

    def unassign_role(self, user: str, role_id: int) -> None:
        with self._engine.writing() as connection:
            roles.unassign(connection, accounts.get(connection, user), role_id)

    def list_user_roles(self, user: str) -> tuple[Role, ...]:
        with self._engine.reading() as connection:
            return roles.of_user(connection, accounts.get(connection, user))

    def list_role_members(self, role_id: int) -> tuple[Membership, ...]:
        with self._engine.reading() as connection:
            roles.get(connection, role_id)
            return roles.members(connection, "role_id = ?", role_id)


def _on(role: Role, resource_type: str, pattern: str) -> Grant | None:
    found = (g for g in role.grants if (g.resource_type, g.resource_pattern) == (resource_type, pattern))
    return next(found, None)
