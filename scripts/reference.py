"""Write docs/reference.md from the commands and settings themselves; `--check` only compares."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from projrun.cli.application import application
from projrun.settings.options import OPTIONS

FILE = Path(__file__).parents[1] / "docs" / "reference.md"

EXIT_CODES = """\
| code | meaning |
| --- | --- |
| 0 | success |
| 2 | a mistake in the request: usage, the MLproject file, parameters, settings, a faulty plug-in |
| 3 | the source could not be fetched |
| 4 | the environment could not be built |
| 5 | the tracking store refused the run, or could not be reached, before the start |
| 6 | `projrun gate` failed: the run is worse than it may be |
| 70 | a bug in projrun |
| 74 | the disk is full, or mounted read-only |
| 130, 143 | interrupted by SIGINT, SIGTERM |
| any other | the project's own exit code; 128 + N if it was killed by signal N |

A project may itself exit with 2 to 5; with `--json`, an error of projrun has the key `error`.
"""

VARIABLES = """\
| variable | meaning |
| --- | --- |
| `PROJRUN_HOME` | the folder of the embedded store, its artifacts, the cache and `config.toml` |
| `PROJRUN_CACHE_DIR` | the folder of built environments and checkouts |
| `PROJRUN_CONFIG` | the configuration file |
| `MLFLOW_TRACKING_USERNAME`, `MLFLOW_TRACKING_PASSWORD`, `MLFLOW_TRACKING_TOKEN` | credentials |
| `MLFLOW_TRACKING_AUTH` | the plug-in that signs requests to the tracking server ([plug-ins](plugins.md)) |
| `MLFLOW_TRACKING_INSECURE_TLS`, `MLFLOW_TRACKING_SERVER_CERT_PATH`, `MLFLOW_TRACKING_CLIENT_CERT_PATH` | TLS |
| `PROJRUN_MLFLOW_RUN` | `off`: `mlflow.run` in a command stays MLflow's own |
| `PROJRUN_LOG` | `off`: `projrun.log` records nothing, and is not put on the path of a command |
| `PROJRUN_LOG_RANKS` | `all`: every process of a distributed training records with `projrun.log` |
| `PROJRUN_KEEP` | `1`, in the environment of a process that a command starts: it is not ended with the run |
| `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` | proxies |

The command of a run gets:

| variable | meaning |
| --- | --- |
| `MLFLOW_RUN_ID`, `MLFLOW_EXPERIMENT_ID`, `MLFLOW_TRACKING_URI` | the run, and where it is recorded |
| `PROJRUN_PARENT_RUN_ID` | the same run: the parent of the runs that the command starts |
| `PROJRUN_RUN_IDS` | ids of the run and of those around it, joined by colons: by them its processes are found |
| `PYTHONPATH` | what redirects `mlflow.run`, before your folders; `projrun.log`, after them |
| `PIP_EXCLUDE` | the name of the first, which `pip freeze` omits |
| `PROJRUN_METRICS` | a file to which the command may append JSON lines of metrics ([Outputs](mlproject.md#outputs)) |
| `PROJRUN_RUNNER`, `PROJRUN_RUN_URI` | the Python of projrun; where the run is recorded, which scripts do not change |
| `PROJRUN_PARAM_NAME` | the value of the secret parameter `name` |
| `PYTHONUNBUFFERED` | `1` unless set |
"""


def reference() -> str:
    """The whole page."""
    return "\n".join(
        [
            "# Reference",
            "",
            "Generated from the code by `scripts/reference`; do not edit.",
            "",
            "## Commands",
            *_command_lines(application, "projrun"),
            "",
            "## Settings",
            "",
            "Options take precedence over variables, variables over `config.toml`; `projrun plan` shows the origin.",
            "",
            "| option, and key in config.toml | variables |",
            "| --- | --- |",
            *_setting_rows(),
            "",
            "## Environment variables",
            "",
            VARIABLES,
            "## Exit codes",
            "",
            EXIT_CODES.rstrip(),
            "",
        ]
    )


def _command_lines(command: click.Command, path: str) -> Iterator[str]:
    context = click.Context(command, info_name=path, **application.context_settings)
    if isinstance(command, click.Group):
        if command.invoke_without_command:
            yield from _section(command, context, path)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None and not child.hidden:
                yield from _command_lines(child, f"{path} {name}")
        return
    yield from _section(command, context, path)


def _section(command: click.Command, context: click.Context, path: str) -> Iterator[str]:
    yield from ("", f"### {path}", "", _prose(command.help or ""), "")
    yield f"    {' '.join([path, *command.collect_usage_pieces(context)])}"
    yield from ("", "| option | meaning |", "| --- | --- |")
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Argument):
            continue  # the usage line shows it; click 8.4 gives it a record without a help text
        record = parameter.get_help_record(context)
        if record is not None:
            yield f"| `{record[0]}` | {record[1].replace('|', chr(92) + '|')} |"


def _prose(text: str) -> str:
    """Help text with its examples (click's `\\b` paragraphs) as code."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        paragraph.removeprefix("\b\n").replace("\n", "\n    ").join(("    ", ""))
        if paragraph.startswith("\b")
        else paragraph
        for paragraph in paragraphs
    )


def _setting_rows() -> Iterator[str]:
    for option in OPTIONS.values():
        variables = ", ".join(f"`{name}`" for name in option.variables)
        if option.in_config:
            yield f"| `{option.name}` | {variables} |"


def main() -> None:
    """Write the page, or say that it is out of date."""
    text = reference()
    if "--check" not in sys.argv[1:]:
        FILE.write_text(text, encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text:
        sys.exit("docs/reference.md is out of date: run scripts/reference")


if __name__ == "__main__":
    main()
