"""MLflow's filter strings and orderings, read by recursive descent into values. No SQL here.

filter = comparison { AND comparison }
comparison = field operator value | field [NOT] IN (value, …) | field IS [NOT] NULL
field = [entity .] key, where the key may be quoted, and holds dots
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, NoReturn

from projrun.errors import InvalidValueError
from projrun.tracking.search.tokens import Token, tokenize

Entity = Literal["attribute", "metric", "param", "tag", "dataset", "metadata"]
Value = str | int | float | tuple[str, ...] | None

MAX_VALUES = 30_000
"""Of all the lists of a filter: SQLite takes 32,766 values with a statement."""
MAX_COMPARISONS = 200
"""Of one filter: SQLite's expressions nest at most a thousand deep."""

_PREFIXES: Mapping[str, Entity] = {
    **dict.fromkeys(("attribute", "attributes", "attr", "run", "trace"), "attribute"),
    **dict.fromkeys(("metric", "metrics"), "metric"),
    **dict.fromkeys(("param", "params", "parameter", "parameters"), "param"),
    **dict.fromkeys(("tag", "tags"), "tag"),
    **dict.fromkeys(("dataset", "datasets"), "dataset"),
    **dict.fromkeys(("metadata", "request_metadata"), "metadata"),
}
_NUMERIC = frozenset({"=", "!=", "<", "<=", ">", ">="})
_TEXT = frozenset({"=", "!=", "LIKE", "ILIKE"})
_NULL = frozenset({"IS NULL", "IS NOT NULL"})
_LIST = frozenset({"IN", "NOT IN"})


class Attribute(NamedTuple):
    """A field of the thing searched for: its name in the store, and what it may be compared with."""

    name: str
    numeric: bool = False
    lists: bool = False
    whole: bool = False
    """A whole number, which may be in quotes."""


class Searchable(NamedTuple):
    """What can be asked of one kind of thing: its attributes by the names people use, its other entities."""

    attributes: Mapping[str, Attribute]
    entities: frozenset[Entity]
    prefixes: Mapping[str, Entity] = _PREFIXES
    nulls: bool = True
    """Whether params and tags can be asked for with IS NULL."""
    orders: Mapping[str, Attribute] | None = None
    """What can be sorted by, where that is not the attributes and the other entities."""


RUNS = Searchable(
    {
        **dict.fromkeys(("run_id", "run id", "Run ID"), Attribute("run_id", lists=True)),
        **dict.fromkeys(("run_name", "run name", "Run name", "Run Name"), Attribute("run_name", lists=True)),
        **dict.fromkeys(("start_time", "created", "Created"), Attribute("start_time", numeric=True)),
        "end_time": Attribute("end_time", numeric=True),
        "status": Attribute("status", lists=True),
        "user_id": Attribute("user_id", lists=True),
        "artifact_uri": Attribute("artifact_uri"),
    },
    frozenset({"attribute", "metric", "param", "tag", "dataset"}),
)
EXPERIMENTS = Searchable(
    {
        "name": Attribute("name", lists=True),
        "experiment_id": Attribute("experiment_id", lists=True),
        "creation_time": Attribute("creation_time", numeric=True),
        "last_update_time": Attribute("last_update_time", numeric=True),
    },
    frozenset({"attribute", "tag"}),
)
LOGGED_MODELS = Searchable(
    {
        "name": Attribute("name", lists=True),
        "model_id": Attribute("model_id", lists=True),
        "status": Attribute("status", lists=True),
        "model_type": Attribute("model_type", lists=True),
        "source_run_id": Attribute("source_run_id", lists=True),
        "experiment_id": Attribute("experiment_id", lists=True),
        "artifact_location": Attribute("artifact_uri", lists=True),
        **dict.fromkeys(
            ("creation_time", "creation_timestamp", "creation_timestamp_ms"),
            Attribute("creation_time", numeric=True),
        ),
        **dict.fromkeys(
            ("last_update_time", "last_updated_timestamp", "last_updated_timestamp_ms"),
            Attribute("last_update_time", numeric=True),
        ),
    },
    frozenset({"attribute", "metric", "param", "tag"}),
)
_OF_THE_REGISTRY: Mapping[str, Entity] = {"attribute": "attribute", "tag": "tag", "tags": "tag"}
_CHANGED = Attribute("last_update_time", numeric=True)
REGISTERED_MODELS = Searchable(
    {"name": Attribute("name", lists=True)},
    frozenset({"attribute", "tag"}),
    _OF_THE_REGISTRY,
    nulls=False,
    orders={"name": Attribute("name"), "timestamp": _CHANGED, "last_updated_timestamp": _CHANGED},
)
_VERSION = Attribute("version", numeric=True, whole=True)
MODEL_VERSIONS = Searchable(
    {
        "name": Attribute("name", lists=True),
        "version_number": _VERSION,
        "run_id": Attribute("run_id", lists=True),
        "source_path": Attribute("source"),
    },
    frozenset({"attribute", "tag"}),
    _OF_THE_REGISTRY,
    nulls=False,
    orders={
        "name": Attribute("name"),
        "version_number": _VERSION,
        "creation_timestamp": Attribute("creation_time", numeric=True),
        "last_updated_timestamp": _CHANGED,
    },
)


