"""Every reader of what a project, a user or a server hands over, with a text that it takes."""

# ruff: noqa: E501 - what is tried stands on one line

from __future__ import annotations

import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from projrun.bounded import parse_json
from projrun.cache.lease import Mark, read_mark
from projrun.cli.execution import execute
from projrun.cli.quantities import parse_duration, parse_size
from projrun.environments.lock_text import locked_packages
from projrun.environments.protocol import EnvironmentRequest
from projrun.errors import SourceError, TrackingError
from projrun.project.binding import GivenValue, bind
from projrun.project.check import check_project
from projrun.project.loader import load_project
from projrun.project.model import EnvironmentReference
from projrun.project.reading.parameters_file import read_parameters_file
from projrun.running.backend_config import read_backend_config, shown_config
from projrun.running.env_file import read_env_file
from projrun.running.request import RunRequest
from projrun.running.request_json import from_json, to_json
from projrun.settings import Setting, Settings
from projrun.sources.archives.errors import UnpackError
from projrun.sources.archives.extraction import unpack
from projrun.sources.archives.limits import LIMITS
from projrun.sources.uri import parse_project_uri
from projrun.tracking.rest import wire
from projrun.tracking.rest.logins import login
from projrun.tracking.search.grammar import RUNS, parse_filter, parse_ordering
from projrun.tracking.uri import parse_tracking_uri
from projrun_backends.environments.conda import lock as conda_lock
from projrun_backends.environments.conda.settings import conda_settings
from projrun_backends.environments.containers import lock as image_lock
from projrun_backends.environments.python.indexes import package_settings, uv_settings
from projrun_backends.environments.python.locks import locked_spec
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.specs import conda_refusal, read_spec
from projrun_backends.environments.python.version_files import with_pinned_python

if TYPE_CHECKING:
    from projrun.project.model import EnvironmentKind


class Reader(NamedTuple):
    """Reads one file of a folder."""

    file: str
    text: str | bytes
    read: Callable[[Path], object]


