"""Plug-ins of other packages: found by their entry points (35 ms of imports), checked, and named where they fail."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from importlib import import_module
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, TypeVar

from projrun.errors import PluginError, ProjrunError, RequestError, Stopped
from projrun.suggestions import did_you_mean
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

T = TypeVar("T")
Results = Mapping[str, Callable[["Origin", Any], Any]]
"""For methods by name: takes what the method returned, gives what the caller gets, or raises PluginError."""


def load_entry_point(kind: str, name: str, built_ins: Mapping[str, str], group: str) -> Any:
    """The object that another package registers; PluginError where it cannot be loaded."""
    entry = _entry_point(kind, name, built_ins, group)
    with Origin.of(kind, entry).faults():
        return entry.load()


def create_entry_point(
    kind: str, name: str, built_ins: Mapping[str, str], group: str, contract: type, results: Results
) -> Any:
    """See `create_plugin`."""
    entry = _entry_point(kind, name, built_ins, group)
    origin = Origin.of(kind, entry)
    with origin.faults():
        plugin_class = entry.load()
    if not isinstance(plugin_class, type):
        raise origin.fault(f"{entry.value} is not a class")
    with origin.faults():
        plugin = _guarded(plugin_class, origin, results)()
    origin.check_members(plugin, contract, "it")
    return plugin


def call_plugin(kind: str, name: str, group: str, *arguments: object) -> tuple[Origin, Any]:
    """What a plug-in that is a function returns, and where it comes from.

    Raises RequestError for an unknown name, PluginError for one that cannot be loaded or fails.
    """
    entry = _entry_point(kind, name, {}, group)
    origin = Origin.of(kind, entry)
    with origin.faults():
        return origin, entry.load()(*arguments)


def _entry_point(kind: str, name: str, built_ins: Mapping[str, str], group: str) -> EntryPoint:
    found = offered(group, name)
    if name in found:
        return _only(kind, name, found[name])
    names = sorted({*built_ins, *found})
    raise RequestError(
        f"unknown {kind} {name!r}{did_you_mean(name, names)}",
        hint=_among(names) if kind not in _OTHER_WAYS else f"{_among(names)}, or {_OTHER_WAYS[kind]}",
    )


def _among(names: Sequence[str]) -> str:
    return f"one of: {', '.join(names)}" if names else "install a package that offers one"


def _only(kind: str, name: str, found: Sequence[EntryPoint]) -> EntryPoint:
    """Which package is meant is not for the order of folders to decide."""
    if len({entry.value for entry in found}) > 1:
        packages = ", ".join(sorted(Origin.of(kind, entry).package for entry in found))
        raise RequestError(
            f"several packages offer the {kind} {name!r}: {packages}", hint="uninstall all but one of them"
        )
    return found[0]


_SCANNED: dict[tuple[str, ...], dict[str, list[EntryPoint]]] = {}


def offered(group: str, wanted: str | None = None) -> dict[str, list[EntryPoint]]:
    """The entry points that packages register in a group, by name.

    Scanned again for a name that the last scan did not find: a notebook may have installed its package since.
    """
    place = (group, *sys.path)
    if wanted is None or wanted not in _SCANNED.get(place, {}):
        _SCANNED[place] = _scanned(group)
    return _SCANNED[place]


def _scanned(group: str) -> dict[str, list[EntryPoint]]:
    from importlib.metadata import entry_points

    entries: Iterable[EntryPoint]
    try:
        entries = entry_points(group=group)
    except Exception:  # some package's metadata is damaged: any error of any parser
        entries = _undamaged(group)
    found: dict[str, list[EntryPoint]] = {}
    for entry in entries:
        found.setdefault(entry.name, []).append(entry)
    return found


def _undamaged(group: str) -> Iterator[EntryPoint]:
    """The entry points of those packages whose metadata can be read; the others stop nothing."""
    from importlib.metadata import distributions

    for distribution in distributions():
        with suppress(Exception):
            yield from [entry for entry in distribution.entry_points if entry.group == group]


def _package(distribution: Distribution | None) -> str:
    try:
        return (distribution.name if distribution is not None else "") or "unknown"
    except Exception:  # its metadata is damaged
        return "unknown"


_OTHER_WAYS = {
    "run context": "remove it from `run-context` in config.toml",
    "authentication": "unset MLFLOW_TRACKING_AUTH",
}
"""For the kinds of which there need not be another, what to do instead."""


class Origin(NamedTuple):
    """Where another package's plug-in comes from, to name it when it fails."""

    kind: str
    """The word for people: `backend`."""
    name: str
    target: str
    """`module:Class`."""
    package: str

    @classmethod
    def of(cls, kind: str, entry: EntryPoint) -> Origin:
        """The origin of what an entry point names."""
        return cls(kind, entry.name, entry.value, _package(entry.dist))

    def fault(self, what: str, detail: str = "") -> PluginError:
        """The error that says what is wrong with the plug-in."""
        another = f"choose another {self.kind}"
        return PluginError(
            f"{self.kind} {self.name!r} ({self.target}, package {self.package}): {what}",
            hint=f"report it to the authors of {self.package}, or {_OTHER_WAYS.get(self.kind, another)}",
            detail=detail,
        )

    @contextmanager
    def faults(self, *allowed: type[Exception]) -> Iterator[None]:
        """For code of the plug-in: what it raises beside ProjrunError and what its contract allows is its fault."""
        passed: tuple[type[BaseException], ...] = (ProjrunError, KeyboardInterrupt, Stopped, *allowed)
        try:
            yield
        except passed:
            raise
        except BaseException as error:  # SystemExit too, and classes of its own
            message, named = _message(error), type(error).__name__
            raise self.fault(f"{named}: {message}" if message else named, _place(error)) from error

    def expect(self, value: object, expected: type[T], what: str) -> T:
        """The value, if it is of that type; `what` says what it is, for people."""
        if isinstance(value, expected):
            return value
        raise self.fault(f"{what} is of the type {type(value).__name__}, not {expected.__name__}")

    def check_members(self, value: object, contract: type, what: str) -> None:
        """Raise PluginError where members of the contract are missing, or its records are of another type."""
        typed = {name: kind for name, kind in contract.__annotations__.items() if isinstance(kind, type)}
        members = [name for name in (*typed, *vars(contract)) if not name.startswith("_")]
        with self.faults():  # a property may fail
            missing = [name for name in members if not hasattr(value, name)]
        if missing:
            raise self.fault(f"{what} lacks {', '.join(missing)}")
        for name, kind in typed.items():
            self.expect_record(getattr(value, name), kind, f"`{name}`")
        for name in members:
            if callable(vars(contract).get(name)) and not callable(getattr(value, name)):
                raise self.fault(
                    f"`{name}` is of the type {type(getattr(value, name)).__name__}, not a method"
                )

    def expect_record(self, value: object, expected: type[T], what: str) -> T:
        """The value, if it is of that type and, for a record, if its fields are of the types that it declares."""
        checked = self.expect(value, expected, what)
        if hasattr(expected, "_fields"):
            from typing import get_type_hints

            for name, hint in get_type_hints(expected).items():
                if not name.startswith("_") and not _fits(getattr(checked, name), hint):
                    # Not the value: it may be a secret.
                    raise self.fault(f"`{name}` of {what} is not of the type {_for_people(hint)}")
        return checked

    def stand_in(self, value: object, results: Results, *allowed: type[Exception]) -> Any:
        """An object in place of another that the plug-in returned: what its methods do wrong is the plug-in's fault.

        `results` checks what methods returned, by name; `allowed` are errors that the contract knows.
        """
        public = (name for name in dir(type(value)) if not name.startswith("_"))
        methods = [name for name in public if callable(getattr(type(value), name))]
        members = {name: _passed_on(self, name, results.get(name), allowed) for name in methods}
        # Methods are the class's own, since `isinstance` with a Protocol looks only there.
        return type(type(value).__name__, (_StandIn,), members)(self, value)


