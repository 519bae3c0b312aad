"""The options of `run`, `plan` and `rerun`, each declared once.

From this table come the command line, the variables and `config.toml`, the keywords of `projrun.run` and
`projrun.rerun`, the request, and docs/reference.md.
"""

from __future__ import annotations

from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal

    Kind = Literal["text", "flag", "repeated", "count", "seconds", "path", "json", "switch"]
    Command = Literal["run", "plan", "rerun", "environment", "model"]


_ALL: frozenset[Command] = frozenset({"run", "plan", "rerun"})
_PROJECT: frozenset[Command] = frozenset({"run", "plan"})
_RERUN: frozenset[Command] = frozenset({"rerun"})
_WITH_ENVIRONMENT: frozenset[Command] = frozenset({*_ALL, "environment", "model"})
_NONE: frozenset[Command] = frozenset()


class Option(NamedTuple):
    """An option, or a setting that has no option."""

    name: str
    """The long name without dashes, which is also the key in `config.toml`."""
    help: str = ""
    metavar: str | None = None
    """What stands for the value in the help; None for a flag."""
    short: str = ""
    kind: Kind = "text"
    commands: frozenset[Command] = _ALL
    """The commands that have it; `environment` only decides on one (`envs path`), `model` builds that of a model."""
    variables: tuple[str, ...] = ()
    """The variables that set it; the first that is set and not empty wins."""
    default: str = ""
    """What applies where nothing is set, for people."""
    recorded: bool = False
    """In `rerun` the record decides where the option is not given: no variable, no default."""
    setting: bool = False
    """Looked up by `Settings`."""
    in_config: bool = False
    """Also a key of `config.toml`."""
    api: bool = True
    """Also a keyword of `projrun.run`, or of `projrun.rerun`."""
    only_asked: bool = False
    """No setting, but part of what the request asks for under its name."""
    other_keyword: str = ""
    """Its name in Python where that is not the long name with underscores."""
    also: str = ""
    """Another long name for the same."""

    @property
    def keyword(self) -> str:
        """Its name in Python: the keyword of the API."""
        return self.other_keyword or self.name.replace("-", "_")

    @property
    def requested(self) -> bool:
        """Whether a request may hold it among its options."""
        return bool(self.commands) and (self.setting or self.only_asked)

    def hint(self, command: Command) -> str:
        """What people read behind the help: where else it is set, and what applies otherwise."""
        if command == "rerun" and self.recorded:
            return "default: recorded value"
        variables = ", ".join(f"${name}" for name in self.variables)
        return "; ".join(filter(None, (variables, self.default and f"default: {self.default}")))


def _setting(
    name: str, help_text: str, metavar: str | None = None, *variables: str, in_config: bool = True
) -> Option:
    return Option(name, help_text, metavar, variables=variables, setting=True, in_config=in_config)


def _flag(name: str, help_text: str, commands: frozenset[Command] = _ALL) -> Option:
    return Option(name, help_text, kind="flag", commands=commands)


def _flag_setting(name: str, help_text: str, variable: str) -> Option:
    return _setting(name, help_text, None, variable)._replace(kind="flag")


LIMITS = ("timeout", "memory", "cpus", "gpus", "retries", "retry-delay", "retry-on")
"""The options for limits and retries, which a run records together."""

