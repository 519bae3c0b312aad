"""Secrets never reach the log, however the output is cut into chunks."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from projrun.execution.supervision.mask import MASK, Mask

LETTERS = st.text(alphabet="ab", max_size=60)
SECRETS = st.text(alphabet="ab", min_size=1, max_size=5)


def masked(secrets: tuple[str, ...], chunks: list[bytes]) -> bytes:
    mask = Mask(secrets)
    return b"".join([mask.feed(chunk) for chunk in chunks] + [mask.close()])


def cut(text: bytes, places: list[int]) -> list[bytes]:
    borders = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(borders)]


@given(text=LETTERS, secret=SECRETS, places=st.lists(st.integers(min_value=0), max_size=10))
@example(text="aabaab", secret="aab", places=[1, 2, 3, 4, 5])
@example(text="aaa", secret="aa", places=[1, 2])
def test_one_secret_is_masked_as_by_replace(text: str, secret: str, places: list[int]) -> None:
    whole = text.encode()
    assert masked((secret,), cut(whole, places)) == whole.replace(secret.encode(), MASK)


@given(
    text=LETTERS,
    secrets=st.lists(SECRETS, min_size=1, max_size=4),
    places=st.lists(st.integers(min_value=0), max_size=10),
)
@example(text="abababc", secrets=["ab", "abab"], places=[2, 3])
def test_chunks_change_nothing_with_several_secrets(text: str, secrets: list[str], places: list[int]) -> None:
    pattern = "|".join(map(re.escape, sorted(set(secrets), key=len, reverse=True)))
    expected = re.sub(pattern, MASK.decode(), text)
    assert masked(tuple(secrets), cut(text.encode(), places)).decode() == expected


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=3))
def test_any_bytes(data: bytes, secret: bytes) -> None:
    text = secret.decode("utf-8", "surrogateescape")
    assert masked((text,), [data[:7], data[7:]]) == data.replace(secret, MASK)


def test_what_cannot_be_a_secret_is_shown_at_once() -> None:
    mask = Mask(("password",))
    assert mask.feed(b"loss 0.1\r") == b"loss 0.1\r"
    assert mask.feed(b"a pass") == b"a "
    assert mask.feed(b"age\n") == b"passage\n"


def test_several_secrets_one_the_beginning_of_another() -> None:
    assert masked(("key", "key-2"), [b"<key>", b"<key", b"-2>"]) == b"<***><***>"


@pytest.mark.parametrize("secrets", [(), ("",)])
def test_without_secrets_bytes_pass_as_they_are(secrets: tuple[str, ...]) -> None:
    assert masked(secrets, [b"\x00\xff", b"abc"]) == b"\x00\xffabc"


@pytest.mark.parametrize("length", range(1, 6))
def test_the_lengths_around_a_secrets_own(length: int) -> None:
    """One byte short is held back and shown in the end, the whole is masked at once, one more is shown."""
    secret = b"abcde"[:length]
    short, last = secret[:-1], secret[-1:]
    mask = Mask((secret.decode(),))
    assert mask.feed(b"<" + short) == b"<"
    assert mask.feed(last) == MASK
    assert mask.feed(secret + b">") == MASK + b">"
    assert mask.feed(short) == b""
    assert mask.feed(b">") == short + b">"
    assert mask.feed(short) == b""
    assert mask.close() == short


def test_the_longest_secret_decides_how_much_is_held_back() -> None:
    mask = Mask(("abcdef", "xy", "abc!"))
    assert mask.feed(b"abcde") == b""
    assert mask.feed(b"f") == MASK
    assert mask.feed(b"abcx") == b"abc"
    assert mask.feed(b"y") == MASK
