"""What Python callers pass: texts where MLflow takes them, else an error that names the argument."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import projrun
from projrun.running.keywords import options_from, parameters_from, registry_login_from, text_of


@pytest.mark.parametrize(("value", "text"), [("x", "x"), (2, "2"), (0.5, "0.5"), (Path("a/b"), "a/b")])
def test_what_has_a_plain_text_is_taken_for_it(value: object, text: str) -> None:
    assert text_of("name", value) == text
    options = options_from("run", {"run_name": value, "experiment_id": value, "backend_config": value})
    assert options == {"run-name": text, "experiment-id": text, "backend-config": text}


def test_durations_and_lists_are_taken_as_python_has_them() -> None:
    asked = {"timeout": timedelta(minutes=1.5), "retry_delay": 2, "retry_on": [1, "oom"]}
    assert options_from("run", asked) == {"timeout": "90.0", "retry-delay": "2", "retry-on": "1,oom"}
    with pytest.raises(projrun.RequestError, match="retry_on: True is not a string"):
        options_from("run", {"retry_on": [True]})


@pytest.mark.parametrize("value", [b"x", None, True, ["x"], object()])
def test_what_has_none_is_named(value: object) -> None:
    with pytest.raises(projrun.RequestError, match=r"^name: .* is not a string$"):
        text_of("name", value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"version": b"x"}, "version: b'x' is not a string"),
        ({"entry_point": ["main"]}, r"entry_point: \['main'\] is not a string"),
        ({"run_name": b"x"}, "run_name: b'x' is not a string"),
        ({"parameters": {None: "y"}}, "parameters: None is not a string"),
        ({"parameters": {7: "y"}}, "'7' cannot be a parameter's name"),
        ({"parameters": [("a", "b")]}, "parameters: must be a mapping, not list"),
        ({"docker_args": ["a"]}, "docker_args: must be a mapping, not list"),
        ({"docker_auth": "secret"}, "docker_auth: must be a mapping, and its values must be strings"),
        ({"docker_auth": {"password": 5}}, "docker_auth: must be a mapping, and its values must be strings"),
        (
            {"backend_config": {"a": object()}},
            "backend_config: cannot be written as JSON: Object of type object",
        ),
    ],
)
def test_no_argument_is_a_python_trace(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    (tmp_path / "MLproject").write_text("entry_points: {main: {command: 'true'}}\n")
    with pytest.raises(projrun.RequestError, match=message):
        projrun.run(tmp_path, env_manager="local", tracking_uri=f"sqlite:///{tmp_path}/runs.db", **arguments)  # type: ignore[arg-type]


def test_parameters_are_passed_as_their_text() -> None:
    given = parameters_from({"a": None, "b": 0.5, "c": True})
    assert {name: value.text for name, value in given.items()} == {"a": "None", "b": "0.5", "c": "True"}
    assert parameters_from(None) == {}


def test_a_registry_login_is_a_mapping_of_strings() -> None:
    assert registry_login_from({"username": "ada"}) == {"username": "ada"}
    assert registry_login_from(None) == {}


def test_the_errors_that_are_promised_can_be_imported() -> None:
    assert set(projrun.__all__) <= set(dir(projrun))
    for name in projrun.__all__:
        assert getattr(projrun, name) is not None
    assert issubclass(projrun.SourceError, projrun.ProjrunError)
    assert issubclass(projrun.RunFailedError, projrun.ProjrunError)
    with pytest.raises(AttributeError, match="nothing"):
        projrun.nothing  # noqa: B018 - the attribute is asked for
