from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projrun.errors import RequestError
from projrun.project.entry_points import find_entry_point
from projrun.project.loader import load_project
from projrun.project.model import Location
from tests.project.support import load_text, refusal
from tests.support.projects import write_project

WHOLE = """\
name: demo
python_env: env.yaml
x-tool: {anything: [1, 2]}
entry_points:
  main:
    description: ignored
    parameters:
      alpha: float
      beta: {type: float, default: 0.10}
    command: "python train.py {alpha} {beta}"
  evaluate:
    command: |
      python evaluate.py
"""


def test_a_whole_file(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").write_text("python: '3.11'\n")
    project = load_text(tmp_path, WHOLE)
    assert project.directory == tmp_path
    assert project.name == "demo"
    assert project.file == tmp_path / "MLproject"
    assert project.environment.file == tmp_path / "env.yaml"
    assert list(project.entry_points) == ["main", "evaluate"]
    main = project.entry_points["main"]
    assert main.command == "python train.py {alpha} {beta}"
    assert main.location == Location("MLproject", 10, 14)
    assert main.parameters["alpha"].location == Location("MLproject", 8, 7)
    assert main.parameters["beta"].default == "0.10"
    assert project.entry_points["evaluate"].command == "python evaluate.py\n"
    assert project.warnings == ()


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "entry_points:\n", "name:\n", "entry_points: {}\n", "{}"]
)
def test_empty_means_none(tmp_path: Path, text: str) -> None:
    project = load_text(tmp_path, text)
    assert project.entry_points == {}
    assert project.name is None
    assert project.environment.kind == "none"


def test_null_parameters_are_none(tmp_path: Path) -> None:
    project = load_text(tmp_path, "entry_points: {main: {parameters: , command: run}}")
    assert project.entry_points["main"].parameters == {}


def test_names_and_commands_keep_their_text(tmp_path: Path) -> None:
    project = load_text(tmp_path, "name: 010\nentry_points:\n  yes: {command: 5}\n")
    assert project.name == "010"
    assert project.entry_points["yes"].command == "5"


def test_anchors_and_merges(tmp_path: Path) -> None:
    text = """
x-common: &common
  alpha: {type: float, default: 1e-5}
entry_points:
  main: {parameters: {<<: *common, n: int}, command: run}
  again: {parameters: *common, command: run}
"""
    project = load_text(tmp_path, text)
    assert list(project.entry_points["main"].parameters) == ["alpha", "n"]
    assert project.entry_points["again"].parameters["alpha"].default == "1e-5"


REFUSED = {
    "a list": ("- a\n", "MLproject:1:1: MLproject must be a mapping"),
    "a word": ("hello\n", "MLproject:1:1: MLproject must be a mapping"),
    "entry points as a list": ("entry_points:\n  - main\n", "MLproject:2:3: entry_points must be a mapping"),
    "an entry point that is null": (
        "entry_points:\n  main:\n",
        "MLproject:2:3: entry point 'main' has no command",
    ),
    "an entry point that is text": (
        "entry_points:\n  main: run\n",
        "MLproject:2:9: entry point 'main' must be",
    ),
    "no command": (
        "entry_points:\n  main: {parameters: {}}\n",
        "MLproject:2:3: entry point 'main' has no command",
    ),
    "a null command": (
        "entry_points:\n  main:\n    command:\n",
        "MLproject:2:3: entry point 'main' has no command",
    ),
    "a blank command": (
        "entry_points:\n  main: {command: ' '}\n",
        "MLproject:2:3: entry point 'main' has no",
    ),
    "a list as command": (
        "entry_points:\n  main: {command: [a, b]}\n",
        "MLproject:2:19: command must be text",
    ),
    "a list as name": ("name: [a]\n", "MLproject:1:7: name must be text"),
    "parameters as a list": (
        "entry_points:\n  main: {command: x, parameters: [a]}\n",
        "MLproject:2:34: parameters must be a mapping",
    ),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_line_and_column(tmp_path: Path, text: str, message: str) -> None:
    error = refusal(tmp_path, text)
    assert error.message.startswith(message)
    assert error.exit_code == 2
    place = error.message.split(":", 3)
    shown, caret = error.detail.split("\n")
    assert shown == text.split("\n")[int(place[1]) - 1].rstrip()
    assert caret == " " * (int(place[2]) - 1) + "^"


def test_the_file_is_named_as_it_is_spelt(tmp_path: Path) -> None:
    (tmp_path / "mlproject").write_text("- a")
    with pytest.raises(RequestError, match=r"^mlproject:1:1: "):
        load_project(tmp_path)


@pytest.mark.parametrize("name", ["gone", "file", "a\0b", "file/below", "x" * 5000])
def test_what_is_no_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match="the project folder") as caught:
        load_project(tmp_path / name)
    assert caught.value.hint