class _StandIn:
    def __init__(self, origin: Origin, value: object) -> None:
        self._origin = origin
        self._value = value

    def __getattr__(self, name: str) -> Any:
        with self._origin.faults(AttributeError):  # `hasattr` asks so
            return getattr(self._value, name)


def _passed_on(
    origin: Origin,
    name: str,
    check: Callable[[Origin, Any], Any] | None,
    allowed: tuple[type[Exception], ...],
) -> Callable[..., Any]:
    def method(self: _StandIn, *arguments: Any, **keywords: Any) -> Any:
        with origin.faults(*allowed):
            result = getattr(self._value, name)(*arguments, **keywords)
        return result if check is None else check(origin, result)

    return method


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the type that a record declares."""
    from typing import Any, Union, get_args, get_origin

    kind, arguments = get_origin(hint), get_args(hint)
    if kind in (Union, UnionType):
        return any(_fits(value, one) for one in arguments)
    if kind is None:
        return hint is Any or isinstance(value, hint)
    if not isinstance(value, kind):
        return False
    if kind is tuple:
        return _fit(value, arguments)
    if issubclass(kind, Mapping):
        return all(_fit(pair, arguments) for pair in value.items())
    return kind is not frozenset or all(_fits(one, arguments[0]) for one in value)


def _fit(values: tuple[Any, ...], hints: tuple[Any, ...]) -> bool:
    if hints[-1] is Ellipsis:
        return all(_fits(value, hints[0]) for value in values)
    return len(values) == len(hints) and all(map(_fits, values, hints))


def _for_people(hint: Any) -> str:
    from typing import get_args

    return (
        hint.__name__ if isinstance(hint, type) and not get_args(hint) else re.sub(r"\b\w+\.", "", str(hint))
    )


def _message(error: BaseException) -> str:
    try:
        return str(error).strip().partition("\n")[0]
    except Exception:  # it cannot even say what is wrong
        return ""


def _place(error: BaseException) -> str:
    """Where an error was raised, for the plug-in's authors."""
    import traceback

    loading = {str(Path(file).parent) for file in (__file__, import_module.__code__.co_filename)}
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        # Where projrun and Python load a plug-in says nothing to them.
        if not frame.filename.startswith("<frozen ")
        and loading.isdisjoint(map(str, Path(frame.filename).parents))
    ]
    return f"{frames[-1].filename}, line {frames[-1].lineno}, in {frames[-1].name}" if frames else ""


def _guarded(plugin_class: type, origin: Origin, results: Results) -> type:
    """A subclass whose public methods report their faults, so that no caller has to think of it."""

    def getattribute(self: object, name: str) -> Any:
        get: Callable[[object, str], Any] = plugin_class.__getattribute__  # type: ignore[assignment] # unbound
        if name.startswith("_") or not hasattr(plugin_class, name):
            return get(self, name)
        with origin.faults():  # a property may fail
            value = get(self, name)
        return guarded_method(value, name) if callable(value) else value

    def guarded_method(method: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(method)
        def guarded(*arguments: Any, **keywords: Any) -> Any:
            with origin.faults():
                result = method(*arguments, **keywords)
            return results[name](origin, result) if name in results else result

        return guarded

    guarded_class: type = type(plugin_class)(
        plugin_class.__name__, (plugin_class,), {"__getattribute__": getattribute, "_origin": origin}
    )
    return guarded_class
