"""The conformance kit of execution backends: subclass it for your backend, and pytest does the rest.

    class TestMine(BackendConformance):
        @pytest.fixture
        def backend(self) -> ExecutionBackend: ...

A backend that takes a configuration also provides `config` and `refused_config`. Its class must be importable: another
process attaches to a job by it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from projrun.errors import RequestError
from projrun.execution.protocol import UNKNOWN_EXIT_CODE, ExecutionBackend, Job, JobSpec, Limits, Outcome
from projrun.execution.registry import check_config
from projrun.execution.serialization import read_spec, write_spec

_PATIENCE = 60.0
"""Seconds that anything may take on a busy machine."""
_LINES = 20_000
_ELSEWHERE = """\
import sys
from importlib import import_module

module, name, ref, signum = sys.argv[1:]
job = getattr(import_module(module), name)().attach(ref)
first = job.poll()
if int(signum):
    job.signal(int(signum))
print([first is None, job.wait().exit_code, job.logs(0)])
"""


def relabel(outcome: Outcome, details: Mapping[str, str], environ: Mapping[str, str]) -> Outcome:
    """The `end_function` of the kit's jobs: shows that it was called, and with what."""
    return Outcome("FAILED", 42, f"{details['word']} {environ['WORD']}: {outcome.reason}")


