"""Users and their tokens in SQL. Each function works within the caller's transaction."""

# ruff: noqa: S608 -- only constants of this package are put into statements; values are placeholders

from __future__ import annotations

from projrun.errors import AlreadyExistsError, InvalidValueError, NotFoundError
from projrun.tracking.sql.engine import Connection, Row, insert, insert_new
from projrun.tracking.sql.experiments import now
from projrun.tracking.users import SESSION, Token, User

_COLUMNS = "id, name, secret, is_admin"


def create(connection: Connection, name: str, secret: str, *, is_admin: bool) -> User:
    """Raises AlreadyExistsError."""
    if not name or len(name) > 255 or name != name.strip() or ":" in name or not name.isprintable():
        raise InvalidValueError(
            f"invalid user name {name!r}: at most 255 printable characters, without a colon or blanks around it"
        )
    columns = "name, secret, is_admin, creation_time"
    made = connection.execute(insert_new("users", columns), (name, secret, int(is_admin), now()))
    if made.rowcount == 0:
        raise AlreadyExistsError(f"User (username={name}) already exists.")
    return get(connection, name)


def get(connection: Connection, name: str) -> User:
    """Raises NotFoundError."""
    user = find(connection, name)
    if user is None:
        raise NotFoundError(f"User with username={name} not found")
    return user


def find(connection: Connection, name: str) -> User | None:
    """None where there is none."""
    return _user(connection.execute(f"SELECT {_COLUMNS} FROM users WHERE name = ?", (name,)).fetchone())


def select_all(connection: Connection) -> tuple[User, ...]:
    """All of them, by their ids."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM users ORDER BY id").fetchall()
    return tuple(User(row[0], row[1], row[2], bool(row[3])) for row in rows)


def update(connection: Connection, name: str, secret: str | None, is_admin: bool | None) -> User:
    """Change what is given. Raises NotFoundError."""
    user = get(connection, name)
    user = user._replace(
        secret=user.secret if secret is None else secret,
        is_admin=user.is_admin if is_admin is None else is_admin,
    )
    values = (user.secret, int(user.is_admin), user.id)
    connection.execute("UPDATE users SET secret = ?, is_admin = ? WHERE id = ?", values)
    if secret is not None:  # browsers sign in again
        length = len(SESSION)
        connection.execute(
            f"DELETE FROM user_tokens WHERE user_id = ? AND substr(name, 1, {length}) = ?", (user.id, SESSION)
        )
    return user


def delete(connection: Connection, user: User) -> None:
    """The user and the user's tokens."""
    connection.execute("DELETE FROM user_tokens WHERE user_id = ?", (user.id,))
    connection.execute("DELETE FROM users WHERE id = ?", (user.id,))


def create_token(connection: Connection, user: User, name: str, digest: str, expiry: int | None) -> Token:
    """Raises AlreadyExistsError where the user has one with this name."""
    if not name or len(name) > 255 or not name.isprintable():
        raise InvalidValueError(f"invalid token name {name!r}: 1 to 255 printable characters")
    if any(token.name == name for token in tokens(connection, user)):
        raise AlreadyExistsError(f"the user {user.name!r} has a token named {name!r} already")
    time = now()
    columns = "digest, user_id, name, creation_time, expiry_time"
    connection.execute(insert("user_tokens", columns), (digest, user.id, name, time, expiry))
    return Token(name, time, expiry)


def tokens(connection: Connection, user: User) -> tuple[Token, ...]:
    """Of one user, by name."""
    rows = connection.execute(
        "SELECT name, creation_time, expiry_time FROM user_tokens WHERE user_id = ? ORDER BY name", (user.id,)
    ).fetchall()
    return tuple(Token(*row) for row in rows)


def delete_token(connection: Connection, user: User, name: str) -> None:
    """Raises NotFoundError."""
    values = (user.id, name)
    if not connection.execute("DELETE FROM user_tokens WHERE user_id = ? AND name = ?", values).rowcount:
        raise NotFoundError(f"the user {user.name!r} has no token named {name!r}")


def token_user(connection: Connection, digest: str) -> User | None:
    """Whose token has this digest; None also where it has expired."""
    columns = ", ".join(f"users.{column}" for column in _COLUMNS.split(", "))
    row = connection.execute(
        f"SELECT {columns} FROM user_tokens JOIN users ON users.id = user_tokens.user_id"
        " WHERE digest = ? AND (expiry_time IS NULL OR expiry_time > ?)",
        (digest, now()),
    ).fetchone()
    return _user(row)


def _user(row: Row | None) -> User | None:
    return None if row is None else User(row[0], row[1], row[2], bool(row[3]))
