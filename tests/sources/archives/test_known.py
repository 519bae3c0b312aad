from __future__ import annotations

import json
from pathlib import Path

import pytest

from projrun.sources.archives.known import Known, fingerprint, recall, remember

KNOWN = Known("0" * 64, '"tag"', "Mon, 01 Jan 2024 00:00:00 GMT", fingerprint("https://host/x.zip"))


def test_what_is_remembered_is_recalled(tmp_path: Path) -> None:
    record = tmp_path / "archives" / "record.json"
    assert recall(record) is None
    remember(record, KNOWN)
    assert recall(record) == KNOWN
    remember(record, KNOWN._replace(digest="1" * 64))
    assert recall(record) == KNOWN._replace(digest="1" * 64)
    assert list(record.parent.iterdir()) == [record]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"digest": 1}',
        '{"digest": "short"}',
        json.dumps({"digest": "../" + "0" * 61}),
        json.dumps({**KNOWN._asdict(), "etag": None}),
        json.dumps({**KNOWN._asdict(), "more": "x"}),
        "[" * 100_000,
    ],
)
def test_what_makes_no_sense_is_forgotten(tmp_path: Path, text: str) -> None:
    record = tmp_path / "record.json"
    record.write_text(text)
    assert recall(record) is None


def test_fingerprint_tells_nothing_of_the_uri() -> None:
    assert fingerprint("https://host/x?token=a") != fingerprint("https://host/x?token=b")
    assert len(fingerprint("https://host/\udcff")) == 64
