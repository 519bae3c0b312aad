"""Artifacts as a page shows them: zip archives of folders, the first rows of tables, a log while it grows; curves."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from urllib.parse import urlencode

import pytest

from projrun.server.files import zipping
from tests.server.client import Answer, Client
from tests.server.test_tables import ask

OWN = "/api/projrun/1/artifacts/"


@pytest.fixture
def folder(client: Client, database: Path, run_id: str) -> Path:
    """The run's artifacts."""
    folder = database.parent / "artifacts" / "0" / run_id / "artifacts"
    (folder / "model" / "deep").mkdir(parents=True)
    (folder / "model" / "MLmodel").write_text("flavors: {}")
    (folder / "model" / "deep" / "é.bin").write_bytes(bytes(range(256)) * 5000)
    return folder


def get(client: Client, route: str, **query: object) -> Answer:
    """The answer of a route."""
    return client.send("GET", f"{OWN}{route}?{urlencode(query)}")


def test_a_folder_as_a_zip(client: Client, run_id: str, folder: Path) -> None:
    answer = get(client, "zip", run_id=run_id, path="model")
    assert answer.headers["content-disposition"] == 'attachment; filename="model.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["MLmodel", "deep/é.bin"]
        assert archive.read("deep/é.bin") == bytes(range(256)) * 5000
    whole = get(client, "zip", run_id=run_id)
    assert zipfile.ZipFile(io.BytesIO(whole.body)).namelist() == ["model/MLmodel", "model/deep/é.bin"]
    assert get(client, "zip", run_id=run_id, path="absent").error[0] == 404
    assert get(client, "zip", run_id=run_id, path="../..").error[0] == 400


def test_a_folder_of_too_many_files_is_refused(
    client: Client, run_id: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipping, "MOST_FILES", 1)
    assert "more than 1 files" in get(client, "zip", run_id=run_id).json["message"]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "a.csv",
            'x,y\n1,"a,b"\n2,<script>\n',
            {"columns": ["x", "y"], "rows": [["1", "a,b"], ["2", "<script>"]]},
        ),
        ("a.csv", "x;y\n1;2\n", {"columns": ["x", "y"], "rows": [["1", "2"]]}),
        ("A.TSV", "x\ty\n1\t2", {"columns": ["x", "y"], "rows": [["1", "2"]]}),
        ("a.csv", "", {"columns": [], "rows": []}),
        (
            "a.csv",
            "x\n1\n2\n3\n4\n",
            {"columns": ["x"], "rows": [["1"], ["2"], ["3"]], "total": None, "more": True},
        ),
    ],
)
def test_the_first_rows_of_a_table(
    client: Client, run_id: str, folder: Path, name: str, content: str, expected: dict[str, object]
) -> None:
    (folder / name).write_text(content)
    found = get(client, "table", run_id=run_id, path=name, rows=3).json
    assert found == {"total": len(expected["rows"]), "more": False, **expected}  # type: ignore[arg-type]


def test_what_is_no_table(client: Client, run_id: str, folder: Path) -> None:
    assert get(client, "table", run_id=run_id, path="model/MLmodel").error[0] == 400
    assert get(client, "table", run_id=run_id, path="absent.csv").error[0] == 404
    assert get(client, "table", run_id=run_id, path="model/MLmodel", rows=5000).error[0] == 400
    (folder / "a.parquet").write_bytes(b"PAR1")
    assert get(client, "table", run_id=run_id, path="a.parquet").error[0] in (400, 501)


def test_a_log_that_grows_is_read_by_ranges(client: Client, run_id: str, folder: Path) -> None:
    log = folder / "output.log"
    log.write_text("first\n")
    path = f"/get-artifact?{urlencode({'run_id': run_id, 'path': 'output.log'})}"

    def rest(start: int) -> tuple[int, str | None, bytes]:
        client.connection.request("GET", client.prefix + path, headers={"Range": f"bytes={start}-"})
        response = client.connection.getresponse()
        return response.status, response.headers["content-range"], response.read()

    assert rest(0) == (200, None, b"first\n")
    with log.open("a") as more:
        more.write("second\n")
    assert rest(6) == (206, "bytes 6-12/13", b"second\n")
    assert rest(13) == (416, "bytes */13", b"")


def test_curves(client: Client, run_id: str) -> None:
    for step, value in enumerate((1.0, "NaN", "Infinity")):
        client.post("runs/log-metric", run_id=run_id, key="m", value=value, timestamp=5 + step, step=step)
    series = [{"run_id": run_id, "key": "m"}]
    curve = ask(client, "curves", series=series).json["curves"][0]
    assert curve == {
        "run_id": run_id, "key": "m", "total": 3, "rough": False, "x": [0, 1, 2], "y": [1.0, "NaN", "Infinity"],
    }  # fmt: skip
    later = ask(client, "curves", series=series, x="relative", start=1, points=10).json["curves"][0]
    assert later["x"] == [1, 2]
    assert ask(client, "curves", series=series, x="colour").error[0] == 400
    assert ask(client, "curves", series=series, start="NaN").error[0] == 400
    assert ask(client, "curves", series=series, start="-Infinity", end=1e308).json["curves"][0]["x"] == [
        0,
        1,
        2,
    ]
    assert json.loads(ask(client, "curves").body) == {"curves": []}
