"""docs/tutorial.md, word for word: MLflow's tutorial with real conda environments, from a project to predictions."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.commands import Completed, require_tool, run_command
from tests.support.conda import conda_forge
from tests.support.guard import PACKAGE_CACHE, REPOSITORY
from tests.support.ports import free_port

pytestmark = pytest.mark.integration

TEXT = (REPOSITORY / "docs" / "tutorial.md").read_text(encoding="utf-8")
PROJECT = REPOSITORY / "example_projects" / "sklearn_elasticnet_wine" / "conda"


class Reader:
    """Does what the tutorial says, in a shell, as far as it was read."""

    def __init__(self, folder: Path) -> None:
        condarc = folder / "condarc"
        condarc.write_text(f"custom_channels: {{conda-forge: '{conda_forge().as_uri()}'}}\n")
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # Environments are kept: later turns build none.
        self._environ = {
            "PATH": path, "PROJRUN_HOME": str(folder / "projrun"), "PROJRUN_CACHE_DIR": str(PACKAGE_CACHE / "projrun"),
            "PROJRUN_ENV_MANAGER": "conda", "CONDARC": str(condarc), "PIP_CACHE_DIR": str(PACKAGE_CACHE / "pip"),
        }  # fmt: skip
        self._lines = iter(
            [line for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL) for line in block.splitlines()]
        )
        self._port = str(free_port())
        self._log = folder / "serve.log"
        self._folder = REPOSITORY
        self.model = ""
        """The PATH that the tutorial tells to look up."""

    def line(self, beginning: str) -> str:
        """The next line of the tutorial, with this machine's port and path."""
        line: str = next(self._lines)
        assert line.startswith(beginning), line
        return line.replace("PATH", shlex.quote(self.model)).replace("1234", self._port)

    def enter(self, beginning: str) -> None:
        """Change the folder."""
        self._folder /= self.line(beginning).split()[1]

    def do(self, beginning: str) -> Completed:
        """Do the next line."""
        shell = ["sh", "-c", self.line(beginning)]
        return run_command(shell, cwd=self._folder, environ=self._environ, timeout=600).check()

    def rest(self) -> list[str]:
        """The lines that were not read yet."""
        return list(self._lines)

    @contextmanager
    def serving(self, beginning: str) -> Iterator[None]:
        """While the server of the next line answers; Ctrl-C ends it."""
        with self._log.open("w") as log:
            process = subprocess.Popen(
                shlex.split(self.line(beginning)),
                cwd=self._folder,
                env={**os.environ, **self._environ},
                stdout=log,
                stderr=log,
            )
        try:
            self._wait(process)
            yield
            process.send_signal(signal.SIGINT)
            assert process.wait(30) in (0, 130), self._log.read_text()
        finally:
            process.kill()
            process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 600
        while f"listening on http://127.0.0.1:{self._port}" not in self._log.read_text():
            assert process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.1)


def test_the_tutorial(tmp_path: Path) -> None:
    require_tool("curl")
    reader = Reader(tmp_path)
    reader.enter("cd ")
    trained = reader.do("projrun run . -P alpha=0.42")
    assert "rmse: 0.4456" in trained.stdout
    assert re.search(r"projrun: model: projrun models serve -m runs:/\w{32}/model\n", trained.stderr)
    (reader.model,) = re.findall(
        "(?m)^folder +(.*)$", reader.do("projrun models show runs:/latest/model").stdout
    )
    assert Path(reader.model, "MLmodel").is_file()
    with reader.serving("projrun models serve -m PATH -p 1234"):
        curl = reader.line("curl -X POST ")
        ask(curl)
    reader.do("projrun models register ")
    reader.do("projrun models alias wine/1 champion")
    with reader.serving("projrun models serve -m models:/wine@champion"):
        ask(curl)
    assert "rmse: 0.4327" in reader.do("projrun run . -P alpha=0.1").stdout
    assert reader.do("projrun runs list").stdout.count("FINISHED") == 2
    assert reader.do("projrun models register ").stdout == "registered wine/2 as @champion\n"
    assert re.search("(?m)^wine\t2\tchampion\t", reader.do("projrun models versions wine").stdout)
    assert reader.rest() == []


def ask(curl: str) -> None:
    """The request of the tutorial, and about the answer that it shows."""
    (prediction,) = json.loads(run_command(["sh", "-c", curl]).check().stdout)["predictions"]
    (shown,) = re.findall(r'\{"predictions": \[([\d.]+)\]\}', TEXT)
    assert prediction == pytest.approx(float(shown), abs=0.01)


@pytest.mark.parametrize("name", ["conda.yaml", "MLproject"])
def test_the_files_are_those_of_the_example(name: str) -> None:
    assert f"```yaml\n{(PROJECT / name).read_text(encoding='utf-8')}```" in TEXT
