"""The GPUs of this machine that a run may choose from."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

from projrun.errors import RequestError
from projrun.running.nvidia_smi import ask_gpus

VISIBLE = "CUDA_VISIBLE_DEVICES"

_FIELDS = "index,uuid,memory.used"
_PATIENCE = 30.0


def check_gpus(count: int, environ: Mapping[str, str]) -> None:
    """RequestError for more GPUs than there are to choose from."""
    found = len(choices(environ)) if count else 0
    if count > found:
        where = f"${VISIBLE} names" if VISIBLE in environ else "nvidia-smi lists"
        raise RequestError(
            f"--gpus: {count} wanted, and {where} {found}",
            hint=f"ask for fewer, or set {VISIBLE} to those to choose from",
        )


def choices(environ: Mapping[str, str]) -> dict[str, str]:
    """The devices to choose from, as CUDA names them, each with the name of its lock; the least used first.

    Those that the caller's CUDA_VISIBLE_DEVICES names, else those of nvidia-smi.
    """
    listed = _listed(environ)
    if VISIBLE not in environ:
        return listed
    chosen = {}
    for name in map(str.strip, environ[VISIBLE].split(",")):
        if not name or name.startswith("-"):
            break  # CUDA shows none after an invalid one
        whole = [uuid for uuid in listed.values() if uuid.startswith(name)]
        chosen[name] = listed.get(name) or (whole[0] if len(whole) == 1 else name)
    return chosen


def _listed(environ: Mapping[str, str]) -> dict[str, str]:
    try:
        rows = ask_gpus(_FIELDS, environ, _PATIENCE) or []
    except (OSError, subprocess.SubprocessError) as error:
        raise RequestError(f"--gpus: nvidia-smi fails: {error}", hint="see what `nvidia-smi` says") from None
    return {index: uuid for index, uuid, _ in sorted((row for row in rows if len(row) == 3), key=_used)}


def _used(row: Sequence[str]) -> float:
    """The memory in use; a device that does not say it comes last."""
    return float(row[2]) if row[2].isdecimal() else float("inf")
