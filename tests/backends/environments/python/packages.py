"""Tiny packages made by hand, so that real environments are built with no index in reach."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from projrun.environments.protocol import EnvironmentRequest
from projrun.project.model import DockerEnv, EnvironmentReference

if TYPE_CHECKING:
    from projrun.project.model import EnvironmentKind


def make_wheel(folder: Path, name: str, version: str, *, requires: tuple[str, ...] = ()) -> Path:
    """A wheel of one module, which holds its version."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    information = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in files) + f"{information}/RECORD,,\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{information}/RECORD": record}.items():
            archive.writestr(path, text)
    return wheel


def make_source_tree(folder: Path, name: str, version: str = "1.0") -> Path:
    """A source tree with a build backend of its own, so that building it needs no index either."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "{version}"\n\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (folder / f"{name}.py").write_text(f"VERSION = {version!r}\n")
    (folder / "backend.py").write_text(BACKEND.format(name=name, version=version))
    return folder


BACKEND = """\
import pathlib, zipfile

HERE = pathlib.Path(__file__).resolve().parent
INFORMATION = "{name}-{version}.dist-info"

def _wheel(folder, files):
    wheel = "{name}-{version}-py3-none-any.whl"
    files[INFORMATION + "/METADATA"] = "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"
    files[INFORMATION + "/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files[INFORMATION + "/RECORD"] = "".join(name + ",,\\n" for name in [*files, INFORMATION + "/RECORD"])
    with zipfile.ZipFile(pathlib.Path(folder, wheel), "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel

def build_wheel(folder, config_settings=None, metadata_directory=None):
    return _wheel(folder, {{"{name}.py": (HERE / "{name}.py").read_text()}})

def build_editable(folder, config_settings=None, metadata_directory=None):
    return _wheel(folder, {{"{name}.pth": str(HERE) + "\\n"}})
"""


def offline(wheels: Path) -> dict[str, str]:
    """The caller's environment with one folder of wheels for an index, told in pip's words alone."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
    kept = {name: os.environ[name] for name in ("UV_CACHE_DIR", "PIP_CACHE_DIR") if name in os.environ}
    return {
        **environ,
        **kept,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": f"{wheels} /no/such/folder",
    }


def make_request(
    project: Path,
    kind: EnvironmentKind,
    file: str | None = None,
    *,
    environ: Mapping[str, str],
    cache: Path | None = None,
    temporary_checkout: bool = False,
) -> EnvironmentRequest:
    """What the plan would ask of a manager."""
    docker = DockerEnv("image") if kind == "docker_env" else None
    reference = EnvironmentReference(kind, project / file if file else None, docker)
    return EnvironmentRequest(
        project, reference, cache or project.parent / "cache", environ, temporary_checkout
    )


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write text files by relative path."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
