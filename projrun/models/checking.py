"""Whether a model loads and predicts in its environment, and how that environment differs from the recorded one."""

from __future__ import annotations

import asyncio
import json
import math
import subprocess
from pathlib import Path
from typing import NamedTuple

import msgspec

from projrun.bounded import parse_json, read_file
from projrun.errors import RequestError
from projrun.models.recorded import RecordedEnvironment
from projrun.models.serving.answers import Answer, error_line
from projrun.models.serving.prediction import JSON
from projrun.models.serving.process import ModelError, WorkerProcess
from projrun.models.serving.served import ServedModel

_SCRIPT = Path(__file__).parent / "serving" / "worker" / "installed.py"
_LARGEST = 1 << 28
"""Bytes of predictions."""
_CLOSE = 1e-6
"""The relative difference that two numbers may have: other processors round in other ways."""


class PackageDifference(NamedTuple):
    """A requirement that is not met."""

    required: str
    """A line of a requirements file."""
    installed: str | None
    """The version; None where the package is not there."""


class Installed(msgspec.Struct, frozen=True):
    """What a model's environment has."""

    python: str
    differences: tuple[PackageDifference, ...]


def installed(served: ServedModel, recorded: RecordedEnvironment) -> Installed:
    """Compare what is installed with what is recorded. Raises ModelError where the Python does not start."""
    done = subprocess.run(
        [*served.command, str(_SCRIPT)],
        env=served.environ,
        input=json.dumps(recorded.requirements),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    try:
        return msgspec.json.decode(done.stdout.rstrip("\n").rpartition("\n")[2], type=Installed)
    except msgspec.DecodeError:
        raise ModelError(
            f"the Python of the environment does not work: {served.command[0]} ended with {done.returncode}",
            hint="its own output is above",
        ) from None


def ask(served: ServedModel, body: bytes | None, seconds: float) -> object:
    """Load the model, and let it predict where there is a body: the predictions.

    Raises ModelError where the model cannot be loaded or does not take the body.
    """
    answer = asyncio.run(_ask(served, body, seconds))
    if answer is None:
        return None
    if answer.status != 200:
        reason = error_line(answer)
        raise ModelError(f"the model does not predict its input example: {reason}")
    try:
        value = parse_json(answer.body.decode())
    except ValueError as error:
        raise ModelError(f"the model's predictions are not JSON: {error}") from None
    return value.get("predictions", value) if isinstance(value, dict) else value


async def _ask(served: ServedModel, body: bytes | None, seconds: float) -> Answer | None:
    worker = WorkerProcess(served, lambda lost: None)
    try:
        await worker.load()
        return None if body is None else await worker.answer(JSON, body, seconds)
    finally:
        await worker.end()


def read_expected(file: Path) -> object:
    """Predictions as `projrun models predict` writes them. Raises RequestError."""
    try:
        value = parse_json(read_file(file, _LARGEST).decode())
    except OSError as error:
        raise RequestError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise RequestError(f"{file} is not JSON: {error}") from None
    return value["predictions"] if isinstance(value, dict) and "predictions" in value else value


def first_difference(expected: object, given: object, place: str = "predictions") -> str:
    """Where two values differ first, and how; empty where they are equal but for rounding."""
    if isinstance(expected, dict) and isinstance(given, dict) and expected.keys() == given.keys():
        pairs = [(expected[key], given[key], f"{place}.{key}") for key in expected]
    elif isinstance(expected, list) and isinstance(given, list) and len(expected) == len(given):
        pairs = [
            (one, other, f"{place}[{i}]") for i, (one, other) in enumerate(zip(expected, given, strict=True))
        ]
    else:
        return "" if _equal(expected, given) else f"{place} is {_short(given)}, expected {_short(expected)}"
    return next(filter(None, (first_difference(*pair) for pair in pairs)), "")


def _equal(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=_CLOSE, abs_tol=1e-12)
    return one == other


def _short(value: object) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
