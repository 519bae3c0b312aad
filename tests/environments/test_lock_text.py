"""Locks of all kinds as names and versions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from projrun.environments.lock_text import locked_packages


def test_a_python_lock() -> None:
    text = (
        "# A Python environment, locked by projrun; `--locked` builds it again.\n# python 3.11.7\n"
        "--index-url https://host/simple\nNum_Py==1.26.4\nsix[x]==1.0 ; python_version < '4' --hash=sha256:ab\n"
        "tool @ git+https://host/tool@0123\n./wheels/gear.whl\n-e ./gear\n"
    )
    assert locked_packages(text) == {
        "python": "3.11.7",
        "num-py": "1.26.4",
        "six": "1.0",
        "tool": "git+https://host/tool@0123",
        "./wheels/gear.whl": "local",
        "./gear": "editable",
    }


def test_a_conda_lock() -> None:
    text = (
        "# platform: linux-64\n@EXPLICIT\n"
        "https://host/c/linux-64/python-3.11.7-hab00c5b_1_cpython.conda#sha256:ab\n"
        "https://host/c/noarch/scikit-learn-1.4-py_0.tar.bz2\n# pip sprocket==1.0\n"
    )
    assert locked_packages(text) == {
        "python": "3.11.7 hab00c5b_1_cpython",
        "scikit-learn": "1.4 py_0",
        "sprocket": "1.0",
    }


def test_the_lock_of_an_image() -> None:
    digest = "sha256:" + "ab" * 32
    text = f"# A Docker image\nname: team/train:1\nid: {digest}\nimage: team/train@{digest}\n"
    found = {"name": "team/train:1", "id": digest, "image": f"team/train@{digest}"}
    assert locked_packages(text) == found


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    locked_packages(text)