TRACES = Searchable(
    {
        **dict.fromkeys(("request_id", "trace_id"), Attribute("trace_id", lists=True)),
        **dict.fromkeys(("timestamp", "timestamp_ms"), Attribute("request_time", numeric=True)),
        **dict.fromkeys(
            ("execution_time", "execution_time_ms"), Attribute("execution_duration", numeric=True)
        ),
        **dict.fromkeys(("end_time", "end_time_ms"), Attribute("end_time", numeric=True)),
        **dict.fromkeys(("status", "state"), Attribute("state", lists=True)),
        "client_request_id": Attribute("client_request_id", lists=True),
        "experiment_id": Attribute("experiment_id", lists=True),
        "name": Attribute("name", lists=True),
        "run_id": Attribute("run_id", lists=True),
    },
    frozenset({"attribute", "tag", "metadata"}),
)


class Field(NamedTuple):
    """What is compared or sorted by."""

    entity: Entity
    key: str
    numeric: bool
    lists: bool
    position: int
    whole: bool = False


class Comparison(NamedTuple):
    """One condition. `value` is a number for numeric fields, a tuple for IN, None for IS NULL, else text."""

    field: Field
    operator: str
    value: Value


class Ordering(NamedTuple):
    """One clause of an ordering."""

    field: Field
    descending: bool


def parse_filter(text: str, searchable: Searchable) -> tuple[Comparison, ...]:
    """The conditions of a filter, all of which must hold; none for an empty one. Raises InvalidValueError."""
    parser = _Parser(text, "filter", searchable)
    comparisons: list[Comparison] = []
    while parser.next.kind != "end":
        if comparisons:
            parser.keyword("AND")
        comparisons.append(parser.comparison())
        if len(comparisons) > MAX_COMPARISONS:
            raise InvalidValueError(f"a filter may have at most {MAX_COMPARISONS} comparisons")
    return tuple(comparisons)


def parse_ordering(text: str, searchable: Searchable) -> Ordering:
    """One clause: a field, then ASC or DESC. Raises InvalidValueError."""
    only_attributes = searchable is EXPERIMENTS or searchable.orders is not None
    if searchable.orders is not None:
        searchable = searchable._replace(attributes=searchable.orders)
    parser = _Parser(text, "order_by", searchable)
    field = parser.field()
    if field.entity == "dataset" or (field.entity == "tag" and only_attributes):
        parser.fail("cannot sort by this", field.position)
    descending = parser.next.is_keyword("DESC")
    if descending or parser.next.is_keyword("ASC"):
        parser.take()
    if parser.next.kind != "end":
        parser.fail("expected ASC, DESC or the end")
    return Ordering(field, descending)


