"""`projrun models check`: whether a model loads and predicts in its environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from projrun.cli.models.opening import OpenedModel, opened_model, served_model
from projrun.cli.models.options import Seconds, environment_of_model, trusting
from projrun.cli.options import json_option
from projrun.cli.rendering import print_facts, print_json
from projrun.cli.reporter import CommandLineReporter
from projrun.cli.views.model_check import CheckedModel, document_of, facts_of
from projrun.errors import RequestError
from projrun.models.checking import ask, first_difference, installed, read_expected
from projrun.models.recorded import recorded_environment
from projrun.models.serving.example import example_body
from projrun.models.serving.process import ModelError
from projrun.models.serving.served import ServedModel

_DIFFERS = 1


@click.command("check")
@environment_of_model
@trusting
@click.option(
    "--expected",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare with these predictions for the input example, as `projrun models predict` wrote them.",
)
@click.option(
    "-t",
    "--timeout",
    type=Seconds(0, min_open=True),
    metavar="SECONDS",
    default=60.0,
    show_default=True,
    help="Longest time for the prediction.",
)
@json_option
def check(trust: bool, expected: Path | None, timeout: float, as_json: bool, **values: Any) -> None:
    """Load a model in its environment, and predict its input example.

    Says what differs between the environment and the one that the model's files record. The exit code is 1 where
    something differs, 4 where the model cannot be loaded or does not predict its example.

    \b
    projrun models check -m models:/wine@champion
    projrun models check -m ./model --expected predictions.json --json
    """
    reporter = CommandLineReporter()
    model = opened_model(values, reporter)
    example = example_body(model.files.folder, model.mlmodel.input_example)
    body = None if example is None else json.dumps(example).encode()
    if expected is not None and body is None:
        raise RequestError("--expected: the model has no input example to predict", hint="remove --expected")
    wanted = None if expected is None else read_expected(expected)
    served = served_model(model, reporter, trusted=trust)
    checked = _compared(model, served, has_example=body is not None)
    try:
        with reporter.activity("loading the model"):
            predictions = ask(served, body, timeout)
    except ModelError as error:
        _print(checked._replace(failure=error.message), as_json=as_json)
        if as_json:  # an error of its own would be a second object
            click.get_current_context().exit(error.exit_code)
        raise
    difference = None if expected is None else first_difference(wanted, predictions)
    checked = checked._replace(predictions=predictions, difference=difference)
    _print(checked, as_json=as_json)
    click.get_current_context().exit(0 if checked.is_as_recorded else _DIFFERS)


def _compared(model: OpenedModel, served: ServedModel, *, has_example: bool) -> CheckedModel:
    recorded = recorded_environment(model.mlmodel, model.files.folder)
    example = model.mlmodel.input_example
    return CheckedModel(
        model.files.shown,
        served.command[-1],
        recorded,
        installed(served, recorded),
        example.file if example and has_example else "",
    )


def _print(checked: CheckedModel, *, as_json: bool) -> None:
    if as_json:
        print_json(document_of(checked))
    else:
        print_facts(facts_of(checked))
