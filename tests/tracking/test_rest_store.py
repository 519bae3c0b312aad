"""RestStore's own doing: batches within the limits, the server's version, models. The rest is the conformance kit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from projrun.errors import NotFoundError, TrackingError
from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.rest.store import RestStore
from projrun.tracking.runs import RunStore
from tests.tracking.loopback import Answer, Loopback, Received, always, serve

API = "/api/2.0/mlflow/"


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serve(always(Answer())) as server:
        yield server


@pytest.fixture
def store(server: Loopback) -> Iterator[RestStore]:
    with closing(RestStore(server.uri, {})) as store:
        yield store


RUN = {"info": {"run_id": "made", "experiment_id": "0", "status": "RUNNING"}, "data": {}}


@pytest.mark.parametrize(
    "failing",
    [
        Answer(b"", 500),
        Answer(b"busy", 503),
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\n\r\n{",
    ],
)
@pytest.mark.parametrize("made", [True, False])
def test_a_run_that_was_created_without_an_answer_is_taken(
    server: Loopback, store: RestStore, failing: Answer | bytes, made: bool
) -> None:
    def respond(request: Received) -> Answer | bytes:
        if request.path == f"{API}runs/create":
            return failing
        assert request.path == f"{API}runs/search"
        body = json.loads(request.body)
        assert body["experiment_ids"] == ["0"]
        assert body["filter"] == "tags.`projrun.origin.run_id` = 'f00d'"
        return Answer(json.dumps({"runs": [RUN] if made else []}).encode())

    server.respond = respond
    if made:
        assert store.create_run("0", start_time=1, origin_id="f00d").run_id == "made"
    else:
        with pytest.raises(TrackingError):
            store.create_run("0", start_time=1, origin_id="f00d")
    created = [json.loads(one.body) for one in server.received if one.path.endswith("create")]
    assert [one["tags"] for one in created] == [[{"key": "projrun.origin.run_id", "value": "f00d"}]]


def test_it_is_a_tracking_store(store: RestStore) -> None:
    checked: RunStore = store
    assert checked.uri == store.transport.base


def test_uri_is_shown_without_credentials() -> None:
    with closing(RestStore("http://someone:word@host.test:80/prefix/", {})) as store:
        assert store.uri == "http://host.test:80/prefix"


def test_batches_stay_within_the_servers_limits(server: Loopback, store: RestStore) -> None:
    params = [Param(f"p{number}", "1") for number in range(250)]
    tags = [Tag(f"t{number}", "1") for number in range(101)]
    metrics = [Metric("m", 1.0, number) for number in range(2_000)]
    store.log_batch("r", metrics=metrics, params=params, tags=tags)
    bodies = [json.loads(request.body) for request in server.received]
    sizes = [(len(body["metrics"]), len(body["params"]), len(body["tags"])) for body in bodies]
    assert sizes == [(800, 100, 100), (899, 100, 1), (301, 50, 0)]
    assert [item["key"] for body in bodies for item in body["params"]] == [param.key for param in params]
    assert [item["timestamp"] for body in bodies for item in body["metrics"]] == list(range(2_000))


def test_empty_batch_asks_nothing(server: Loopback, store: RestStore) -> None:
    store.log_batch("r")
    assert server.received == []


def test_values_that_are_no_numbers_are_named(server: Loopback, store: RestStore) -> None:
    values = [float("nan"), float("inf"), float("-inf")]
    store.log_batch("r", metrics=[Metric("m", value, 1) for value in values])
    body = json.loads(server.received[0].body, parse_constant=pytest.fail)
    assert [metric["value"] for metric in body["metrics"]] == ["NaN", "Infinity", "-Infinity"]


@pytest.mark.parametrize(
    ("answer", "limit"),
    [
        (Answer(b"3.17.2"), 6000),
        (Answer(b"2.10.0\n"), 6000),
        (Answer(b"2.9.2"), 500),
        (Answer(b"1.30.1"), 500),
        (Answer(b"<html>404</html>", 404), 6000),
        (Answer(b"<html>welcome</html>"), 6000),
        (Answer(b""), 6000),
        (Answer(b"", 503), 6000),
    ],
)
def test_param_value_limit_is_that_of_the_servers_version(
    server: Loopback, store: RestStore, answer: Answer, limit: int
) -> None:
    server.respond = always(answer)
    assert store.param_value_limit() == limit
    assert store.param_value_limit() == limit
    assert [request.path for request in server.received] == ["/version"]


def test_new_store_asks_nothing(server: Loopback, store: RestStore) -> None:
    assert server.received == []


VERSION = {"name": "m", "version": "3", "source": "runs:/r/model"}


def registry(request: Received) -> Answer:
    """A registry whose version 3 has no files of its own."""
    path, _, query = request.path.removeprefix(API).partition("?")
    answers = {
        "model-versions/get": {"model_version": VERSION},
        "registered-models/alias": {"model_version": VERSION},
        "registered-models/get": {"registered_model": {"name": "m", "latest_versions": [VERSION]}},
        "logged-models/m-1%2F": {
            "model": {"info": {"model_id": "m-1/", "experiment_id": "0", "artifact_uri": "a"}}
        },
    }
    if "absent" in query and path == "registered-models/alias":
        # The answer of MLflow 2 and 3 for an alias that a model does not have.
        return Answer(b'{"error_code":"INVALID_PARAMETER_VALUE","message":"alias not found"}', 400)
    if path not in answers or "absent" in query:
        return Answer(b'{"error_code":"RESOURCE_DOES_NOT_EXIST"}', 404)
    return Answer(json.dumps(answers[path]).encode())


def test_models_are_looked_up(server: Loopback, store: RestStore) -> None:
    server.respond = registry
    assert part_of(store, ModelRegistry).get_model_version("m", "3").source == "runs:/r/model"
    assert part_of(store, ModelRegistry).get_model_version_by_alias("m", "best").version == "3"
    assert part_of(store, ModelRegistry).get_registered_model("m").latest_versions[0].version == "3"
    assert part_of(store, LoggedModels).get_logged_model("m-1/").artifact_uri == "a"
    assert part_of(store, ModelRegistry).get_model_version_download_uri("m", "3") == "runs:/r/model"


def test_models_that_are_not_there(server: Loopback, store: RestStore) -> None:
    server.respond = registry
    for lookup in (
        lambda: part_of(store, ModelRegistry).get_model_version("absent", "3"),
        lambda: part_of(store, ModelRegistry).get_model_version_by_alias("m", "absent"),
        lambda: part_of(store, ModelRegistry).get_registered_model("absent"),
        lambda: part_of(store, LoggedModels).get_logged_model("absent"),
        lambda: part_of(store, ModelRegistry).get_model_version_download_uri("absent", "3"),
    ):
        with pytest.raises(NotFoundError):
            lookup()
