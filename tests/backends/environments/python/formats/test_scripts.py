"""Inline blocks of scripts (PEP 723); tests/integration/test_scripts.py builds their environments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.errors import EnvironmentBuildError, RequestError
from projrun.project.environment_files import script_environment
from projrun.project.loader import load_project
from projrun.project.model import EnvironmentReference
from projrun_backends.environments.python.spec import EnvironmentSpec
from projrun_backends.environments.python.specs import read_spec
from projrun_backends.environments.python.virtualenv import VirtualenvEnvironment
from tests.backends.environments.python.packages import make_request, write_files

BLOCK = '# /// script\n# requires-python = ">=3.9"\n# dependencies = [\n#   "six<2",\n#\n#   "numpy",\n# ]\n# ///\n'


def read(folder: Path, text: str, lock: str = "") -> EnvironmentSpec:
    write_files(folder, {"train.py": text, **({"train.py.lock": lock} if lock else {})})
    return read_spec(EnvironmentReference("script", folder / "train.py"), folder, {})


@pytest.mark.parametrize("before", ["", "#!/usr/bin/env python\n# a comment\n", '"""Doc."""\n\nimport os\n'])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_block(tmp_path: Path, before: str, ending: str) -> None:
    (tmp_path / "train.py").write_bytes(f"{before}{BLOCK}\nimport six\n".replace("\n", ending).encode())
    spec = read_spec(EnvironmentReference("script", tmp_path / "train.py"), tmp_path, {})
    assert spec.requirements.lines == ("six<2", "numpy")
    assert spec.python is not None
    assert (spec.python.text, spec.python_required, spec.needs_uv) == (">=3.9", True, "")
    assert spec.summary == "2 requirements from train.py"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# /// script\n# ///\n", ()),
        ("# /// other\n# dependencies = 3\n# ///\n\n" + BLOCK, ("six<2", "numpy")),
        ("# /// script\n# dependencies = ['x']\n# ///\n# more comment\n", ("x",)),
        ("# /// script\n# note = '''\n# ///\n# '''\n# dependencies = ['x']\n# ///\n", ("x",)),
        (BLOCK + "\n" + "# /// other\n" * 80_000, ("six<2", "numpy")),
        (BLOCK + "\ntext = '''\n # /// script\n'''\n", ("six<2", "numpy")),
        ("# /// script\n# dependencies = ['a @ https://h/a.whl ; python_version > \"3\"']\n# ///\n", None),
    ],
)
def test_where_a_block_begins_and_ends(tmp_path: Path, text: str, lines: tuple[str, ...] | None) -> None:
    expected = ('a @ https://h/a.whl ; python_version > "3"',) if lines is None else lines
    assert read(tmp_path, text).requirements.lines == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BLOCK + "\n" + BLOCK, "train.py:10: a second `script` block; the first is in line 1"),
        (
            "import os\n# /// script\n# dependencies = []\nimport x\n",
            "train.py:2: the `script` block has no end",
        ),
        ("# /// script\n#dependencies = []\n# ///\n", "train.py:1: the `script` block has no end"),
        ("# /// script\n# dependencies = [\n# ///\n", "train.py:1: the script block: not TOML"),
        (BLOCK + BLOCK, "train.py:1: the script block: not TOML"),
        ("# /// script\n# dependencies = 3\n# ///\n", "dependencies: expected a list, not int"),
        ("# /// script\n# dependencies = [3]\n# ///\n", "dependencies: expected text, not int"),
        (
            "# /// script\n# dependencies = ['-r /etc/passwd']\n# ///\n",
            "'-r /etc/passwd' is not a requirement",
        ),
        ("# /// script\n# dependencies = ['x\\n--pre']\n# ///\n".replace("'", '"'), "cannot be printed"),
        (
            "# /// script\n# requires-python = 'many'\n# ///\n",
            "requires-python: 'many' is not a Python version",
        ),
        (f"# /// script\n# dependencies = {'[' * 50_000}\n# ///\n", "not TOML"),
        (BLOCK + "#" * (1 << 20), "train.py is larger than 1 MiB"),
        (BLOCK + "# /// script\n" * 50_000, "train.py:9: the `script` block has no end"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(RequestError) as raised:
        read(tmp_path, text)
    assert problem in raised.value.message


LOCK = 'version = 1\n[[package]]\nname = "six"\nsource = { editable = "lib" }\n'


def test_the_lock_beside_it(tmp_path: Path) -> None:
    spec = read(tmp_path, BLOCK, LOCK)
    assert (spec.summary, spec.needs_uv) == ("locked by train.py.lock", "train.py.lock is a lock of uv")
    assert LOCK in spec.texts
    assert [(one.path, one.editable) for one in spec.requirements.local] == [
        (tmp_path.resolve() / "lib", True)
    ]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"train.py": BLOCK, "train.py.lock": LOCK}, "train.py.lock is a lock of uv"),
        (
            {"train.py": "# /// script\n# [tool.uv]\n# exclude-newer = '2024'\n# ///\n"},
            "its block has [tool.uv]",
        ),
    ],
)
def test_what_pip_cannot_read_is_refused(tmp_path: Path, files: dict[str, str], why: str) -> None:
    project = write_files(tmp_path / "project", files)
    with pytest.raises(EnvironmentBuildError, match="only uv can install") as raised:
        VirtualenvEnvironment().resolve(make_request(project, "script", "train.py", environ=os.environ))
    assert why in raised.value.message


@pytest.mark.parametrize(
    ("files", "entry_point", "kind"),
    [
        ({}, "train.py", "script"),
        ({"requirements.txt": "", "python_env.yaml": ""}, "train.py", "script"),
        ({"MLproject": "name: x"}, "train.py", "script"),
        ({"MLproject": "name: x", "python_env.yaml": ""}, "train.py", "python_env"),
        ({"MLproject": "entry_points: {train.py: {command: 'true'}}"}, "train.py", "none"),
        ({}, "main", "none"),
        ({}, "plain.py", "none"),
        ({}, "gone.py", "none"),
        ({}, "../outside.py", "script"),
        ({}, "sub/train.py", "script"),
        ({}, "train.sh", "none"),
    ],
)
def test_when_a_block_is_the_environment(
    tmp_path: Path, files: dict[str, str], entry_point: str, kind: str
) -> None:
    names = ["train.py", "sub/train.py", "train.sh", "../outside.py"]
    project = write_files(tmp_path / "project", {**dict.fromkeys(names, BLOCK), "plain.py": "", **files})
    loaded = load_project(project, entry_point=entry_point)
    assert loaded.environment.kind == kind
    assert script_environment(load_project(project), entry_point) == loaded.environment


def test_a_link_that_leaves_a_fetched_project_brings_no_environment(tmp_path: Path) -> None:
    write_files(tmp_path, {"outside.py": BLOCK, "project/x.txt": ""})
    (tmp_path / "project/train.py").symlink_to(tmp_path / "outside.py")
    loaded = load_project(tmp_path / "project", within=tmp_path / "project", entry_point="train.py")
    assert loaded.environment.kind == "none"


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("before", ["", "import os\n"])
def test_a_block_counts_after_a_byte_order_mark_and_with_any_line_ends(
    tmp_path: Path, before: str, mark: str, ending: str
) -> None:
    data = f"{mark}{before}{BLOCK}".replace("\n", ending).encode()
    (tmp_path / "train.py").write_bytes(data)
    assert load_project(tmp_path, entry_point="train.py").environment.kind == "script"
    spec = read_spec(EnvironmentReference("script", tmp_path / "train.py"), tmp_path, {})
    assert spec.requirements.lines == ("six<2", "numpy")