def test_a_folder_without_a_file_is_a_project(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    project = load_project(tmp_path)
    assert project.file is None
    assert project.environment.kind == "requirements"
    assert project.entry_points == {}
    assert project.warnings == ()


def test_a_misnamed_file_warns(tmp_path: Path) -> None:
    (tmp_path / "MLproject.yaml").write_text("entry_points: {main: {command: x}}")
    project = load_project(tmp_path)
    assert project.entry_points == {}
    assert project.warnings == ("MLproject.yaml is not read: the file must be called MLproject",)


def test_relative_folders_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_text(tmp_path / "p", "name: x")
    monkeypatch.chdir(tmp_path)
    assert load_project(Path("p")).directory == tmp_path / "p"


WORDS = st.sampled_from(
    [
        "name",
        "entry_points",
        "main",
        "command",
        "parameters",
        "docker_env",
        "image",
        "volumes",
        "environment",
        "python_env",
        "uv_env",
        "type",
        "default",
        "min",
        "max",
        "choices",
        "pattern",
        "required",
        "secret",
        "float",
        "path",
        "1",
        ".nan",
        "yes",
        "~",
        "(",
        "*a",
        "&a",
        "<<",
        "..",
        "/",
        "\x00",
        "é",
        "a b",
        "!!int",
        "0x",
    ]
)
VALUES = st.recursive(
    WORDS,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(st.tuples(WORDS, inner), max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        )
    ),
    max_leaves=12,
)


@given(
    st.binary(max_size=200)
    | VALUES.map(str.encode)
    | VALUES.map(lambda text: f"entry_points: {text}".encode())
)
def test_any_bytes_load_or_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    (folder / "MLproject").write_bytes(data)
    try:
        load_project(folder)
    except RequestError as error:
        assert "\n" not in error.message
        assert error.message.isprintable()


DUPLICATES = """\
entry_points:
  main:
    parameters:
    command: first
    parameters: {a: {default: 1}}
    command: second {a}
"""


def test_of_two_equal_keys_the_last_one_counts_with_a_warning(tmp_path: Path) -> None:
    """As in MLflow; an empty `parameters:` before the real one is seen in the wild."""
    load_text(tmp_path / "project", DUPLICATES)
    for _ in range(2):  # read, and then kept
        project = load_project(tmp_path / "project", tmp_path / "cache")
        assert project.entry_points["main"].command == "second {a}"
        assert list(project.entry_points["main"].parameters) == ["a"]
        assert project.warnings == (
            "MLproject:5:5: duplicate key 'parameters', first used on line 3; keep one of them: the last one counts",
            "MLproject:6:5: duplicate key 'command', first used on line 4; keep one of them: the last one counts",
        )


def test_unknown_keys_are_said_when_a_project_runs_also_from_the_cache(tmp_path: Path) -> None:
    write_project(tmp_path, "nmae: x\nentry_points: {main: {command: run, descripton: y}}\n")
    for _ in range(2):
        warnings = load_project(tmp_path, tmp_path / "cache").warnings
        assert [text.partition("; did")[0] for text in warnings] == [
            "MLproject:1:1: the project has an unknown key 'nmae'",
            "MLproject:2:37: entry point 'main' has an unknown key 'descripton'",
        ]


def test_a_misspelt_key_stops_who_needs_it(tmp_path: Path) -> None:
    write_project(tmp_path, "entry_points:\n  a: {command: x, paramaters: {p: int}}\n  b: {command: x}\n")
    project = load_project(tmp_path)
    assert find_entry_point(project, "b").command == "x"
    with pytest.raises(RequestError, match=r"MLproject:2:19: .*did you mean 'parameters'\?"):
        find_entry_point(project, "a")
    write_project(tmp_path, "entry-points: {}\n")
    with pytest.raises(RequestError, match=r"did you mean 'entry_points'\?"):
        load_project(tmp_path)
