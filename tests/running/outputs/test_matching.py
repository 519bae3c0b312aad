from __future__ import annotations

from pathlib import Path

import pytest

from projrun.cache.lease import Lease, Mark
from projrun.running.outputs import growth
from projrun.running.outputs.collection import Collection
from projrun.running.outputs.matching import Patterns
from projrun.tracking.limits import BATCH_METRICS
from tests.running.test_runner import Workbench
from tests.support.projects import write_project


def found(block: bytes, *patterns: str, timestamps: bool = False) -> list[dict[str, str]]:
    return [dict(one) for one in Patterns(patterns, timestamps=timestamps).matches(block)]


def test_lines_in_their_order_and_several_in_one(  # a bar is drawn with \r
) -> None:
    block = b"a=1 b=2\nb=3\r\x1b[31mb=4\x1b[0m\nnothing\n"
    assert found(block, r"a=(?P<a>\d)", r"b=(?P<b>\d)") == [{"a": "1"}, {"b": "2"}, {"b": "3"}, {"b": "4"}]
    assert found(b"x=1 x=2\n", r"x=(?P<x>\d)") == [{"x": "1"}, {"x": "2"}]


def test_what_matches_nothing_says_nothing() -> None:
    assert found(b"", r"(?P<x>\d*)") == []
    assert found(b"abc\n", r"(?P<x>\d*)") == []
    assert found(b"\xff\x00 x=1\n", r"x=(?P<x>\d)") == [{"x": "1"}]


def test_the_time_before_a_line_is_not_part_of_it() -> None:
    block = b"2026-01-02T03:04:05.678Z loss=1\n"
    assert found(block, r"^loss=(?P<loss>\S+)", timestamps=True) == [{"loss": "1"}]


def test_who_is_interrupted_waits_only_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "BLOCK", 3000)
    bench = Workbench(tmp_path)
    outputs = r"{metrics: ['(?P<x>\d+)']}"
    write_project(bench.project, f"entry_points: {{main: {{command: 'true', outputs: {outputs}}}}}")
    lease = Lease(tmp_path / "active" / "run", Mark("run", "store"))
    lease.log_file.write_text("1\n" * 20_000)
    collection = Collection(bench.plan(), lease)
    (first,) = collection.rest(0)
    assert len(first) == BATCH_METRICS
    assert collection.problems() == ["outputs: the run was interrupted before all metrics were read"]
    lease.release()


def test_a_pattern_without_end_is_used_no_longer_and_others_are() -> None:
    patterns = Patterns([r"x=(?P<x>\d)", r"(?P<y>(a+)+b)", r"z=(?P<z>\d)"])
    assert [*patterns.matches(b"x=1 z=2\n" + b"a" * 50 + b"\n")] == [{"x": "1"}, {"z": "2"}]
    (problem,) = patterns.problems
    assert "'(?P<y>(a+)+b)' takes longer than 2 s" in problem
    assert [*patterns.matches(b"z=3\n")] == [{"z": "3"}]
    assert len(patterns.problems) == 1
