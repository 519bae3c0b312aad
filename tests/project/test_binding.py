from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.project.binding import GivenValue, bind
from projrun.project.command import LONGEST_COMMAND
from projrun.project.entry_points import find_entry_point
from projrun.project.model import BoundParameter, Project
from projrun.project.shown import public
from tests.project.support import bind_values, binding_error, load_text


def project_with(folder: Path, parameters: str, command: str = "run") -> Project:
    """A project whose `main` declares the parameters, one to a line from line 4 on."""
    lines = "".join(f"      {line}\n" for line in parameters.strip().splitlines())
    return load_text(
        folder,
        f"entry_points:\n  main:\n    parameters:\n{lines or '      {}'}\n    command: {json.dumps(command)}\n",
    )


def test_values_defaults_and_what_is_recorded(tmp_path: Path) -> None:
    project = project_with(tmp_path, "a: float\nb: {type: float, default: 1e-3}", "run {a} {b}")
    bound = bind_values(project, {"a": "5"})
    assert bound.command == "run 5 1e-3"
    assert bound.entry_point == "main"
    assert bound.parameters == (
        BoundParameter("a", "float", "5", "5", "command line"),
        BoundParameter("b", "float", "1e-3", "1e-3", "default"),
    )
    assert bound.warnings == ()


def test_origins_are_kept(tmp_path: Path) -> None:
    project = project_with(tmp_path, "a: string")
    values = {"a": GivenValue("1", "parameters file"), "b": GivenValue("2", "api")}
    entry_point = find_entry_point(project, "main")
    bound = bind(project, entry_point, values, caller_directory=tmp_path, storage_directory=tmp_path)
    assert [parameter.origin for parameter in bound.parameters] == ["parameters file", "api"]


def test_one_missing_parameter_is_one_line(tmp_path: Path) -> None:
    error = binding_error(project_with(tmp_path, "alpha: float"), {})
    assert error.message == "parameter 'alpha' (float) has no value"
    assert error.hint == "give -P alpha=FLOAT"
    assert error.detail == ""


def test_all_missing_parameters_are_named(tmp_path: Path) -> None:
    project = project_with(tmp_path, "alpha: float\nepochs: {type: integer, default: ~}\nmode: choice")
    error = binding_error(project, {})
    assert error.message == "entry point 'main' has no value for alpha, epochs, mode"
    assert error.hint == "give -P alpha=FLOAT -P epochs=INT -P mode=STRING"
    assert error.detail.splitlines() == [
        "parameter 'alpha' (float) has no value",
        "parameter 'epochs' (integer) has no value",
        "parameter 'mode' (string) has no value",
    ]


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    project = project_with(
        tmp_path,
        "missing: float\nkind: int\nfile: path\nspeed: {type: string, choices: [fast, slow]}",
        "run {missing} {nothing}",
    )
    error = binding_error(
        project, {"kind": "1.5", "file": "gone", "speed": "medium", "b@d": "x", "nul": "a\0b"}
    )
    assert error.message == "entry point 'main' has 7 problems"
    assert error.hint == "give -P missing=FLOAT"
    assert error.detail.splitlines() == [
        "parameter 'missing' (float) has no value",
        "the value '1.5' of 'kind' is not an integer",
        f"the path 'gone' of 'file' does not exist in {tmp_path}",
        "the value 'medium' of 'speed' is not one of fast, slow",
        "'b@d' cannot be a parameter's name",
        "the value of 'nul' contains a NUL byte",
        "MLproject:9:29: no value for {nothing} in the command",
    ]


def test_a_misspelt_name_is_told_with_the_missing_one(tmp_path: Path) -> None:
    error = binding_error(project_with(tmp_path, "alpha: float"), {"alhpa": "1"})
    assert "(-P alhpa was given: did you mean 'alpha'?)" in error.message


@pytest.mark.parametrize("value", ["", "x", "1.5", "0x1F"])
def test_ill_typed_values_are_errors(tmp_path: Path, value: str) -> None:
    error = binding_error(project_with(tmp_path, "n: {type: int, default: 1}"), {"n": value})
    assert error.message == f"the value {value!r} of 'n' is not an integer"


