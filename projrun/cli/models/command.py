"""`projrun models`: the registry's commands, and those about the files of a model."""

from __future__ import annotations

from copy import copy

import click

from projrun.cli.models.check import check
from projrun.cli.models.env import env
from projrun.cli.models.image import build, dockerfile
from projrun.cli.models.predict import predict_file
from projrun.cli.models.serve import serve
from projrun.cli.models.show import show
from projrun.cli.records.model_labels import alias, stage, tag, unalias, untag
from projrun.cli.records.models import models


def _hidden(command: click.Command) -> click.Command:
    """The command under MLflow's word for it."""
    other = copy(command)
    other.hidden = True
    return other


for command in (show, env, check, dockerfile, build, serve, predict_file, alias, unalias, tag, untag, stage):
    models.add_command(command)

for alias_of, word in ((dockerfile, "generate-dockerfile"), (build, "build-docker")):
    models.add_command(_hidden(alias_of), word)
