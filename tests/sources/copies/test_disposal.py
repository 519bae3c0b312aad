"""A copy that cannot be removed; the rest is tested by running projects (tests/cli/test_run_copies.py)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.cache.locked_folders import lock_file, release
from projrun.sources.copies.run_copies import make_copy, read_facts
from tests.support.plain_user import give, python_as_plain_user

IMPORTS = """
from projrun.cache.locked_folders import hold
from projrun.sources.copies import run_copies
from projrun.sources.copies import leftovers
from projrun.cache import removal
from projrun.sources.checkout import Checkout
from projrun.sources.copies.disposal import RunCopy
"""
CODE = """
copy = Path("copies/{name}")
assert hold(copy)
run = RunCopy(Checkout("uri", copy, copy, owned=copy, cached=Path("tree")), keep=False)
run.started = True
print(run.settle("FINISHED", "some-run"))
run.close()
"""


@pytest.mark.processes
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave files that another user cannot remove")
def test_what_a_container_left_is_kept_and_said_so(tmp_path: Path) -> None:
    tree, place = tmp_path / "tree", tmp_path / "copies"
    tree.mkdir()
    copy = make_copy(tree, place)
    release(copy)
    (copy / "__pycache__").mkdir()
    (copy / "__pycache__" / "a.pyc").touch()
    give(tmp_path, tree, place, copy, lock_file(copy))
    said = python_as_plain_user(IMPORTS, CODE.format(name=copy.name), folder=tmp_path)
    assert "reason='not all of it can be removed'" in said
    assert read_facts(copy)["kept"] == "not all of it can be removed"
    assert (copy / "__pycache__" / "a.pyc").exists()
