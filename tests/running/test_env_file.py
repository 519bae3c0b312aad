"""`--env-file`: what python-dotenv would skip or expand without end is named with its line."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.running.env_file import read_env_file


def read(tmp_path: Path, text: str, **environ: str) -> dict[str, str]:
    (tmp_path / "e").write_text(text, encoding="utf-8")
    return read_env_file(tmp_path, "e", environ)


def test_values_as_python_dotenv_reads_them(tmp_path: Path) -> None:
    from dotenv import dotenv_values

    text = "# c\nexport A=1\nB='two words'\nC=\"x\\n${A}\"\nD=${A}${NO:-d}${HOME}\nE\n\nF= # none\nG=#x\nA=2\nH=${A}\n"
    values = read(tmp_path, text, **os.environ)
    expected = {name: value for name, value in dotenv_values(tmp_path / "e").items() if value is not None}
    assert values == expected
    assert values["H"] == "2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\n\nB='unclosed\n", ":3: not a line of NAME=VALUE"),
        ("A=1\n=2\n", ":2: not a line of NAME=VALUE"),
        ("A=hush\nhush hush hush\n", ":2: not a line of NAME=VALUE"),
        ("A=1\nB=\0\n", ":2: the system takes no NUL character"),
        ("A=1\nB=" + " " * 2000 + "x", ":2:3: a thousand blanks in a row"),
        ("A=" + "${B}" * 101, ":1: more than 100 variables in one value"),
        (
            "A0=xxxxxxxxxx\n" + "".join(f"A{i}=${{A{i - 1}}}${{A{i - 1}}}\n" for i in range(1, 40)),
            "longer than 1 MiB",
        ),
        ("A=" + "x" * (1 << 20), "larger than 1 MiB"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, message: str) -> None:
    before = time.monotonic()
    with pytest.raises(RequestError) as caught:
        read(tmp_path, text)
    assert message in caught.value.message
    assert "hush" not in caught.value.message + caught.value.detail
    assert time.monotonic() - before < 20


def test_many_lines_are_soon_read(tmp_path: Path) -> None:
    assert len(read(tmp_path, "".join(f"A{i}=\n" for i in range(20_000)))) == 20_000