class _Parser:
    def __init__(self, text: str, what: str, searchable: Searchable) -> None:
        self._tokens = tokenize(text)
        self._at = 0
        self._listed = 0
        self._what = what
        self._searchable = searchable

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    def take(self) -> Token:
        token = self.next
        if token.kind != "end":
            self._at += 1
        return token

    def fail(self, why: str, position: int | None = None) -> NoReturn:
        if position is None:
            position = self.next.position
            why += f", found {self.next.text!r}" if self.next.kind != "end" else ", found the end"
        raise InvalidValueError(f"invalid {self._what} at character {position}: {why}")

    def keyword(self, word: str) -> None:
        if not self.next.is_keyword(word):
            self.fail(f"expected {word}")
        self.take()

    def punctuation(self, text: str) -> None:
        if (self.next.kind, self.next.text) != ("punctuation", text):
            self.fail(f"expected {text!r}")
        self.take()

    def comparison(self) -> Comparison:
        field = self.field()
        position = self.next.position
        operator = self._operator()
        self._allow(field, operator, position)
        if operator in _NULL:
            return Comparison(field, operator, None)
        return Comparison(field, operator, self._list() if operator in _LIST else self._value(field))

    def field(self) -> Field:
        first = self.take()
        if first.kind not in ("word", "quoted"):
            self._at -= first.kind != "end"
            self.fail("expected a field such as metrics.rmse, params.alpha or start_time")
        if self.next.text != "." or self.next.kind != "punctuation":
            return self._attribute(first.text, first.position)
        entity = self._searchable.prefixes.get(first.text)
        if entity is None or entity not in self._searchable.entities:
            names = ", ".join(_plural(name) for name in sorted(self._searchable.entities))
            self.fail(f"unknown entity {first.text!r}; one of: {names}", first.position)
        self.take()
        key = self._key()
        if entity == "attribute":
            return self._attribute(key, first.position)
        if entity == "dataset" and key not in ("name", "digest", "context"):
            self.fail("a dataset has a name, a digest and a context", first.position)
        return Field(entity, key, entity == "metric", entity == "dataset", first.position)

    def _key(self) -> str:
        """The rest of a field: quoted, or words and numbers joined by dots (`mlflow.source.name`)."""
        if self.next.kind == "quoted" or (self.next.kind == "string"):
            return self.take().text
        parts = [self._key_part()]
        while (self.next.kind, self.next.text) == ("punctuation", "."):
            self.take()
            parts.append(self._key_part())
        return ".".join(parts)

    def _key_part(self) -> str:
        if self.next.kind not in ("word", "number"):
            self.fail("expected a key")
        return self.take().text

    def _attribute(self, name: str, position: int) -> Field:
        attribute = self._searchable.attributes.get(name)
        if attribute is None:
            names = sorted({known.name for known in self._searchable.attributes.values()})
            self.fail(f"unknown attribute {name!r}; one of: {', '.join(names)}", position)
        return Field("attribute", *attribute[:3], position, attribute.whole)

    def _operator(self) -> str:
        token = self.take()
        if token.kind == "operator":
            return token.text
        word = token.text.upper() if token.kind == "word" else ""
        if word in ("LIKE", "ILIKE", "IN"):
            return word
        if word == "NOT":
            self.keyword("IN")
            return "NOT IN"
        if word == "IS":
            negated = self.next.is_keyword("NOT")
            if negated:
                self.take()
            self.keyword("NULL")
            return "IS NOT NULL" if negated else "IS NULL"
        self._at -= token.kind != "end"
        return self.fail("expected a comparison: =, !=, <, <=, >, >=, LIKE, ILIKE, IN, IS NULL")

    def _allow(self, field: Field, operator: str, position: int) -> None:
        allowed = _NUMERIC if field.numeric else _TEXT
        if field.lists:
            allowed = allowed | _LIST
        if field.entity in ("param", "tag", "metadata") and self._searchable.nulls:
            allowed = allowed | _NULL
        if operator not in allowed:
            self.fail(f"{operator} cannot be used here; one of: {', '.join(sorted(allowed))}", position)

    def _value(self, field: Field) -> Value:
        token = self.next
        if field.whole:
            return self._whole()
        if field.numeric:
            if token.kind != "number":
                self.fail("expected a number")
            return _number(self.take().text)
        if token.kind != "string":
            self.fail("expected a quoted string")
        return self.take().text

    def _whole(self) -> int:
        token = self.take()
        try:
            if token.kind in ("number", "string"):
                return max(-(2**63), min(int(token.text), 2**63 - 1))
        except ValueError:
            pass
        self._at -= token.kind != "end"
        return self.fail("expected a whole number")

    def _list(self) -> tuple[str, ...]:
        self.punctuation("(")
        values = [self._list_item()]
        while self.next.text == "," and self.next.kind == "punctuation":
            self.take()
            values.append(self._list_item())
        self.punctuation(")")
        self._listed += len(values)
        if self._listed > MAX_VALUES:
            raise InvalidValueError(f"the lists of a filter may have at most {MAX_VALUES} values")
        return tuple(values)

    def _list_item(self) -> str:
        if self.next.kind != "string":
            self.fail("expected a quoted string")
        return self.take().text


def _number(text: str) -> int | float:
    """An integer where it is one that a store can hold, so that times compare exactly."""
    try:
        number = int(text)
    except ValueError:
        return float(text)
    return number if -(2**63) <= number < 2**63 else float(number)


def _plural(name: str) -> str:
    return name if name == "metadata" else f"{name}s"
