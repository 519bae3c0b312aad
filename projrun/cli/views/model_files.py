"""What a model's files say, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from projrun.bounded import read_file
from projrun.cli.quantities import size_text
from projrun.models.mlmodel import MLmodel
from projrun.models.signature import Field, Signature

REQUIREMENTS = "requirements.txt"


def facts_of(model: MLmodel, folder: Path) -> Iterator[tuple[str, str | None]]:
    """A label and a text for each fact, and each field of the signature."""
    yield "flavors", ", ".join(model.flavors)
    yield "model id", model.model_id
    yield "run", model.run_id
    yield "made", f"{model.created} UTC" if model.created else None
    yield "mlflow", model.mlflow_version
    yield "python", str((model.pyfunc or {}).get("python_version") or "")
    yield "size", None if model.size_bytes is None else size_text(model.size_bytes)
    yield "example", None if model.input_example is None else model.input_example.file
    for label, fields in _parts(model.signature):
        for field in fields:
            yield label, _told(field)
    for line in requirements(folder):
        yield "requires", line


def document_of(model: MLmodel, folder: Path) -> dict[str, object]:
    """The keys of `--json`; a contract test pins them."""
    return {
        "flavors": {name: dict(flavor) for name, flavor in model.flavors.items()},
        "model_id": model.model_id or None,
        "run_id": model.run_id or None,
        "mlflow_version": model.mlflow_version or None,
        "utc_time_created": model.created or None,
        "size_bytes": model.size_bytes,
        "input_example": model.input_example.file if model.input_example else None,
        "signature": {
            f"{label}s": [
                {
                    "name": field.name or None,
                    "type": str(field.type),
                    "required": field.required,
                    **({"default": field.default} if label == "param" else {}),
                }
                for field in fields
            ]
            for label, fields in _parts(model.signature)
        },
        "metadata": dict(model.metadata or {}),
        "requirements": list(requirements(folder)),
    }


def requirements(folder: Path) -> Sequence[str]:
    """The lines of the model's requirements, without comments; none where there is no such file."""
    try:
        text = read_file(folder / REQUIREMENTS).decode("utf-8", "replace")
    except OSError:
        return ()
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def _parts(signature: Signature | None) -> tuple[tuple[str, tuple[Field, ...]], ...]:
    found = signature or Signature()
    return ("input", found.inputs), ("output", found.outputs), ("param", found.params)


def _told(field: Field) -> str:
    name = f"{field.name}: " if field.name else ""
    default = "" if field.default is None else f" = {field.default}"
    return f"{name}{field.type}{default}{'' if field.required else ' (optional)'}"
