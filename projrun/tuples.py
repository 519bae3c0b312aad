"""`typing.NamedTuple` for what every run imports: the same records, made in a tenth of the time.

`typing` compiles source text and checks every annotation for each class, 0.3 ms for each of the 70 on the way of
`projrun run`. Here the constructor is shared by all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from types import new_class

from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any, TypeVar
    from typing import NamedTuple as NamedTuple

    Self = TypeVar("Self", bound="_Record")  # the name of the bound would be compiled


class _RecordType(type):
    """Makes the class of a record from its annotations."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]
    ) -> _RecordType | type[tuple[Any, ...]]:
        if bases[0] is tuple or bases[0] is not _Record:
            return super().__new__(cls, name, bases, namespace)
        annotations = namespace.get("__annotations__")
        if annotations is None:  # evaluated when they are needed, from Python 3.14
            return _by_typing(name, namespace)
        fields = tuple(annotations)
        defaults = {field: namespace[field] for field in fields if field in namespace}
        if tuple(defaults) != fields[len(fields) - len(defaults) :]:
            raise TypeError(f"{name}: a field without a default follows one that has one")
        own = {**namespace, **{field: property(itemgetter(index)) for index, field in enumerate(fields)}}
        own |= {"__slots__": (), "__match_args__": fields, "_fields": fields, "_field_defaults": defaults}
        own["_tail"] = tuple(defaults.values())
        return super().__new__(cls, name, bases, own)


def _by_typing(name: str, namespace: dict[str, Any]) -> type[tuple[Any, ...]]:
    import typing

    return new_class(name, (typing.NamedTuple,), {}, lambda body: body.update(namespace))


class _Record(tuple["Any", ...], metaclass=_RecordType):
    """What all records have, by the names of `typing.NamedTuple`."""

    __slots__ = ()
    _fields: tuple[str, ...] = ()
    _field_defaults: Mapping[str, object] = {}
    _tail: tuple[object, ...] = ()
    """The defaults, which are those of the last fields."""

    def __new__(cls: type[Self], *values: Any, **named: Any) -> Self:
        fields = cls._fields
        missing = len(fields) - len(values)
        if not named and 0 < missing <= len(cls._tail):
            return tuple.__new__(cls, values + cls._tail[-missing:])
        if named or missing:
            found = {**cls._field_defaults, **named}
            for field, value in zip(fields, values, strict=False):
                if field in named:
                    raise TypeError(cls._problem(values, named))
                found[field] = value
            if (
                len(found) != len(fields)
                or len(values) > len(fields)
                or not all(map(found.__contains__, fields))
            ):
                raise TypeError(cls._problem(values, named))
            values = tuple([found[field] for field in fields])
        return tuple.__new__(cls, values)

    @classmethod
    def _problem(cls, values: tuple[Any, ...], named: Mapping[str, Any]) -> str:
        """What is wrong with arguments."""
        fields = cls._fields
        if len(values) > len(fields):
            return f"{cls.__name__}() takes {len(fields)} values, not {len(values)}"
        rest = fields[len(values) :]
        for field in named:
            if field not in rest:
                problem = "multiple values for argument" if field in fields else "an unexpected argument"
                return f"{cls.__name__}() got {problem} {field!r}"
        missing = [field for field in rest if field not in named and field not in cls._field_defaults]
        return f"{cls.__name__}() needs {', '.join(missing)}"

    @classmethod
    def _make(cls: type[Self], values: Iterable[Any]) -> Self:
        made = tuple.__new__(cls, values)
        if len(made) != len(cls._fields):
            raise TypeError(cls._problem(made, {}))
        return made

    def _replace(self: Self, **changes: Any) -> Self:
        replaced = tuple.__new__(type(self), map(changes.pop, self._fields, self))
        if changes:
            raise ValueError(f"{type(self).__name__} has no field {next(iter(changes))!r}")
        return replaced

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self)

    def __repr__(self) -> str:
        shown = (f"{field}={value!r}" for field, value in self._asdict().items())
        return f"{type(self).__name__}({', '.join(shown)})"


if not TYPE_CHECKING:
    NamedTuple = _Record
