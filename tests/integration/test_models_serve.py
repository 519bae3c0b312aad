"""`projrun models serve` from the command line: the environment, the line to try, trust, and its ends."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.commands import Completed, projrun_argv, run_projrun

pytestmark = pytest.mark.integration


class Serving(NamedTuple):
    """A server that answers."""

    process: subprocess.Popen[str]
    lines: list[str]
    """What it printed until then."""


@contextmanager
def serving(folder: Path, *words: str | Path, tries: int = 1) -> Iterator[Serving]:
    """`projrun models serve` on a free port, once it answers and has said of so many models how to try them."""
    out = folder / "out"
    with out.open("w") as stream:
        process = subprocess.Popen(
            [*projrun_argv(), "models", "serve", "-p", "0", *map(str, words)],
            stdout=stream,
            stderr=stream,
            text=True,
        )
    try:
        deadline = time.monotonic() + 120
        while len(re.findall("listening on .*\n|try it: .*\n", out.read_text())) < 1 + tries:
            assert process.poll() is None, out.read_text()
            assert time.monotonic() < deadline, out.read_text()
            time.sleep(0.05)
        yield Serving(process, out.read_text().splitlines())
    finally:
        process.kill()
        process.wait()


def refused(*words: str | Path) -> Completed:
    return run_projrun("models", "serve", "-p", "0", *words)


def test_the_line_to_try_gets_predictions(mlflow3_python: Path, scoring_models: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(scoring_models / "sklearn", tmp_path / "it's a model"))
    example = {"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, 2.0]]}}
    (model / "example.json").write_text(json.dumps(example))
    with (model / "MLmodel").open("a") as file:
        file.write("saved_input_example_info: {artifact_path: x.json, serving_input_path: example.json}\n")
    with serving(tmp_path, "-m", model, "--env", mlflow3_python.parent.parent) as server:
        (line,) = [line for line in server.lines if "try it:" in line]
        done = subprocess.run(
            shlex.split(line.partition("try it:")[2]), capture_output=True, text=True, check=True
        )
        assert len(json.loads(done.stdout)["predictions"]) > 0
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(120) == 0


@pytest.mark.usefixtures("light_workers")
@pytest.mark.parametrize("name", ["every", "tensor", "tensors"])
def test_a_line_made_from_a_signature_gets_predictions(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path, name: str
) -> None:
    with serving(tmp_path, "-m", scoring_models / name, "--env", mlflow3_python.parent.parent) as server:
        (line,) = [line for line in server.lines if "try it:" in line]
        words = shlex.split(line.partition("try it:")[2])
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["predictions"], done.stdout


def test_a_model_that_cannot_predict_is_refused(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {onnx: {}}\n")
    done = refused("-m", tmp_path)
    assert done.returncode == 2
    assert "has no python_function flavor, and only that can predict; it has: onnx" in done.stderr


def test_the_variable_names_one_model_also_with_spaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tmp_path / "my own model"
    model.mkdir()
    (model / "MLmodel").write_text("flavors: {onnx: {}}\n")
    monkeypatch.setenv("PROJRUN_MODEL_URI", str(model))
    done = refused()
    assert done.returncode == 2
    assert f"{model} has no python_function flavor" in done.stderr


@pytest.mark.usefixtures("light_workers")
def test_a_model_that_does_not_load_ends_with_its_reason(mlflow3_python: Path, tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {python_function: {loader_module: absent_module}}\n")
    done = refused("-m", tmp_path, "--env", mlflow3_python.parent.parent)
    assert done.returncode == 4
    (reason,) = re.findall("projrun: error: .*", done.stderr)
    assert "absent_module" in reason
    assert "Traceback" in done.stderr  # the model's own


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("broken", "its environment has no mlflow, which loads it: add mlflow or mlflow-skinny"),
        ("plain", "its environment has no numpy, which requests need: add numpy"),
    ],
)
def test_what_the_environment_lacks_is_named(
    model: str, reason: str, scoring_models: Path, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    done = refused("-m", scoring_models / model, "--env", venv)
    assert done.returncode == 4
    assert reason in done.stderr


@pytest.mark.usefixtures("light_workers")
def test_a_port_that_is_taken_is_said_before_anything_is_loaded(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    words = ("-m", scoring_models / "sums", "--env", mlflow3_python.parent.parent)
    with serving(tmp_path, *words) as server:
        port = re.findall(r"http://127\.0\.0\.1:(\d+);", "".join(server.lines))[0]
        done = run_projrun("models", "serve", "-p", port, *words)
        assert done.returncode == 2
        assert f"port {port} of 127.0.0.1 is in use" in done.stderr


def test_help_leaves_h_to_the_host() -> None:
    assert "-h, --host HOST" in run_projrun("models", "serve", "--help").check().stdout


@pytest.mark.usefixtures("light_workers")
def test_several_models_are_served_by_their_names(
    mlflow3_python: Path, scoring_models: Path, tmp_path: Path
) -> None:
    words = ("-m", f"a={scoring_models / 'example'}", "-m", scoring_models / "sums")
    with serving(tmp_path, *words, "--env", mlflow3_python.parent.parent, tries=2) as server:
        (line,) = [line for line in server.lines if "listening on" in line]
        assert f"serves a ({scoring_models / 'example'}), sums ({scoring_models / 'sums'})" in line
        lines = [line.partition("try it:")[2] for line in server.lines if "try it:" in line]
        for name, line in zip(("a", "sums"), lines, strict=True):
            assert f"/models/{name}/invocations" in line
            done = subprocess.run(shlex.split(line), capture_output=True, text=True, check=True)
            assert len(json.loads(done.stdout)["predictions"]) == 1


def test_an_error_says_which_of_several_models_it_is_about(scoring_models: Path, tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text("flavors: {onnx: {}}\n")
    done = refused("-m", f"wine={tmp_path}", "-m", f"other={tmp_path}")
    assert done.returncode == 2
    assert f"model 'wine': {tmp_path} has no python_function flavor" in done.stderr
    done = refused("-m", tmp_path, "-m", f"{tmp_path}/.")
    assert (done.returncode, "two models are called" in done.stderr) == (2, True)
