"""`projrun models serve`: answer requests for predictions, as MLflow's scoring server does."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from projrun.cli.models.followed import followed
from projrun.cli.models.opening import OpenedModel, opened_model, served_model
from projrun.cli.models.options import Seconds, environment_of_models, trusting
from projrun.cli.quantities import parse_size
from projrun.cli.rendering import one_line, print_text, print_warning
from projrun.cli.reporter import CommandLineReporter
from projrun.errors import ProjrunError, RequestError
from projrun.models.names import model_path, model_version, parse_names
from projrun.models.serving.example import curl_data
from projrun.models.serving.served import ServingOptions

_DEFAULTS = ServingOptions()


@click.command("serve", context_settings={"help_option_names": ["--help"]})  # -h is MLflow's --host
@environment_of_models
@trusting
@click.option(
    "-h",
    "--host",
    metavar="HOST",
    default="127.0.0.1",
    envvar="MLFLOW_HOST",
    show_default=True,
    show_envvar=True,
    help="Address to listen on. Whoever reaches it can ask the model: there are no users.",
)
@click.option(
    "-p",
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    default=5000,
    envvar="MLFLOW_PORT",
    show_default=True,
    show_envvar=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "-w",
    "--workers",
    type=click.IntRange(1, 256),
    metavar="N",
    default=_DEFAULTS.workers,
    envvar="MLFLOW_MODELS_WORKERS",
    show_default=True,
    show_envvar=True,
    help="Processes that have the model loaded; each answers one request at a time.",
)
@click.option(
    "-t",
    "--timeout",
    type=Seconds(0, min_open=True),
    metavar="SECONDS",
    default=_DEFAULTS.timeout,
    envvar="MLFLOW_SCORING_SERVER_REQUEST_TIMEOUT",
    show_default=True,
    show_envvar=True,
    help="Longest time for a request; then its worker is replaced.",
)
@click.option(
    "--follow",
    is_flag=False,
    flag_value=5.0,
    type=Seconds(0.1),
    metavar="[SECONDS]",
    help="Ask the registry every SECONDS, 5 by default; where an alias or a stage leads to another version, load it.",
)
@click.option(
    "--max-batch",
    type=click.IntRange(1, 100_000),
    metavar="N",
    default=_DEFAULTS.max_batch,
    show_default=True,
    help="Most rows of requests that wait at the same time and are answered with one call of the model.",
)
@click.option(
    "--max-queue",
    metavar="SIZE",
    default=f"{_DEFAULTS.max_queue // 10**6}MB",
    show_default=True,
    help="Refuse requests with 503 while bodies of this size wait for their answers.",
)
@click.option(
    "--max-body",
    metavar="SIZE",
    default="",
    help="Refuse larger bodies with 413: 10MB. The limit is --max-queue by default, and never more.",
)
def serve(trust: bool, uris: tuple[str, ...], **values: Any) -> None:
    """Serve models over HTTP, as `mlflow models serve` does.

    Each model is loaded in worker processes of the environment that its files ask for, which is built if it is not
    cached. SIGHUP loads the models again without losing a request; Ctrl-C or SIGTERM ends the server once requests
    under way are answered.

    \b
    projrun models serve -m runs:/latest/model -p 1234
    curl http://127.0.0.1:1234/invocations -H 'Content-Type: application/json' \\
        -d '{"dataframe_records": [{"alcohol": 9.8, "sulphates": 0.5}]}'
    projrun models serve -m wine=models:/wine@champion -m price=./price
    """
    from projrun.http.serving.listening import is_loopback, listen, url
    from projrun.http.serving.readiness import handed_over
    from projrun.models.serving.program import serve as answer

    options = ServingOptions(
        workers=values["workers"],
        timeout=values["timeout"],
        max_body=parse_size(values["max_body"] or "0", "--max-body"),
        max_batch=values["max_batch"],
        max_queue=parse_size(values["max_queue"], "--max-queue"),
        follow=values["follow"] or 0.0,
    )
    if not options.max_queue:
        raise RequestError("--max-queue: 0 would refuse all requests", hint="for example 256MB")
    reporter = CommandLineReporter()
    named = parse_names(uris)
    moved = followed(named, values, reporter, trusted=trust) if options.follow else {}
    opened: dict[str, OpenedModel] = {}
    for each in named:
        with _told_of(each.name, several=len(named) > 1):
            opened[each.name] = opened_model({**values, "uri": each.uri}, reporter)
    served = []
    for each in named:
        with _told_of(each.name, several=len(named) > 1):
            model = served_model(opened[each.name], reporter, trusted=trust)
        served.append(model._replace(name=each.name, version=model_version(each.uri)))
    listeners = handed_over() or listen(values["host"], values["port"])
    if not is_loopback(values["host"]):
        print_warning("whoever reaches this address can ask the model: it has no users")
    answer(served, options, listeners, reporter, _told(opened, [url(one) for one in listeners]), moved)


@contextmanager
def _told_of(name: str, *, several: bool) -> Iterator[None]:
    """Errors say which of several models they are about."""
    try:
        yield
    except ProjrunError as error:
        if several:
            error.message = f"model {name!r}: {error.message}"
        raise


def _told(models: Mapping[str, OpenedModel], addresses: Sequence[str]) -> Callable[[], None]:
    """Says where it listens once it answers, and how to ask it."""
    shown = [
        model.files.shown if len(models) == 1 else f"{name} ({model.files.shown})"
        for name, model in models.items()
    ]
    listening = f"projrun models: listening on {', '.join(addresses)}; serves {', '.join(shown)}"

    def tell() -> None:
        print_text(one_line(listening))
        for name, model in models.items():
            path = "/invocations" if len(models) == 1 else f"{model_path(name)}/invocations"
            data = curl_data(model.mlmodel, model.files.folder)
            if data is not None:
                json = "Content-Type: application/json"
                words = ("curl", addresses[0] + path, "-H", json, "-d", data)
                print_text(f"projrun models: try it: {one_line(shlex.join(words))}")

    return tell