MLPROJECT = """\
name: demo
python_env: python_env.yaml
anchors: &defaults {type: float, default: 0.1}
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.5, min: 0, max: 1}
      beta: *defaults
      epochs: {type: int, default: 10}
      mode: {choices: [fast, slow], default: fast}
      data: {type: path, default: data}
      where: {type: uri, default: "s3://bucket/key"}
      code: {pattern: "[a-z]+-[0-9]{2}", default: ab-12}
      token: {secret: true, required: false}
      flag: {type: bool, default: yes}
    command: "python train.py --alpha {alpha} '{mode}' $(echo {epochs}) <<EOF\\n{data}\\nEOF"
  steps:
    command: |
      if [ "{x}" = 1 ]; then sh -c 'echo {y}' && echo "${HOME}"; fi
"""
PYTHON_ENV = 'python: "3.11"\nbuild_dependencies:\n  - pip\n  - setuptools>=60\ndependencies:\n  - numpy==1.26 ; python_version > "3"\n  - -r more.txt\n  - pkg[extra] @ https://u:p@host/pkg.zip\n'
CONDA = """\
name: x
channels: [conda-forge, defaults]
dependencies:
  - python=3.11
  - numpy>=1.2,<2
  - conda-forge::scikit-learn=1.2.*=py_0
  - pip:
      - mlflow>=2 # comment
variables: {A: b}
"""
REQUIREMENTS = """\
--index-url https://user:secret@host/simple
-r more.txt
-c more.txt
-e ./pkg
numpy==1.26.0 --hash=sha256:aa \\
   --hash=sha256:bb
pkg[a,b] @ file:///dev/null ; python_version < "3"  # why
./wheel.whl
"""
PYPROJECT = """\
[project]
name = "demo"
requires-python = ">=3.9,<4"
dependencies = ["numpy>=1"]
[project.optional-dependencies]
x = ["y"]
[dependency-groups]
dev = ["pytest", {include-group = "x"}]
[tool.uv.sources]
pkg = { path = "../pkg", editable = true }
[tool.uv.workspace]
members = ["a/*"]
"""
POETRY = """\
[tool.poetry]
name = "demo"
version = "0.1"
packages = [{include = "demo", from = "src"}]
[tool.poetry.dependencies]
python = "^3.9"
numpy = {version = "~1.2", optional = true, markers = "sys_platform == 'linux'", extras = ["a"]}
local = {path = "pkg", develop = true}
repo = {git = "https://host/x.git", rev = "abc", subdirectory = "s"}
many = [{version = "<=1.9", python = ">=3.6,<3.8"}, {version = "^2.0", platform = "linux || darwin"}]
[[tool.poetry.source]]
name = "own"
url = "https://host/simple"
priority = "explicit"
"""
PYLOCK = f"""\
lock-version = "1.0"
requires-python = ">=3.10"
[[packages]]
name = "numpy"
version = "1.26.0"
index = "https://pypi.org/simple"
marker = "python_version > '3'"
wheels = [{{name = "n.whl", url = "https://h/n.whl", hashes = {{sha256 = "{"a" * 64}"}}}}]
[[packages]]
name = "local"
directory = {{path = "pkg", editable = true}}
[[packages]]
name = "vcs"
vcs = {{type = "git", url = "https://h/x.git", commit-id = "abc", subdirectory = "s"}}
"""
SCRIPT = '# /// script\n# requires-python = ">=3.10"\n# dependencies = ["numpy>=1"]\n# [tool.uv]\n# exclude-newer = "2024-01-01"\n# ///\nprint(1)\n'
UV_LOCK = """\
version = 1
requires-python = ">=3.10"
[[package]]
name = "demo"
version = "0.1"
source = { editable = "." }
[[package]]
name = "pkg"
source = { directory = "pkg" }
"""
LOCK = "# A Python environment, locked by projrun; `--locked` builds it again.\n# python 3.11.4\n--extra-index-url https://host/simple\nnumpy==1.26.0\n-e ./pkg\npkg @ git+https://host/x.git@abc\n"
CONDA_LOCK = f"# platform: linux-64\n@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/linux-64/python-3.11.4-h1_0.conda#{'a' * 32}\n# pip mlflow==2.0\n"
IMAGE_LOCK = f"name: python:3.11\nimage: python@sha256:{'a' * 64}\n"
PARAMETERS = "alpha: 0.5\nname: 'a b'\nwhen: 2024-01-01\nhex: 0x1f\nflag: yes\nmany: &x 1\nsame: *x\n"
ENV_FILE = "# comment\nexport A=1\nB='two words'\nC=\"x\\n${A}\"\nD=${B}${C:-d}\nE\n"
CONFIG = 'tracking-uri = "http://h"\nenv-manager = "uv"\nallowed-hosts = ["a", "b"]\ngrace-period = 5\noffline = false\n'
CONDARC = "channels: [conda-forge]\nchannel_alias: https://${A}/x\ncustom_channels: {own: https://h/}\nssl_verify: true\nproxy_servers: {http: http://u:p@h}\n"
FILTER = (
    "metrics.rmse < 0.8 and params.`a b` = '0.42' and tags.x LIKE \"%y\" and attributes.run_id IN ('a', 'b')"
)
SERVER = json.dumps(
    {
        "runs": [
            {
                "info": {"run_id": "a" * 32, "experiment_id": "0", "status": "FINISHED", "start_time": 1, "end_time": "2",
                         "artifact_uri": "file:///x", "lifecycle_stage": "active", "run_name": "n", "user_id": "u"},
                "data": {"params": [{"key": "a", "value": "1"}], "metrics": [{"key": "m", "value": "NaN", "timestamp": 1, "step": 2}],
                         "tags": [{"key": "t", "value": "v"}]},
                "inputs": {"dataset_inputs": [{"dataset": {"name": "d", "digest": "x", "source_type": "y", "source": "z"}, "tags": []}]},
            }
        ],
        "next_page_token": "x",
    }
)  # fmt: skip


def _spec(kind: EnvironmentKind, file: str) -> Callable[[Path], object]:
    def read(folder: Path) -> object:
        reference = EnvironmentReference(kind, folder / file)
        conda_refusal(reference)
        spec = read_spec(reference, folder, {}, None)
        return with_pinned_python(spec, _request(folder))

    return read


def _request(folder: Path) -> EnvironmentRequest:
    return EnvironmentRequest(
        folder, EnvironmentReference("none"), folder / "cache", {}, checkout_root=folder
    )


def _mlproject(folder: Path) -> object:
    project = load_project(folder)
    findings = check_project(folder)
    for entry_point in (*project.entry_points.values(),)[:5]:
        for given in (
            {},
            {
                "alpha": GivenValue("0.2", "command line"),
                "x": GivenValue("a b'\"$", "api"),
                "y": GivenValue("", "api"),
            },
        ):
            try:
                bind(project, entry_point, given, caller_directory=folder, storage_directory=folder / "s")
            except Exception as error:
                if type(error).__name__ not in ("RequestError", "LocatedError"):
                    raise
    return findings


