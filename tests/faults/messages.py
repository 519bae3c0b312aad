"""Hostile requests for every route: what fits a message's fields, and what does not. A seed makes a request.

Not Hypothesis's strategies, which take 50 times as long as the answer.
"""

from __future__ import annotations

import json
import math
import types
from random import Random
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from urllib.parse import quote, urlencode

import msgspec

from projrun.server.api import Route
from projrun.tuples import NamedTuple

KNOWN = (
    "0",
    "1",
    "RUN",
    "MODEL",
    "wine",
    "",
    "m",
    "t",
    "latest",
    "runs:/RUN/x",
    "models:/wine/1",
    "mlflow.runName",
)
"""What there is; RUN and MODEL become ids."""
NASTY = (
    "\0",
    "\ud800",
    "é🚀",
    "'",
    '"',
    "`",
    "%",
    "../../etc/passwd",
    "a/../../b",
    "/etc",
    "file:///etc",
    "%2e%2e/x",
    "C:\\x",
    "x" * 300,
    "9" * 40,
    "-1",
    "1e400",
    "NaN",
    " ",
    "\n",
    "' OR 1=1 --",
    # Not s3: whether a server in reach has the bucket is no matter of these tests.
    "nowhere://b/c",
    "mlflow-artifacts:/../x",
    "[",
    "{}",
    "null",
)
FIELDS = (
    "metrics.m",
    "params.p",
    "tags.t",
    "tags.`a b`",
    "name",
    "run_id",
    "start_time",
    "version_number",
    "datasets.name",
    "x",
)
VALUES = ("'a'", "1", "('a', 'b')", "'RUN'", "-1e308", "'%'", "")
WORDS = (
    *FIELDS,
    "=",
    "!=",
    "<",
    ">=",
    "LIKE",
    "ILIKE",
    "IN",
    "NOT",
    "IS",
    "NULL",
    "AND",
    "OR",
    "ASC",
    "DESC",
    "(",
    ")",
    ",",
    ".",
    "'a'",
    "'%'",
    '"b"',
    "`",
    "'",
    "1",
    "-1.5",
    "1e999",
    "9" * 30,
    ";",
    "--",
    "\0",
    "é",
    "attributes.name",
    "source_path",
)


class Sent(NamedTuple):
    """A request."""

    method: str
    path: str
    query: str
    body: bytes


NUMBERS = (
    -2,
    -1,
    0,
    1,
    2,
    3,
    7,
    2**31,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    10**30,
    0.5,
    1e308,
    math.nan,
    math.inf,
    "7",
)


def request(route: Route, seed: int) -> Sent:
    """One request to a route, with fields that it knows."""
    random = Random(seed)
    fields = _struct(random, route.message)
    method, path = random.choice(route.methods), random.choice(route.paths)
    for name in list(fields):
        for variable in (f"{{{name}}}", f"{{{name}:path}}"):
            if variable in path:
                path = path.replace(variable, quote(_shown(fields.pop(name)), safe="/"))
    path = path.replace("{", "").replace("}", "").replace(":path", "")
    if method in ("GET", "HEAD") or route.streamer is not None:
        listed = {name: _listed(value) for name, value in fields.items() if value is not None}
        return Sent(method, path, urlencode(listed, doseq=True), random.randbytes(random.randrange(30)))
    body = json.dumps(fields, ensure_ascii=random.random() < 0.5).encode(errors="surrogatepass")
    return Sent(method, path, "", _damaged(random, body) if random.random() < 0.05 else body)


def _damaged(random: Random, body: bytes) -> bytes:
    place = random.randrange(len(body))
    return random.choice(
        (body[:place], body[:place] + random.randbytes(2) + body[place:], b"[" * 5000, body * 2)
    )


def _struct(random: Random, message: type[msgspec.Struct]) -> dict[str, Any]:
    """Values by the names of a message's fields, some missing, some of another kind."""
    fields = {
        field.name: _value(random, field.name, field.type)
        for field in msgspec.structs.fields(message)
        if random.random() < (0.95 if field.required else 0.5)
    }
    for name in (*getattr(message, "REFUSED", ()), "unknown"):
        if random.random() < 0.05:
            fields[name] = _anything(random, 2)
    return fields


def _value(random: Random, name: str, kind: Any) -> Any:
    if random.random() < 0.05:
        return _anything(random, 2)
    if name in ("filter", "order_by", "field_name"):
        clauses = [_clause(random) for _ in range(random.choice((0, 1, 1, 2)))]
        return clauses if get_origin(kind) in (list, tuple) else " AND ".join(clauses)
    if name == "experiment_id" and random.random() < 0.8:
        return "0"
    if "run_" in name and kind is str and random.random() < 0.8:
        return "RUN"
    return _fitting(random, kind)


def _clause(random: Random) -> str:
    if random.random() < 0.5:
        operator = random.choice(("=", "!=", ">", "LIKE", "ILIKE", "IN", "ASC", "IS NULL"))
        return f"{random.choice(FIELDS)} {operator} {random.choice(VALUES)}"
    return random.choice(("", " ")).join(random.choices(WORDS, k=random.randrange(9)))


def _fitting(random: Random, kind: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _fitting(random, arguments[0])
    if origin in (Union, types.UnionType):
        return _fitting(random, next(each for each in arguments if each is not type(None)))
    if origin is Literal:
        return random.choice(arguments)
    if origin in (list, tuple):
        return [_fitting(random, arguments[0]) for _ in range(random.choice((0, 1, 2)))]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(random, kind)
    if kind in (int, float):
        return random.choice(NUMBERS)
    return random.random() < 0.5 if kind is bool else _text(random)


def _text(random: Random) -> str:
    if random.random() < 0.1:
        return "".join(
            chr(random.choice((random.randrange(128), random.randrange(0x11000)))) for _ in range(6)
        )
    return random.choice(KNOWN if random.random() < 0.8 else NASTY)


def _anything(random: Random, depth: int) -> Any:
    if depth and random.random() < 0.4:
        inner = [_anything(random, depth - 1) for _ in range(random.randrange(3))]
        return inner if random.random() < 0.5 else {_text(random): each for each in inner}
    return random.choice((None, True, False, _text(random), random.choice(NUMBERS)))


def _listed(value: Any) -> Any:
    return [_shown(each) for each in value] if isinstance(value, list) else _shown(value)


def _shown(value: Any) -> str:
    return str(value).encode(errors="surrogatepass").decode(errors="replace")
