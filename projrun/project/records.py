"""A Project as JSON and back: lists in the order of the records' fields, every type checked on the way in."""

from __future__ import annotations

from pathlib import Path

from projrun.project.model import (
    DockerEnv,
    EntryPoint,
    EnvironmentReference,
    Location,
    OutputArtifact,
    Outputs,
    Parameter,
    Project,
)
from projrun.project.values import TYPE_WORDS
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from projrun.project.model import ParameterType

Json = list[object]

_TYPES: dict[str, ParameterType] = {word: word for word in TYPE_WORDS.values()}


def project_to_json(project: Project) -> Json:
    """The project without the folder that it is in: its files are named from there."""
    environment = project.environment
    file = None if environment.file is None else relative(environment.file, project.directory)
    return [
        project.name,
        None if project.file is None else relative(project.file, project.directory),
        [environment.kind, file, *environment[2:]],
        [
            [point.name, point.command, list(point.parameters.values()), point.location, point.outputs]
            for point in project.entry_points.values()
        ],
        project.warnings,
    ]


def project_from_json(value: object, directory: Path) -> Project:
    """The project in `directory` that `project_to_json` wrote; ValueError for anything else."""
    name, file, environment, points, warnings = _fields(value, 5)
    return Project(
        directory=directory,
        name=_text_or_none(name),
        file=None if file is None else directory / _text(file),
        environment=_environment(environment, directory),
        entry_points={point.name: point for point in map(_entry_point, _items(points))},
        warnings=_texts(warnings),
    )


def relative(file: Path, directory: Path) -> str:
    """A file's path from its project's folder, else an absolute one; `..` stays: what it leaves may be a link."""
    return str(file.relative_to(directory) if file.is_relative_to(directory) else file)


def _environment(value: object, directory: Path) -> EnvironmentReference:
    kind, file, docker, location, python, origin = _fields(value, 6)
    return EnvironmentReference(
        _text(kind),
        None if file is None else directory / _text(file),
        None if docker is None else _docker(docker),
        _location(location),
        _text(python),
        _text(origin),
    )


def _docker(value: object) -> DockerEnv:
    image, volumes, copied, pairs = _fields(value, 4)
    return DockerEnv(_text(image), _texts(volumes), _texts(copied), tuple(map(_pair, _items(pairs))))


def _pair(value: object) -> tuple[str, str]:
    name, text = _fields(value, 2)
    return _text(name), _text(text)


def _entry_point(value: object) -> EntryPoint:
    name, command, parameters, location, outputs = _fields(value, 5)
    declared = {parameter.name: parameter for parameter in map(_parameter, _items(parameters))}
    return EntryPoint(_text(name), _text(command), declared, _location(location), _outputs(outputs))


def _outputs(value: object) -> Outputs | None:
    if value is None:
        return None
    patterns, files, artifacts = _fields(value, 3)
    return Outputs(
        _texts(patterns), _texts(files), tuple(OutputArtifact(*_pair(one)) for one in _items(artifacts))
    )


def _parameter(value: object) -> Parameter:
    (name, kind, word, default, required, choices, low, high, pattern, secret, description, place) = _fields(
        value, 12
    )
    return Parameter(
        name=_text(name),
        type=_type(kind),
        declared_type=_text(word),
        default=_text_or_none(default),
        required=_boolean(required),
        choices=_texts(choices),
        minimum=_number(low),
        maximum=_number(high),
        pattern=_text_or_none(pattern),
        secret=_boolean(secret),
        description=_text(description),
        location=_location(place),
    )


def _location(value: object) -> Location | None:
    if value is None:
        return None
    file, line, column = _fields(value, 3)
    return Location(_text(file), _integer(line), _integer(column))


def _items(value: object) -> list[object]:
    if not isinstance(value, list):
        raise ValueError("not a list")
    return value


def _fields(value: object, count: int) -> list[object]:
    fields = _items(value)
    if len(fields) != count:
        raise ValueError("a record of another length")
    return fields


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("not text")
    return value


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(_text, _items(value)))


def _boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("not a boolean")
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("not an integer")
    return value


def _number(value: object) -> float | None:
    if value is None or isinstance(value, float):
        return value
    raise ValueError("not a number")


def _type(value: object) -> ParameterType:
    found = _TYPES.get(_text(value))
    if found is None:
        raise ValueError("an unknown type")
    return found
