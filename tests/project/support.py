"""Reading small MLproject texts in tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.project.binding import GivenValue, bind
from projrun.project.entry_points import find_entry_point
from projrun.project.loader import load_project
from projrun.project.model import Invocation, Parameter, Project


def load_text(folder: Path, text: str | bytes) -> Project:
    """The project whose MLproject file holds `text`."""
    folder.mkdir(exist_ok=True)
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "MLproject").write_bytes(data)
    return load_project(folder)


def refusal(folder: Path, text: str | bytes) -> RequestError:
    """The error that loading `text`, and asking for its entry point `main`, ends in."""
    with pytest.raises(RequestError) as caught:
        find_entry_point(load_text(folder, text), "main")
    assert "\n" not in caught.value.message
    return caught.value


def load_parameter(folder: Path, declaration: str) -> Parameter:
    """The parameter `p` of a project, declared as given."""
    project = load_text(folder, f"entry_points: {{main: {{command: run, parameters: {{p: {declaration}}}}}}}")
    return find_entry_point(project, "main").parameters["p"]


def bind_values(
    project: Project, values: dict[str, str], *, caller: Path | None = None, strict: bool = False
) -> Invocation:
    """The project's `main` with values from the command line."""
    return bind(
        project,
        find_entry_point(project, "main"),
        {name: GivenValue(text, "command line") for name, text in values.items()},
        caller_directory=caller or project.directory,
        storage_directory=project.directory / "storage",
        strict=strict,
    )


def binding_error(project: Project, values: dict[str, str], *, strict: bool = False) -> RequestError:
    """The error that binding the values ends in."""
    with pytest.raises(RequestError) as caught:
        bind_values(project, values, strict=strict)
    assert "\n" not in caught.value.message
    return caught.value
