"""MLflow's variables for repeated requests."""

from __future__ import annotations

import pytest

from projrun.errors import RequestError
from projrun.tracking.rest.pauses import Pauses

FACTOR, JITTER = "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER"
RETRIES, RESPECT = "MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER"


def pauses(environ: dict[str, str], retry_after: float = 0) -> list[float]:
    found = Pauses.of(environ)
    return [found.before(attempt, retry_after) for attempt in range(found.retries)]


@pytest.mark.parametrize(
    ("environ", "retry_after", "expected"),
    [
        ({}, 0, [0.25, 0.5, 1, 2]),
        ({}, 3, [3, 3, 3, 3]),
        ({}, 900, [5, 5, 5, 5]),
        ({FACTOR: "2", RETRIES: "3"}, 0, [2, 4, 8]),
        ({FACTOR: "0.1", RETRIES: "2"}, 0, [0.1, 0.2]),
        ({FACTOR: "0"}, 0, [0, 0, 0, 0]),
        ({FACTOR: "100", RETRIES: "2"}, 0, [100, 120]),
        ({FACTOR: "1", RETRIES: "1"}, 60, [60]),
        ({RESPECT: "false", RETRIES: "1"}, 60, [0.25]),
        ({RETRIES: "0"}, 0, []),
        ({RETRIES: "99", FACTOR: "0"}, 0, [0] * 10),
    ],
)
def test_the_pauses(environ: dict[str, str], retry_after: float, expected: list[float]) -> None:
    assert pauses(environ, retry_after) == expected


def test_jitter_makes_pauses_differ() -> None:
    found = [pauses({FACTOR: "1", JITTER: "0.5", RETRIES: "1"})[0] for _ in range(20)]
    assert len(set(found)) > 1
    assert all(1 <= pause <= 1.5 for pause in found)


@pytest.mark.parametrize("variable", [FACTOR, JITTER, RETRIES, RESPECT])
@pytest.mark.parametrize("text", ["-1", "x", "nan", "inf"])
def test_values_that_mean_nothing(variable: str, text: str) -> None:
    with pytest.raises(RequestError, match=f"{variable} is '{text}'"):
        Pauses.of({variable: text})