@pytest.mark.parametrize("default", ["1.5", "many", "''", "yes"])
def test_ill_typed_defaults_warn(tmp_path: Path, default: str) -> None:
    bound = bind_values(project_with(tmp_path, f"n: {{type: int, default: {default}}}", "run {n}"), {})
    assert len(bound.warnings) == 1
    assert bound.warnings[0].startswith("MLproject:4:7: the default ")
    assert bound.warnings[0].endswith("of 'n' is not an integer")


def test_long_values_are_cut_in_messages(tmp_path: Path) -> None:
    error = binding_error(project_with(tmp_path, "n: int"), {"n": "x" * 5000})
    assert len(error.message) < 120


def test_unknown_types_warn_once_for_each_word(tmp_path: Path) -> None:
    project = project_with(tmp_path, "a: list\nb: {type: list}\nc: flaot")
    bound = bind_values(project, {"a": "1", "b": "2", "c": "x"})
    assert bound.warnings == (
        "unknown type 'list' of a, b is taken as string",
        "unknown type 'flaot' of c is taken as string; did you mean 'float'?",
    )


@pytest.mark.parametrize("given", [{"x": ""}, {}])
def test_an_empty_value_is_quoted(tmp_path: Path, given: dict[str, str]) -> None:
    bound = bind_values(project_with(tmp_path, "x: {type: string, default: ''}", "run {x} end"), given)
    assert bound.command == "run '' end"


def test_optional_parameters_are_left_out(tmp_path: Path) -> None:
    project = project_with(tmp_path, "x: {type: float, required: false}", "run {x} end")
    assert bind_values(project, {}).command == "run  end"
    assert bind_values(project, {}).parameters == ()
    assert bind_values(project, {"x": "1"}).command == "run 1 end"


def test_undeclared_parameters_are_appended_in_the_order_given(tmp_path: Path) -> None:
    bound = bind_values(
        project_with(tmp_path, "a: string", "run {a}\n"), {"z": "1 2", "a": "x", "b.c-d": "$y"}
    )
    assert bound.command == "run x --z '1 2' --b.c-d '$y'"
    assert [(parameter.name, parameter.declared) for parameter in bound.parameters] == [
        ("a", True),
        ("z", False),
        ("b.c-d", False),
    ]


@pytest.mark.parametrize("name", ["", "1a", "-x", "a b", "a=b", "é", "a\n", "a;id"])
def test_names_that_cannot_be_options(tmp_path: Path, name: str) -> None:
    error = binding_error(project_with(tmp_path, "a: {type: string, default: x}"), {name: "1"})
    assert error.message == f"{name!r} cannot be a parameter's name"


def test_an_undeclared_placeholder_is_filled_and_not_appended(tmp_path: Path) -> None:
    project = project_with(tmp_path, "a: {type: string, default: x}", "run {extra} {a}")
    assert bind_values(project, {"extra": "1", "more": "2"}).command == "run 1 x --more 2"


def test_an_undeclared_placeholder_without_a_value_names_its_place(tmp_path: Path) -> None:
    text = (
        "entry_points:\n  main:\n    parameters: {alpha: float}\n"
        "    command: |\n      run a\n      run {alhpa}\n"
    )
    error = binding_error(load_text(tmp_path, text), {"alpha": "1"})
    assert error.message == "MLproject:6:11: no value for {alhpa} in the command; did you mean 'alpha'?"
    assert error.hint == "declare it below `parameters`, or give -P alhpa=VALUE"
    assert error.detail == "      run {alhpa}\n          ^"


MISPLACED = """\
entry_points:
  main:
    parameters: {a: string, token: {secret: true, default: x}}
    command: |
      # of {{a}}
      run {a} "{token}" | tee `cat {a}`
"""


def test_a_value_without_a_safe_form_names_its_place(tmp_path: Path) -> None:
    error = binding_error(load_text(tmp_path, MISPLACED), {"a": "it's"})
    assert error.message == (
        'MLproject:6:36: the value "it\'s" cannot be written safely here: {a} is inside backticks'
    )
    assert error.hint == "write $(…) instead of the backticks"
    assert error.detail.endswith("{a}`\n" + " " * 35 + "^")
    assert bind_values(load_text(tmp_path, MISPLACED), {"a": "its"}).command.endswith("tee `cat its`\n")


