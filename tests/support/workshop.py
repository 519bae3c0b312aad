"""Projects whose environments are built by real `projrun run` processes from a folder of tiny wheels."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from projrun.cache.entries import ContentCache, Entry
from tests.backends.environments.python.packages import make_wheel, offline, write_files
from tests.support.commands import Completed, projrun_argv, run_projrun

SCRIPT = """\
import importlib, sys
print(*(importlib.import_module(name).VERSION for name in sys.argv[1:]))
"""


class Workshop:
    """A data folder, a cache and wheels of one test: what is not there cannot be installed."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.wheels = folder / "wheels"
        self.home = folder / "home"
        for version in ("1.0", "2.0"):
            make_wheel(self.wheels, "sprocket", version)
        settings = offline(self.wheels)
        for name in [name for name in os.environ if name not in settings]:
            monkeypatch.delenv(name)
        for name, value in {**settings, "PROJRUN_HOME": str(self.home)}.items():
            monkeypatch.setenv(name, value)

    @property
    def cache(self) -> Path:
        """Where environments are built, unless a test says otherwise."""
        return self.home / "cache" / "environments"

    def project(self, *requirements: str, name: str = "project", imports: str = "sprocket") -> Path:
        """A project that prints the versions of the modules that it imports."""
        listed = "".join(f"{line}\n" for line in requirements)
        mlproject = f'entry_points: {{main: {{command: "python script.py {imports}"}}}}\n'
        files = {"MLproject": mlproject, "script.py": SCRIPT, "requirements.txt": listed}
        return write_files(self.folder / name, files)

    def run(self, *arguments: str | Path, environ: Mapping[str, str] | None = None) -> Completed:
        """`projrun run` to its end."""
        return run_projrun("run", *arguments, cwd=self.folder, environ=environ)

    def start(
        self, *arguments: str | Path, environ: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """`projrun run`, started."""
        return subprocess.Popen(
            [*projrun_argv(), "run", *map(str, arguments)],
            cwd=self.folder,
            env={**os.environ, **(environ or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def last_run(self) -> dict[str, Any]:
        """What is recorded of the newest run."""
        listed = run_projrun("runs", "list", "--json", "-n", "1").check()
        (run,) = json.loads(listed.stdout)["runs"]
        shown: dict[str, Any] = json.loads(
            run_projrun("runs", "show", run["run_id"], "--json").check().stdout
        )
        return shown

    def artifact(self, path: str) -> str:
        """The text of an artifact of the newest run."""
        return Path(self.last_run()["artifact_folder"], path).read_text(encoding="utf-8")

    def entries(self) -> list[Entry]:
        """What is in the environment cache."""
        return ContentCache(self.cache).entries()
