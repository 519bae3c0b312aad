"""The key of an environment: a digest of all that decides what is in it, never of the time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from projrun.bounded import read_file
from projrun.cache.digests import sha256_for
from projrun.credentials import without_credentials
from projrun_backends.environments.python.fingerprints import fingerprint
from projrun_backends.environments.python.indexes import PackageSettings
from projrun_backends.environments.python.interpreters import Interpreter
from projrun_backends.environments.python.requirements import Requirements
from projrun_backends.environments.python.spec import EnvironmentSpec

_FORMAT = "1"
"""Increase it when the same input is built differently."""
_KEY_LENGTH = 32
"""128 bits: interpreter paths in scripts' first lines must stay short."""


def environment_key(
    manager: str,
    spec: EnvironmentSpec,
    interpreter: Interpreter | None,
    settings: PackageSettings,
    *,
    reads_uv_settings: bool = False,
) -> str:
    """Hex; the same on any day and for any credentials. `interpreter` is None where the environment brings its own."""
    indexes = [f"{name}={value}" for name, value in settings.deciding_pip()]
    constraints = _constraint_texts(settings.pip_items("constraint"))
    if reads_uv_settings:
        indexes += [f"{name}={value}" for name, value in sorted(settings.uv.items())]
        indexes += [f"uv.toml {name}={value!r}" for name, value in sorted(settings.uv_file.items())]
        constraints += _constraint_texts(list(settings.uv_constraints))
    parts: list[tuple[str, list[str]]] = [
        ("format", [_FORMAT, manager, _platform()]),
        ("python", [str(interpreter.version), interpreter.implementation] if interpreter else []),
        ("build", _neutral(spec.build_requirements)),
        ("build constraints", list(spec.build_requirements.constraints)),
        ("requirements", _neutral(spec.requirements)),
        ("constraints", list(spec.requirements.constraints)),
        ("local", _local(spec)),
        ("texts", list(spec.texts)),
        ("locked", [str(spec.locked_project is not None), str(spec.pinned), str(spec.seeded)]),
        ("indexes", indexes),
        ("configured constraints", constraints),
    ]
    digest = sha256_for(0)()  # of names and versions
    for name, lines in parts:
        # Lengths, so that no two inputs can run together into one.
        digest.update(f"{name} {len(lines)}\n".encode())
        for line in lines:
            text = without_credentials(line).encode(errors="surrogateescape")
            digest.update(b"%d:%b\n" % (len(text), text))
    key: str = digest.hexdigest()
    return key[:_KEY_LENGTH]


def _neutral(requirements: Requirements) -> list[str]:
    """The lines without the places of local dependencies, which count by content."""
    lines = list(requirements.lines)
    for dependency in requirements.local:
        lines = [line.replace(dependency.path.as_uri(), "LOCAL") for line in lines]
        lines = [line.replace(str(dependency.path), "LOCAL") for line in lines]
    return lines


def _local(spec: EnvironmentSpec) -> list[str]:
    return [fingerprint(one) for one in (*spec.build_requirements.local, *spec.requirements.local)]


def _constraint_texts(files: list[str]) -> list[str]:
    texts = []
    for file in files:
        try:
            texts.append(read_file(Path(file)).decode("utf-8", "replace"))
        except (OSError, ValueError):
            texts.append(file)  # a URL, or missing: the installer says so
    return texts


def _platform() -> str:
    return f"{sys.platform} {os.uname().machine}"
