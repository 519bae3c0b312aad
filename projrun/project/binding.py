"""Binding an entry point to values: reports all mistakes at once, or gives the complete command."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from projrun.credentials import without_credentials
from projrun.errors import RequestError
from projrun.project.command import (
    LONGEST_COMMAND,
    MisplacedError,
    Refusal,
    append_options,
    check_command,
    placeholders,
    quoted,
    render_both,
    secret_variable,
    unknown_placeholders,
)
from projrun.project.model import BoundParameter, EntryPoint, Invocation, Location, Parameter, Project
from projrun.project.paths import (
    DOWNLOADABLE,
    download_place,
    existing_path,
    foreign_scheme,
    is_download,
    is_fixed,
)
from projrun.project.shown import listed, public, shown
from projrun.project.text import excerpt_of_file, find_text
from projrun.project.values import TYPE_WORDS, value_problem
from projrun.suggestions import did_you_mean, near_miss
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"


class GivenValue(NamedTuple):
    """A parameter's value from outside the project."""

    text: str
    origin: Literal["command line", "parameters file", "api", "record"]
    """`record`: the value of the run that is repeated."""
    directory: Path | None = None
    """What a relative path is relative to; None: the caller's folder."""
    inside: str | None = None
    """Where `directory` lay, from the project's folder: the project's own file there takes precedence."""
    is_given: bool = False
    """Recorded as given: not the default, though its text may be the same."""
    if_declared: bool = False
    """Omitted if the entry point does not declare it and its command does not name it."""


class _Problem(NamedTuple):
    message: str
    hint: str = ""
    missing: str = ""
    """The name of a parameter that has no value."""
    supply: str = ""
    """The option that would give it one."""
    location: Location | None = None


def bind(
    project: Project,
    entry_point: EntryPoint,
    given: Mapping[str, GivenValue],
    *,
    caller_directory: Path,
    storage_directory: Path,
    strict: bool = False,
) -> Invocation:
    """The entry point with its values, the command rendered.

    A given `path` is relative to `caller_directory`, a default one to the project; a URI gets a place below
    `storage_directory`, which is not created. Raises one RequestError for all mistakes.
    """
    binder = _Binder(project, entry_point, given, caller_directory, storage_directory)
    parameters = [*binder.declared(), *binder.undeclared(strict)]
    binder.unknown_placeholders()
    binder.secret_variables(parameters)
    if binder.problems:
        raise _error(project, entry_point, binder.problems)
    try:
        command, masked = _commands(entry_point, parameters)
    except MisplacedError as error:
        problems = [_misplaced(project, entry_point, refusal, parameters) for refusal in error.refusals]
        raise _error(project, entry_point, problems) from None
    check_command(command)
    return Invocation(
        entry_point.name, command, tuple(parameters), tuple(binder.warnings), masked, entry_point.outputs
    )


def _commands(entry_point: EntryPoint, parameters: list[BoundParameter]) -> tuple[str, str]:
    """The command, and as people may see it."""
    shown_parameters = [public(parameter) for parameter in parameters]
    values: dict[str, str | None] = dict.fromkeys(entry_point.parameters)
    shown_values = values | {parameter.name: parameter.value for parameter in shown_parameters}
    values.update({parameter.name: parameter.value for parameter in parameters})
    used = placeholders(entry_point.command, values)
    extra = [parameter for parameter in parameters if not parameter.declared and parameter.name not in used]
    options = [(parameter.name, parameter.value) for parameter in extra]
    shown_options = [(parameter.name, shown_values[parameter.name] or "") for parameter in extra]
    command, masked = render_both(entry_point.command, values, shown_values, options)
    return append_options(command, options), append_options(masked, shown_options)


def _misplaced(
    project: Project, entry_point: EntryPoint, refusal: Refusal, parameters: list[BoundParameter]
) -> _Problem:
    bound = next(parameter for parameter in parameters if parameter.name == refusal.name)
    placeholder = f"{{{refusal.name}}}"
    location = find_text(project.file, entry_point.location, placeholder, refusal.number)
    value = shown(bound.raw, secret=bound.secret)
    message = f"the value {value} cannot be written safely here: {placeholder} {refusal.problem}"
    return _Problem(message, refusal.hint.replace("{}", placeholder), location=location)


