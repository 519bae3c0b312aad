"""What a run left in its copy: new and changed files, told from what was there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from projrun.sources.copies.leftovers import identities, left_behind, shown
from projrun.sources.copies.tree import copy_tree
from tests.support.plain_user import give, python_as_plain_user


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    top = tmp_path / "checkout"
    (top / "src").mkdir(parents=True)
    (top / ".git").mkdir()
    for name in ("data.txt", "src/train.py", ".git/index"):
        (top / name).write_text(name)
    (top / "link").symlink_to("data.txt")
    return top


@pytest.fixture
def copy(checkout: Path, tmp_path: Path) -> Path:
    copy_tree(checkout, tmp_path / "copy")
    return tmp_path / "copy"


def write(path: Path, text: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


CASES = {
    "nothing": ("true", []),
    "a new file": ("touch model.pkl", ["model.pkl"]),
    "a new file among others": ("touch src/model.pkl", ["src/model.pkl"]),
    "a new folder": ("mkdir -p out/a; touch out/a/b out/c", ["out/"]),
    "a new folder in one": ("mkdir src/out; touch src/out/a", ["src/out/"]),
    "an empty folder": ("mkdir -p empty/inner", []),
    "a longer file": ("echo more >> data.txt", ["data.txt"]),
    "a file of the same size": ("printf DATA.TXT > data.txt", ["data.txt"]),
    "another link": ("ln -sfn src link", ["link"]),
    "a link to a folder": ("ln -s src new", ["new"]),
    "a file for a link": ("rm link; touch link", ["link"]),
    "a folder for a file": ("rm data.txt; mkdir data.txt; touch data.txt/x", ["data.txt/"]),
    "a file for a folder": ("rm -r src; touch src", ["src"]),
    "a removed file": ("rm data.txt", []),
    "a file for programs": ("mkdir __pycache__ n n/__pycache__; touch {,n/}__pycache__/a; echo x > .git/index", []),
    "several": ("mkdir out; touch b a out/x", ["a", "b", "out/"]),
    "a name with a newline": ("touch $'a\\nb'", ["a\nb"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_counts(copy: Path, checkout: Path, case: str) -> None:
    command, expected = CASES[case]
    subprocess.run(["bash", "-c", command], cwd=copy, check=True)
    assert left_behind(copy, checkout, {}) == expected


def test_a_patch_that_was_applied_before_does_not_count(copy: Path, checkout: Path) -> None:
    names = ["data.txt", "new/file", "removed", "src/train.py"]
    for name in ("data.txt", "new/file", "src/train.py"):
        write(copy / name, "patched")
    patched = identities(copy, names)
    assert set(patched) == {"data.txt", "new/file", "src/train.py"}
    assert left_behind(copy, checkout, patched) == []
    write(copy / "src/train.py", "changed by the run")
    write(copy / "new/another")
    assert left_behind(copy, checkout, patched) == ["new/", "src/train.py"]


def test_a_copy_that_is_gone_or_was_replaced(copy: Path, checkout: Path, tmp_path: Path) -> None:
    shutil.rmtree(copy)
    assert left_behind(copy, checkout, {}) == []
    (tmp_path / "elsewhere").mkdir()
    write(tmp_path / "elsewhere/file")
    copy.symlink_to(tmp_path / "elsewhere")
    assert left_behind(copy, checkout, {}) == []


def test_without_the_checkout_everything_counts(copy: Path, tmp_path: Path) -> None:
    assert left_behind(copy, tmp_path / "gone", {}) == ["data.txt", "link", "src/"]


@pytest.mark.processes
def test_a_folder_that_cannot_be_read_counts(copy: Path, checkout: Path, tmp_path: Path) -> None:
    """As a container of another user may leave one."""
    (copy / "closed").mkdir(mode=0o000)
    give(tmp_path, copy, checkout, copy / "src", checkout / "src")
    said = python_as_plain_user(
        "from projrun.sources.copies.leftovers import left_behind",
        "print(left_behind(Path('copy'), Path('checkout'), {}))",
        folder=tmp_path,
    )
    assert said == "['closed/']\n"


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a"], "a"),
        (["a", "b/"], "a and b/"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
        ([str(number) for number in range(9)], "0, 1, 2 and 6 more"),
    ],
)
def test_three_are_named(names: list[str], text: str) -> None:
    assert shown(names) == text
