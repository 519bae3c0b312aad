"""The log of a run from its artifacts: read from a real store, followed while it grows, harmless on a terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from projrun.cli.active import recorded
from projrun.cli.active.recorded import print_recorded
from projrun.running.record.recorder import LOG
from projrun.tracking.entities import Run
from projrun.tracking.sql.store import SqlStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    monkeypatch.setenv("PROJRUN_HOME", str(tmp_path / "home"))
    opened = SqlStore.open(tmp_path / "projrun.db", warn=print)
    yield opened
    opened.close()


def write_log(store: SqlStore, run: Run, text: str, folder: Path) -> None:
    (folder / "log").write_bytes(text.encode())
    store.artifacts(run.artifact_uri).upload(folder / "log", LOG)


def test_a_log_is_printed_byte_for_byte(
    store: SqlStore, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = store.create_run("0", start_time=1)
    write_log(store, run, "one\n\x1b[31mtwo\x1b]0;title\x07\n", tmp_path)
    print_recorded(store, run)
    assert capfd.readouterr().out == "one\n\x1b[31mtwo\x1b]0;title\x07\n"


@pytest.mark.parametrize(
    ("status", "words"), [("FINISHED", "has no log\n"), ("RUNNING", "is on the machine where it runs\n")]
)
def test_a_run_without_a_log(
    store: SqlStore, status: str, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    run = store.create_run("0", start_time=1)._replace(status=status)  # type: ignore[arg-type]  # one of the words
    print_recorded(store, run)
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.endswith(words)


def test_the_file_that_keeps_what_the_store_did_not_take(
    store: SqlStore, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = store.create_run("0", start_time=1)
    (tmp_path / "home" / "logs").mkdir(parents=True)
    (tmp_path / "home" / "logs" / f"{run.run_id}.log").write_text("kept\n")
    print_recorded(store, run)
    assert capfd.readouterr().out == "kept\n"


def test_a_run_elsewhere_is_followed_to_its_end(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recorded, "_PAUSE", 0.02)
    run = store.create_run("0", start_time=1)
    write_log(store, run, "one\n", tmp_path)

    def elsewhere() -> None:
        other = SqlStore.open(tmp_path / "projrun.db")
        time.sleep(0.05)
        write_log(other, run, "one\ntwo\n", tmp_path)
        time.sleep(0.05)
        write_log(other, run, "one\ntwo\nthree\n", tmp_path)
        other.update_run(run.run_id, status="FINISHED", end_time=2)
        other.close()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    print_recorded(store, run, follow=True)
    thread.join()
    assert capfd.readouterr().out == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 模型\n", "plain é 模型\n"),
        ("\x1b[1;31mred\x1b[0m\x1b[K\n", "\x1b[1;31mred\x1b[0m\x1b[K\n"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x1b[2J\x1b[1A\x9b2J", "\\x1b[2J\\x1b[1A\\x9b2J"),
        ("a\u202eb\u2066", "a\\u202eb\\u2066"),
    ],
)
def test_what_a_terminal_gets(text: str, shown: str) -> None:
    assert recorded._harmless(text) == shown