_TABLE = (
    Option(
        "entry-point", "Entry point, or a .py, .sh or .R script of the project.", "NAME", "e",
        default="main", recorded=True,
    ),
    Option(
        "version", "Branch, tag or commit of a git project, or an archive's sha256:HASH.", "REF", "v",
        commands=frozenset({"run", "plan", "environment"}),
    ),
    _flag_setting(
        "require-clean", "Refuse a project with uncommitted changes.", "PROJRUN_REQUIRE_CLEAN"
    )._replace(commands=_PROJECT),
    _setting("run-id", "Record into this existing run instead of a new one.", "ID", in_config=False)._replace(
        commands=_PROJECT
    ),
    Option(
        "source",
        "New location of a project that moved; the recorded commit or archive is fetched from there.",
        "URI", commands=_RERUN,
    ),
    _flag("without-patch", "Do not apply the recorded uncommitted changes.", _RERUN),
    _flag("unlocked", "Build the environment from the project's file, not from the recorded lock.", _RERUN),
    _flag("changed-source", "Run a plain folder even if its files have changed.", _RERUN),
    _flag_setting(
        "offline", "Use only cached sources; contact no server for them.", "PROJRUN_OFFLINE"
    )._replace(commands=_WITH_ENVIRONMENT),
    _flag_setting(
        "keep-workdir",
        "Keep the run's own copy of a fetched project; otherwise deleted after a successful run that left no new "
        "files.",
        "PROJRUN_KEEP_WORKDIR",
    ),
    Option(
        "param-list",
        "Parameter; if the entry point does not declare it, appended to the command as --NAME VALUE.",
        "NAME=VALUE", "P", "repeated", other_keyword="parameters",
    ),
    Option(
        "params-file", "Parameters from a YAML or JSON mapping; -P takes precedence.", "FILE",
        kind="path", api=False,
    ),
    _flag_setting("strict", "Refuse parameters that the entry point does not declare.", "PROJRUN_STRICT"),
    Option(
        "docker-args", "`docker run` option or flag for Docker projects: -A gpus=all, -A t.", "NAME=VALUE", "A",
        "repeated", only_asked=True,
    ),
    _setting(
        "experiment-name", "Experiment name; created if it does not exist.", "NAME",
        "PROJRUN_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_NAME",
    )._replace(recorded=True),
    _setting(
        "experiment-id", "Experiment id.", "ID", "PROJRUN_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_ID",
    )._replace(default="0", recorded=True),
    _setting("backend", "Execution backend.", "NAME", "PROJRUN_BACKEND")._replace(
        short="b", default="local", recorded=True
    ),
    _setting(
        "backend-config", "JSON for the backend: a .json file or a JSON object.", "FILE",
        "PROJRUN_BACKEND_CONFIG",
    )._replace(short="c", kind="json"),
    _setting(
        "env-manager", "local (build nothing), virtualenv, uv, conda or docker.", "NAME", "PROJRUN_ENV_MANAGER"
    )._replace(commands=_WITH_ENVIRONMENT, default="what the project asks for", recorded=True),
    _setting(
        "env", "Run in this existing virtual environment or conda prefix; build nothing.", "PATH", "PROJRUN_ENV"
    )._replace(kind="path", commands=_WITH_ENVIRONMENT),
    _setting(
        "locked",
        "Build exactly the environment of a lock that a run recorded: environment/requirements.lock.txt, "
        "conda.lock.txt or image.lock.txt.",
        "FILE", in_config=False,
    )._replace(kind="path", commands=_WITH_ENVIRONMENT),
    _setting(
        "python-downloads",
        "automatic or never: whether uv may download a Python that is not installed.",
        "WHEN", "PROJRUN_PYTHON_DOWNLOADS", "UV_PYTHON_DOWNLOADS",
    )._replace(commands=_WITH_ENVIRONMENT, default="never"),
    _flag_setting(
        "exact-python",
        "Refuse another patch of the Python that the project asks for (3.8.18 for 3.8.12).",
        "PROJRUN_EXACT_PYTHON",
    )._replace(commands=_WITH_ENVIRONMENT),
    _setting(
        "conda-exe",
        "Program that builds conda environments: conda, mamba, micromamba, or rattler for py-rattler.",
        "PROGRAM", "PROJRUN_CONDA_EXE",
    )._replace(commands=_WITH_ENVIRONMENT, default="$MLFLOW_CONDA_HOME, $CONDA_EXE or py-rattler"),
    _flag(
        "rebuild-env", "Build the environment even if it is cached.", frozenset({*_ALL, "model"})
    )._replace(only_asked=True),
    _setting(
        "storage-dir", "Folder to download `path` parameters to; kept.", "DIR", "PROJRUN_STORAGE_DIR",
        "MLFLOW_TMP_DIR",
    )._replace(kind="path", default="removed after the run"),
    _setting("run-name", "Run name.", "NAME", in_config=False)._replace(default="generated"),
    Option(
        "tag", "Tag of the run.", "KEY=VALUE", kind="repeated", commands=_PROJECT, api=False, other_keyword="tags",
    ),
    Option("description", "What the run is for.", "TEXT", commands=_PROJECT, api=False),
    _flag("build-image", "Docker projects: build an image with the code copied in.")._replace(
        only_asked=True
    ),
    _flag(
        "pass-credentials",
        "Docker projects: pass your credentials for AWS, Google Cloud and Azure to the container.",
    )._replace(only_asked=True),
    _setting(
        "tracking-uri",
        "Where runs are recorded: an MLflow-compatible server's http(s) address, sqlite:///FILE or postgresql://...",
        "URI",
        "PROJRUN_TRACKING_URI", "MLFLOW_TRACKING_URI",
    )._replace(default="the embedded store", commands=frozenset({*_ALL, "model"})),
    _flag_setting(
        "offline-tracking",
        "Record on this machine, without any contact to the tracking server; `projrun sync` delivers it.",
        "PROJRUN_OFFLINE_TRACKING",
    ),
    _flag_setting(
        "tracking-buffer",
        "Log to this machine first and bring it to the tracking server meanwhile, so that an outage stops nothing.",
        "PROJRUN_TRACKING_BUFFER",
    ),
    _setting(
        "grace-period", "Time between SIGTERM and SIGKILL for a command that is being stopped.", "SECONDS",
        "PROJRUN_GRACE_PERIOD",
    )._replace(kind="seconds", default="10"),
    _setting(
        "timeout", "Longest time for the command: 90, 90s, 30m, 2h, 1d; then it is stopped and FAILED.", "DURATION",
        "PROJRUN_TIMEOUT",
    )._replace(recorded=True),
    _setting(
        "memory", "Memory that the command may use: 512m, 4G.", "SIZE", "PROJRUN_MEMORY"
    )._replace(recorded=True),
    _setting(
        "cpus", "Processors that the command may use: 2, 0.5.", "N", "PROJRUN_CPUS"
    )._replace(recorded=True),
    _setting(
        "gpus", "Number of GPUs that the command gets for itself; 0 shows it none.", "N", "PROJRUN_GPUS"
    )._replace(default="all of them, shared", recorded=True),
    _setting(
        "retries", "How often to start the command again when it fails.", "N", "PROJRUN_RETRIES"
    )._replace(default="0", recorded=True),
    _setting(
        "retry-delay", "Time before each retry: 10, 90s, 5m.", "DURATION", "PROJRUN_RETRY_DELAY"
    )._replace(default="0", recorded=True),
    _setting(
        "retry-on", "Retry only after these exit codes or causes: oom, signal, timeout.", "CODE,...",
        "PROJRUN_RETRY_ON",
    )._replace(default="every failure", recorded=True),
    _setting(
        "end-timeout",
        "Longest time to deliver the log and the end of the run to the tracking server; the rest is delivered later.",
        "SECONDS", "PROJRUN_END_TIMEOUT",
    )._replace(kind="seconds", default="60"),
    _flag_setting(
        "end-leftovers",
        "After a normal end, also end processes that the command left running in sessions of their own.",
        "PROJRUN_END_LEFTOVERS",
    ),
    _flag_setting(
        "no-tty", "Give the command pipes instead of a terminal, and no keyboard.", "PROJRUN_NO_TTY"
    )._replace(api=False),
    _flag_setting(
        "timestamps", "Begin each line of the log artifact with its time in UTC.", "PROJRUN_TIMESTAMPS"
    ),
    _flag_setting(
        "system-metrics", "Record the use of processor, memory, disk, network and GPUs as metrics `system/…`.",
        "PROJRUN_SYSTEM_METRICS",
    )._replace(variables=("PROJRUN_SYSTEM_METRICS", "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING")),
    _setting("junit-xml", "Write how the run ended as JUnit XML.", "FILE", in_config=False)._replace(
        kind="path", commands=frozenset({"run", "rerun"}), api=False
    ),
    _setting(
        "no-ci", "On GitHub Actions and GitLab: no folding, no annotation, no summary.", in_config=False
    )._replace(kind="flag", commands=frozenset({"run", "rerun"}), api=False),
    Option(
        "env-file",
        "Variables (NAME=VALUE lines) for projrun and the command; variables already set take precedence.",
        "FILE", kind="path", commands=_WITH_ENVIRONMENT, api=False, only_asked=True,
    ),
    _flag("json", "Print one JSON object on stdout, the rest on stderr.", frozenset({*_ALL, "environment"}))._replace(
        api=False, other_keyword="as_json"
    ),
    _flag_setting("quiet", "Print only warnings and errors.", "PROJRUN_QUIET")._replace(short="q", api=False),
    _flag(
        "detach", "Go on in the background once the run is recorded; print its id.", frozenset({"run"})
    )._replace(short="d", api=False),
    _flag("dry-run", "Show the plan; run nothing.", frozenset({"run", "rerun"}))._replace(api=False),
    # Rules for what may be fetched: only whoever configures the machine sets them.
    _setting("allowed-hosts", "", None, "PROJRUN_ALLOWED_HOSTS")._replace(commands=_NONE, api=False),
    _setting("allowed-protocols", "", None, "PROJRUN_ALLOWED_PROTOCOLS")._replace(commands=_NONE, api=False),
    # Tags for every run, from the plug-ins that `config.toml` names and no other place.
    _setting("run-context", "", None)._replace(commands=_NONE, api=False),
    # Whether `mlflow.run` in a command of this machine starts projrun.
    _flag_setting("mlflow-run", "", "PROJRUN_MLFLOW_RUN")._replace(commands=_NONE, api=False),
    # Whether the log is folded on CI systems, as a setting of `--no-ci`.
    _flag_setting("ci-output", "", "PROJRUN_CI_OUTPUT")._replace(commands=_NONE, api=False),
    _flag_setting("require-pinned", "", "PROJRUN_REQUIRE_PINNED")._replace(commands=_NONE, api=False),
)  # fmt: skip

