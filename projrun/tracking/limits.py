"""MLflow's limits on what a run may hold, in one place. Tried on MLflow 3.17's server."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Sequence

from projrun.errors import InvalidValueError
from projrun.tracking.entities import Metric, Param, Tag

KEY = 250
PARAM_VALUE = 6000
_PARAM_VALUE_ANYWHERE = 500
"""What every MLflow server takes."""
TAG_VALUE = 8000
EXPERIMENT_TAG_VALUE = 5000
EXPERIMENT_NAME = 500
BATCH_TOTAL = 1000
BATCH_METRICS = 1000
BATCH_PARAMS = 100
BATCH_TAGS = 100
SEARCH_RESULTS = 50_000

_KEY = re.compile(r"[/\w.\- :]+")
_INT64 = range(-(2**63), 2**63)


def check_key(key: str, what: str) -> None:
    """Raises InvalidValueError for a key that MLflow's server refuses."""
    if not key:
        raise InvalidValueError(f"the key of a {what} is missing")
    if len(key) > KEY:
        raise InvalidValueError(f"the key of a {what} may have at most {KEY} characters, not {len(key)}")
    if not _KEY.fullmatch(key):
        raise InvalidValueError(
            f"invalid {what} key {key!r}: only letters, digits, _, -, ., space, : and / may be in it"
        )
    # MLflow's file store keeps each in a file of that name; its servers refuse what would be another file.
    if posixpath.normpath(key) != key or key == "." or key.startswith(("..", "/")):
        raise InvalidValueError(
            f"invalid {what} key {key!r}: as a path it would be {posixpath.normpath(key)!r}"
        )


def param_value_limit(params: Sequence[Param], ask: Callable[[], int]) -> int:
    """The longest value for these params; the store is asked only where one is longer than what every server takes."""
    longest = max((len(param.value) for param in params), default=0)
    return ask() if longest > _PARAM_VALUE_ANYWHERE else _PARAM_VALUE_ANYWHERE


def check_integers(key: str, *numbers: int) -> None:
    """Raises InvalidValueError for a timestamp or a step of a metric that cannot be kept."""
    if min(numbers) < _INT64.start or max(numbers) >= _INT64.stop:
        raise InvalidValueError(f"metric {key!r}: timestamp and step are 64-bit integers")


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


def check_page(max_results: int, limit: int) -> None:
    """Raises InvalidValueError for a page size that is not from 1 to `limit`."""
    if not 1 <= max_results <= limit:
        raise InvalidValueError(f"invalid max_results {max_results}: from 1 to {limit}")
