"""`projrun models env`: the environment of a model."""

from __future__ import annotations

from typing import Any

import click

from projrun.cli.models.opening import check_trust, opened_model, planned_environment
from projrun.cli.models.options import environment_of_model, trusting
from projrun.cli.rendering import print_path, print_text
from projrun.cli.reporter import CommandLineReporter
from projrun.errors import RequestError
from projrun.running.interpreter import interpreter_of


@click.command("env")
@environment_of_model
@trusting
@click.option("--lock", is_flag=True, help="Print what is installed, as `--locked` takes it.")
def env(lock: bool, trust: bool, **values: Any) -> None:
    """Build the environment of a model, and print its folder.

    \b
    $(projrun models env -m runs:/latest/model)/bin/python -m pip list
    projrun models env -m models:/wine@champion --lock > wine.lock.txt
    """
    reporter = CommandLineReporter()
    model = opened_model(values, reporter)
    check_trust(model, trusted=trust)  # building may run code of the packages that it names
    plan = planned_environment(model)
    interpreter = interpreter_of(plan, model.context.environ, reporter)
    if lock:
        if interpreter.lock is None:
            raise RequestError(f"what is installed is not known: {plan.resolved.summary}")
        print_text(interpreter.lock.rstrip("\n"))
        return
    folder = plan.manager.resolve(plan.request).path  # a build gets its folder when it begins
    if folder is None:
        raise RequestError(
            f"the environment has no folder: {plan.resolved.summary}",
            hint="choose an --env-manager that builds one",
        )
    print_path(folder)
