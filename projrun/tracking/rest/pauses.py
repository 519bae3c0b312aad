"""How often a request is repeated in an outage, and after which pauses: MLflow's variables, else projrun's own."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import NamedTuple

from projrun.http.variables import decimal, enabled, number

_MOST_RETRIES = 10
_FIRST, _LONGEST = 0.25, 5.0
_LONGEST_OF_MLFLOW = 120.0


class Pauses(NamedTuple):
    """The pauses double, from `first` seconds up to `longest`."""

    retries: int = 4
    first: float = _FIRST
    longest: float = _LONGEST
    jitter: float = 0.0
    respects_server: bool = True
    """Whether the server's `Retry-After` can make a pause longer."""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Pauses:
        """Raises RequestError for a variable that is not a number."""
        factor = decimal(environ, "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", -1.0)
        return cls(
            min(number(environ, "MLFLOW_HTTP_REQUEST_MAX_RETRIES", 4), _MOST_RETRIES),
            _FIRST if factor < 0 else factor,
            _LONGEST if factor < 0 else _LONGEST_OF_MLFLOW,
            decimal(environ, "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", 0.0),
            enabled(environ, "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER", default=True),
        )

    def before(self, attempt: int, retry_after: float) -> float:
        """Seconds before the next attempt; the first one is 0."""
        pause = self.first * (1 << attempt) + self.jitter * random.random()  # noqa: S311 - spreads requests
        return min(max(pause, retry_after if self.respects_server else 0.0), self.longest)