class _Binder:
    """Goes through the parameters and collects the mistakes."""

    def __init__(
        self,
        project: Project,
        entry_point: EntryPoint,
        given: Mapping[str, GivenValue],
        caller_directory: Path,
        storage_directory: Path,
    ) -> None:
        self.project = project
        self.entry_point = entry_point
        self.given = given
        self.caller_directory = caller_directory
        self.storage_directory = storage_directory
        self.supplied = {**dict.fromkeys(entry_point.parameters), **dict.fromkeys(given)}
        self.several_bases = len({value.directory or caller_directory for value in given.values()}) > 1
        self.problems: list[_Problem] = []
        self.warnings: list[str] = []

    def declared(self) -> list[BoundParameter]:
        """The declared parameters that have a value."""
        self._warn_of_unknown_types()
        bound = [self._declared(parameter) for parameter in self.entry_point.parameters.values()]
        return [parameter for parameter in bound if parameter is not None]

    def undeclared(self, strict: bool) -> list[BoundParameter]:
        """The given parameters that the entry point does not declare."""
        names = [name for name in self.given if name not in self.entry_point.parameters]
        used = placeholders(self.entry_point.command, self.supplied) if names else frozenset()
        return [
            self._undeclared(name, strict, name in used)
            for name in names
            if name in used or not self.given[name].if_declared
        ]

    def unknown_placeholders(self) -> None:
        """Placeholders that neither the file nor the request fills."""
        for name in unknown_placeholders(self.entry_point.command, self.supplied):
            location = find_text(self.project.file, self.entry_point.location, f"{{{name}}}")
            self.problems.append(
                _Problem(
                    f"no value for {{{name}}} in the command"
                    f"{did_you_mean(name, self.entry_point.parameters)}",
                    hint=f"declare it below `parameters`, or give -P {name}=VALUE",
                    location=location,
                )
            )

    def secret_variables(self, parameters: list[BoundParameter]) -> None:
        """Secrets whose environment variables the system would refuse, or that would share one."""
        owners: dict[str, str] = {}
        for parameter in parameters:
            if not parameter.secret:
                continue
            variable = secret_variable(parameter.name)
            other = owners.setdefault(variable, parameter.name)
            if other != parameter.name:
                message = f"the secrets {other!r} and {parameter.name!r} would share the variable {variable}"
                self._problem(parameter.name, message, "rename one of them")
            size = len(f"{variable}={parameter.value}".encode("utf-8", "replace"))
            if size > LONGEST_COMMAND:
                self._problem(parameter.name, f"the secret {parameter.name!r} is too long for the system")

    def _problem(self, name: str, message: str, hint: str = "") -> None:
        declared = self.entry_point.parameters.get(name)
        location = declared.location if declared is not None and name not in self.given else None
        if location and declared and declared.secret:  # its source line would show the default
            message, location = f"{location}: {message}", None
        self.problems.append(_Problem(message, hint, location=location))

    def _warn_of_unknown_types(self) -> None:
        by_word: dict[str, list[str]] = {}
        for parameter in self.entry_point.parameters.values():
            if parameter.declared_type not in TYPE_WORDS:
                by_word.setdefault(parameter.declared_type, []).append(parameter.name)
        for word, names in by_word.items():
            hint = did_you_mean(word, TYPE_WORDS)
            self.warnings.append(f"unknown type {word!r} of {listed(names)} is taken as string{hint}")

    def _declared(self, parameter: Parameter) -> BoundParameter | None:
        given = self._given(parameter)
        text = parameter.default if given is None else given.text
        if text is None:
            self._missing(parameter)
            return None
        bound = BoundParameter(
            parameter.name,
            parameter.type,
            raw=text,
            value=text,
            origin="default" if given is None else given.origin,
            secret=parameter.secret,
        )
        self._check(parameter, text, is_default=given is None)
        return self._path(bound, self._base(given, text)) if parameter.type == "path" else bound

    def _base(self, given: GivenValue | None, text: str) -> Path:
        if given is None:
            return self.project.directory
        if given.inside is not None and existing_path(text, self.project.directory / given.inside):
            return self.project.directory / given.inside
        return given.directory or self.caller_directory

    def _given(self, parameter: Parameter) -> GivenValue | None:
        """None if the default applies: also for a recorded value with the default's text."""
        given = self.given.get(parameter.name)
        if given is None or given.origin != "record" or given.is_given or parameter.default is None:
            return given
        recorded = (parameter.default, without_credentials(parameter.default))  # see `wording.public`
        return None if given.text in recorded else given

    def _missing(self, parameter: Parameter) -> None:
        if not parameter.required:
            return
        name = quoted(parameter.name) if parameter.name.isprintable() else repr(parameter.name)
        supply = f"-P {name}={parameter.type.upper()}"
        undeclared = [name for name in self.given if name not in self.entry_point.parameters]
        typed = near_miss(parameter.name, undeclared)
        note = f" (-P {typed} was given: did you mean {parameter.name!r}?)" if typed else ""
        known = parameter.declared_type in TYPE_WORDS
        kind = parameter.declared_type if known else parameter.type
        message = f"parameter {parameter.name!r} ({kind}) has no value{note}"
        self.problems.append(_Problem(message, f"give {supply}", missing=parameter.name, supply=supply))

    def _check(self, parameter: Parameter, text: str, *, is_default: bool) -> None:
        unusable = _unusable(text)
        problem = unusable or value_problem(parameter, text)
        if not problem:
            return
        value = shown(text, secret=parameter.secret)
        if is_default and not unusable:
            where = f"{parameter.location}: " if parameter.location else ""
            self.warnings.append(f"{where}the default {value} of {parameter.name!r} {problem}")
            return
        source = "default" if is_default else "value"
        self._problem(parameter.name, f"the {source} {value} of {parameter.name!r} {problem}")

    def _path(self, bound: BoundParameter, base: Path) -> BoundParameter:
        if is_download(bound.raw):
            place = download_place(bound.raw, bound.name, self.storage_directory)
            return bound._replace(value=str(place), download=bound.raw)
        path = existing_path(bound.raw, base)
        if path is None:
            self._no_such_path(bound, base)
            return bound
        if self.several_bases and bound.origin != "default" and not is_fixed(bound.raw):
            return bound._replace(value=path, raw=path)  # a record names one folder for all that are relative
        return bound._replace(value=path)

    def _no_such_path(self, bound: BoundParameter, base: Path) -> None:
        if _unusable(bound.raw):
            return
        scheme = foreign_scheme(bound.raw)
        if scheme:  # the rest of the URI may hold a password
            message = f"the path of {bound.name!r} is a URI of scheme {scheme!r}, which cannot be downloaded"
            self._problem(bound.name, message, f"supported: {listed(sorted(DOWNLOADABLE))}, and file")
            return
        where = "" if is_fixed(bound.raw) else f" in {base}"
        value = shown(bound.raw, secret=bound.secret)
        self._problem(
            bound.name,
            f"the path {value} of {bound.name!r} does not exist{where}",
            "give an existing file or folder, or a URI to download",
        )

    def _undeclared(self, name: str, strict: bool, used: bool) -> BoundParameter:
        given = self.given[name]
        suggestion = did_you_mean(name, self.entry_point.parameters)
        where = f"entry point {self.entry_point.name!r}"
        unusable = _unusable(given.text)
        if strict:
            declared = listed(self.entry_point.parameters) or "none"
            message = f"{where} declares no parameter {name!r}{suggestion}"
            self._problem(name, message, f"declared parameters: {declared}")
        elif not used and not re.fullmatch(_NAME, name):
            hint = "a name is letters, digits, `_`, `.` and `-`, and begins with a letter or `_`"
            self._problem(name, f"{name!r} cannot be a parameter's name", hint)
        elif unusable:
            self._problem(name, f"the value of {name!r} {unusable}")
        elif suggestion and not used:
            self.warnings.append(
                f"{where} declares no parameter {name!r}{suggestion} It is passed on as it is"
            )
        return BoundParameter(name, "string", given.text, given.text, given.origin, declared=False)


def _unusable(text: str) -> str:
    """Why this text cannot be passed to a process."""
    if "\0" in text:
        return "contains a NUL byte"
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return "contains a character that cannot be encoded"
    return ""


def _error(project: Project, entry_point: EntryPoint, problems: list[_Problem]) -> RequestError:
    supply = " ".join(problem.supply for problem in problems if problem.supply)
    if len(problems) == 1:
        problem = problems[0]
        detail = excerpt_of_file(project.file, problem.location)
        return RequestError(_line(problem), hint=problem.hint, detail=detail)
    where = f"entry point {entry_point.name!r}"
    missing = [problem.missing for problem in problems if problem.missing]
    if len(missing) == len(problems):
        message = f"{where} has no value for {listed(missing)}"
    else:
        message = f"{where} has {len(problems)} problems"
    detail = "\n".join(_line(problem) for problem in problems)
    return RequestError(message, hint=f"give {supply}" if supply else "", detail=detail)


def _line(problem: _Problem) -> str:
    return f"{problem.location}: {problem.message}" if problem.location else problem.message
