"""Backends by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.execution.registry import GROUP, get_backend
from projrun.plugins import built_ins

FOREIGN = """\
from projrun.execution.protocol import Capabilities

class Cluster:
    name = "cluster"
    capabilities = Capabilities(accepts_config=True)
    def check(self, config): ...
    def submit(self, spec, config): ...
    def attach(self, ref): ...
"""


def test_every_built_in_answers_to_its_name() -> None:
    assert [get_backend(name).name for name in built_ins().BACKENDS] == ["local"]


def test_the_built_ins_are_registered_like_anyone_elses() -> None:
    from importlib.metadata import entry_points

    registered = {
        entry.name: entry.value
        for entry in entry_points(group=GROUP)
        if entry.value.startswith("projrun_backends.")
    }
    assert registered == built_ins().BACKENDS


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(RequestError, match="unknown backend 'locale'; did you mean 'local'") as raised:
        get_backend("locale")
    assert "local" in raised.value.hint


def test_a_third_partys_backend_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "foreign_cluster.py").write_text(FOREIGN)
    metadata = tmp_path / "foreign_cluster-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-cluster\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\ncluster = foreign_cluster:Cluster\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert get_backend("cluster").capabilities.accepts_config is True
