"""`projrun models`: the registry's commands, and those about the files of a model."""

from __future__ import annotations

from projrun.cli.models.check import check
from projrun.cli.models.env import env
from projrun.cli.models.predict import predict_file
from projrun.cli.models.serve import serve
from projrun.cli.models.show import show
from projrun.cli.records.model_labels import alias, stage, tag, unalias, untag
from projrun.cli.records.models import models

for command in (show, env, check, serve, predict_file, alias, unalias, tag, untag, stage):
    models.add_command(command)
