"""`projrun models serve --follow`: versions take over where an alias moves, and no request is lost."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.test_models_serve import serving
from tests.support.commands import run_projrun
from tests.support.scoring import send, wait_until

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("light_workers")]

CODE = """
import importlib.metadata

class Model:
    def predict(self, data):
        return [{value} for _ in range(len(data))]

def _load_pyfunc(path):
    {loading}
    return Model()
"""
BODY = json.dumps({"instances": [[1.0]]})


def register(folder: Path, name: str, value: str, loading: str = "pass", needs: tuple[str, ...] = ()) -> None:
    """A version of `wine` that always predicts the value of an expression."""
    model = folder / name
    (model / "code").mkdir(parents=True)
    (model / "code" / f"told_{name}.py").write_text(CODE.format(value=value, loading=loading))
    function = f"{{loader_module: told_{name}, code: code, env: requirements.txt}}"
    (model / "MLmodel").write_text(f"flavors: {{python_function: {function}}}\nmlflow_version: 3.1.0\n")
    (model / "requirements.txt").write_text("".join(f"{need}\n" for need in ("pandas", *needs)))
    run_projrun("models", "register", model, "wine").check()


def alias(version: int) -> None:
    run_projrun("models", "alias", f"wine/{version}", "champion").check()


class Asking:
    """Asks all the time, and keeps what it was answered."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.statuses: list[int] = []
        self.values: list[object] = []

    def ask(self) -> None:
        reply = send(self.port, BODY, "application/json", "/invocations", "POST")
        self.statuses.append(reply.status)
        self.values.append(json.loads(reply.body)["predictions"][0])

    def until(self, value: object) -> bool:
        self.ask()
        return self.values[-1] == value


@contextmanager
def followed(folder: Path, *words: str | Path) -> Iterator[Asking]:
    with serving(folder, "-m", "models:/wine@champion", "--follow=0.2", *words, tries=0) as server:
        (port,) = re.findall(r"http://127\.0\.0\.1:(\d+);", "".join(server.lines))
        yield Asking(int(port))


def test_a_version_takes_over_when_its_alias_moves(mlflow3_python: Path, tmp_path: Path) -> None:
    for number, loading in (
        (1, "pass"),
        (2, "pass"),
        (3, "raise RuntimeError('the weights are not there')"),
        (4, "pass"),
    ):
        register(tmp_path, f"v{number}", str(number), loading)
    alias(1)
    out = tmp_path / "out"
    with followed(tmp_path, "--env", mlflow3_python.parent.parent) as asking:
        asking.ask()
        move = threading.Thread(target=alias, args=(2,))
        move.start()
        wait_until("the second version answers", lambda: asking.until(2))
        move.join()
        alias(3)
        wait_until(
            "the third one fails", lambda: asking.until(2) and "weights are not there; the" in out.read_text()
        )
        alias(4)
        wait_until("the fourth one answers", lambda: asking.until(4))
    assert set(asking.statuses) == {200}
    assert asking.values == sorted(asking.values, key=str), "none goes back"
    assert 3 not in asking.values
    said = out.read_text()
    assert (
        said.count("cannot be loaded: RuntimeError: the weights are not there; the workers stay as they were")
        == 1
    )
    assert said.count("leads to another version; loading it") == 3
    assert said.count("serves another version of the model 'wine'") == 2


def test_a_version_that_needs_another_environment_gets_it(tmp_path: Path) -> None:
    version = "importlib.metadata.version('toolz')"
    register(tmp_path, "old", version, needs=("toolz==0.12.1",))
    register(tmp_path, "new", version, needs=("toolz==1.0.0",))
    alias(1)
    with followed(tmp_path, "--env-manager", "uv") as asking:
        assert asking.until("0.12.1")
        alias(2)
        wait_until("the new version answers", lambda: asking.until("1.0.0"), 300)
    assert set(asking.statuses) == {200}


def test_a_registry_that_fails_leaves_the_model_as_it_was(mlflow3_python: Path, tmp_path: Path) -> None:
    register(tmp_path, "v1", "1")
    register(tmp_path, "v2", "2")
    alias(1)
    out = tmp_path / "out"
    with followed(tmp_path, "--env", mlflow3_python.parent.parent) as asking:
        run_projrun("models", "unalias", "wine@champion").check()
        wait_until("it says so", lambda: asking.until(1) and "stays as it was" in out.read_text())
        alias(2)
        wait_until("the second version answers", lambda: asking.until(2))
    assert out.read_text().count("stays as it was") == 1


@pytest.mark.parametrize("uri", ["models:/wine/1", "./model", "runs:/latest/model", "models:/m-0123"])
def test_an_address_that_cannot_move_is_refused(uri: str) -> None:
    done = run_projrun("models", "serve", "-m", uri, "--follow")
    assert done.returncode == 2
    assert "--follow: no model has an address that may lead to another version" in done.stderr