OPTIONS = {option.name: option for option in _TABLE}

MOST_RESULTS = 50_000
"""The most runs that one list shows."""

TABLE = (
    Option("columns", "Columns to show, with commas between them; `all` for all of them.", "NAMES"),
    _flag("csv", "Print comma-separated values, whole and with a column for each parameter and metric.")._replace(
        other_keyword="as_csv"
    ),
)  # fmt: skip
"""The options of every command that prints a table."""

RUNS_LIST = (
    Option(
        "experiment-name", "Only runs of this experiment; may be repeated.", "NAME", kind="repeated",
        variables=("MLFLOW_EXPERIMENT_NAME",),
    ),
    Option("experiment-id", "Only runs of this experiment.", "ID", variables=("MLFLOW_EXPERIMENT_ID",)),
    Option("filter", 'MLflow\'s filter, e.g. "metrics.rmse < 1".', "TEXT", other_keyword="filter_string"),
    Option(
        "order-by", 'For example "metrics.rmse ASC".', "COLUMN", kind="repeated", default="newest first",
    ),
    Option(
        "limit", "Number of runs to list.", "N", short="n", kind="count", default="20", other_keyword="max_results",
        also="max-results",
    ),
    _flag("active", "Only runs that this machine supervises now, and what they are doing."),
    _flag("deleted", "Only deleted runs."),
    *TABLE,
    OPTIONS["tracking-uri"],
    OPTIONS["json"],
)  # fmt: skip
"""The options of `runs list`, which are no settings of a run."""


def options_of(command: Command) -> tuple[Option, ...]:
    """The options of a command, in the order of its help."""
    return tuple(option for option in _TABLE if command in option.commands)


def value_options() -> frozenset[str]:
    """The options that the next word of a command line is the value of, long and short ones."""
    options = [option for option in (*_TABLE, *RUNS_LIST) if option.kind != "flag"]
    short = [f"-{option.short}" for option in options if option.short]
    also = [f"--{option.also}" for option in options if option.also]
    return frozenset((*(f"--{option.name}" for option in options), *also, *short))
