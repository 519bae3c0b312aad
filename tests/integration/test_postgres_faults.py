"""PostgreSQL away, restarted, killed, slow; writers killed; what it cannot hold; who may not enter."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from projrun.cli.execution import execute
from projrun.errors import ConflictError, InvalidValueError, TrackingError, UnavailableError
from projrun.tracking.entities import Dataset, Metric, Param, Tag
from projrun.tracking.inputs import Inputs
from projrun.tracking.logged_models import LoggedModels
from projrun.tracking.open import open_store
from projrun.tracking.parts import part_of
from projrun.tracking.runs import RunStore
from projrun.tracking.sql import metrics, runs
from projrun.tracking.sql.postgres import engine as postgres
from projrun.tracking.sql.postgres.engine import PostgresEngine
from projrun.tracking.sql.postgres.schema import prepare
from projrun.tracking.uri import parse_tracking_uri
from tests.execution.supervision.support import eventually
from tests.support.commands import run_projrun, start_python
from tests.support.guard import REPOSITORY
from tests.support.postgres import PASSWORD, USER, PostgresServer, own_postgres, run_statement

WRITER = """
import sys
from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.open import open_store
from projrun.tracking.uri import parse_tracking_uri
store = open_store(parse_tracking_uri(sys.argv[1]), {"PROJRUN_DEFAULT_ARTIFACT_ROOT": "/tmp"}, warn=print)
run_id, first, number = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
for step in range(first, first + number):
    store.log_batch(
        run_id,
        metrics=[Metric(f"m{key}", 1.0, step, step) for key in range(5)],
        params=[Param(f"p{step}", "1")],
        tags=[Tag(f"t{step}", "1")],
    )
    print(step, flush=True)
"""


def opened(uri: str) -> RunStore:
    return open_store(
        parse_tracking_uri(uri), {"PROJRUN_DEFAULT_ARTIFACT_ROOT": "/tmp/artifacts"}, warn=print
    )


@pytest.fixture
def uri(postgres_server: PostgresServer) -> str:
    """The URI of a store of this test alone."""
    uri = postgres_server.uri()
    opened(uri).close()
    return uri


@pytest.fixture
def store(uri: str) -> Iterator[RunStore]:
    with closing(opened(uri)) as store:
        yield store


@pytest.fixture(scope="module")
def fragile() -> Iterator[PostgresServer]:
    """A server that the tests of this module end and start."""
    with own_postgres() as server:
        yield server


def new_run(store: RunStore) -> str:
    return store.create_run("0", start_time=1).run_id


def steps_of(store: RunStore, run_id: str) -> set[int]:
    """The steps that are there, each whole."""
    run = store.get_run(run_id)
    params = {int(key[1:]) for key, _ in run.params}
    assert {int(key[1:]) for key, _ in run.tags if key.startswith("t")} == params
    for key in range(5):
        assert {metric.step for metric in store.get_metric_history(run_id, f"m{key}").metrics} == params
    return params


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.large)])
def test_a_killed_writer_leaves_what_was_acknowledged_and_nothing_half(
    store: RunStore, uri: str, kills: int
) -> None:
    run_id = new_run(store)
    acknowledged: set[int] = set()
    for turn in range(kills):
        writer = start_python(WRITER, uri, run_id, str(turn * 100_000), "100000")
        until_acknowledged(store, run_id, turn * 100_000)
        time.sleep(0.05 * turn)
        writer.send_signal(signal.SIGKILL)
        acknowledged |= {int(line) for line in writer.end().stdout.split() if line.isdigit()}
    assert len(acknowledged) >= kills
    deadline = time.monotonic() + 120
    while connections(uri) > 1 and time.monotonic() < deadline:  # the last transaction ends by itself
        time.sleep(0.05)
    there = steps_of(store, run_id)
    assert acknowledged <= there
    assert len(there - acknowledged) <= kills


def until_acknowledged(store: RunStore, run_id: str, first: int) -> None:
    """Until a later step is there than the first of a writer, which says of each when it is there."""

    def is_there() -> bool:
        return any(metric.step > first for metric in store.get_run(run_id).metrics)

    eventually(is_there, "the second step")


def connections(uri: str) -> int:
    """Those of projrun to this database: one, that of the test's store."""
    where = "datname = current_database() AND application_name = 'projrun'"
    return int(run_statement(uri, f"SELECT count(*) FROM pg_stat_activity WHERE {where}")[0][0])