def test_a_secret_is_written_by_its_place_and_masked(tmp_path: Path) -> None:
    project = load_text(tmp_path, MISPLACED.replace("`cat {a}`", "x"))
    bound = bind_values(project, {"a": "x y", "token": '"; id'})
    assert 'run \'x y\' "\\"; id" | tee x' in bound.command
    assert "run 'x y' \"***\" | tee x" in bound.shown_command
    refused = load_text(tmp_path, MISPLACED.replace("{a}`", "{token}`"))
    error = binding_error(refused, {"a": "x", "token": "a b"})
    assert "a b" not in error.message + error.hint + error.detail
    assert error.message.startswith("MLproject:6:36: the value (secret) cannot be written safely here")


@pytest.mark.parametrize("command", ["cat <<EOF\nx\nEOF\n", "run # it's", "echo 'x"])
def test_options_are_appended_to_plain_lines_only(tmp_path: Path, command: str) -> None:
    folded = command.replace("\n", "\n      ")
    project = load_text(tmp_path, f"entry_points:\n  main:\n    command: |\n      {folded}\n")
    assert bind_values(project, {"x": "plain"}).command.endswith("--x plain")
    error = binding_error(project, {"x": "$(id)"})
    assert error.message.startswith(
        "MLproject:3:14: the value '$(id)' cannot be written safely here: {x} would be"
    )
    assert error.hint == "name it in the command"


def test_a_near_miss_is_passed_on_with_a_warning(tmp_path: Path) -> None:
    project = project_with(tmp_path, "alpha: {type: float, default: 1}")
    bound = bind_values(project, {"alhpa": "2", "other": "3"})
    assert bound.command == "run --alhpa 2 --other 3"
    assert bound.warnings == (
        "entry point 'main' declares no parameter 'alhpa'; did you mean 'alpha'? It is passed on as it is",
    )


def test_strict_refuses_whatever_is_not_declared(tmp_path: Path) -> None:
    project = project_with(tmp_path, "alpha: {type: float, default: 1}", "run {used}")
    error = binding_error(project, {"alhpa": "2"}, strict=True)
    assert "declares no parameter 'alhpa'; did you mean 'alpha'?" in error.detail
    error = binding_error(project, {"used": "2"}, strict=True)
    assert error.message == "entry point 'main' declares no parameter 'used'"
    assert error.hint == "declared parameters: alpha"
    bind_values(project_with(tmp_path, "alpha: float"), {"alpha": "2"}, strict=True)


def test_paths_are_relative_to_whoever_wrote_them(tmp_path: Path) -> None:
    caller = tmp_path / "caller"
    caller.mkdir()
    (caller / "data").touch()
    project = project_with(tmp_path / "project", "p: {type: path, default: data}", "run {p}")
    (project.directory / "data").touch()
    default = bind_values(project, {}, caller=caller).parameters[0]
    assert (default.raw, default.value) == ("data", str(project.directory / "data"))
    given = bind_values(project, {"p": "data"}, caller=caller)
    assert (given.parameters[0].raw, given.parameters[0].value) == ("data", str(caller / "data"))
    assert given.command == f"run {shlex.quote(str(caller / 'data'))}"


@pytest.mark.parametrize("value", ["gone", "", "/gone", "data/below", "~"])
def test_missing_paths_are_errors(tmp_path: Path, value: str) -> None:
    (tmp_path / "data").touch()
    error = binding_error(project_with(tmp_path, "p: path"), {"p": value})
    assert error.message.startswith(f"the path {value!r} of 'p' does not exist")
    assert error.hint


def test_a_missing_default_path_is_an_error_at_its_line(tmp_path: Path) -> None:
    error = binding_error(project_with(tmp_path, "a: {default: x}\np: {type: path, default: gone}"), {})
    assert error.message.startswith("MLproject:5:7: the path 'gone' of 'p' does not exist")
    assert error.detail == "      p: {type: path, default: gone}\n      ^"


