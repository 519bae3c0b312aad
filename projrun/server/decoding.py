"""Requests by the rules of protobuf's JSON, as MLflow's clients in Python, R and Java send them.

A name is spelled `snake_case` or `camelCase`, null is the default, unknown fields are ignored, numbers may be text,
a word of an enumeration may be its number. Words of errors are MLflow's.
"""

from __future__ import annotations

import json
import re
import types
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from projrun.errors import InvalidValueError
from projrun.server.wire import SEE_DOCS, Message, missing

Read = Callable[[Any, str], object]
"""From a JSON value and its path in the message, for errors, to the value of a Struct's field."""
Hook = Callable[[type, object], object]
_DIGITS = re.compile("-?[0-9]{1,19}")
AnyMessage = TypeVar("AnyMessage", bound=Message)


class _Field:
    __slots__ = ("name", "read", "required")

    def __init__(self, name: str, read: Read, required: bool) -> None:
        self.name, self.read, self.required = name, read, required


def decode(body: bytes, message: type[AnyMessage], hook: Hook) -> AnyMessage:
    """A body as a message: at once where it is spelled as ours, else by all the rules."""
    try:
        decoded = msgspec.json.decode(body or b"{}", type=message, strict=False, dec_hook=hook)
    except msgspec.ValidationError:
        return read_fields(fields_of(body), message, hook)
    for name in required_texts(message):
        if not getattr(decoded, name):
            raise missing(name)
    return decoded


def fields_of(body: bytes) -> dict[str, Any]:
    """The fields of a body; of old clients' bodies, too, which are JSON in a JSON string."""
    fields = msgspec.json.decode(body or b"{}")
    if isinstance(fields, str):
        fields = msgspec.json.decode(fields)
    if not isinstance(fields, dict):
        raise InvalidValueError("invalid request: the body must be a JSON object")
    return fields


def read_fields(fields: Mapping[str, Any], message: type[AnyMessage], hook: Hook) -> AnyMessage:
    """Fields of JSON, of a query or of a path as a message."""
    return msgspec.convert(_read_struct(message, fields, ""), message, dec_hook=hook)


@cache
def required_texts(message: type[Message]) -> tuple[str, ...]:
    """The fields that must be given and must not be empty."""
    found = msgspec.structs.fields(message)
    return tuple(field.name for field in found if field.required and field.type is str)


@cache
def lists_of(message: type[Message]) -> frozenset[str]:
    """The fields that are lists."""
    found = msgspec.structs.fields(message)
    return frozenset(field.name for field in found if get_origin(field.type) in (list, tuple))


def invalid(value: object, path: str) -> InvalidValueError:
    """A parameter has a value of another type."""
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"))
    hint = f"Hint: Value was of type '{type(value).__name__}'."
    return InvalidValueError(f"Invalid value {shown} for parameter '{path}' supplied:  {hint}{SEE_DOCS}")


def _read_struct(message: type[msgspec.Struct], fields: Mapping[str, Any], path: str) -> dict[str, object]:
    values: dict[str, object] = {}
    known = _fields(message)
    for name, value in fields.items():
        field = known.get(name)
        if field is None or value is None:
            continue
        if field.name in values:
            raise InvalidValueError(
                f"Request specifies both '{field.name}' and '{_camel(field.name)}'; provide only one of them."
            )
        read = field.read(value, path + field.name)
        if read is not None:
            values[field.name] = read
    either = getattr(message, "EITHER", ())
    if either and not any(values.get(name) for name in either):
        raise missing(path + either[0])
    for field in known.values():
        if field.required and values.get(field.name) in (None, ""):
            raise missing(path + field.name)
    return values


@cache
def _fields(message: type[msgspec.Struct]) -> dict[str, _Field]:
    """The fields by both of their names, and those that are known and refused."""
    known: dict[str, _Field] = {}
    for info in msgspec.structs.fields(message):
        field = _Field(info.name, reader(info.type), info.required)
        known[info.name] = known[_camel(info.name)] = field
    for name in getattr(message, "REFUSED", ()):
        known[name] = known[_camel(name)] = _Field(name, _refuse, False)
    return known


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def reader(kind: Any) -> Read:
    """What reads values of a field's type."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return reader(arguments[0])
    if origin in (Union, types.UnionType):
        return reader(next(each for each in arguments if each is not type(None)))
    if origin is Literal:
        return _enumeration(arguments)
    if origin in (list, tuple):
        return _sequence(reader(arguments[0]))
    if origin is dict:
        return _mapping(reader(arguments[1]))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(kind)
    return _SCALARS.get(kind, _text)


def _refuse(value: Any, path: str) -> object:
    if value in ("", 0, [], {}):
        return None
    raise InvalidValueError(f"the parameter '{path}' is not supported")


def _text(value: Any, path: str) -> object:
    if not isinstance(value, str):
        raise invalid(value, path)
    return value


def _number(value: Any, path: str) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise invalid(value, path)
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise invalid(value, path) from None


def _integer(value: Any, path: str) -> object:
    number = value
    if (isinstance(value, str) and _DIGITS.fullmatch(value)) or (
        isinstance(value, float) and value.is_integer()
    ):
        number = int(value)
    if isinstance(number, bool) or not isinstance(number, int) or not -(2**63) <= number < 2**63:
        raise invalid(value, path)
    return number


def _truth(value: Any, path: str) -> object:
    words: dict[object, bool] = {"true": True, "false": False}
    found = words.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise invalid(value, path)
    return found


def _as_it_is(value: Any, path: str) -> object:
    return value


_SCALARS: dict[Any, Read] = {
    str: _text,
    int: _integer,
    float: _number,
    bool: _truth,
    Any: _as_it_is,
    object: _as_it_is,
}


def _enumeration(words: tuple[str, ...]) -> Read:
    """A word, or its number: MLflow's enumerations count from 1, and ours have their order."""
    numbers = {str(number): word for number, word in enumerate(words, 1)}

    def read(value: Any, path: str) -> object:
        if value in words:
            return value
        if isinstance(value, bool) or str(value) not in numbers:
            raise invalid(value, path)
        return numbers[str(value)]

    return read


def _sequence(item: Read) -> Read:
    def read(value: Any, path: str) -> object:
        if not isinstance(value, list):
            raise invalid(value, path)
        return [item(each, f"{path}[{place}]") for place, each in enumerate(value)]

    return read


def _mapping(item: Read) -> Read:
    def read(value: Any, path: str) -> object:
        if not isinstance(value, dict):
            raise invalid(value, path)
        return {key: item(each, f"{path}.{key}") for key, each in value.items()}

    return read


def _struct(kind: type[msgspec.Struct]) -> Read:
    def read(value: Any, path: str) -> object:
        if not isinstance(value, dict):
            raise invalid(value, path)
        return _read_struct(kind, value, f"{path}.")

    return read
