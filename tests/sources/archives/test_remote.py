from __future__ import annotations

import hashlib
import io

import pytest

from projrun.errors import SourceError
from projrun.sources.archives.remote import Sink


def test_sink_writes_and_hashes() -> None:
    file = io.BytesIO()
    sink = Sink(file, 10, "x.zip")
    sink.write(b"12345")
    sink.write(b"67890")
    assert file.getvalue() == b"1234567890"
    assert sink.digest == hashlib.sha256(b"1234567890").hexdigest()


def test_sink_ends_what_is_too_long() -> None:
    file = io.BytesIO()
    sink = Sink(file, 10, "x.zip")
    sink.write(b"1234567890")
    with pytest.raises(SourceError, match=r"^x.zip is refused: it is longer than 10 bytes"):
        sink.write(b"1")
    assert file.getvalue() == b"1234567890"
