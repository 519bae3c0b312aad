"""Numbers that options of `projrun models` do not take."""

from __future__ import annotations

import pytest

from projrun.cli.execution import execute


@pytest.mark.parametrize(
    ("command", "option", "value", "said"),
    [
        ("serve", "--timeout", "nan", "'nan' is not a number of seconds"),
        ("serve", "--timeout", "1e400", "'1e400' is not a number of seconds"),
        ("serve", "--follow", "nan", "'nan' is not a number of seconds"),
        ("check", "--timeout", "inf", "'inf' is not a number of seconds"),
        ("serve", "--timeout", "0", "0.0 is not in the range x>0"),
        ("serve", "--max-queue", "0", "--max-queue: 0 would refuse all requests"),
        ("serve", "--workers", "1000", "1000 is not in the range 1<=x<=256"),
    ],
)
def test_what_is_said(
    command: str, option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(["models", command, "-m", "absent", option, value]) == 2
    assert said in capsys.readouterr().err
