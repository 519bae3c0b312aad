"""`--env PATH`: what is there is used as activating it would, and not changed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from projrun.environments.protocol import EnvironmentRequest
from projrun.errors import RequestError
from projrun.testing.commands import run_in
from projrun_backends.environments.existing import ExistingEnvironment
from projrun_backends.environments.options import ExistingOptions
from tests.backends.environments.python.packages import make_request, write_files

MANAGER = ExistingEnvironment()


def prefix(folder: Path, *files: str) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/python").symlink_to(sys.executable)
    for name in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("version = 3.11.7\n" if name == "pyvenv.cfg" else "{}")
    return folder


def ask(project: Path, existing: Path | None) -> EnvironmentRequest:
    return make_request(project, "python_env", "gone.yaml", environ={})._replace(
        options=ExistingOptions(existing)
    )


def test_a_virtual_environment(tmp_path: Path) -> None:
    venv = prefix(tmp_path / "venv", "pyvenv.cfg")
    request = ask(tmp_path, venv)
    resolved = MANAGER.resolve(request)
    assert (resolved.recorded_kind, resolved.path, resolved.key) == ("virtualenv", venv, None)
    assert resolved.summary == "virtual environment, Python 3.11.7"
    assert resolved.python == venv / "bin/python"
    prepared = MANAGER.prepare(request, resolved, rebuild=False, progress=lambda line: pytest.fail(line))
    assert prepared.environ == {"VIRTUAL_ENV": str(venv)}
    assert prepared.path_prefix == (venv / "bin",)
    assert {"PYTHONHOME", "CONDA_PREFIX", "VIRTUAL_ENV"} <= prepared.unset
    assert (prepared.built, prepared.build_log) == (False, None)
    assert prepared.lock is not None
    assert prepared.lock.splitlines()[1] == "# python 3.11.7"


PYTHON = '{"url": "https://me:hush@host/linux-64/python-3.11.7-h1_0.conda", "sha256": "%s"}' % ("0" * 64)


@pytest.mark.parametrize(("place", "name"), [("envs/train", "train"), ("train", None)])
def test_a_conda_prefix(tmp_path: Path, place: str, name: str | None) -> None:
    folder = prefix(tmp_path / place, "conda-meta/python-3.11.7-h1_0.json", "etc/conda/activate.d/x.sh")
    (folder / "conda-meta/python-3.11.7-h1_0.json").write_text(PYTHON)
    (folder / "etc/conda/activate.d/x.sh").write_text("export FROM_SCRIPT=$CONDA_PREFIX\n")
    write_files(
        folder,
        {
            "conda-meta/state": '{"env_vars": {"FROM_STATE": "yes", "CONDA_PREFIX": "no"}}',
            "lib/python3.11/site-packages/a-1.dist-info/METADATA": "Name: a\nVersion: 1\n",
            "lib/python3.11/site-packages/a-1.dist-info/INSTALLER": "conda\n",
            "lib/python3.11/site-packages/b-2.dist-info/METADATA": "Name: b\nVersion: 2\n",
            "lib/python3.11/site-packages/b-2.dist-info/INSTALLER": "pip\n",
        },
    )
    request = ask(tmp_path, folder)._replace(environ={"PATH": os.environ["PATH"]})
    resolved = MANAGER.resolve(request)
    assert (resolved.recorded_kind, resolved.summary) == ("conda", "conda environment, Python 3.11.7")
    prepared = MANAGER.prepare(request, resolved, rebuild=False, progress=lambda line: None)
    assert "PYTHONNOUSERSITE" not in prepared.environ, "activating sets it not"
    command = 'echo "$CONDA_PREFIX|$CONDA_DEFAULT_ENV|$FROM_STATE|$FROM_SCRIPT|$(command -v python)"'
    said = run_in(prepared, request, command, tmp_path).output.split("|")
    assert said == [str(folder), name or str(folder), "yes", str(folder), f"{folder}/bin/python"]
    assert prepared.lock_name == "conda.lock.txt"
    assert prepared.lock is not None
    address = f"https://host/linux-64/python-3.11.7-h1_0.conda#sha256:{'0' * 64}"
    assert prepared.lock.splitlines()[2:] == ["@EXPLICIT", address, "# pip b==2"]


@pytest.mark.parametrize("record", ["{", "[]", "{}"])
def test_a_conda_prefix_with_damaged_records(tmp_path: Path, record: str) -> None:
    folder = prefix(tmp_path / "train", "conda-meta/python-3.11.7-h1_0.json")
    (folder / "conda-meta/python-3.11.7-h1_0.json").write_text(record)
    request = ask(tmp_path, folder)
    prepared = MANAGER.prepare(request, MANAGER.resolve(request), rebuild=False, progress=lambda line: None)
    assert prepared.lock_name == "requirements.lock.txt"


def test_any_other_prefix(tmp_path: Path) -> None:
    resolved = MANAGER.resolve(ask(tmp_path, prefix(tmp_path / "opt")))
    assert (resolved.recorded_kind, resolved.summary) == ("local", "environment")
    prepared = MANAGER.prepare(
        ask(tmp_path, None), resolved, rebuild=False, progress=lambda line: pytest.fail(line)
    )
    assert prepared.environ == {}


def test_what_is_no_environment(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="not found") as raised:
        MANAGER.resolve(ask(tmp_path, tmp_path / "gone"))
    assert "python -m venv" in raised.value.hint
    with pytest.raises(RequestError, match="cannot be read: File name too long"):
        MANAGER.resolve(ask(tmp_path, tmp_path / ("x" * 300)))  # as one in a closed folder
    with pytest.raises(RequestError, match="is not an environment: it has no bin/python"):
        MANAGER.resolve(ask(tmp_path, tmp_path))
    venv = prefix(tmp_path / "venv", "pyvenv.cfg")
    (venv / "bin/python").unlink()
    (venv / "bin/python").symlink_to("/opt/gone/python")
    with pytest.raises(RequestError, match=r"is broken: .* leads to /opt/gone/python, which is gone"):
        MANAGER.resolve(ask(tmp_path, venv))
    (venv / "bin/python").unlink()
    (venv / "bin/python").write_text("")
    (venv / "bin/python").chmod(0o644)
    with pytest.raises(RequestError, match="is not an environment"):
        MANAGER.resolve(ask(tmp_path, venv))


def test_by_its_name_alone_it_says_what_it_needs(tmp_path: Path) -> None:
    assert MANAGER.available(os.environ)
    with pytest.raises(RequestError) as raised:
        MANAGER.resolve(ask(tmp_path, None))
    assert raised.value.hint == "name its folder: --env PATH"
