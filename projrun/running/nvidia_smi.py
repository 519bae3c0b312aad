"""NVIDIA's own program, which knows the GPUs of this machine and their use."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping


def ask_gpus(fields: str, environ: Mapping[str, str], patience: float) -> list[list[str]] | None:
    """What `nvidia-smi` says of each GPU, field by field; None where it is not installed.

    Raises OSError or subprocess.SubprocessError where it fails, or takes longer than `patience` seconds.
    """
    program = shutil.which("nvidia-smi", path=environ.get("PATH", os.defpath))
    if program is None:
        return None
    done = subprocess.run(
        [program, f"--query-gpu={fields}", "--format=csv,noheader,nounits"],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=patience,
        check=True,
    )
    lines = done.stdout.decode(errors="replace").splitlines()
    return [[field.strip() for field in line.split(",")] for line in lines]