class BackendConformance:
    """What every backend does."""

    @pytest.fixture
    def backend(self) -> ExecutionBackend:
        """The backend under test; a subclass provides it."""
        raise NotImplementedError("a subclass of the kit provides the fixture `backend`")

    @pytest.fixture
    def config(self) -> Mapping[str, object]:
        """A `--backend-config` that jobs run with."""
        return {}

    @pytest.fixture
    def refused_config(self) -> Mapping[str, object]:
        """One that is wrong."""
        return {"no-such-key": 1}

    def test_its_name_is_a_word(self, backend: ExecutionBackend) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9-]*", backend.name)
        assert type(backend)().name == backend.name

    def test_a_wrong_configuration_is_refused(
        self,
        backend: ExecutionBackend,
        config: Mapping[str, object],
        refused_config: Mapping[str, object],
    ) -> None:
        assert check_config(backend, {}) == check_config(backend, config) == ""
        if not backend.capabilities.accepts_config:
            assert "has no effect" in check_config(backend, refused_config)
            return
        with pytest.raises(RequestError) as raised:
            check_config(backend, refused_config)
        assert raised.value.message.isprintable()
        assert raised.value.hint

    @pytest.mark.parametrize(
        ("command", "status", "exit_code", "reason"),
        [
            ("true", "FINISHED", 0, r""),
            ("exit 3", "FAILED", 3, r"exit code 3"),
            ("kill -KILL $$", "FAILED", 137, r".*SIGKILL.*"),
        ],
    )
    def test_how_a_job_ends(
        self,
        backend: ExecutionBackend,
        config: Mapping[str, object],
        tmp_path: Path,
        command: str,
        status: str,
        exit_code: int,
        reason: str,
    ) -> None:
        outcome = waited(submitted(backend, config, spec_in(tmp_path, command)))
        assert (outcome.status, outcome.exit_code) == (status, exit_code)
        assert re.fullmatch(reason, outcome.reason)

    def test_the_command_gets_what_the_specification_says(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        folder = tmp_path / "a 'b' é"
        folder.mkdir()
        command = 'words=(x y); printf "%s\\n" "${words[1]}" "$PWD" "$GIVEN" "$ADDED" "${NOT_GIVEN-unset}"'
        spec = spec_in(folder, command, argv_prefix=("env", "ADDED=by the prefix"))
        spec = spec._replace(environ={**spec.environ, "GIVEN": "two\nlines"})
        job = submitted(backend, config, spec)
        waited(job)
        assert whole_log(job).decode().splitlines() == [
            "y",
            str(folder),
            "two",
            "lines",
            "by the prefix",
            "unset",
        ]

    def test_a_wrapped_command_is_the_process_that_wraps_it(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        spec = spec_in(tmp_path, "echo not wrapped", argv=("echo", "wrapped  $HOME"))
        job = submitted(backend, config, spec)
        assert waited(job).status == "FINISHED"
        assert whole_log(job) == b"wrapped  $HOME\n"

    def test_what_ends_the_command_is_called(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        spec = spec_in(
            tmp_path,
            "exit 3",
            end_function=f"{__name__}:relabel",
            end_details={"word": "told"},
            end_environ={"WORD": "again"},
        )
        outcome = waited(submitted(backend, config, spec))
        assert outcome == Outcome("FAILED", 42, "told again: exit code 3")

    def test_a_specification_survives_as_json(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        spec = spec_in(tmp_path, 'echo "$TOKEN" word', secrets=("hush-hush",))
        spec = spec._replace(environ={**spec.environ, "TOKEN": "hush-hush"})
        text = write_spec(spec, tmp_path / "private")
        assert "hush-hush" not in text
        job = submitted(backend, config, read_spec(text))
        assert waited(job).status == "FINISHED"
        assert whole_log(job) == b"*** word\n"

    def test_lines_begin_with_their_time_where_that_is_asked_for(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        job = submitted(backend, config, spec_in(tmp_path, "echo word", timestamps=True))
        assert waited(job).status == "FINISHED"
        assert re.fullmatch(rb"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z word\n", whole_log(job))

    def test_the_output_is_complete_at_the_end(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        command = f"for ((n = 1; n <= {_LINES}; n++)); do echo $n; done; (sleep 0.2; echo later) &"
        job = submitted(backend, config, spec_in(tmp_path, command))
        assert waited(job).status == "FINISHED"
        lines = whole_log(job).split()
        assert lines == [b"%d" % number for number in range(1, _LINES + 1)] + [b"later"]

    def test_logs_are_read_from_any_byte_while_it_runs_and_after(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        command = "echo first; until [ -e go ]; do sleep 0.05; done; echo second"
        job = submitted(backend, config, spec_in(tmp_path, command))
        assert polled(job, until=lambda: job.logs(0) == b"first\n") is None
        assert (job.logs(2), job.logs(6)) == (b"rst\n", b"")
        (tmp_path / "go").touch()
        assert waited(job).status == "FINISHED"
        assert (job.logs(0), job.logs(6), job.logs(1000)) == (b"first\nsecond\n", b"second\n", b"")

    def test_polling_says_the_same_as_waiting(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        job = submitted(backend, config, spec_in(tmp_path, "until [ -e go ]; do sleep 0.05; done; exit 4"))
        assert job.poll() is None
        (tmp_path / "go").touch()
        outcome = polled(job)
        assert outcome is not None
        assert (outcome.status, outcome.exit_code) == ("FAILED", 4)
        assert waited(job) == outcome == job.poll()

    def test_a_signal_ends_the_whole_job(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        job = submitted(backend, config, spec_in(tmp_path, "sleep 600 & echo started; wait"))
        assert polled(job, until=lambda: job.logs(0) == b"started\n") is None
        job.signal(signal.SIGTERM)
        outcome = waited(job)
        assert (outcome.status, outcome.exit_code) == ("KILLED", 143)
        job.signal(signal.SIGTERM)  # one that is gone is no error
        assert waited(job) == outcome

    def test_a_job_that_takes_too_long_fails(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        if "timeout" not in backend.capabilities.resources:
            return  # then the plan refuses one
        spec = spec_in(tmp_path, "trap 'exit 0' TERM; sleep 600 & wait", limits=Limits(timeout=0.3))
        outcome = waited(submitted(backend, config, spec))
        assert (outcome.status, outcome.exit_code, outcome.cause) == ("FAILED", 124, "timeout")
        assert outcome.reason == "timed out after 0.3 s"

    def test_a_job_that_has_ended_is_found_again(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        ref = backend.submit(spec_in(tmp_path, "echo said; exit 3"), config)
        assert ref.isprintable()
        outcome = waited(backend.attach(ref))
        again = backend.attach(ref)
        assert again.poll() == waited(again) == outcome
        assert whole_log(again) == b"said\n"

    def test_a_text_that_is_no_reference_is_refused(self, backend: ExecutionBackend) -> None:
        for text in ("", "no such job", "\n", "-1"):
            with pytest.raises(RequestError):
                backend.attach(text)

    def test_another_process_finds_a_running_job(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        ref = backend.submit(spec_in(tmp_path, "echo started; sleep 600"), config)
        job = backend.attach(ref)
        assert polled(job, until=lambda: job.logs(0) == b"started\n") is None
        running, exit_code, printed = self.elsewhere(backend, ref, signal.SIGTERM)
        assert (running, printed) == ("True", "b'started\\n'")
        assert int(exit_code) in (143, UNKNOWN_EXIT_CODE)
        assert waited(job).exit_code == 143

    def test_another_process_finds_a_job_that_has_ended(
        self, backend: ExecutionBackend, config: Mapping[str, object], tmp_path: Path
    ) -> None:
        ref = backend.submit(spec_in(tmp_path, "echo said; exit 3"), config)
        waited(backend.attach(ref))
        running, exit_code, printed = self.elsewhere(backend, ref, 0)
        assert (running, printed) == ("False", "b'said\\n'")
        assert int(exit_code) in (3, UNKNOWN_EXIT_CODE)

    def elsewhere(self, backend: ExecutionBackend, ref: str, signum: int) -> list[str]:
        """What a new process sees of a job: whether it ran, the exit code, the output; it sends a signal before."""
        kind = type(backend)
        done = subprocess.run(
            [sys.executable, "-c", _ELSEWHERE, kind.__module__, kind.__qualname__, ref, str(int(signum))],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdout=subprocess.PIPE,
            text=True,
            timeout=_PATIENCE,
            check=True,
        )
        return done.stdout.strip("[]\n").split(", ")


def spec_in(folder: Path, command: str, **changes: Any) -> JobSpec:
    """A job in a folder, with this process's variables; its log is beside the folder."""
    log_file = folder.with_name(f"{folder.name}.log")
    return JobSpec(command, (), folder, dict(os.environ), log_file, 5.0)._replace(**changes)


def submitted(backend: ExecutionBackend, config: Mapping[str, object], spec: JobSpec) -> Job:
    """The job, started."""
    return backend.attach(backend.submit(spec, config))


def polled(job: Job, until: Callable[[], bool] = lambda: False) -> Outcome | None:
    """Poll until the job has ended, or until a condition holds: None then."""
    deadline = time.monotonic() + _PATIENCE
    while (outcome := job.poll()) is None and not until():
        assert time.monotonic() < deadline, f"waited {_PATIENCE:.0f} s; the output is {job.logs(0)!r}"
        time.sleep(0.02)
    return outcome


def waited(job: Job) -> Outcome:
    """What `wait` returns or raises; a failure where it does neither."""
    returned: Future[Outcome] = Future()

    def wait() -> None:
        try:
            returned.set_result(job.wait())
        except BaseException as error:
            returned.set_exception(error)

    Thread(target=wait, daemon=True).start()
    try:
        return returned.result(_PATIENCE)
    except FutureTimeout:
        if returned.done():
            raise
        raise AssertionError(
            f"`wait` has not returned within {_PATIENCE:g} s; `poll` says {job.poll()}, the output is {job.logs(0)!r}"
        ) from None


def whole_log(job: Job) -> bytes:
    """All that a job has printed: one call may give a part."""
    printed = b""
    while piece := job.logs(len(printed)):
        printed += piece
    return printed
