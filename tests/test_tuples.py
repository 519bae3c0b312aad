"""`projrun.tuples.NamedTuple` is used as `typing.NamedTuple` is."""

from __future__ import annotations

import copy
import json
import pickle
import typing
from collections.abc import Mapping
from typing import Any

import pytest

from projrun import tuples


class Ours(tuples.NamedTuple):
    """A point."""

    x: int
    y: int = 2
    names: Mapping[str, str] = {}

    @property
    def total(self) -> int:
        return self.x + self.y

    @classmethod
    def zero(cls) -> Ours:
        return cls(0, 0)


class Theirs(typing.NamedTuple):
    """A point."""

    x: int
    y: int = 2
    names: Mapping[str, str] = {}


BOTH = pytest.mark.parametrize("kind", [Ours, Theirs])


def test_the_class_is_not_made_by_typing() -> None:
    assert Ours.__mro__[1] is not tuple


@BOTH
def test_values(kind: Any) -> None:
    made = kind(1, names={"a": "b"})
    assert made == (1, 2, {"a": "b"}) == kind(y=2, x=1, names={"a": "b"}) == kind._make([1, 2, {"a": "b"}])
    assert (made.x, made.y, made.names) == tuple(made)
    assert made._replace(x=5) == kind(5, 2, {"a": "b"})
    assert made._asdict() == {"x": 1, "y": 2, "names": {"a": "b"}}
    assert repr(made) == f"{kind.__name__}(x=1, y=2, names={{'a': 'b'}})"
    assert isinstance(made, tuple)
    assert hash(kind(1, 2, ())) == hash((1, 2, ()))
    assert kind(1) < kind(2)
    match made:
        case kind(x, y):
            assert (x, y) == (1, 2)


@BOTH
def test_the_class(kind: Any) -> None:
    assert kind._fields == kind.__match_args__ == ("x", "y", "names")
    assert kind._field_defaults == {"y": 2, "names": {}}
    assert kind.__doc__ == "A point."
    assert kind.__module__ == __name__


@BOTH
@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        ((1, 2, {}, 4), {}),
        ((1,), {"x": 1}),
        ((1,), {"z": 1}),
        ((), {"y": 1}),
        ((), {"y": 1, "z": 1}),
        ((1, 2, {}), {"y": 3}),
    ],
)
def test_wrong_arguments(kind: Any, values: tuple[Any, ...], named: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        kind(*values, **named)


@BOTH
def test_frozen(kind: Any) -> None:
    made = kind(1)
    for name in ("x", "other"):
        with pytest.raises(AttributeError):
            setattr(made, name, 3)
    assert not hasattr(made, "__dict__")
    with pytest.raises((TypeError, ValueError)):  # TypeError from Python 3.13
        made._replace(other=3)


@BOTH
def test_copies(kind: Any) -> None:
    made = kind(1, 3)
    for again in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert again == made
        assert type(again) is kind
    assert json.loads(json.dumps(made)) == [1, 3, {}]


def test_methods() -> None:
    assert Ours(1).total == 3
    assert Ours.zero() == (0, 0, {})


def test_a_default_must_not_come_first() -> None:
    for base in (tuples.NamedTuple, typing.NamedTuple):
        with pytest.raises(TypeError):
            exec("class Wrong(base):\n    x: int = 1\n    y: int", {"base": base, "__name__": __name__})


def test_annotations_that_are_evaluated() -> None:
    """As in a module without `from __future__ import annotations`."""
    space: dict[str, Any] = {"base": tuples.NamedTuple, "__name__": __name__}
    source = "class Eager(base):\n    x: int\n    y: str = 'a'\n    def both(self): return self.y * self.x"
    exec(compile(source, __file__, "exec", dont_inherit=True), space)
    assert space["Eager"](2).both() == "aa"
