"""Whatever a file says, its reader returns or raises an error of projrun's own, soon: exit code 70 is a bug.

A failing variant is found again by its reader and its number.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from projrun.errors import ProjrunError
from tests.faults.mutations import mutated, mutated_bytes
from tests.faults.readers import READERS, prepare

EACH = 45
"""Variants of each reader in CI, some 1,600 of all."""
LARGE = 600
"""The same by hand, some 21,000."""
SECONDS = 10
"""That one may take on a busy machine."""


class TooSlow(BaseException):
    """No handler of a reader takes it for its own."""


@contextmanager
def soon() -> Iterator[None]:
    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def failures(name: str, numbers: range, folder: Path) -> list[str]:
    """The variants that end in another way, with how."""
    reader = READERS[name]
    prepare(folder)
    found = []
    for number in numbers:
        (folder / reader.file).write_bytes(_variant(reader.text, number))
        try:
            with soon():
                reader.read(folder)
        except ProjrunError as error:
            if error.exit_code == 70:
                found.append(f"{number}: {error}")
        except (Exception, TooSlow) as error:
            found.append(f"{number}: {type(error).__name__}: {str(error)[:200]}")
    return found


def _variant(text: str | bytes, number: int) -> bytes:
    return mutated(text, number) if isinstance(text, str) else mutated_bytes(text, number)


@pytest.mark.parametrize("name", READERS)
def test_the_text_itself_is_read(name: str, tmp_path: Path) -> None:
    """Otherwise its variants would try little."""
    prepare(tmp_path)
    text = READERS[name].text
    (tmp_path / READERS[name].file).write_bytes(text.encode() if isinstance(text, str) else text)
    READERS[name].read(tmp_path)


@pytest.mark.parametrize("name", READERS)
def test_no_variant_is_a_bug(name: str, tmp_path: Path) -> None:
    assert failures(name, range(EACH), tmp_path) == []


@pytest.mark.large
@pytest.mark.parametrize("name", READERS)
def test_none_of_many_is(name: str, tmp_path: Path) -> None:
    assert failures(name, range(EACH, EACH + LARGE), tmp_path) == []
