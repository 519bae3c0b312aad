"""Prometheus' text format."""

from __future__ import annotations

import os

from projrun.http.serving.exposition import Histogram, exposition, resident_memory, sample


def test_any_text_may_be_in_a_label() -> None:
    assert sample("a", 1) == "a 1"
    assert sample("a", 1, model='x"} 9\n\\', status=200) == 'a{model="x\\"} 9\\n\\\\",status="200"} 1'
    assert exposition(iter([sample("a", 1, model="\ud800")])) == b'a{model="?"} 1\n'


def test_a_histogram_counts_upwards() -> None:
    durations = Histogram()
    for seconds in (0.0005, 0.02, 0.02, 99):
        durations.add(seconds)
    lines = list(durations.lines("d", model="m"))
    assert lines[0] == 'd_bucket{model="m",le="0.001"} 1'
    assert 'd_bucket{model="m",le="0.025"} 3' in lines
    assert lines[-3:] == [
        'd_bucket{model="m",le="+Inf"} 4',
        'd_sum{model="m"} 99.040500',
        'd_count{model="m"} 4',
    ]


def test_the_memory_of_a_process_that_has_ended_is_not_known() -> None:
    own = resident_memory(os.getpid())
    assert own is None or own > 1_000_000
    assert resident_memory(2**22 + 1) is None
