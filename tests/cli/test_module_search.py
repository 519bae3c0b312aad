"""The quick search for modules: it finds what Python's general search finds."""

from __future__ import annotations

import os
import py_compile
import shutil
import sys
import zipfile
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType

import pytest

from projrun.cli.module_search import _PACKAGES, ModuleSearch
from tests import test_rooms as rooms
from tests.support.commands import run_command

NAME = "projrun.sample"


def found(folder: Path, name: str = NAME) -> ModuleSpec | None:
    return ModuleSearch.find_spec(name, [str(folder)])


def loaded(folder: Path) -> ModuleType:
    spec = found(folder)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package's folder with a compiled module."""
    package = tmp_path / "package"
    package.mkdir()
    write(package, "VALUE = 1\n")
    py_compile.compile(str(package / "sample.py"), doraise=True)
    return package


def write(package: Path, source: str, time: int = 1_700_000_000) -> None:
    file = package / "sample.py"
    file.write_text(source)
    os.utime(file, (time, time))


def bytecode(package: Path) -> Path:
    return next((package / "__pycache__").glob("sample.*.pyc"))


def replace_code(package: Path, source: str) -> None:
    """Bytecode of another text with the header of what is there: who reads it shows by its value that it did."""
    header = bytecode(package).read_bytes()[:16]
    other = package / "other.py"
    other.write_text(source)
    compiled = Path(py_compile.compile(str(other), dfile=str(package / "sample.py"), doraise=True) or "")
    bytecode(package).write_bytes(header + compiled.read_bytes()[16:])


def test_every_module_is_found_as_python_finds_it() -> None:
    for name, file in rooms.modules().items():
        if "." not in name:
            continue
        place = file.parent.parent if file.name == "__init__.py" else file.parent
        expected, spec = PathFinder.find_spec(name, [str(place)]), found(place, name)
        assert expected is not None and spec is not None, name
        for what in ("name", "origin", "cached", "has_location", "parent"):
            assert getattr(spec, what) == getattr(expected, what), (name, what)
        theirs = expected.submodule_search_locations
        assert (spec.submodule_search_locations or []) == list(theirs or []), name


def test_modules_of_python_are_found_as_python_finds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    library = sys.path.index(str(Path(os.__file__).parent))
    monkeypatch.setattr(sys, "path", sys.path[library - 1 :])
    count = 0
    for name in sys.stdlib_module_names:
        spec = ModuleSearch.find_spec(name)
        if spec is not None:
            expected = PathFinder.find_spec(name)
            assert expected is not None and isinstance(expected.loader, SourceFileLoader), name
            assert (spec.origin, spec.cached) == (expected.origin, expected.cached), name
            theirs = expected.submodule_search_locations
            assert (spec.submodule_search_locations or []) == list(theirs or []), name
            count += 1
    assert count > 100


def test_folder_before_the_library_is_respected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert ModuleSearch.find_spec("json") is None


def test_bytecode_of_the_source_is_used(folder: Path) -> None:
    replace_code(folder, "VALUE = 'from bytecode'\n")
    module = loaded(folder)
    assert module.VALUE == "from bytecode"
    assert (module.__file__, module.__package__) == (str(folder / "sample.py"), "projrun")


@pytest.mark.parametrize(
    "changes", [{"source": "VALUE = 22\n"}, {"source": "VALUE = 2\n", "time": 1_700_000_001}]
)
def test_bytecode_of_an_older_source_is_not(folder: Path, changes: dict[str, object]) -> None:
    write(folder, **changes)  # type: ignore[arg-type]
    assert loaded(folder).VALUE in (2, 22)


@pytest.mark.parametrize("length", [0, 3, 15, 16, 20, 60])
def test_bytecode_that_is_cut_off_is_not_trusted(folder: Path, length: int) -> None:
    bytecode(folder).write_bytes(bytecode(folder).read_bytes()[:length])
    if length < 16:
        assert loaded(folder).VALUE == 1  # compiled again
    else:
        with pytest.raises(EOFError):  # as in Python itself
            loaded(folder)


@pytest.mark.parametrize("mark", [b"\0\0\0\0", b"\x01\x02\x03\x04"])
def test_bytecode_of_another_python_is_not_read(folder: Path, mark: bytes) -> None:
    replace_code(folder, "VALUE = 'foreign'\n")
    bytecode(folder).write_bytes(mark + bytecode(folder).read_bytes()[4:])
    assert loaded(folder).VALUE == 1


def test_bytecode_by_hash_is_left_to_python(folder: Path) -> None:
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    py_compile.compile(str(folder / "sample.py"), doraise=True, invalidation_mode=mode)
    write(folder, "VALUE = 2\n")
    assert loaded(folder).VALUE == 2


def test_code_of_a_folder_that_moved_names_the_new_place(folder: Path) -> None:
    moved = folder.parent / "moved"
    shutil.copytree(folder, moved)  # with the times, as bytecode needs them
    write(moved, "def where():\n    pass\n")
    py_compile.compile(str(moved / "sample.py"), doraise=True)
    again = moved.rename(folder.parent / "again")
    assert loaded(again).where.__code__.co_filename == str(again / "sample.py")


def test_source_is_compiled_where_there_is_no_bytecode(folder: Path) -> None:
    shutil.rmtree(folder / "__pycache__")
    assert loaded(folder).VALUE == 1


def test_others_are_not_looked_for(folder: Path, tmp_path: Path) -> None:
    assert found(folder, "click.sample") is None
    assert ModuleSearch.find_spec("yaml") is None
    assert found(folder, "projrun.missing") is None
    assert ModuleSearch.find_spec("projrun") is None
    assert ModuleSearch.find_spec(NAME, [str(tmp_path), str(folder)]) is None
    archive = tmp_path / "packed.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("sample.py", "VALUE = 1\n")
    assert found(archive) is None


def test_packages_that_are_searched_hold_no_extensions() -> None:
    """Python would take those first."""
    for name in _PACKAGES:
        package = find_spec(name.rstrip("."))
        assert package is not None
        folders = package.submodule_search_locations or []
        assert [file for folder in folders for file in Path(folder).glob("**/*.so")] == [], name


def test_no_module_lies_beside_a_package_of_its_name() -> None:
    """The finder looks for the module first, Python for the package."""
    assert [file for file in rooms.modules().values() if file.with_suffix("").is_dir()] == []


@pytest.mark.processes
@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        ((), {}, "_Loader"),
        (("-O",), {}, "SourceFileLoader"),
        ((), {"PYTHONPYCACHEPREFIX": "cache"}, "SourceFileLoader"),
    ],
)
def test_command_line_uses_it_where_bytecode_is_as_usual(
    tmp_path: Path, options: tuple[str, ...], environ: dict[str, str], expected: str
) -> None:
    code = (
        "import os, sys\n"
        "from projrun.cli import main\n"
        "os._exit = lambda code: print(type(sys.modules['projrun.cli.execution'].__spec__.loader).__name__)\n"
        "main(['plan', '--help'])\n"
    )
    own = {name: str(tmp_path / value) for name, value in environ.items()}
    done = run_command([sys.executable, *options, "-c", code], environ=own).check()
    assert done.stdout.split()[-1] == expected
