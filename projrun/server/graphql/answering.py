"""From a query to its answer: calls of the REST API, and of what they answer the fields that were asked for."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from projrun.errors import InvalidValueError, ProjrunError
from projrun.server.graphql.language import Field, Query
from projrun.server.graphql.schema import ECHOES, LONG, MUTATIONS, OTHER, QUERIES, TEXT, TYPES, Call

MOST_ROOTS = 10
"""Root fields, and aliases, of one query, as with MLflow."""

Ask = Callable[[Call, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""Makes a call; raises ProjrunError with the words of its error."""
_CAPITAL = re.compile(r"[A-Z]")


async def answer(query: Query, ask: Ask) -> dict[str, Any]:
    """What MLflow's server answers: `data`, and the messages of `errors`."""
    try:
        _check_number(query.fields)
    except InvalidValueError as error:
        return {"data": None, "errors": [error.message]}
    data: dict[str, Any] = {}
    errors: list[str] = []
    for root in query.fields:
        try:
            data[root.key] = await _root(query.kind, root, ask)
        except _UnknownFieldError as error:
            return {"data": None, "errors": [error.message]}
        except ProjrunError as error:
            data[root.key] = None
            errors.append(error.message)
    return {"data": data, "errors": errors or None}


class _UnknownFieldError(InvalidValueError):
    """The whole query is refused."""


def _check_number(roots: tuple[Field, ...]) -> None:
    aliases = sum(root.key != root.name for root in roots)
    for number, what in ((len(roots), "root fields"), (aliases, "aliases")):
        if number > MOST_ROOTS:
            raise InvalidValueError(
                f"GraphQL queries should have at most {MOST_ROOTS} {what}, got {number} {what}."
            )


async def _root(operation: str, root: Field, ask: Ask) -> Any:
    kind = "Query" if operation == "query" else "Mutation"
    if root.name == "__typename":
        return kind
    if root.name in ECHOES:
        echoed = {"output": root.arguments.get("inputString")}
        return await _object(root, ECHOES[root.name], echoed, ask)
    call = (QUERIES if kind == "Query" else MUTATIONS).get(root.name)
    if call is None:
        raise _unknown(root.name, kind)
    given = root.arguments.get("input")
    found = await ask(call, given if isinstance(given, dict) else {})
    return await _object(root, call.type, found, ask)


async def _object(field: Field, name: str, value: Mapping[str, Any], ask: Ask) -> Any:
    """The fields of an object that were asked for."""
    if not field.fields:
        raise _UnknownFieldError(f"Field '{field.name}' of type '{name}' must have a selection of subfields.")
    answered: dict[str, Any] = {}
    for wanted in field.fields:
        if wanted.name == "__typename":
            answered[wanted.key] = name
            continue
        kind = TYPES[name].get(wanted.name)
        if kind is None:
            raise _unknown(wanted.name, name)
        found = value.get(_snake(wanted.name))
        if name == "MlflowRunExtension" and wanted.name in ("experiment", "modelVersions"):
            found = await _of_run(wanted.name, value, ask)
        answered[wanted.key] = await _value(wanted, kind, found, ask)
    return answered


async def _value(field: Field, kind: str, value: Any, ask: Ask) -> Any:
    if kind in (TEXT, LONG, OTHER):
        return _scalar(kind, value)
    if isinstance(value, list):
        return [await _object(field, kind, each, ask) for each in value]
    if value is None:
        # protobuf's JSON leaves empty lists out.
        return [] if field.name.endswith("s") and field.name not in ("inputs", "outputs") else None
    return await _object(field, kind, value, ask)


def _scalar(kind: str, value: Any) -> Any:
    if kind == LONG:
        return None if value is None else str(value)
    # GraphQL's numbers are finite.
    return None if kind == OTHER and isinstance(value, str) else value


async def _of_run(name: str, run: Mapping[str, Any], ask: Ask) -> Any:
    """What belongs to a run and is asked for by itself."""
    info = run["info"]
    if name == "experiment":
        found = await ask(QUERIES["mlflowGetExperiment"], {"experiment_id": info["experiment_id"]})
        return found.get("experiment")
    found = await ask(QUERIES["mlflowSearchModelVersions"], {"filter": f"run_id='{info['run_id']}'"})
    return found.get("model_versions", [])


def _unknown(field: str, name: str) -> _UnknownFieldError:
    return _UnknownFieldError(f"Cannot query field '{field}' on type '{name}'.")


def _snake(name: str) -> str:
    return _CAPITAL.sub(lambda found: "_" + found[0].lower(), name)
