"""MLflow's limits on what a run may hold, in one place. Tried on MLflow 3.17's server."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

from projrun.errors import InvalidValueError
from projrun.tracking.entities import Dataset, Metric, Param, Tag

KEY = 250
PARAM_VALUE = 6000
_PARAM_VALUE_ANYWHERE = 500
"""What every MLflow server takes."""
TAG_VALUE = 8000
EXPERIMENT_TAG_VALUE = 20_000
EXPERIMENT_NAME = 500
ARTIFACT_LOCATION = 2048
DATASET = {"name": 500, "digest": 36, "source": 65_535, "schema": 1_048_575, "profile": 16_777_215}
"""Characters of each field of a dataset."""
INPUT_TAG_KEY = 255
INPUT_TAG_VALUE = 500
BATCH_TOTAL = 1000
BATCH_METRICS = 1000
BATCH_PARAMS = 100
BATCH_TAGS = 100
SEARCH_RESULTS = 50_000

_KEY = r"[/\w.\- :]+"
_INT64 = range(-(2**63), 2**63)


_LONG_KEY = {"param": "Param key", "metric": "Metric name"}
"""What MLflow calls a key that is too long; `key` where nothing else is said."""


def invalid(parameter: str, value: object, why: str) -> InvalidValueError:
    """A value that is refused, in the words that MLflow's clients and their tests look for."""
    import json  # only for the error

    shown = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return InvalidValueError(f"Invalid value {shown} for parameter '{parameter}' supplied: {why}")


def missing(parameter: str) -> InvalidValueError:
    """A required value that is missing or empty."""
    return InvalidValueError(f"Missing value for required parameter '{parameter}'")


def check_length(what: str, text: str, limit: int) -> None:
    """Raises InvalidValueError for a text that is too long."""
    if len(text) > limit:
        raise InvalidValueError(f"'{what}' exceeds the maximum length of {limit} characters")


def check_key(key: str, what: str) -> None:
    """Raises InvalidValueError for a key that MLflow's server refuses."""
    parameter = "name" if what == "metric" else "key"
    if not key:
        raise missing("key")
    # Most are of letters, dots and underscores, which needs no pattern: it would be compiled in every run.
    if not (key.replace("_", "").replace(".", "").isalnum() or re.fullmatch(_KEY, key)):
        why = f"the key of a {what} may only contain letters, digits, _, -, ., space, : and /"
        raise invalid(parameter, key, why)
    # MLflow's file store keeps each in a file of that name; its servers refuse what would be another file.
    if ("/" in key or key[0] == ".") and _is_another_file(key):
        raise invalid(parameter, key, f"as a path it would be {posixpath.normpath(key)!r}")
    check_length(_LONG_KEY.get(what, "key"), key, KEY)


def _is_another_file(key: str) -> bool:
    return posixpath.normpath(key) != key or key == "." or key.startswith(("..", "/"))


def param_value_limit(params: Sequence[Param], ask: Callable[[], int]) -> int:
    """The longest value for these params; the store is asked only where one is longer than what every server takes."""
    longest = max((len(param.value) for param in params), default=0)
    return ask() if longest > _PARAM_VALUE_ANYWHERE else _PARAM_VALUE_ANYWHERE


def check_points(key: str, steps: tuple[int, int], times: tuple[int, int]) -> None:
    """Raises InvalidValueError for values of a metric whose first or last step or time cannot be kept."""
    numbers = (*steps, *times)
    if min(numbers) < _INT64.start or max(numbers) >= _INT64.stop:
        raise InvalidValueError(f"metric {key!r}: timestamp and step are 64-bit integers")
    if times[0] < 0:
        raise invalid("timestamp", times[0], f"metric {key!r}: it must not be negative")


def check_batch(metrics: Sequence[Metric], params: Sequence[Param], tags: Sequence[Tag]) -> None:
    """MLflow's limits on one `log-batch` request; callers of `SqlStore` may log any number."""
    total = len(metrics) + len(params) + len(tags)
    for count, limit, what in (
        (len(metrics), BATCH_METRICS, "metrics"),
        (len(params), BATCH_PARAMS, "params"),
        (len(tags), BATCH_TAGS, "tags"),
        (total, BATCH_TOTAL, "metrics, params and tags together"),
    ):
        if count > limit:
            raise InvalidValueError(f"a batch may have at most {limit} {what}, not {count}")


def check_page(max_results: int, limit: int | None = None) -> None:
    """Raises InvalidValueError for a page size that is not from 1 to `limit`."""
    if max_results < 1:
        raise invalid("max_results", max_results, "It must be a positive integer")
    if limit is not None and max_results > limit:
        raise invalid("max_results", max_results, f"It must be at most {limit}")


def check_dataset(dataset: Dataset) -> None:
    """Raises InvalidValueError for a dataset that MLflow's server refuses."""
    for field, limit in DATASET.items():
        check_length(field, getattr(dataset, field) or "", limit)
    for tag in dataset.tags:
        check_length("key", tag.key, INPUT_TAG_KEY)
        check_length("value", tag.value, INPUT_TAG_VALUE)
