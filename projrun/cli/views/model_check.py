"""What `models check` found, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from projrun.cli.quantities import count_text
from projrun.models.checking import Installed
from projrun.models.environment import same_minor
from projrun.models.recorded import RecordedEnvironment


class CheckedModel(NamedTuple):
    """A model that was tried."""

    uri: str
    python: str
    """The program."""
    recorded: RecordedEnvironment
    installed: Installed
    example: str
    """The file; empty for a model without an example that could be sent."""
    predictions: object = None
    failure: str = ""
    """Why the model could not be loaded, or did not predict."""
    difference: str | None = None
    """Where the predictions are not the expected ones; empty where they are, None where nothing is known of them."""

    @property
    def has_recorded_python(self) -> bool:
        """Whether it is the minor version that the model was saved by."""
        return same_minor(self.recorded.python, self.installed.python)

    @property
    def is_as_recorded(self) -> bool:
        """Whether nothing differs that matters: another patch of Python does not."""
        return self.has_recorded_python and not (self.installed.differences or self.difference)


def facts_of(checked: CheckedModel) -> Iterator[tuple[str, str | None]]:
    """A label and a text for each fact."""
    recorded, installed = checked.recorded, checked.installed
    yield "model", checked.uri
    other = "" if recorded.python in ("", installed.python) else f"; saved by {recorded.python}"
    yield "python", f"{installed.python}, {checked.python}{other}"
    if recorded.requirements and not installed.differences:
        yield "packages", f"all {len(recorded.requirements)} of {recorded.source} are there"
    for each in installed.differences:
        yield "differs", f"{each.required} ({recorded.source}): {each.installed or 'nothing'} is installed"
    if not checked.failure:
        yield "example", _example(checked)
        yield "expected", {None: None, "": "equal"}.get(checked.difference, checked.difference)


def _example(checked: CheckedModel) -> str:
    if not checked.example:
        return "none: the model was only loaded"
    count = len(checked.predictions) if isinstance(checked.predictions, list) else 1
    return f"{checked.example}: {count_text(count, 'prediction')}"


def document_of(checked: CheckedModel) -> dict[str, object]:
    """The keys of `--json`; a contract test pins them."""
    return {
        "uri": checked.uri,
        "python": checked.installed.python,
        "recorded_python": checked.recorded.python or None,
        "differences": [
            {"required": each.required, "installed": each.installed, "file": checked.recorded.source}
            for each in checked.installed.differences
        ],
        "input_example": checked.example or None,
        "predictions": checked.predictions,
        "error": checked.failure or None,
        "expected_difference": checked.difference,
        "as_recorded": checked.is_as_recorded and not checked.failure,
    }
