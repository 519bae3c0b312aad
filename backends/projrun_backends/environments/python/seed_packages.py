"""What a new environment contains before anything is installed: the wheels that virtualenv carries."""

from __future__ import annotations

from pathlib import Path

from projrun_backends.environments.python.versions import PythonVersion

_WITHOUT_SETUPTOOLS = (3, 12)
"""From this version on virtualenv and venv seed pip alone."""


def seed_wheels(version: PythonVersion) -> list[Path]:
    """pip, and setuptools where it belongs to this Python; none for a version too old to be carried."""
    from virtualenv.seed.wheels.embed import BUNDLE_SUPPORT, get_embed_wheel

    minor = f"{version.major}.{version.minor}"
    if minor not in BUNDLE_SUPPORT:
        return []
    names = ["pip", "setuptools"] if version.release < _WITHOUT_SETUPTOOLS else ["pip"]
    wheels = [get_embed_wheel(name, minor) for name in names]
    return [Path(wheel.path) for wheel in wheels if wheel is not None]
