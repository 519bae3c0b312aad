"""Which conda the user asks for, and how it is called: tested with a stand-in that records its arguments.

No conda, mamba or micromamba can be installed from a package index, so none is run here.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from projrun.environments.protocol import EnvironmentRequest
from projrun.environments.registry import get_manager, select_manager
from projrun.errors import EnvironmentBuildError
from projrun.testing.commands import run_in
from projrun.testing.environments import prepare
from projrun_backends.environments.conda.programs import CondaProgram, find_program
from tests.backends.environments.python.packages import make_request, make_wheel, offline, write_files

pytestmark = pytest.mark.integration  # builds real environments

STAND_IN = """\
#!{python}
import json, os, pathlib, subprocess, sys

arguments = sys.argv[1:]
file = pathlib.Path(arguments[arguments.index("--file") + 1])
call = {{"argv": arguments, "cwd": os.getcwd(), "file": file.read_text(), "suffix": file.suffix}}
with open({record!r}, "a") as record:
    record.write(json.dumps(call) + "\\n")
if {fail!r}:
    print("PackagesNotFoundError: nosuch")
    raise SystemExit(1)
prefix = pathlib.Path(arguments[arguments.index("--prefix") + 1])
assert not prefix.exists()
subprocess.run([sys.executable, "-m", "virtualenv", "--quiet", prefix], check=True)
(prefix / "conda-meta").mkdir()
(prefix / "conda-meta/history").touch()
(prefix / "conda-meta/cog-1.0-0.json").write_text(json.dumps({{
    "url": "https://user:hush@host/c/noarch/cog-1.0-0.conda", "sha256": "{digest}",
}}))
(prefix / "bin/cog").write_text("#!/bin/sh\\necho cog 1.0\\n")
(prefix / "bin/cog").chmod(0o755)
"""


class StandIn:
    """A program that does to a prefix what conda would, and remembers how it was called."""

    def __init__(self, folder: Path, name: str = "conda", *, fail: bool = False) -> None:
        self.path = folder / name
        self._record = folder / f"{name}.calls"
        text = STAND_IN.format(python=sys.executable, record=str(self._record), fail=fail, digest="a" * 64)
        folder.mkdir(parents=True, exist_ok=True)
        self.path.write_text(text)
        self.path.chmod(0o755)

    def call(self) -> dict[str, object]:
        (line,) = self._record.read_text().splitlines()
        call: dict[str, object] = json.loads(line)
        return call


def request_for(folder: Path, **environ: str) -> EnvironmentRequest:
    make_wheel(folder / "wheels", "sprocket", "1.0")
    text = "name: x\nchannels: [conda-forge]\ndependencies:\n  - python=3.11\n  - forge::cog\n"
    write_files(
        folder / "project", {"conda.yaml": text + "  - pip: [sprocket]\nvariables: {GREETING: hello}\n"}
    )
    variables = {**offline(folder / "wheels"), **environ}
    return make_request(folder / "project", "conda_env", "conda.yaml", environ=variables)


def test_conda_creates_the_environment_and_pip_its_list(tmp_path: Path) -> None:
    stand_in = StandIn(tmp_path / "bin")
    request = request_for(tmp_path, PROJRUN_CONDA_EXE=str(stand_in.path))
    manager = get_manager("conda")
    resolved = manager.resolve(request)
    assert str(stand_in.path) in resolved.summary
    prepared = prepare(manager, request)
    call = stand_in.call()
    argv = call["argv"]
    assert isinstance(argv, list)
    assert argv[:3] == ["env", "create", "--prefix"]
    assert argv[4] == "--file"
    assert len(argv) == 6
    assert call["cwd"] == str(request.project_directory)
    assert call["suffix"] == ".yml"
    # As the author wrote it, without the pip list, and with what installs that.
    assert call["file"] == "channels:\n- conda-forge\ndependencies:\n- python=3.11\n- forge::cog\n- pip\n"
    command = 'cog; python -c "import sprocket; print(sprocket.VERSION)"; echo $GREETING'
    assert run_in(prepared, request, command, tmp_path).output == "cog 1.0\n1.0\nhello"
    assert prepared.lock is not None
    assert prepared.lock.splitlines()[2:] == [
        "@EXPLICIT",
        f"https://host/c/noarch/cog-1.0-0.conda#sha256:{'a' * 64}",
        "# pip sprocket==1.0",
    ]
    assert "hush" not in prepared.lock


@pytest.mark.parametrize(
    ("name", "locked", "words"),
    [
        ("mamba", False, ["env", "create", "--prefix"]),
        ("micromamba", False, ["create", "--yes", "--prefix"]),
        ("conda", True, ["create", "--yes", "--prefix"]),
    ],
)
def test_how_the_others_are_called(tmp_path: Path, name: str, locked: bool, words: list[str]) -> None:
    stand_in = StandIn(tmp_path / "bin", name)
    request = request_for(tmp_path, PROJRUN_CONDA_EXE=str(stand_in.path))
    if locked:
        write_files(tmp_path, {"lock": "@EXPLICIT\nhttps://host/c/noarch/cog-1.0-0.conda\n"})
        request = request._replace(lock_file=tmp_path / "lock")
    prepare(get_manager("conda"), request)
    call = stand_in.call()
    assert isinstance(call["argv"], list)
    assert call["argv"][:3] == words
    if locked:
        assert call["file"] == "@EXPLICIT\nhttps://host/c/noarch/cog-1.0-0.conda\n"


def test_what_it_says_is_in_the_error(tmp_path: Path) -> None:
    request = request_for(tmp_path, PROJRUN_CONDA_EXE=str(StandIn(tmp_path / "bin", fail=True).path))
    manager = get_manager("conda")
    with pytest.raises(
        EnvironmentBuildError, match=r"conda\.yaml could not be built: conda failed"
    ) as raised:
        prepare(manager, request)
    assert raised.value.detail == "PackagesNotFoundError: nosuch"
    assert not manager.resolve(request).exists


def test_a_program_that_makes_no_environment_is_an_error(tmp_path: Path) -> None:
    write_files(tmp_path / "bin", {"conda": "#!/bin/sh\n"})
    (tmp_path / "bin/conda").chmod(0o755)
    request = request_for(tmp_path, PROJRUN_CONDA_EXE=str(tmp_path / "bin/conda"))
    with pytest.raises(EnvironmentBuildError) as raised:
        prepare(get_manager("conda"), request)
    assert "created no conda environment" in raised.value.detail


def find(folder: Path, *programs: str, **environ: str) -> CondaProgram | None:
    for path in programs:
        StandIn(folder / path.rpartition("/")[0], path.rpartition("/")[2])
    filled = {name: value.format(folder=folder) for name, value in environ.items()}
    return find_program({"HOME": str(folder), "PATH": str(folder / "path"), **filled})


@pytest.mark.parametrize(
    ("environ", "expected", "origin"),
    [
        ({"CONDA_EXE": "{folder}/root/bin/conda"}, "root/bin/conda", "$CONDA_EXE"),
        ({"MAMBA_EXE": "{folder}/path/micromamba"}, "path/micromamba", "$MAMBA_EXE"),
        (
            {"MLFLOW_CONDA_HOME": "{folder}/root", "CONDA_EXE": "{folder}/path/conda"},
            "root/bin/conda",
            "$MLFLOW_CONDA_HOME",
        ),
        (
            {"MLFLOW_CONDA_HOME": "{folder}/root", "MLFLOW_CONDA_CREATE_ENV_CMD": "mamba"},
            "root/bin/mamba",
            "$MLFLOW_CONDA_HOME",
        ),
        (
            {"CONDA_EXE": "{folder}/root/bin/conda", "MLFLOW_CONDA_CREATE_ENV_CMD": "mamba"},
            "root/bin/mamba",
            "$MLFLOW_CONDA_CREATE_ENV_CMD",
        ),
        (
            {
                "CONDA_EXE": "{folder}/root/bin/conda",
                "MLFLOW_CONDA_CREATE_ENV_CMD": "{folder}/path/micromamba",
            },
            "path/micromamba",
            "$MLFLOW_CONDA_CREATE_ENV_CMD",
        ),
        (
            {"PROJRUN_CONDA_EXE": "{folder}/path/micromamba", "MLFLOW_CONDA_HOME": "{folder}/root"},
            "path/micromamba",
            "--conda-exe",
        ),
        ({"PROJRUN_CONDA_EXE": "micromamba"}, "path/micromamba", "--conda-exe"),
        (
            {"MLFLOW_CONDA_CREATE_ENV_CMD": "micromamba"},
            "path/micromamba",
            "$MLFLOW_CONDA_CREATE_ENV_CMD",
        ),
    ],
)
def test_the_program_that_is_asked_for(
    tmp_path: Path, environ: dict[str, str], expected: str, origin: str
) -> None:
    programs = ("root/bin/conda", "root/bin/mamba", "path/micromamba", "path/conda")
    assert find(tmp_path, *programs, **environ) == CondaProgram(tmp_path / expected, origin)


@pytest.mark.parametrize(
    "environ",
    [
        {},  # one on PATH is not asked for
        {"CONDA_EXE": "{folder}/gone/conda"},
        {"PROJRUN_CONDA_EXE": "rattler", "CONDA_EXE": "{folder}/path/conda"},
    ],
)
def test_else_py_rattler_is_used(tmp_path: Path, environ: dict[str, str]) -> None:
    pytest.importorskip("rattler")
    assert find(tmp_path, "path/conda", **environ) is None


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"PROJRUN_CONDA_EXE": "mamba"}, "mamba not found on PATH"),
        ({"PROJRUN_CONDA_EXE": "{folder}/gone/conda"}, "gone/conda is not a program"),
        ({"MLFLOW_CONDA_HOME": "{folder}/gone"}, "gone/bin/conda is not a program"),
    ],
)
def test_one_that_is_not_there_is_an_error(tmp_path: Path, environ: dict[str, str], problem: str) -> None:
    with pytest.raises(EnvironmentBuildError, match=problem) as raised:
        find(tmp_path, **environ)
    assert raised.value.exit_code == 4
    assert "rattler" in raised.value.hint


@pytest.fixture
def without_rattler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rattler", None)


@pytest.mark.usefixtures("without_rattler")
def test_without_py_rattler_a_conda_on_path_will_do(tmp_path: Path) -> None:
    assert find(tmp_path, "path/mamba") == CondaProgram(tmp_path / "path/mamba", "found on PATH")
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path / "path")}
    assert get_manager("conda").available(environ)
    environ |= {"CONDA_CHANNEL_ALIAS": tmp_path.as_uri()}
    for channel in ("conda-forge", "forge"):
        (tmp_path / channel).mkdir()
    request = request_for(tmp_path)
    assert select_manager(None, "", request._replace(environ=environ)).reason == (
        f"conda: found at {tmp_path / 'path/mamba'}"
    )


@pytest.mark.usefixtures("without_rattler")
def test_without_either_the_error_says_what_to_install(tmp_path: Path) -> None:
    request = request_for(tmp_path, PATH=os.defpath)
    assert not get_manager("conda").available(request.environ)
    with pytest.raises(EnvironmentBuildError, match="neither is installed") as raised:
        get_manager("conda").resolve(request)
    assert "pip install 'projrun[conda]'" in raised.value.hint
    assert select_manager(None, "", request).reason == "uv: conda is not installed"
    write_files(request.project_directory, {"conda.yaml": "dependencies: [forge::openjdk, cog]\n"})
    with pytest.raises(EnvironmentBuildError, match=r"only conda can install: forge::openjdk$") as raised:
        select_manager(None, "", request)
    assert "pip install 'projrun[conda]'" in raised.value.hint
