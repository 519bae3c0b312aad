"""Whether what a batch gives is what each request gets alone."""

from __future__ import annotations

import pytest

from projrun.models.serving.batches import is_same

DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b'{"predictions": [1.0]}', b'{"predictions": [1.0]}', True),
        (b'{"predictions": [0.30000000000000004]}', b'{"predictions": [0.3]}', True),
        (b'{"predictions": [1]}', b'{"predictions": [1.0]}', True),
        (b'{"predictions": [NaN]}', b'{"predictions":[NaN]}', True),
        (b'{"predictions": [{"a": [1.5, "x", null]}]}', b'{"predictions":[{"a":[1.5,"x",null]}]}', True),
        (b'{"predictions": [1.0]}', b'{"predictions": [1.001]}', False),
        (b'{"predictions": [1.0]}', b'{"predictions": [NaN]}', False),
        (b'{"predictions": ["a"]}', b'{"predictions": ["b"]}', False),
        (b'{"predictions": [[1]]}', b'{"predictions": [[1, 1]]}', False),
        (b'{"predictions": [{"a": 1}]}', b'{"predictions": [{"b": 1}]}', False),
        (b'{"predictions": [1]}', b'{"predictions": ["1"]}', False),
        (b"no", b"yes", False),
        (DEEP, DEEP + b" ", False),
    ],
)
def test_answers_are_compared_but_for_rounding(one: bytes, other: bytes, same: bool) -> None:
    assert is_same(one, other) is same
