"""The report of a bug is made to be sent to others."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from projrun.cli.bugs import write_report


def test_a_report_holds_the_traceback_and_no_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    try:
        raise ValueError("https://me:hunter2@host.test/x?token=hunter3")
    except ValueError as bug:
        said = write_report(bug)
    (file,) = tmp_path.iterdir()
    assert str(file) in said
    report = file.read_text(encoding="utf-8")
    assert "test_bugs.py" in report
    assert "https://host.test/x?token=***" in report
    assert "hunter" not in report
    assert file.stat().st_mode & 0o077 == 0
