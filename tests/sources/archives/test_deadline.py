from __future__ import annotations

import time
from threading import Event

import pytest

from projrun.errors import RequestError, SourceError
from projrun.sources.archives.deadline import within


def test_what_is_done_in_time() -> None:
    assert within(5, lambda: 3, "x.zip") == 3


def test_errors_pass() -> None:
    def fail() -> int:
        raise RequestError("wrong")

    with pytest.raises(RequestError, match=r"wrong"):
        within(5, fail, "x.zip")


def test_a_timeout_of_the_work_itself_passes() -> None:
    def fail() -> int:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match=r"its own"):
        within(5, fail, "x.zip")


def test_what_takes_too_long() -> None:
    end = Event()
    started = time.monotonic()
    with pytest.raises(SourceError, match=r"x.zip cannot be downloaded: it was not complete after 0.1 s"):
        within(0.1, end.wait, "x.zip")
    assert time.monotonic() - started < 20
    end.set()