@pytest.mark.parametrize("uri", ["s3://bucket/a/data.csv", "https://host/data.csv?x=1", "runs:/1/data.csv"])
def test_uris_get_a_place_and_are_recorded_as_written(tmp_path: Path, uri: str) -> None:
    bound = bind_values(project_with(tmp_path, "p: path", "run {p}"), {"p": uri})
    parameter = bound.parameters[0]
    place = Path(parameter.value)
    assert (parameter.raw, parameter.download) == (uri, uri)
    assert place.name == "data.csv"
    assert place.parent.parent == tmp_path / "storage"
    assert bound.command == f"run {shlex.quote(str(place))}"
    assert not (tmp_path / "storage").exists()


def test_uris_that_cannot_be_downloaded(tmp_path: Path) -> None:
    project = project_with(tmp_path, "p: path")
    error = binding_error(project, {"p": "ftp://user:hunter2@host/x"})
    assert "scheme 'ftp', which cannot be downloaded" in error.message
    assert "hunter2" not in error.message + error.hint + error.detail
    assert "scheme 'hdfs', which cannot be" in binding_error(project, {"p": "hdfs:/x"}).message
    error = binding_error(project, {"p": "file:///gone"})
    assert error.message == "the path 'file:///gone' of 'p' does not exist"


def test_a_file_uri_is_used_in_place_and_recorded_as_written(tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    uri = f"file://{tmp_path}/a%20b"
    bound = bind_values(project_with(tmp_path, "p: path", "run {p}"), {"p": uri})
    assert bound.command == f"run '{tmp_path}/a b'"
    assert (bound.parameters[0].raw, bound.parameters[0].download) == (uri, None)


def test_uri_parameters_pass_untouched(tmp_path: Path) -> None:
    project = project_with(tmp_path, "u: uri", "run {u}")
    assert bind_values(project, {"u": "S3://Bucket//x/../y"}).command == "run S3://Bucket//x/../y"
    assert "is not a URI" in binding_error(project, {"u": "data.csv"}).message


def test_secrets_are_in_no_message(tmp_path: Path) -> None:
    project = project_with(
        tmp_path,
        "t: {type: int, secret: true, default: hunter2}\np: {type: path, secret: true, default: hunter2}",
    )
    for given in ({}, {"t": "hunter2"}, {"t": "1", "p": "hunter2"}, {"t": "1"}, {"t": "hunter2\0"}):
        error = binding_error(project, given)
        assert "hunter2" not in error.message + error.hint + error.detail


def test_credentials_of_addresses_are_in_no_message(tmp_path: Path) -> None:
    project = project_with(tmp_path, "u: {type: uri, choices: ['https://host']}\np: path")
    given = {"u": "https://me:hunter2@host", "p": "https://me:hunter2@host/x"}
    error = binding_error(project, given)
    assert "hunter2" not in error.message + error.hint + error.detail


def test_a_download_is_shown_without_its_credentials(tmp_path: Path) -> None:
    (parameter,) = bind_values(
        project_with(tmp_path, "p: path"), {"p": "https://me:hunter2@host/x?v=1"}
    ).parameters
    assert parameter.download == "https://me:hunter2@host/x?v=1"
    assert (public(parameter).raw, public(parameter).download) == ("https://host/x?v=1", "https://host/x?v=1")


def test_a_secret_default_warns_without_its_value(tmp_path: Path) -> None:
    bound = bind_values(project_with(tmp_path, "t: {type: int, secret: true, default: hunter2}"), {})
    assert bound.warnings == ("MLproject:4:7: the default (secret) of 't' is not an integer",)


def test_a_secret_in_the_command_is_masked_where_it_is_shown(tmp_path: Path) -> None:
    bound = bind_values(
        project_with(tmp_path, "t: {type: string, secret: true}", "run {t}"), {"t": "hunter2"}
    )
    assert bound.command == "run hunter2"
    assert "hunter2" not in bound.shown_command
    assert bound.parameters[0].secret


def test_secrets_that_would_share_a_variable(tmp_path: Path) -> None:
    project = project_with(tmp_path, "a-b: {secret: true}\na_b: {secret: true}")
    error = binding_error(project, {"a-b": "1", "a_b": "2"})
    assert error.message == "the secrets 'a-b' and 'a_b' would share the variable PROJRUN_PARAM_A_B"


def test_a_secret_longer_than_the_system_takes(tmp_path: Path) -> None:
    project = project_with(tmp_path, "t: {secret: true}")
    assert "too long" in binding_error(project, {"t": "x" * LONGEST_COMMAND}).message


@pytest.mark.parametrize("value", ["a\0b", "a\ud800b"])
def test_values_that_no_process_takes(tmp_path: Path, value: str) -> None:
    error = binding_error(project_with(tmp_path, "a: string"), {"a": value})
    assert "of 'a' contains a " in error.message


def test_a_command_that_becomes_too_long(tmp_path: Path) -> None:
    error = binding_error(project_with(tmp_path, "a: string", "run {a}"), {"a": "x" * LONGEST_COMMAND})
    assert "bytes long, more than" in error.message
    assert error.hint


def test_constraints_of_defaults_warn(tmp_path: Path) -> None:
    bound = bind_values(project_with(tmp_path, "a: {type: float, default: 3, max: 2}"), {})
    assert bound.warnings == ("MLproject:4:7: the default '3' of 'a' is more than the maximum 2",)


def test_errors_do_not_depend_on_the_file_still_being_there(tmp_path: Path) -> None:
    project = project_with(tmp_path, "p: {type: path, default: gone}", "run {x}")
    (tmp_path / "MLproject").unlink()
    with pytest.raises(RequestError, match="2 problems"):
        bind_values(project, {})


def bind_recorded(project: Project, caller: Path, **values: GivenValue) -> tuple[BoundParameter, ...]:
    entry_point = find_entry_point(project, "main")
    bound = bind(project, entry_point, values, caller_directory=caller, storage_directory=caller)
    return bound.parameters


def test_a_recorded_default_is_the_projects_default(tmp_path: Path) -> None:
    project = project_with(
        tmp_path / "project",
        'a: {type: path, default: data.txt}\nb: {type: uri, default: "https://me:hush@host/x"}\nc: {default: 1}',
    )
    (tmp_path / "project" / "data.txt").touch()
    recorded = {"a": "data.txt", "b": "https://host/x", "c": "2"}
    values = {name: GivenValue(text, "record") for name, text in recorded.items()}
    bound = {one.name: one for one in bind_recorded(project, tmp_path, **values)}
    assert (bound["a"].origin, bound["a"].value) == ("default", str(tmp_path / "project" / "data.txt"))
    assert (bound["b"].origin, bound["b"].value) == ("default", "https://me:hush@host/x")
    assert (bound["c"].origin, bound["c"].value) == ("record", "2")


def test_what_was_given_is_no_default_though_its_text_is_the_same(tmp_path: Path) -> None:
    project = project_with(tmp_path / "project", "a: {type: path, default: data.txt}")
    for folder in (tmp_path, tmp_path / "project"):
        (folder / "data.txt").touch()
    given = GivenValue("data.txt", "record", tmp_path, is_given=True)
    (bound,) = bind_recorded(project, tmp_path / "project", a=given)
    assert (bound.origin, bound.value) == ("record", str(tmp_path / "data.txt"))


def test_what_is_not_known_to_have_been_given_counts_only_where_the_entry_point_knows_it(
    tmp_path: Path,
) -> None:
    project = project_with(tmp_path, "a: string", "run {a} {named}")
    values = {name: GivenValue(name, "record", if_declared=True) for name in ("a", "named", "logged")}
    assert [one.name for one in bind_recorded(project, tmp_path, **values)] == ["a", "named"]


def test_a_recorded_relative_path(tmp_path: Path) -> None:
    project = project_with(tmp_path / "project", "a: path\nb: path\nc: path")
    for name in ("project/a", "was/a", "was/b", "here/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    was = tmp_path / "was"
    recorded = {name: GivenValue(name, "record", was, ".") for name in "ab"}
    new = GivenValue("c", "command line")
    a, b, c = bind_recorded(project, tmp_path / "here", **recorded, c=new)
    assert [one.value for one in (a, b, c)] == [
        str(tmp_path / name) for name in ("project/a", "was/b", "here/c")
    ]
    assert [one.raw for one in (a, b, c)] == [one.value for one in (a, b, c)]  # no one folder for all of them
    (tmp_path / "was" / "c").touch()
    alone = bind_recorded(project, tmp_path / "here", **recorded, c=GivenValue("c", "record", was, "."))
    assert [one.raw for one in alone] == ["a", "b", "c"]
