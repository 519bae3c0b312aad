"""Files of a project as they grow and are written again, and what is wrong with them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from projrun.running.outputs import sources
from projrun.running.outputs.sources import JsonFile, LinesFile, Source, Told


def points(source: Source, *, whole: bool = False) -> list[tuple[str, float, int]]:
    return [(one.key, one.value, one.step) for one in source.points(whole=whole)]


def test_a_document_that_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    source = JsonFile(tmp_path, "m.json")
    assert points(source) == []
    path.write_text('{"a": 1')
    assert points(source) == []
    assert "is not JSON" in source.problems()[0]
    path.write_text('{"a": 1, "b": 1}')
    assert points(source) == [("a", 1, 0), ("b", 1, 0)]
    path.write_text('{"a": 2, "b": 1}')
    assert points(source) == [("a", 2, 1)]
    assert points(source, whole=True) == []
    assert source.problems() == []


def test_csv_that_grows_and_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    source = LinesFile(tmp_path, "h.csv")
    path.write_bytes(b'\xef\xbb\xbf"epoch",loss,name\r\n0,3,"a,b"\r\n1,')
    assert points(source) == [("loss", 3, 0)]
    path.write_bytes(b'\xef\xbb\xbf"epoch",loss,name\r\n0,3,"a,b"\r\n1,2,x\r\n,,\r\n1,2\r\n2,1,')
    assert points(source) == [("loss", 2, 1)]
    assert points(source, whole=True) == [("loss", 1, 2)]
    path.write_text("step,loss\n0,3\n1,9\n")
    assert points(source, whole=True) == [("loss", 9, 1)]
    assert source.problems() == ["h.csv: line 5 has not as many cells as the first one"]


def test_csv_without_steps(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    source = LinesFile(tmp_path, "h.csv")
    (tmp_path / "h.csv").write_text("a,b\n1,\n2,5\n")
    assert points(source, whole=True) == [("a", 1, 0), ("a", 2, 1), ("b", 5, 0)]


def test_what_an_earlier_run_wrote_is_not_this_ones(tmp_path: Path) -> None:
    for name in ("m.json", "m.jsonl"):
        (tmp_path / name).write_text('{"a": 1}\n')
    document, lines = JsonFile(tmp_path, "m.json"), LinesFile(tmp_path, "m.jsonl")
    assert points(document, whole=True) == points(lines, whole=True) == []
    assert document.problems() == ["m.json was not written by the command"]
    for name in ("m.json", "m.jsonl"):
        (tmp_path / name).unlink()
        (tmp_path / name).write_text('{"a": 1}\n')
    assert points(document, whole=True) == points(lines, whole=True) == [("a", 1, 0)]


@pytest.mark.parametrize("name", ["m.json", "m.jsonl", "m.csv"])
def test_what_is_no_file_of_metrics(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_JSON", 1 << 20)
    project, kind = tmp_path / "project", JsonFile if name == "m.json" else LinesFile
    project.mkdir()
    path = project / name
    source = kind(project, name)
    assert points(source, whole=True) == []
    assert source.problems() == [f"{name} was not written by the command"]
    for content in (os.urandom(3000) + b"\n" + bytes(3000), b"[" * 100_000, b"0" * (2 << 20), b"\n\n"):
        path.write_bytes(content)
        source = kind(project, name)
        path.write_bytes(content + b"\n")
        assert points(source, whole=True) == []
        assert source.problems()
    (tmp_path / "away").write_text('{"a": 1}\n')
    path.unlink()
    path.symlink_to("../away")
    source = kind(project, name)
    (tmp_path / "away").write_text('{"a": 1}\n\n')
    assert points(source, whole=True) == []
    assert source.problems() == [f"{name} is a link that leaves the project"]


def test_lines_of_any_language(tmp_path: Path) -> None:
    path = tmp_path / "told"
    source = Told(path)
    assert points(source, whole=True) == []
    path.write_text('{"rmse": 0.3, "step": 2}\nnot json\n\n{"key": "k", "value": 3}\n{"k": 4}\n{"k": 5')
    assert points(source) == [("rmse", 0.3, 2), ("k", 3, 0), ("k", 4, 1)]
    with path.open("a") as file:
        file.write("}\n")
    assert points(source) == [("k", 5, 2)]
    assert source.problems() == ["PROJRUN_METRICS: line 2 is not JSON"]
