"""Artifacts that the browser plays, and tables that the server reads for it."""

from __future__ import annotations

import base64
import io
import math
import subprocess
import wave
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.support.browser import Screen
from tests.support.program import projrun_server
from tests.support.rest import Api

HOSTILE = "<img src=x onerror=alert(1)>"
_FILM = """async () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [32, 24];
    const brush = canvas.getContext("2d");
    const stream = canvas.captureStream();
    const recorder = new MediaRecorder(stream, { mimeType: "video/webm" });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const ended = new Promise((call) => { recorder.onstop = call; });
    recorder.start();
    for (let frame = 0; frame < 5; frame += 1) {
        brush.fillStyle = `rgb(${50 * frame} 80 120)`;
        brush.fillRect(0, 0, 32, 24);
        await new Promise((call) => setTimeout(call, 40));
    }
    recorder.stop();
    await Promise.race([ended, new Promise((call) => setTimeout(call, 30_000))]);
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    return btoa(String.fromCharCode(...bytes));
}"""


def _shown(screen: Screen, api: Api, name: str, content: bytes) -> None:
    """A new run with one file, which is chosen."""
    experiment = api.experiment(f"previews of {name}")
    run = api.run(experiment, "recorder")
    api.put(f"{experiment}/{run}/artifacts/{name}", content)
    screen.show(f"/experiments/{experiment}/runs/{run}?tab=artifacts&path={name}")


def _cells(screen: Screen) -> list[list[str]]:
    """The rows of the table that is shown, without their numbers."""
    screen.page.locator(".boxed tr").first.wait_for()
    rows: list[list[str]] = screen.page.locator(".boxed").evaluate(
        "table => [...table.querySelectorAll('tr')].map(row => [...row.cells].slice(1).map(cell => cell.textContent))"
    )
    return rows


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        ("ragged.csv", "a,b\n1\n1,2,3\n", [["a", "b", ""], ["1", "", ""], ["1", "2", "3"]]),
        ("quoted.csv", '"x;y",b\n"1,5","say ""hi""\nthere"\n', [["x;y", "b"], ["1,5", 'say "hi"\nthere']]),
        ("excel.csv", "\ufeffname;value\r\n\u00e4;1,5\r\n", [["name", "value"], ["\u00e4", "1,5"]]),
        ("head.csv", "a,b", [["a", "b"]]),
        ("ragged.json", '{"columns": ["a"], "data": [[], [1, 0.123456789]]}', [["a", ""], ["", ""], ["1", "0.123457"]]),
    ],
)  # fmt: skip
def test_a_table_has_all_cells_of_its_rows(
    screen: Screen, api: Api, name: str, text: str, rows: list[list[str]]
) -> None:
    _shown(screen, api, name, text.encode())
    assert _cells(screen) == rows


@pytest.mark.parametrize(
    "name", ["t.csv", "c.json", "p.png", "v.mp4", "s.wav", "p.html", "a.txt", "m.md", "b.bin"]
)
def test_an_empty_file_is_shown_as_empty(screen: Screen, api: Api, name: str) -> None:
    _shown(screen, api, name, b"")
    screen.text("The file is empty.")


@pytest.mark.parametrize("name", ["50% #1?a=b&c.csv", "%252E.csv", "...csv", "é 'x' \"y\".csv"])
def test_a_file_of_any_name_is_chosen_and_saved(screen: Screen, api: Api, name: str) -> None:
    experiment = api.experiment(f"any name {name}")
    run = api.run(experiment, "recorder")
    api.put(f"{experiment}/{run}/artifacts/sub/{quote(name)}", b"a,b")
    page = screen.show(f"/experiments/{experiment}/runs/{run}?tab=artifacts").page
    page.get_by_role("treeitem", name="sub").click()
    page.get_by_role("treeitem", name=name).click()
    screen.text("0 rows, 2 columns")
    page.reload()
    screen.text("0 rows, 2 columns")
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download sub/{name}").click()
    assert download.value.path().read_bytes() == b"a,b"


def test_an_empty_log_is_followed(screen: Screen, api: Api) -> None:
    experiment = api.experiment("empty log")
    run = api.run(experiment, "silent", status="RUNNING")
    path = f"{experiment}/{run}/artifacts/logs/output.log"
    api.put(path, b"")
    screen.show(f"/experiments/{experiment}/runs/{run}?tab=log").text("Nothing has been printed yet.")
    api.put(path, b"first\n")
    screen.text("first")
    # More questions, to which there is nothing new.
    for _ in range(2):
        with screen.page.expect_response("**/get-artifact?**"):
            pass


def _tone() -> bytes:
    """Half a second at 440 Hz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(bytes(int(128 + 100 * math.sin(math.tau * 440 * n / 8000)) for n in range(4000)))
    return file.getvalue()


def test_a_sound_can_be_played(screen: Screen, api: Api) -> None:
    _shown(screen, api, "tone.wav", _tone())
    # Not played: a machine without sound may never begin.
    expect(screen.page.locator("audio")).to_have_js_property("duration", 0.5)
    assert screen.inaccessible() == []


def test_a_film_can_be_played(screen: Screen, api: Api) -> None:
    screen.show("/experiments").text("New experiment")
    _shown(screen, api, "episode.webm", base64.b64decode(screen.page.evaluate(_FILM)))
    expect(screen.page.locator("video")).to_have_js_property("videoWidth", 32)


def test_a_parquet_file_is_a_table_where_the_server_has_pyarrow(
    screen: Screen, api: Api, tmp_path: Path, mlflow3_python: Path
) -> None:
    """MLflow brings pyarrow along; the server of this test sees that package and no other of MLflow's."""
    table = f"pyarrow.table({{'name': ['fox', {HOSTILE!r}], 'loss': [0.25, None]}})"
    write = f"import pyarrow, pyarrow.parquet; pyarrow.parquet.write_table({table}, 't.parquet')"
    subprocess.run([mlflow3_python, "-c", write], cwd=tmp_path, check=True)
    content = (tmp_path / "t.parquet").read_bytes()
    _shown(screen, api, "plain.parquet", content)
    screen.text("Parquet is shown where pyarrow is installed beside the server")
    screen.problems = [each for each in screen.problems if "501" not in each]
    (packages,) = mlflow3_python.parent.parent.glob("lib/python3*/site-packages")
    (tmp_path / "packages").mkdir()
    for name in ("pyarrow", "numpy", "numpy.libs"):
        (tmp_path / "packages" / name).symlink_to(packages / name)
    with projrun_server(tmp_path, environ={"PYTHONPATH": str(tmp_path / "packages")}) as program:
        screen.api = Api(program.uri)
        _shown(screen, screen.api, "t.parquet", content)
        screen.text("2 rows, 2 columns")
        expect(screen.page.locator(".boxed th")).to_have_text(["#", "name", "loss"])
        expect(screen.page.locator(".boxed td")).to_have_text(["1", "fox", "0.25", "2", HOSTILE, ""])
        screen.page.goto("about:blank")  # before the server ends, which would be an error of the page
