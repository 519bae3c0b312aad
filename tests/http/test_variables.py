"""Numbers and booleans in MLflow's variables."""

from __future__ import annotations

import pytest

from projrun.errors import RequestError
from projrun.http.variables import enabled


@pytest.mark.parametrize(
    ("text", "expected"), [("true", True), ("TRUE", True), ("1", True), ("False", False), ("0", False)]
)
def test_booleans(text: str, expected: bool) -> None:
    assert enabled({"X": text}, "X", default=not expected) is expected


def test_a_variable_that_is_not_set_or_empty_has_its_default() -> None:
    assert enabled({}, "X", default=True)
    assert not enabled({"X": ""}, "X")


@pytest.mark.parametrize("text", ["yes", "on", " true"])
def test_what_is_no_boolean(text: str) -> None:
    with pytest.raises(RequestError, match=f"X is '{text}', not true, false, 1 or 0"):
        enabled({"X": text}, "X")
