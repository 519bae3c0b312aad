"""Running the tools that build environments."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from projrun_backends.environments.python.tools import ToolError, ToolRunner, build_environ
from tests.execution.supervision.support import PROC, eventually, is_running


def runner(folder: Path, *, secrets: tuple[str, ...] = (), shown: list[str] | None = None) -> ToolRunner:
    lines = shown if shown is not None else []
    return ToolRunner(folder / "log", dict(os.environ), secrets, lines.append, folder)


def python(script: str) -> list[str | Path]:
    return [sys.executable, "-c", script]


def test_output_goes_to_the_log_and_steps_to_the_progress(tmp_path: Path) -> None:
    shown: list[str] = []
    script = (
        "import sys; print('Downloading it'); print('chatter'); print('  Building', file=sys.stderr);"
        "print('Downloading x.metadata (1 kB)'); print('Installing ' + 'x' * 200)"
    )
    tools = runner(tmp_path, shown=shown)
    tools.run("tool", python(script), variables={"PYTHONUNBUFFERED": "1"})
    log = (tmp_path / "log").read_text().splitlines()
    assert log[0].startswith("$ ")
    assert log[-5:-2] == ["Downloading it", "chatter", "  Building"]
    assert shown[:2] == ["Downloading it", "Building"]
    assert [len(line) for line in shown[2:]] == [100]


def test_a_failure_carries_the_last_lines(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="tool failed with exit code 3") as raised:
        runner(tmp_path).run("tool", python("for n in range(50): print(n)\nraise SystemExit(3)"))
    assert raised.value.tail == tuple(str(number) for number in range(30, 50))


@pytest.mark.processes
def test_secrets_are_masked_everywhere(tmp_path: Path) -> None:
    shown: list[str] = []
    tools = runner(tmp_path, secrets=("hush",), shown=shown)
    with pytest.raises(ToolError) as raised:
        tools.run(
            "tool", python("print('Downloading hush'); print('http://me:word@host'); raise SystemExit(1)")
        )
    assert raised.value.tail == ("Downloading ***", "http://host")
    assert shown == ["Downloading ***"]
    assert "hush" not in (tmp_path / "log").read_text()
    with pytest.raises(ToolError) as raised:
        tools.capture("tool", python("import sys; sys.exit('hush now')"))
    assert raised.value.tail == ("*** now",)
    assert tools.capture("tool", python("print('hush')")) == "***\n"


def test_a_tool_that_is_not_there_or_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="127") as raised:
        runner(tmp_path).run("tool", [tmp_path / "missing"])
    assert raised.value.tail == ("tool cannot be started: No such file or directory",)


def test_a_tool_has_no_input_to_wait_for(tmp_path: Path) -> None:
    runner(tmp_path).run("tool", python("import sys; assert sys.stdin.read() == ''"))


def test_output_that_is_no_text(tmp_path: Path) -> None:
    runner(tmp_path).run("tool", python("import sys; sys.stdout.buffer.write(b'\\xff\\n')"))
    assert "\ufffd" in (tmp_path / "log").read_text(encoding="utf-8")


def test_an_interrupt_ends_a_tool_that_ignores_it(tmp_path: Path) -> None:
    pids: list[int] = []

    def interrupt(line: str) -> None:
        pids.append(int(line.split()[1]))
        raise KeyboardInterrupt

    script = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('Building', os.getpid(), flush=True); time.sleep(60)"
    )
    with pytest.raises(KeyboardInterrupt):
        ToolRunner(tmp_path / "log", dict(os.environ), (), interrupt, tmp_path).run("tool", python(script))
    done = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pids[0])], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == ""


def test_installers_do_not_see_what_would_lead_them_astray() -> None:
    astray = {"PYTHONHOME": "x", "PIP_TARGET": "x", "PYTHONDONTWRITEBYTECODE": "1", "VIRTUAL_ENV": "x"}
    environ = build_environ({**astray, "HOME": "/h", "PIP_USER": "1", "PIP_INDEX_URL": "https://h"})
    assert not astray.keys() & environ.keys()
    assert (environ["HOME"], environ["PIP_USER"], environ["PIP_INDEX_URL"]) == ("/h", "0", "https://h")
    assert environ["PIP_REQUIRE_VIRTUALENV"] == "1"
    assert environ["GIT_TERMINAL_PROMPT"] == "0"


@pytest.mark.processes
@pytest.mark.skipif(not PROC.exists(), reason="elsewhere only the tool's own process group ends")
def test_a_tool_and_what_it_started_end_with_a_runner_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "tool.sh").write_text("echo $$ >> pids; setsid bash -c 'echo $$ >> pids; exec sleep 60'; :")
    code = (
        "import os\nfrom pathlib import Path\nfrom projrun_backends.environments.python.tools import ToolRunner\n"
        "ToolRunner(Path('log'), dict(os.environ), (), print, Path()).run('tool', ['bash', 'tool.sh'])\n"
    )
    pids = tmp_path / "pids"
    with subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path) as killed:
        eventually(lambda: pids.exists() and pids.read_text().count("\n") == 2, "the tool")
        killed.kill()
    for pid in map(int, pids.read_text().split()):
        eventually(lambda pid=pid: not is_running(pid), f"the end of process {pid}")  # type: ignore[misc]
