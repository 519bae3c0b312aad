"""GPUs: which there are to choose from, and that no two runs have the same one. The program stands in for NVIDIA's."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from projrun.errors import RequestError
from projrun.running.gpu_choice import check_gpus, choices
from tests.execution.supervision.support import eventually
from tests.running.test_runner import Workbench, log_of
from tests.support.commands import start_projrun
from tests.support.projects import write_project
from tests.support.warm import Started

# Two devices; the second is used less.
NVIDIA_SMI = """#!/bin/sh
[ "$*" = "--query-gpu=index,uuid,memory.used --format=csv,noheader,nounits" ] || exit 9
echo "0, GPU-aaaa-1, 900"
echo "1, GPU-bbbb-2, 3"
"""
MLPROJECT = """
name: learning
entry_points:
  main:
    command: 'echo on ${CUDA_VISIBLE_DEVICES-all} ${CUDA_DEVICE_ORDER-}; bash -c "$THEN"'
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(NVIDIA_SMI)
    program.chmod(0o700)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}"}


@pytest.fixture
def bench(tmp_path: Path, environ: Mapping[str, str]) -> Workbench:
    bench = Workbench(tmp_path)
    write_project(bench.project, MLPROJECT)
    bench.environ |= {**environ, "THEN": "true"}
    return bench


@pytest.mark.parametrize(
    ("visible", "found"),
    [
        (None, {"1": "GPU-bbbb-2", "0": "GPU-aaaa-1"}),
        ("0", {"0": "GPU-aaaa-1"}),
        ("1, GPU-aaaa", {"1": "GPU-bbbb-2", "GPU-aaaa": "GPU-aaaa-1"}),
        ("GPU", {"GPU": "GPU"}),  # of more than one device
        ("7,MIG-1/2", {"7": "7", "MIG-1/2": "MIG-1/2"}),
        ("0,-1,1", {"0": "GPU-aaaa-1"}),
        ("", {}),
    ],
)
def test_the_caller_says_which_there_are_to_choose_from(
    environ: dict[str, str], visible: str | None, found: Mapping[str, str]
) -> None:
    if visible is not None:
        environ["CUDA_VISIBLE_DEVICES"] = visible
    assert list(choices(environ).items()) == list(found.items())


def test_a_name_of_a_gpu_may_be_anything(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bin" / "nvidia-smi").write_text("#!/bin/sh\nprintf '0, GPU-\\377, 1\\nbroken\\n'\n")
    assert choices(environ) == {"0": "GPU-\ufffd"}


def test_more_than_there_are_is_an_error_of_the_plan(bench: Workbench, environ: Mapping[str, str]) -> None:
    bench.environ["PROJRUN_GPUS"] = "3"
    with pytest.raises(RequestError, match="--gpus: 3 wanted, and nvidia-smi lists 2"):
        bench.plan()
    with pytest.raises(RequestError, match=r"\$CUDA_VISIBLE_DEVICES names 1"):
        check_gpus(2, {**environ, "CUDA_VISIBLE_DEVICES": "0"})
    with pytest.raises(RequestError, match="nvidia-smi lists 0"):
        check_gpus(1, {"PATH": "/no/such/folder"})
    check_gpus(0, {"PATH": "/no/such/folder"})


@pytest.mark.parametrize(
    ("gpus", "visible", "printed"),
    [
        ("1", None, "on 1 PCI_BUS_ID\n"),
        ("2", None, "on 1,0 PCI_BUS_ID\n"),
        ("1", "0,1", "on 0\n"),
        ("0", "0,1", "on\n"),
    ],
)
def test_the_command_sees_its_own(bench: Workbench, gpus: str, visible: str | None, printed: str) -> None:
    bench.environ |= {"PROJRUN_GPUS": gpus, **({"CUDA_VISIBLE_DEVICES": visible} if visible else {})}
    assert log_of(bench.execute(bench.plan())) == printed
    assert list((bench.home / "gpus").glob("*")) == []


@pytest.mark.processes
def test_runs_side_by_side_get_different_ones_and_the_third_waits(bench: Workbench, tmp_path: Path) -> None:
    bench.environ["PROJRUN_GPUS"] = "1"
    # Its pipes break with its runner; and every process gets TERM more than once.
    trap = f"trap 'for one in 1 2 3 4 5; do sleep 0.2; done; touch {tmp_path}/ended; exit' TERM"
    slow = f"exec >/dev/null 2>&1; {trap}; touch {tmp_path}/$$.up; until [ -e {tmp_path}/go ]; do sleep 0.05; done"
    active = bench.home / "active"

    def start(then: str) -> Started:
        return start_projrun("run", bench.project, cwd=tmp_path, environ={**bench.environ, "THEN": then})

    try:
        first, second = start(slow), start(slow)
        eventually(lambda: len(list(tmp_path.glob("*.up"))) == 2, "both commands")
        third, fourth = start(f"ls {tmp_path}/ended"), start("true")
        eventually(lambda: len(list(active.iterdir())) == 4, "the other runs")
        fourth.send_signal(signal.SIGTERM)
        assert fourth.end(20).returncode == 143
        first.send_signal(signal.SIGKILL)
        first.end(20)
        output = third.end(30)
    finally:
        (tmp_path / "go").touch()
    assert b"waiting for 1 free GPU\n" in output.stderr
    assert output.returncode == 0, "its guard keeps the GPU of a killed runner until the command has ended"
    said = {second.end(20).stdout, output.stdout.partition(b"\n")[0] + b"\n"}
    assert said == {b"on 0 PCI_BUS_ID\n", b"on 1 PCI_BUS_ID\n"}


@pytest.mark.processes
def test_a_step_of_a_run_chooses_from_the_gpus_of_that_run(bench: Workbench, tmp_path: Path) -> None:
    step = f"projrun run {bench.project} --gpus 1 --env-manager local --no-tty"
    bench.environ |= {"PROJRUN_GPUS": "2", "THEN": f"THEN=true {step}"}
    done = start_projrun("run", bench.project, cwd=tmp_path, environ=bench.environ).end(60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == b"on 1,0 PCI_BUS_ID\non 1 PCI_BUS_ID\n"