def _command_line(*words: str) -> Callable[[Path], object]:
    """A whole command, whose exit code says what it took for a bug."""

    def run(folder: Path) -> object:
        stdout, stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with redirect_stdout(stdout), redirect_stderr(stderr):
            code = execute([words[0], str(folder), *words[1:]])
        if code == 70:
            raise AssertionError("exit code 70")
        return code

    return run


def _text(parse: Callable[[str], object]) -> Callable[[Path], object]:
    """What arrives as a text and not as a file."""

    def read(folder: Path) -> object:
        return parse((folder / "text").read_bytes().decode("utf-8", "surrogateescape"))

    return read


def _answers(text: str) -> object:
    try:
        document = parse_json(text)
    except ValueError as error:
        raise TrackingError(str(error)) from None
    if isinstance(document, dict):
        try:
            return [
                parse(document) for parse in (wire.runs_answer, wire.experiments_answer, wire.files_answer)
            ]
        except wire.MalformedError as error:  # which the transport explains
            raise TrackingError(str(error)) from None
    return None


def _config(folder: Path) -> object:
    settings = Settings({}, {}, folder / "config.toml")
    return settings.seconds("grace-period", 1), settings.enabled("offline")


def _backend_config(folder: Path) -> object:
    return shown_config(read_backend_config(Setting("c.json", "--backend-config"), folder))


def _sizes(text: str) -> object:
    return parse_duration(text[:3], "x"), parse_size(text[3:], "y")


def _archive(kind: str) -> bytes:
    """A small archive with a file, a folder, a link and an executable."""
    stream = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("top/MLproject", MLPROJECT)
            archive.writestr("top/sub/é.py", "print(1)\n" * 50)
            link = zipfile.ZipInfo("top/link")
            link.create_system, link.external_attr = 3, 0o120777 << 16
            archive.writestr(link, "sub/é.py")
        return stream.getvalue()
    with tarfile.open(fileobj=stream, mode="w:gz" if kind == "tar.gz" else "w") as tar:
        for name, content in (("top/MLproject", MLPROJECT), (f"top/sub/{'long' * 40}.py", "print(1)\n")):
            member = tarfile.TarInfo(name)
            member.size = len(content.encode())
            tar.addfile(member, io.BytesIO(content.encode()))
        symbolic = tarfile.TarInfo("top/link")
        symbolic.type, symbolic.linkname = tarfile.SYMTYPE, "MLproject"
        tar.addfile(symbolic)
        hard = tarfile.TarInfo("top/hard")
        hard.type, hard.linkname = tarfile.LNKTYPE, "top/MLproject"
        tar.addfile(hard)
    return stream.getvalue()


def _unpack(name: str) -> Callable[[Path], object]:
    def read(folder: Path) -> object:
        for place in (folder / "tree", folder / "tree.whole"):
            shutil.rmtree(place, ignore_errors=True)
        (folder / "top").unlink(missing_ok=True)
        with (folder / name).open("rb") as file:
            try:
                return unpack(file, name, folder / "tree", LIMITS._replace(unpacked=1 << 24))
            except UnpackError as error:  # which the fetch explains
                raise SourceError(str(error)) from None

    return read


def _packages(folder: Path) -> object:
    environ = {"HOME": str(folder), "PIP_CONFIG_FILE": str(folder / "c"), "UV_CONFIG_FILE": str(folder / "c")}
    settings = package_settings(environ)
    return uv_settings(settings, environ), settings.deciding_pip()


