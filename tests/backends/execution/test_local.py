"""The local backend: what the command is given, and what is said when it cannot be started."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import EnvironmentBuildError, ProjrunError, RequestError, SourceError
from projrun.execution.protocol import ExecutionBackend, JobSpec
from projrun.execution.registry import check_config
from projrun_backends.execution.local import LocalBackend
from tests.execution.supervision.support import make_spec


def run(spec: JobSpec) -> str:
    """The log of a command that succeeds."""
    backend = LocalBackend()
    outcome = backend.attach(backend.submit(spec, {})).wait()
    log = spec.log_file.read_text()
    assert outcome.status == "FINISHED", f"{outcome}\n{log}"
    return log


def test_it_is_a_backend() -> None:
    backend: ExecutionBackend = LocalBackend()
    assert not backend.capabilities.accepts_config


def test_an_empty_configuration_is_fine() -> None:
    assert check_config(LocalBackend(), {}) == ""


def test_a_configuration_has_no_effect() -> None:
    warning = check_config(LocalBackend(), {"time": 5, "partition": "gpu"})
    assert warning.endswith("the local backend takes no configuration (given: partition, time)")


def test_the_command_is_a_line_of_bash_in_the_projects_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    spec = make_spec(folder, 'words=(x y z); echo "${words[2]} $(pwd)" && printf %s "$BASH_VERSION" | wc -w')
    assert run(spec).split("\n")[:2] == [f"z {folder}", "1"]


def test_the_environment_is_the_jobs_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = make_spec(tmp_path, "env")
    monkeypatch.setenv("OF_THE_RUNNER", "1")
    spec = spec._replace(environ={"PATH": spec.environ["PATH"], "GREETING": "two\nlines"})
    log = run(spec)
    assert "GREETING=two\nlines\n" in log
    assert "OF_THE_RUNNER" not in log


@pytest.mark.parametrize(("given", "seen"), [({}, "1"), ({"PYTHONUNBUFFERED": ""}, "")])
def test_python_is_unbuffered_unless_the_user_says_otherwise(
    tmp_path: Path, given: dict[str, str], seen: str
) -> None:
    spec = make_spec(tmp_path, 'echo "<$PYTHONUNBUFFERED>"')
    assert run(spec._replace(environ={**spec.environ, **given})) == f"<{seen}>\n"


def test_the_prefix_comes_before_the_shell(tmp_path: Path) -> None:
    spec = make_spec(tmp_path, "echo $ADDED", argv_prefix=("env", "ADDED=by the prefix"))
    assert run(spec) == "by the prefix\n"


def refusal(spec: JobSpec) -> ProjrunError:
    with pytest.raises(ProjrunError) as raised:
        LocalBackend().submit(spec, {})
    return raised.value


def test_a_machine_without_bash(tmp_path: Path) -> None:
    error = refusal(make_spec(tmp_path, "true", environ={"PATH": str(tmp_path)}))
    assert isinstance(error, EnvironmentBuildError)
    assert error.message == f"bash was not found on the run's PATH ({tmp_path})"


def test_a_prefix_that_does_not_exist(tmp_path: Path) -> None:
    error = refusal(make_spec(tmp_path, "true", argv_prefix=("no-such-program",)))
    assert isinstance(error, EnvironmentBuildError)
    assert "no-such-program was not found" in error.message


def test_a_bash_that_cannot_be_executed(tmp_path: Path) -> None:
    (tmp_path / "bash").write_text("not a program")
    (tmp_path / "bash").chmod(0o755)
    error = refusal(make_spec(tmp_path, "true", environ={"PATH": str(tmp_path)}))
    assert isinstance(error, EnvironmentBuildError)
    assert error.message == "bash cannot be started: Exec format error"


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    error = refusal(make_spec(tmp_path, "true", directory=tmp_path / "gone"))
    assert isinstance(error, SourceError)
    assert str(tmp_path / "gone") in error.message


def test_a_command_longer_than_the_system_allows(tmp_path: Path) -> None:
    error = refusal(make_spec(tmp_path, "true " + "x" * 5_000_000))
    assert isinstance(error, RequestError)
    assert "longer than the system allows" in error.message
    assert len(error.message) < 200


def test_a_nul_byte_in_the_command(tmp_path: Path) -> None:
    error = refusal(make_spec(tmp_path, "true \0"))
    assert isinstance(error, RequestError)
    assert "null byte" in error.message
