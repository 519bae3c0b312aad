from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from projrun.project.records import project_from_json, project_to_json
from projrun.project.values import TYPE_WORDS

_DIRECTORY = Path("/projects/one")
_TEXTS = st.text(max_size=20)
_NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,8}(/[a-z.]{3,5})?", fullmatch=True)
_LOCATIONS = st.none() | st.builds(Location, _TEXTS, st.integers(1), st.integers(1))
_NUMBERS = st.none() | st.floats(allow_nan=False)
_PARAMETERS = st.builds(
    Parameter,
    name=_TEXTS,
    type=st.sampled_from(sorted({*TYPE_WORDS.values()})),
    declared_type=_TEXTS,
    default=st.none() | _TEXTS,
    required=st.booleans(),
    choices=st.lists(_TEXTS, max_size=3).map(tuple),
    minimum=_NUMBERS,
    maximum=_NUMBERS,
    pattern=st.none() | _TEXTS,
    secret=st.booleans(),
    description=_TEXTS,
    location=_LOCATIONS,
)
_OUTPUTS = st.builds(
    Outputs,
    patterns=st.lists(_TEXTS, max_size=2).map(tuple),
    files=st.lists(_TEXTS, max_size=2).map(tuple),
    artifacts=st.lists(st.builds(OutputArtifact, _TEXTS, _TEXTS), max_size=2).map(tuple),
)
_ENTRY_POINTS = st.builds(
    EntryPoint,
    name=_TEXTS,
    command=_TEXTS,
    parameters=st.lists(_PARAMETERS, max_size=3).map(lambda found: {one.name: one for one in found}),
    location=_LOCATIONS,
    outputs=st.none() | _OUTPUTS,
)
_FILES = (_NAMES | st.just("../above.yaml") | st.just("/elsewhere/env.yaml")).map(
    lambda name: _DIRECTORY / name
)
_TUPLES = st.lists(_TEXTS, max_size=3).map(tuple)
_ENVIRONMENTS = st.builds(
    EnvironmentReference,
    kind=_TEXTS,
    file=st.none() | _FILES,
    docker=st.none()
    | st.builds(
        DockerEnv, _TEXTS, _TUPLES, _TUPLES, st.lists(st.tuples(_TEXTS, _TEXTS), max_size=2).map(tuple)
    ),
    location=_LOCATIONS,
)
PROJECTS = st.builds(
    Project,
    directory=st.just(_DIRECTORY),
    name=st.none() | _TEXTS,
    file=st.none() | _FILES,
    environment=_ENVIRONMENTS,
    entry_points=st.lists(_ENTRY_POINTS, max_size=3).map(lambda found: {one.name: one for one in found}),
    warnings=_TUPLES,
    broken=st.just({}),  # such a project is not kept
    others=st.just(()),  # neither is one with several environments
    within=st.none(),  # said by who opens the project
)


@given(PROJECTS)
def test_a_project_comes_back_from_json(project: Project) -> None:
    text = json.dumps(project_to_json(project))
    again = project_from_json(json.loads(text), _DIRECTORY)
    assert again == project
    assert type(again.environment) is EnvironmentReference
    assert list(again.entry_points) == list(project.entry_points)


@given(PROJECTS)
def test_the_files_are_those_of_the_folder_that_it_is_in(project: Project) -> None:
    moved = project_from_json(json.loads(json.dumps(project_to_json(project))), Path("/elsewhere"))
    files = [file for file in (moved.file, moved.environment.file) if file is not None]
    assert all(file.is_relative_to("/elsewhere") for file in files)


_WHOLE = Project(
    _DIRECTORY,
    "name",
    _DIRECTORY / "MLproject",
    EnvironmentReference(
        "docker_env",
        docker=DockerEnv("image", ("v",), ("c",), (("n", "v"),)),
        location=Location("MLproject", 2, 1),
    ),
    {
        "main": EntryPoint(
            "main", "run {p}", {"p": Parameter("p", "int", "int", "1", minimum=0.0, choices=("1",))}
        )
    },
    ("careful",),
)


def _places(value: object, path: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    inner = enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for index, item in inner for place in _places(item, (*path, index)))]


def test_every_value_of_another_type_is_refused() -> None:
    text = json.dumps(project_to_json(_WHOLE))
    for place in _places(json.loads(text)):
        for wrong in ({"a": 1}, 7.5j, b"", 10**6):
            damaged = json.loads(text)
            if place:
                holder = damaged
                for index in place[:-1]:
                    holder = holder[index]
                if isinstance(holder[place[-1]], int) and wrong == 10**6:
                    continue
                holder[place[-1]] = wrong
            else:
                damaged = wrong
            with pytest.raises(ValueError):
                project_from_json(damaged, _DIRECTORY)