def test_processes_that_write_at_once(store: RunStore, uri: str) -> None:
    run_id = new_run(store)
    writers = [start_python(WRITER, uri, run_id, str(number * 100), "20") for number in range(4)]
    assert [writer.end().returncode for writer in writers] == [0] * 4
    assert steps_of(store, run_id) == {number * 100 + step for number in range(4) for step in range(20)}


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGQUIT], ids=["restarted", "crashed"])
def test_a_server_that_restarts_under_load_loses_nothing(
    fragile: PostgresServer, signum: signal.Signals
) -> None:
    uri = fragile.uri()
    with closing(opened(uri)) as store:
        run_id = new_run(store)
        acknowledged: set[int] = set()
        refused: list[Exception] = []
        ending = threading.Event()

        def write(first: int) -> None:
            step = first
            with closing(opened(uri)) as own:
                while not ending.is_set():
                    try:
                        own.log_batch(
                            run_id,
                            metrics=[Metric(f"m{key}", 1.0, step, step) for key in range(5)],
                            params=[Param(f"p{step}", "1")],
                            tags=[Tag(f"t{step}", "1")],
                        )
                        acknowledged.add(step)
                    except Exception as error:
                        refused.append(error)
                        time.sleep(0.02)
                    step += 1

        threads = [threading.Thread(target=write, args=(100_000 * number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        try:
            eventually(lambda: len({step // 100_000 for step in acknowledged.copy()}) == 4, "the first steps")
            fragile.stop(signum)
            before = len(acknowledged)
            eventually(lambda: refused, "a refusal")
            fragile.start()
            eventually(lambda: len(acknowledged) > before + 20, "that it goes on by itself")
        finally:
            ending.set()
            for thread in threads:
                thread.join()
        assert {type(error) for error in refused} == {UnavailableError}
        assert PASSWORD not in "".join(f"{error} {error.__cause__}" for error in refused)
        assert acknowledged <= steps_of(store, run_id)


def test_a_call_after_a_restart_needs_no_second_try(fragile: PostgresServer) -> None:
    with closing(opened(fragile.uri())) as store:
        run_id = new_run(store)
        fragile.stop()
        with pytest.raises(UnavailableError, match="cannot be reached") as caught:
            store.get_run(run_id)
        assert caught.value.hint == "does PostgreSQL run there?"
        fragile.start()
        assert store.get_run(run_id).run_id == run_id
        fragile.stop()
        fragile.start()
        assert store.get_run(run_id).run_id == run_id


def test_a_connection_that_ends_within_a_transaction(uri: str) -> None:
    with closing(PostgresEngine(uri)) as engine:
        with pytest.raises(UnavailableError), engine.writing() as connection:
            connection.execute("UPDATE experiments SET name = 'half done'")
            (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
            run_statement(uri, f"SELECT pg_terminate_backend({pid})")
            connection.execute("SELECT 1")
        with engine.reading() as connection:
            assert connection.execute("SELECT name FROM experiments").fetchall() == [("Default",)]


def test_an_error_that_is_caught_within_a_transaction_still_undoes_it(uri: str) -> None:
    with closing(PostgresEngine(uri)) as engine:
        with (
            pytest.raises(TrackingError, match="a statement of the transaction failed"),
            engine.writing() as connection,
        ):
            connection.execute("UPDATE experiments SET name = 'half done'")
            with pytest.raises(Exception, match="syntax"):
                connection.execute("SELEC 1")
        with engine.reading() as connection:
            assert connection.execute("SELECT name FROM experiments").fetchall() == [("Default",)]


def test_a_statement_that_takes_too_long_is_canceled(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "_SETTINGS", postgres._SETTINGS.replace("'30s'", "'300ms'"))
    with closing(opened(uri)) as store, closing(PostgresEngine(uri)) as other:
        run_id = new_run(store)
        with other.writing() as connection:
            connection.execute("SELECT 1 FROM runs FOR UPDATE")
            with pytest.raises(UnavailableError, match="took too long"):
                store.set_tag(run_id, Tag("a", "1"))
        store.set_tag(run_id, Tag("a", "2"))
        assert store.get_run(run_id).tag("a") == "2"


def test_of_two_that_wait_for_each_other_one_is_a_conflict(uri: str) -> None:
    with closing(opened(uri)) as store:
        ids = [new_run(store), new_run(store)]
    results: list[object] = []
    both = threading.Barrier(2)

    def write(order: list[str]) -> None:
        with closing(PostgresEngine(uri)) as engine:
            try:
                with engine.writing() as connection:
                    connection.execute("UPDATE runs SET status = 'FAILED' WHERE run_id = ?", (order[0],))
                    both.wait(30)
                    connection.execute("UPDATE runs SET status = 'FAILED' WHERE run_id = ?", (order[1],))
                results.append(None)
            except ConflictError as error:
                results.append(error)

    threads = [threading.Thread(target=write, args=(order,)) for order in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(type(result).__name__ for result in results) == ["ConflictError", "NoneType"]


def test_a_call_that_another_transaction_hinders_is_made_again(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    done = threading.Event()

    def pause(least: float, most: float) -> float:
        pauses.append(most)
        done.wait(60)  # made again any sooner, it may be hindered once more
        return 0.0

    monkeypatch.setattr(random, "uniform", pause)
    with closing(opened(uri)) as store, closing(PostgresEngine(uri)) as other:
        run_id = new_run(store)
        dataset = Dataset("d", "1", "local", "{}")
        call = threading.Thread(target=part_of(store, Inputs).log_inputs, args=(run_id, [dataset]))
        with other.writing() as connection:
            connection.execute("SET LOCAL deadlock_timeout = '60s'")  # the other one is the victim
            connection.execute("SELECT 1 FROM experiments FOR UPDATE")
            call.start()
            until_waiting(uri)
            connection.execute("UPDATE runs SET status = 'FAILED'")
        done.set()
        call.join()
        run = store.get_run(run_id)
    assert (run.status, run.datasets) == ("FAILED", (dataset,))
    assert len(pauses) == 1


def test_of_two_first_batches_of_a_key_one_has_the_latest_value(uri: str) -> None:
    """Each makes a series of its own, since they are of different models."""
    with closing(opened(uri)) as store, closing(PostgresEngine(uri)) as first:
        run_id = new_run(store)
        create = part_of(store, LoggedModels).create_logged_model
        later, earlier = (
            Metric("loss", value, 1, int(value), model_id=create("0").model_id) for value in (2.0, 1.0)
        )
        call = threading.Thread(target=store.log_batch, args=(run_id,), kwargs={"metrics": [earlier]})
        with first.writing() as connection:
            metrics.log(connection, runs.writable_key(connection, run_id), [later])
            call.start()
            until_waiting(uri)
        call.join()
        assert run_statement(uri, "SELECT step FROM series WHERE latest = 1") == [(2,)]
        assert store.get_run(run_id).metrics[0].value == 2.0


def until_waiting(uri: str) -> None:
    """Until a transaction of this database waits for another one."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    eventually(lambda: run_statement(uri, waiting), "a transaction that waits")


def test_without_a_place_for_artifacts_a_database_is_read(
    uri: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with closing(opened(uri)) as store:
        run_id = new_run(store)
        elsewhere = store.create_experiment("elsewhere", "s3://bucket/x")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert execute(["runs", "list"]) == 0
    assert run_id[:8] in capsys.readouterr().out
    with closing(open_store(parse_tracking_uri(uri), {}, warn=print)) as store:
        assert store.create_run(elsewhere, start_time=1).artifact_uri.startswith("s3://bucket/x/")
    (tmp_path / "MLproject").write_text("entry_points: {main: {command: touch ran}}", encoding="utf-8")
    assert execute(["run", str(tmp_path), "--experiment-name", "new", "--env-manager", "local"]) == 2
    assert "PROJRUN_DEFAULT_ARTIFACT_ROOT" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["a\0b", "\udcff"])
def test_a_text_that_no_database_holds_is_the_callers_mistake(store: RunStore, text: str) -> None:
    run_id = new_run(store)
    with pytest.raises(InvalidValueError, match="cannot be stored"):
        store.set_tag(run_id, Tag("key", text))
    with pytest.raises(InvalidValueError, match="cannot be stored"):
        store.create_experiment(f"name {text}")
    assert store.get_run(run_id).tag("key") is None


def test_numbers_at_the_ends_of_their_range(store: RunStore) -> None:
    run_id = new_run(store)
    store.log_batch(run_id, metrics=[Metric("m", 1.7976931348623157e308, 2**63 - 1, -(2**63))])
    store.update_run(run_id, end_time=2**63 - 1)
    (found,) = store.get_metric_history(run_id, "m").metrics
    assert (found.value, found.timestamp, found.step) == (1.7976931348623157e308, 2**63 - 1, -(2**63))
    with pytest.raises(InvalidValueError):
        store.update_run(run_id, end_time=2**63)
    assert store.get_run(run_id).end_time == 2**63 - 1


def test_a_password_may_come_from_elsewhere(
    uri: str, postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = uri.rpartition("/")[2]
    bare = f"postgresql://{USER}@127.0.0.1:{postgres_server.port}/{name}"
    with pytest.raises(UnavailableError, match="password") as caught:
        opened(bare)
    assert "PGPASSWORD" in caught.value.hint
    with monkeypatch.context() as patched:
        patched.setenv("PGPASSWORD", PASSWORD)
        opened(bare).close()
    passwords = tmp_path / "pgpass"
    escaped = PASSWORD.replace(":", "\\:")
    passwords.write_text(f"127.0.0.1:*:*:{USER}:{escaped}\n", encoding="utf-8")
    passwords.chmod(0o600)
    with monkeypatch.context() as patched:
        patched.setenv("PGPASSFILE", str(passwords))
        opened(bare).close()
    services = tmp_path / "services"
    services.write_text(
        f"[team]\nhost=127.0.0.1\nport={postgres_server.port}\nuser={USER}\npassword={PASSWORD}\ndbname={name}\n"
    )
    monkeypatch.setenv("PGSERVICEFILE", str(services))
    opened("postgresql://?service=team").close()


def test_who_may_not_enter_is_told_without_the_password(postgres_server: PostgresServer) -> None:
    wrong = f"postgresql://{USER}:wrong-word@127.0.0.1:{postgres_server.port}/postgres"
    with pytest.raises(UnavailableError, match="password authentication failed") as caught:
        opened(wrong)
    assert "wrong-word" not in f"{caught.value} {caught.value.hint}"
    with pytest.raises(UnavailableError, match="does not exist") as caught:
        opened(f"{postgres_server.address}/absent")
    assert "createdb" in caught.value.hint
    with pytest.raises(UnavailableError, match="cannot be reached"):
        opened("postgresql://127.0.0.1:1/absent?connect_timeout=3")


def test_a_schema_of_its_own(postgres_server: PostgresServer) -> None:
    uri = postgres_server.uri()
    run_statement(uri, "CREATE TABLE of_another_program (x BIGINT)")
    run_statement(uri, "CREATE SCHEMA team")
    with closing(PostgresEngine(f"{uri}?options=-csearch_path%3Dteam")) as engine:
        assert prepare(engine)
        assert not prepare(engine)
    tables = run_statement(uri, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert tables == [("of_another_program",)]


def test_a_project_that_is_recorded_in_postgresql(postgres_server: PostgresServer, tmp_path: Path) -> None:
    uri = postgres_server.uri().replace("postgresql:", "postgresql+psycopg2:")
    environ = {"PROJRUN_DEFAULT_ARTIFACT_ROOT": str(tmp_path / "artifacts"), "MLFLOW_TRACKING_URI": uri}
    project = REPOSITORY / "example_projects" / "quickstart"
    done = run_projrun("run", project, "--env-manager=local", environ=environ).check()
    assert PASSWORD not in done.stdout + done.stderr
    with closing(opened(uri)) as store:
        (run,) = store.search_runs(["0"]).runs
        assert run.status == "FINISHED"
    assert (tmp_path / "artifacts" / "0" / run.run_id / "artifacts" / "logs" / "output.log").exists()
