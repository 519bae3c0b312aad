"""`--follow`: whether the registry leads to another version than the one that is served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from projrun.cli.models.opening import model_place, opened_model, served_model
from projrun.cli.reporter import CommandLineReporter
from projrun.errors import RequestError
from projrun.models.names import NamedUri, may_move
from projrun.models.serving.following import Moved
from projrun.models.serving.served import ServedModel


class Followed:
    """An address in the registry, and where it led when it was last asked for."""

    def __init__(
        self, name: str, values: Mapping[str, Any], reporter: CommandLineReporter, *, trusted: bool
    ) -> None:
        """`values` are those of the command, with the address as `uri`. Raises ProjrunError."""
        self._name = name
        self._values = values
        self._reporter = reporter
        self._trusted = trusted
        self._place = model_place(values)

    def moved(self) -> ServedModel | None:
        """The model that the address leads to now, where that is another one. Raises ProjrunError."""
        place = model_place(self._values)
        if place == self._place:
            return None
        self._reporter.info(
            f"model {self._name!r}: {self._values['uri']} leads to another version; loading it"
        )
        opened = opened_model(self._values, self._reporter)
        # There may be no one to ask: what comes from elsewhere needs --trust.
        model = served_model(opened, self._reporter, trusted=self._trusted, ask=False)
        self._place = place
        return model._replace(name=self._name)


def followed(
    named: Sequence[NamedUri], values: Mapping[str, Any], reporter: CommandLineReporter, *, trusted: bool
) -> dict[str, Moved]:
    """By name, what tells whether an address has moved, for those that can. Raises RequestError where none can."""
    found = {
        each.name: Followed(each.name, {**values, "uri": each.uri}, reporter, trusted=trusted).moved
        for each in named
        if may_move(each.uri)
    }
    if not found:
        raise RequestError(
            "--follow: no model has an address that may lead to another version",
            hint="models:/NAME@ALIAS, models:/NAME/STAGE or models:/NAME/latest",
        )
    return found