READERS: Mapping[str, Reader] = {
    "MLproject": Reader("MLproject", MLPROJECT, _mlproject),
    "check": Reader("MLproject", MLPROJECT, _command_line("check", "--json")),
    "plan": Reader("MLproject", MLPROJECT, _command_line("plan", "--env-manager=local", "-P", "alpha=0.2")),
    "python_env": Reader("python_env.yaml", PYTHON_ENV, _spec("python_env", "python_env.yaml")),
    "conda": Reader("conda.yaml", CONDA, _spec("conda_env", "conda.yaml")),
    "requirements": Reader("requirements.txt", REQUIREMENTS, _spec("requirements", "requirements.txt")),
    "pyproject": Reader("pyproject.toml", PYPROJECT, _spec("uv_env", "pyproject.toml")),
    "uv.lock": Reader("uv.lock", UV_LOCK, _spec("uv_env", "pyproject.toml")),
    "poetry": Reader("pyproject.toml", POETRY, _spec("poetry", "pyproject.toml")),
    "pylock": Reader("pylock.toml", PYLOCK, _spec("pylock", "pylock.toml")),
    "script": Reader("train.py", SCRIPT, _spec("script", "train.py")),
    "python-version": Reader(".python-version", "cpython@3.11.2\n", _spec("requirements", "more.txt")),
    "lock": Reader("l.txt", LOCK, lambda folder: locked_spec(EnvironmentSpec(""), folder / "l.txt", _request(folder))),
    "packages": Reader("text", LOCK + CONDA_LOCK + IMAGE_LOCK, _text(locked_packages)),
    "conda lock": Reader("l.txt", CONDA_LOCK, lambda folder: conda_lock.read_lock(folder / "l.txt", "linux-64")),
    "image lock": Reader("l.txt", IMAGE_LOCK, lambda folder: image_lock.read_lock(folder / "l.txt")),
    "condarc": Reader("condarc", CONDARC, lambda folder: conda_settings({"CONDARC": str(folder / "condarc"), "HOME": str(folder)})),
    "params yaml": Reader("p.yaml", PARAMETERS, lambda folder: read_parameters_file(folder / "p.yaml")),
    "params json": Reader("p.json", '{"a": 1, "b": "x", "c": true, "d": 1.5e3, "e": NaN}', lambda folder: read_parameters_file(folder / "p.json")),
    "env-file": Reader("e.env", ENV_FILE, lambda folder: read_env_file(folder, "e.env", {})),
    "config": Reader("config.toml", CONFIG, _config),
    "backend config": Reader("c.json", '{"a": {"b": [1, {"c": "d"}]}, "e": null, "f": 1.5}', _backend_config),
    "request": Reader("text", to_json(RunRequest("uri", Path("/tmp"))), _text(from_json)),
    "project URI": Reader("text", "https://user:pw@host:80/team/repo.git#sub/dir", _text(lambda text: parse_project_uri(text, Path("/tmp")))),
    "tracking URI": Reader("text", "https://user:pw@host:5000/path", _text(lambda text: parse_tracking_uri(text, Path("/tmp")))),
    "filter": Reader("text", FILTER, _text(lambda text: parse_filter(text, RUNS))),
    "order": Reader("text", "metrics.`a b` DESC", _text(lambda text: parse_ordering(text, RUNS))),
    "server": Reader("text", SERVER, _text(_answers)),
    "tar": Reader("a.tar", _archive("tar"), _unpack("a.tar")),
    "tar.gz": Reader("a.tar.gz", _archive("tar.gz"), _unpack("a.tar.gz")),
    "zip": Reader("a.zip", _archive("zip"), _unpack("a.zip")),
    "pip.conf": Reader("c", "[global]\nindex-url = https://u:p@h/simple\nextra-index-url =\n    https://a\n    https://b\nno-index = 0\n", _packages),
    "uv.toml": Reader("c", 'index-url = "https://u:p@h/simple"\n[[index]]\nname = "x"\nurl = "https://h"\ndefault = true\n[pip]\nno-index = false\n', _packages),
    "login": Reader(".mlflow/credentials", "[mlflow]\nmlflow_tracking_username = a\nmlflow_tracking_password = b%(x)s\n", lambda folder: login({"HOME": str(folder)})),
    "lease": Reader("run.json", json.dumps(Mark("a" * 32, "sqlite:///x")._asdict()), lambda folder: read_mark(folder / "run.json")),
    "sizes": Reader("text", "30d1.5GiB", _text(_sizes)),
}  # fmt: skip


def prepare(folder: Path) -> None:
    """What the texts above refer to."""
    (folder / "pkg").mkdir(parents=True)
    (folder / ".mlflow").mkdir()
    (folder / "data").write_text("")
    (folder / "wheel.whl").write_text("")
    (folder / "python_env.yaml").write_text(PYTHON_ENV)
    (folder / "more.txt").write_text("six==1.16\n")
    (folder / "pyproject.toml").write_text(PYPROJECT.partition("[tool.uv.workspace]")[0])
    (folder / "pkg" / "pyproject.toml").write_text('[project]\nname = "pkg"\nversion = "1"\n')
