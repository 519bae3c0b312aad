"""Output: forwarded as it arrives, kept, masked; and everything that can be wrong with where it goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from projrun.execution.supervision.output import LogFile
from tests.execution.supervision.support import PYTHON, Runner, eventually

pytestmark = pytest.mark.processes

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="/dev/full: Linux")

ALTERNATING = """\
import os
for number in range(500):
    os.write(1, b"out %d\\n" % number)
    os.write(2, b"err %d\\n" % number)
"""
IN_ORDER = "".join(f"out {number}\nerr {number}\n" for number in range(500)).encode()


def script(folder: Path, text: str) -> str:
    (folder / "script.py").write_text(text)
    return f"{PYTHON} -S script.py"


def test_two_pipes_keep_stdout_and_stderr_apart(tmp_path: Path) -> None:
    with Runner(tmp_path, script(tmp_path, ALTERNATING)) as runner:
        stdout, stderr = runner.finish()
    assert stdout == b"".join(line for line in IN_ORDER.splitlines(True) if line.startswith(b"out"))
    assert stderr == b"".join(line for line in IN_ORDER.splitlines(True) if line.startswith(b"err"))
    log = runner.log_file.read_bytes()
    assert sorted(log.splitlines()) == sorted(IN_ORDER.splitlines())


def test_one_pipe_keeps_the_order(tmp_path: Path) -> None:
    with Runner(tmp_path, script(tmp_path, ALTERNATING), stderr=subprocess.STDOUT) as runner:
        stdout, _ = runner.finish()
    assert stdout == IN_ORDER
    assert runner.log_file.read_bytes() == IN_ORDER


def test_stdout_can_be_left_to_the_runner(tmp_path: Path) -> None:
    with Runner(tmp_path, script(tmp_path, ALTERNATING), forward_stdout_to_stderr=True) as runner:
        stdout, stderr = runner.finish()
    assert (stdout, stderr) == (b"", IN_ORDER)
    assert runner.log_file.read_bytes() == IN_ORDER


def test_bytes_arrive_before_their_line_ends(tmp_path: Path) -> None:
    command = "printf 'epoch 1: 10%%\\r'; until [ -e go ]; do sleep 0.05; done; echo end"
    with Runner(tmp_path, command) as runner:
        assert runner.process.stdout is not None
        assert os.read(runner.process.stdout.fileno(), 100) == b"epoch 1: 10%\r"
        eventually(lambda: runner.log_file.read_bytes() == b"epoch 1: 10%\r", "the log")
        (tmp_path / "go").touch()
        assert runner.finish()[0] == b"end\n"


@pytest.mark.parametrize("to_file", [False, True])
def test_binary_and_big_output_is_untouched(tmp_path: Path, to_file: bool) -> None:
    data = os.urandom(1_000_000) * 16
    (tmp_path / "data").write_bytes(data)
    target = tmp_path / "stdout"
    with (
        target.open("wb") as file,
        Runner(tmp_path, "cat data", stdout=file if to_file else subprocess.PIPE) as runner,
    ):
        stdout, _ = runner.finish()
    assert (target.read_bytes() if to_file else stdout) == data
    assert runner.log_file.read_bytes() == data


def test_a_file_that_is_appended_to(tmp_path: Path) -> None:
    target = tmp_path / "all.txt"
    target.write_bytes(b"before\n")
    with (
        target.open("ab") as file,
        Runner(tmp_path, "echo now; echo err >&2", stdout=file, stderr=file) as runner,
    ):
        runner.finish()
    assert target.read_bytes() == b"before\nnow\nerr\n"


def test_secrets_are_masked_in_the_log_only(tmp_path: Path) -> None:
    command = "printf 'key=s3c'; sleep 0.2; printf 'ret!\\n'; echo s3cret >&2"
    with Runner(tmp_path, command, secrets=("s3cret",)) as runner:
        stdout, stderr = runner.finish()
    assert (stdout, stderr) == (b"key=s3cret!\n", b"s3cret\n")
    assert sorted(runner.log_file.read_bytes().splitlines()) == [b"***", b"key=***!"]


def test_a_secret_on_one_stream_is_masked_while_the_other_is_written(tmp_path: Path) -> None:
    command = "printf s3c; sleep 0.2; printf between >&2; sleep 0.2; printf ret"
    with Runner(tmp_path, command, secrets=("s3cret",)) as runner:
        runner.finish()
    assert runner.log_file.read_bytes() == b"between***"


def test_a_reader_that_goes_away_ends_neither_the_command_nor_its_log(tmp_path: Path) -> None:
    command = "echo first; until [ -e go ]; do sleep 0.05; done; seq 1 100000; exit 4"
    with Runner(tmp_path, command) as runner:
        assert runner.process.stdout is not None
        assert runner.process.stdout.readline() == b"first\n"
        runner.process.stdout.close()
        runner.process.stdout = None
        (tmp_path / "go").touch()
        outcome = runner.outcome()
    assert outcome == ("FAILED", 4, "exit code 4", None, (), "")
    assert runner.log_file.read_bytes().endswith(b"\n99999\n100000\n")


def test_a_reader_that_is_slow_slows_the_command_down_and_loses_nothing(tmp_path: Path) -> None:
    with Runner(tmp_path, "seq 1 200000; touch done") as runner:
        time.sleep(0.5)
        assert not (tmp_path / "done").exists()
        stdout, _ = runner.finish()
    assert stdout == runner.log_file.read_bytes()
    assert stdout.endswith(b"\n200000\n")


def test_a_reader_that_starts_reading_after_the_command_has_ended(tmp_path: Path) -> None:
    size = 80_000  # more than a pipe holds, less than two pipes do
    with Runner(tmp_path, f"head -c {size} /dev/zero; touch done") as runner:
        runner.created("done")
        time.sleep(1.5)
        stdout, _ = runner.finish()
    assert len(stdout) == size


def test_a_reader_that_never_reads_does_not_keep_the_runner_alive(tmp_path: Path) -> None:
    with Runner(tmp_path, "touch ready; seq 1 1000000", grace_period=0.3) as runner:
        runner.created("ready")
        time.sleep(0.3)
        runner.send(signal.SIGTERM)
        assert runner.process.wait(timeout=120) == 143
        assert runner.outcome().status == "KILLED"


def test_a_pipe_in_non_blocking_mode(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with Runner(tmp_path, "seq 1 100000", stdout=writer) as runner:
        os.close(writer)
        time.sleep(0.5)
        with os.fdopen(reader, "rb") as file:
            stdout = file.read()
        assert runner.outcome().status == "FINISHED"
    assert stdout.endswith(b"\n100000\n")
    assert stdout == runner.log_file.read_bytes()


@needs_full
def test_a_full_disk_under_the_log_is_one_warning(tmp_path: Path) -> None:
    with Runner(tmp_path, "seq 1 100000; exit 5", log_file=FULL) as runner:
        stdout, _ = runner.finish()
        outcome = runner.outcome()
    assert stdout.endswith(b"\n100000\n")
    assert outcome.exit_code == 5
    assert outcome.warnings == ("/dev/full: No space left on device; the rest of the output is not kept",)


@needs_full
def test_a_full_disk_under_stdout_is_one_warning(tmp_path: Path) -> None:
    with FULL.open("wb") as file, Runner(tmp_path, "seq 1 100000", stdout=file) as runner:
        outcome = runner.outcome()
    assert outcome.status == "FINISHED"
    assert len(outcome.warnings) == 1
    assert "cannot write to standard output: No space left on device" in outcome.warnings[0]
    assert runner.log_file.read_bytes().endswith(b"\n100000\n")


def test_a_log_that_cannot_be_opened_is_one_warning(tmp_path: Path) -> None:
    with Runner(tmp_path, "echo text", log_file=tmp_path) as runner:
        stdout, _ = runner.finish()
        outcome = runner.outcome()
    assert stdout == b"text\n"
    assert outcome.warnings == (f"{tmp_path}: Is a directory; the rest of the output is not kept",)


def test_a_log_can_be_closed_twice(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log", pytest.fail)
    log.write(b"text")
    log.close()
    log.close()
    log.write(b"more")
    assert (tmp_path / "log").read_bytes() == b"text"


@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_standard_streams_that_are_closed(tmp_path: Path, redirection: str) -> None:
    """No file that the runner opens may be taken for the stream whose number it got."""
    wrapper = ("bash", "-c", f'exec "$@" {redirection}', "bash")
    with Runner(tmp_path, "cat; echo out; echo err >&2", wrapper=wrapper) as runner:
        stdout, stderr = runner.finish()
        outcome = runner.outcome()
    assert outcome.status == "FINISHED"
    assert stdout == (b"" if ">&-" in redirection.replace("2>&-", "") else b"out\n")
    assert stderr == (b"" if "2>&-" in redirection else b"err\n")
    assert sorted(runner.log_file.read_bytes().splitlines()) == [b"err", b"out"]


def test_what_the_runner_printed_before_comes_first(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import sys\nfrom pathlib import Path\n"
        "from projrun.execution.supervision.process import ProcessJob\n"
        "from tests.execution.supervision.support import make_spec\n"
        "print('runner first')\n"
        "ProcessJob(['echo', 'then the job'], make_spec(Path(sys.argv[1]), '')).wait()\n"
        "print('runner last')\n"
    )
    done = subprocess.run(
        [sys.executable, str(tmp_path / "program.py"), str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.stdout == "runner first\nthen the job\nrunner last\n"


def test_stdin_from_a_pipe(tmp_path: Path) -> None:
    with Runner(tmp_path, "tr a-z A-Z", stdin=subprocess.PIPE) as runner:
        assert runner.finish(b"some text\n")[0] == b"SOME TEXT\n"


def test_stdin_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("1\n2\n")
    with (tmp_path / "input").open("rb") as file, Runner(tmp_path, "wc -l", stdin=file) as runner:
        assert runner.finish()[0].strip() == b"2"
