"""What a model's files say of the environment that it was saved in: its Python and its packages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from projrun.models.mlmodel import MLmodel, read_yaml
from projrun.project.text import read_text

_FILES = ("requirements.txt", "python_env.yaml", "conda.yaml")


class RecordedEnvironment(NamedTuple):
    """What was installed when the model was saved."""

    python: str = ""
    """The version; empty where no file says it."""
    requirements: tuple[str, ...] = ()
    """Lines of a requirements file."""
    source: str = ""
    """The file that they are from."""


def recorded_environment(model: MLmodel, folder: Path) -> RecordedEnvironment:
    """The Python that saved the model, and the requirements of the first file that has any.

    Raises RequestError for a damaged file.
    """
    documents = {name: _document(folder / name) for name in _FILES[1:]}
    python = model.python or str(documents["python_env.yaml"].get("python") or "")
    conda = tuple(_conda(documents["conda.yaml"].get("dependencies")))
    python = python or next(
        (line[8:].removesuffix(".*") for line in conda if line.startswith("python==")), ""
    )
    lines = {
        "requirements.txt": _lines(folder / "requirements.txt"),
        "python_env.yaml": _texts(documents["python_env.yaml"].get("dependencies")),
        "conda.yaml": tuple(line for line in conda if not line.startswith("python==")),
    }
    for source, found in lines.items():
        wanted = tuple(line for line in found if not line.startswith("-"))
        if wanted:
            return RecordedEnvironment(python, wanted, source)
    return RecordedEnvironment(python)


def _lines(file: Path) -> tuple[str, ...]:
    if not file.is_file():
        return ()
    lines = (line.partition(" #")[0].strip() for line in read_text(file, file.name).splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _document(file: Path) -> Mapping[str, Any]:
    if not file.is_file():
        return {}
    written = read_yaml(file)
    return written if isinstance(written, dict) else {}


def _texts(listed: object) -> tuple[str, ...]:
    return tuple(str(each) for each in listed if isinstance(each, str)) if isinstance(listed, list) else ()


def _conda(listed: object) -> Iterator[str]:
    """What is in a conda file as lines for pip: `numpy=1.24` is `numpy==1.24.*` there."""
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict):
            yield from _texts(each.get("pip"))
        elif isinstance(each, str):
            yield _for_pip(each)


def _for_pip(spec: str) -> str:
    name, equals, version = spec.rpartition("::")[2].replace(" ", "").partition("=")
    if not equals or name.endswith(("<", ">", "!", "~")):
        return spec
    number, build, _ = version.removeprefix("=").partition("=")
    if build or version.startswith("="):
        return f"{name}=={number}"
    return f"{name}=={number.rstrip('.*')}.*"
