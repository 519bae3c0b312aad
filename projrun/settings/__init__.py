"""Settings: an option, else a variable, else `config.toml`, else the default; each remembers where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from projrun.errors import RequestError
from projrun.settings.options import OPTIONS, Option
from projrun.suggestions import did_you_mean
from projrun.tuples import NamedTuple
from projrun.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


class Setting(NamedTuple):
    """A value, and where it came from, for people: `--tracking-uri`, `$MLFLOW_TRACKING_URI`, `config.toml`."""

    value: str
    origin: str


_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off", ""}


class Settings:
    """What was asked for, looked up by the long option's name."""

    def __init__(
        self,
        options: Mapping[str, str | None],
        environ: Mapping[str, str],
        config_file: Path,
        table: Mapping[str, Option] = OPTIONS,
    ) -> None:
        self._options = options
        self._table = table
        self._environ = environ
        self._config = _read_config(config_file)
        self._config_file = config_file
        self._recorded: Mapping[str, str] = {}
        self.record = ""
        """The origin of what a run's record says, for people; empty where no run is repeated."""

    def with_record(self, values: Mapping[str, str], origin: str) -> Settings:
        """The same, with what the record of a run says: options take precedence over it, it over variables."""
        from copy import copy

        settings = copy(self)
        settings._recorded, settings.record = values, origin
        return settings

    def get(self, name: str) -> Setting | None:
        """The setting, or None if it is not set."""
        return next(self.each(name), None)

    def each(self, name: str) -> Iterator[Setting]:
        """What every place that sets it says, the one that wins first."""
        option = self._table[name]
        value = self._options.get(name)
        if value is not None:
            yield Setting(value, f"--{name}")
        if name in self._recorded:
            yield Setting(self._recorded[name], self.record)
        for variable in option.variables:
            value = self._environ.get(variable)
            if value:
                yield Setting(value, f"${variable}")
        if option.in_config and name in self._config:
            yield Setting(self._config[name], str(self._config_file))

    def text(self, name: str, default: str) -> Setting:
        """The setting, or the default."""
        return self.get(name) or Setting(default, "default")

    def first_of(self, *names: str) -> tuple[str, Setting] | None:
        """Of settings that exclude each other, the one from the most specific place, with its name."""
        found = [(name, setting) for name in names if (setting := self.get(name))]
        return min(found, key=lambda item: self._rank(item[1]), default=None)

    def enabled(self, name: str) -> bool:
        """A flag; RequestError for any other word."""
        return self.is_true(self.text(name, "0"))

    @staticmethod
    def is_true(setting: Setting) -> bool:
        """What a flag's setting says; RequestError for any other word."""
        word = setting.value.lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise RequestError(
            f"{setting.origin}: {setting.value!r} is neither true nor false", hint="use 1 or 0, true or false"
        )

    def seconds(self, name: str, default: float) -> float:
        """A duration that is zero or more; RequestError for anything else."""
        setting = self.text(name, str(default))
        try:
            value = float(setting.value)
        except ValueError:
            value = -1.0
        if 0 <= value < float("inf"):
            return value
        raise RequestError(
            f"{setting.origin}: {setting.value!r} is not a number of seconds", hint="for example 10"
        )

    def _rank(self, setting: Setting) -> int:
        if setting.origin.startswith("--"):
            return 0
        if self.record and setting.origin == self.record:
            return 1
        return 2 if setting.origin.startswith("$") else 3


def _read_config(file: Path) -> dict[str, str]:
    text = _read_text(file)
    if text is None:
        return {}
    document = _parse_toml(file, text)
    known = {name for name, option in OPTIONS.items() if option.in_config}
    for key in document:
        if key not in known:
            raise RequestError(
                f"{file}: unknown key {key!r}{did_you_mean(key, known)}",
                hint=f"one of: {', '.join(sorted(known))}",
            )
    return {key: _value_text(file, key, value) for key, value in document.items()}


def _value_text(file: Path, key: str, value: object) -> str:
    """A list becomes a comma-separated string, as in a variable."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    if isinstance(value, str | int | float | bool):
        return str(value)
    raise RequestError(f"{file}: {key} must be a string, a number, a boolean or a list of strings")


def _read_text(file: Path) -> str | None:
    try:
        file.stat()  # most have none
        from projrun.bounded import read_file

        return read_file(file).decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise RequestError(
            f"{file}: {reason}", hint="correct the file or set PROJRUN_CONFIG to another"
        ) from None


def _parse_toml(file: Path, text: str) -> dict[str, Any]:
    from projrun.bounded import parse_toml

    try:
        return parse_toml(text)
    except ValueError as error:
        raise RequestError(
            f"{file}: {error}", hint="correct the file or set PROJRUN_CONFIG to another"
        ) from None
