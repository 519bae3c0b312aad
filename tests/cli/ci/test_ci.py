"""What GitHub Actions and GitLab are told of a run, and JUnit XML; hostile texts stay texts."""

from __future__ import annotations

import html
import re
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from projrun.cli.ci.conclusion import Conclusion
from projrun.cli.ci.junit import write_junit
from projrun.cli.ci.summary import append_summary, plain
from projrun.cli.ci.systems import GitHub, GitLab
from projrun.cli.execution import execute
from tests.support.projects import write_project

MLPROJECT = """
name: demo
entry_points:
  main:
    parameters:
      word: {type: string, default: plain}
      token: {type: string, secret: true, default: ''}
    command: "printf '::error::%s' {word}; exit $CODE"
"""
HOSTILE = "x::error::y\n::error file=a,line=1::z %0A \x1b[31m"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PROJRUN_ENV_MANAGER", "local")
    monkeypatch.setenv("CODE", "0")
    return write_project(tmp_path / "work" / "project", MLPROJECT)


@pytest.fixture
def summary(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """GitHub Actions."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "work"))
    return tmp_path / "summary.md"


def commands(text: str) -> list[str]:
    """The lines that GitHub's runner takes for workflow commands (`ActionCommand.cs`)."""
    return [line for line in text.splitlines() if line.lstrip().startswith("::") or "##[" in line]


def test_github_folds_the_log_and_gets_a_summary(
    project: Path, summary: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert execute(["run", str(project), "-P", "word=a|b", "-P", "token=s3cret"]) == 0
    out, err = capfd.readouterr()
    assert out == "::error::a|b"  # the command's own output passes as it is
    assert commands(err) == ["::group::preparation", "::endgroup::", "::group::output", "::endgroup::"]
    text = html.unescape(summary.read_text())
    assert "| projrun | demo |\n| --- | --- |\n" in text
    assert "| parameters | word = a|b<br>token = *** |" in text
    assert "| status | FINISHED |" in text
    assert "<code>projrun runs show" in text
    assert "s3cret" not in text + err


def test_a_failure_is_an_annotation_on_the_projects_file(
    project: Path, summary: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODE", "3")
    assert execute(["run", str(project)]) == 3
    annotation = commands(capfd.readouterr().err)[-1]
    assert annotation == "::error file=project/MLproject,line=8,title=projrun%3A demo%3A main::exit code 3"
    assert "exit code 3" in html.unescape(summary.read_text())


def test_no_value_becomes_a_command(
    project: Path, summary: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODE", "3")
    hostile = "a\n::add-mask::b\n \t::error::c\n##[error]d"
    assert execute(["run", str(project), "-P", f"word={hostile}"]) == 3
    out, err = capfd.readouterr()
    assert out == f"::error::{hostile}"
    groups = ["::group::preparation", "::endgroup::", "::group::output", "::endgroup::"]
    assert [line.partition(" ")[0] for line in commands(err)] == [*groups, "::error"]
    assert execute(["run", str(project), "-e", hostile]) == 2
    (annotation,) = commands(capfd.readouterr().err)
    assert annotation.startswith("::error title=")


def test_an_error_before_the_start_is_an_annotation(
    project: Path, summary: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert execute(["run", str(project), "-e", "nothing"]) == 2
    (annotation,) = commands(capfd.readouterr().err)
    assert annotation.startswith("::error title=projrun%3A ")
    assert "'nothing'" in annotation
    assert "ERROR" in summary.read_text()


@pytest.mark.parametrize("how", ["--no-ci", "PROJRUN_CI_OUTPUT", "PROJRUN_PARENT_RUN_ID"])
def test_it_can_be_switched_off_and_nested_runs_leave_it_to_the_outer_one(
    project: Path, summary: Path, capfd: pytest.CaptureFixture[str], how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [how] if how.startswith("-") else []
    if not options:
        monkeypatch.setenv(how, "off")
    assert execute(["run", str(project), *options]) == 0
    assert commands(capfd.readouterr().err) == []
    assert not summary.exists()


def test_gitlab_folds_sections_of_the_same_name(
    project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    assert execute(["run", str(project)]) == 0
    marks = re.findall(r"\x1b\[0Ksection_(start|end):\d+:(projrun_\w+)", capfd.readouterr().err)
    assert [kind for kind, _ in marks] == ["start", "end", "start", "end"]
    assert marks[0][1] == marks[1][1] != marks[2][1] == marks[3][1]


UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's control and format characters, lone surrogates, and separators of lines and paragraphs."""


@given(st.text() | st.just(HOSTILE), st.text() | st.just(HOSTILE))
@example("\xa0", "")
def test_no_text_ends_its_line_or_its_field(title: str, message: str) -> None:
    for line in (GitHub().begin(title), GitHub().error(title, message, "", 0)):
        assert not {"\n", "\r"} & set(line)
    found = re.fullmatch(
        r"::error (?:title=([^:,]*))?::(.*)", GitHub().error(title, message, "", 0), re.DOTALL
    )
    assert found
    for text, written in ((title, found[1] or ""), (message, found[2])):
        for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            written = written.replace(code, character)
        assert written == text
    shown = GitLab().begin(title).rpartition("\x1b[0K")[2]
    assert not {unicodedata.category(character) for character in shown if character != "\t"} & UNSEEN


@given(st.text(max_size=150))
def test_a_cell_of_the_summary_shows_the_text_and_nothing_else(text: str) -> None:
    cell = plain(text)
    assert re.fullmatch(r"(\w|[^\W_]| |&#\d+;)*", cell)
    shown = re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), cell)
    assert shown == text.encode("utf-8", "backslashreplace").decode().replace("\n", " ")


@given(
    name=st.text(min_size=1), reason=st.text() | st.just(HOSTILE), output=st.text() | st.just("]]>" + HOSTILE)
)
def test_junit_is_valid_whatever_the_texts(
    tmp_path_factory: pytest.TempPathFactory, name: str, reason: str, output: str
) -> None:
    file = tmp_path_factory.getbasetemp() / "junit.xml"
    write_junit(file, Conclusion(name, name, "FAILED", reason, parameters=[(name, reason)]), output)
    case = ElementTree.parse(file).getroot().find("testsuite/testcase")
    assert case is not None
    assert case.find("failure") is not None


@pytest.mark.parametrize(
    ("code", "entry_point", "exits", "element"),
    [("0", "main", 0, None), ("3", "main", 3, "failure"), ("0", "nothing", 2, "error")],
)
def test_junit_says_how_it_ended(
    project: Path,
    tmp_path: Path,
    code: str,
    entry_point: str,
    exits: int,
    element: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CODE", code)
    file = tmp_path / "junit.xml"
    words = ["run", str(project), "-e", entry_point, "-P", "word=1%\r2%", "-P", "token=s3cret"]
    assert execute([*words, "--junit-xml", str(file)]) == exits
    suite = ElementTree.parse(file).getroot().find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("1", str(int(element == "failure")))
    assert suite.get("errors") == str(int(element == "error"))
    case = suite.find("testcase")
    assert case is not None
    assert case.get("name") == entry_point
    assert [child.tag for child in case if child.tag != "system-out"] == ([element] if element else [])
    # `::error::1%`, drawn over from the left by `2%`
    assert case.findtext("system-out") == (None if element == "error" else "2%error::1%")
    assert "s3cret" not in file.read_text()
    assert file.read_text().endswith("</testsuites>\n")


@pytest.mark.parametrize(
    ("file", "reason"), [("", "it is a folder"), ("none/x.xml", "its folder does not exist")]
)
def test_a_junit_file_that_cannot_be_written_is_refused_before_the_run(
    project: Path, tmp_path: Path, file: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert execute(["run", str(project), "--junit-xml", str(tmp_path / file)]) == 2
    error = (
        f"projrun: error: --junit-xml: {tmp_path / file} cannot be written: {reason}; give the path of a file"
    )
    assert error in capfd.readouterr().err
    assert not (tmp_path / "home" / "projrun.db").exists()


def test_a_summary_that_cannot_be_written_is_a_warning(
    project: Path, summary: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    summary.mkdir()
    assert execute(["run", str(project)]) == 0
    assert f"projrun: warning: cannot write {summary}: Is a directory" in capfd.readouterr().err


def test_a_long_list_of_parameters_is_cut(tmp_path: Path) -> None:
    many = [(f"p{number}", "x" * 1000) for number in range(1000)]
    append_summary(tmp_path / "summary", Conclusion("p", "main", "FINISHED", parameters=many))
    assert (tmp_path / "summary").stat().st_size < 200_000
    assert "900 more" in (tmp_path / "summary").read_text()
