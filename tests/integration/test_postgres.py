"""The store in a real PostgreSQL: the conformance kits, the schema, and what PostgreSQL alone does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from math import inf, nan
from pathlib import Path

import pytest

from projrun.errors import AlreadyExistsError, InvalidValueError, RequestError, TrackingError
from projrun.server.endpoint import Endpoint
from projrun.testing.curves import CurvesConformance
from projrun.testing.histories import HistoriesConformance
from projrun.testing.life_cycle import ExperimentTagConformance, LifeCycleConformance
from projrun.testing.logged_models import (
    InputsConformance,
    LoggedModelsConformance,
    LoggedModelSearchConformance,
)
from projrun.testing.purge import PurgeConformance
from projrun.testing.registry import ModelRegistryConformance, RegistryRaces
from projrun.testing.run_store import RunStoreConformance
from projrun.testing.run_store_base import unique
from projrun.testing.tables import TablesConformance
from projrun.testing.traces import TraceEdgesConformance
from projrun.tracking.entities import Metric, Param, Tag
from projrun.tracking.open import open_store
from projrun.tracking.parts import part_of
from projrun.tracking.registry import ModelRegistry
from projrun.tracking.rest.store import RestStore
from projrun.tracking.runs import RunStore
from projrun.tracking.sql import choices, experiments
from projrun.tracking.sql.engine import VERSION, in_list, select_in
from projrun.tracking.sql.migrations import MIGRATIONS
from projrun.tracking.sql.postgres.engine import PostgresConnection, PostgresEngine
from projrun.tracking.sql.postgres.schema import prepare, upgrade
from projrun.tracking.sql.store import SqlStore
from projrun.tracking.sql.upgrade import upgrade_db
from projrun.tracking.uri import parse_tracking_uri
from projrun.tracking.users import Users
from tests.support.postgres import PASSWORD, PostgresServer
from tests.support.searches import FILTERS, ORDERS, expected, fill, pages


@pytest.fixture(scope="module")
def database(postgres_server: PostgresServer) -> str:
    """The URI of a new store, which all the tests fill."""
    return postgres_server.uri().replace("postgresql:", "postgresql+psycopg2:")


class TestPostgresStore(
    HistoriesConformance,
    RunStoreConformance,
    LifeCycleConformance,
    ExperimentTagConformance,
    LoggedModelsConformance,
    LoggedModelSearchConformance,
    InputsConformance,
    ModelRegistryConformance,
    PurgeConformance,
    CurvesConformance,
    TablesConformance,
    TraceEdgesConformance,
):
    """The kits."""

    @pytest.fixture
    def store(self, database: str, tmp_path: Path) -> Iterator[RunStore]:
        uri = parse_tracking_uri(database)
        with closing(open_store(uri, {"MLFLOW_DEFAULT_ARTIFACT_ROOT": str(tmp_path)}, warn=print)) as store:
            assert isinstance(store, SqlStore)
            yield store


@pytest.fixture(scope="module")
def endpoint(database: str) -> Iterator[Endpoint]:
    """The store, served."""
    uri = parse_tracking_uri(database)
    with Endpoint.open(lambda: open_store(uri, {}, warn=print, served=True)) as endpoint:
        yield endpoint


class TestEndpointOnPostgres(RunStoreConformance, LifeCycleConformance):
    """Over REST, as a server's clients see the store: several threads on connections of their own."""

    @pytest.fixture
    def store(self, endpoint: Endpoint) -> Iterator[RunStore]:
        with closing(RestStore(endpoint.uri, {})) as store:
            yield store


def test_pages_of_many_runs_are_those_of_a_plain_sort(
    postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "COUNTED", 5)
    uri = parse_tracking_uri(postgres_server.uri())
    with closing(open_store(uri, {"MLFLOW_DEFAULT_ARTIFACT_ROOT": str(tmp_path)}, warn=print)) as store:
        fill(store)
        runs = [store.get_run(run) for run in pages(store, ["0", "1"], "", (), 1000)]
        for text, keep in FILTERS[::3]:
            for order in ORDERS:
                assert pages(store, ["0", "1"], text, order, 20) == expected(runs, keep, order), (text, order)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda store, run: store.get_run(run), 1),
        (lambda store, run: store.search_runs(["0"], filter_string="metrics.loss < 0.3 AND tags.a = 'b'"), 3),
    ],
)
def test_little_is_read_in_few_statements(
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[RunStore, str], object],
    expected: int,
) -> None:
    """Each is waited for."""
    statements: list[str] = []
    execute = PostgresConnection.execute

    def counted(connection: PostgresConnection, statement: str, values: Sequence[object] = ()) -> object:
        statements.append(statement)
        return execute(connection, statement, values)

    environ = {"MLFLOW_DEFAULT_ARTIFACT_ROOT": str(tmp_path)}
    with closing(open_store(parse_tracking_uri(database), environ, warn=print)) as store:
        run_id = store.create_run("0", start_time=1).run_id
        store.log_batch(run_id, metrics=[Metric("loss", 0.1, 1, 0)], tags=[Tag("a", "b")])
        monkeypatch.setattr(PostgresConnection, "execute", counted)
        call(store, run_id)
    assert len(statements) == expected, statements


def test_a_batch_is_written_in_a_few_statements(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    execute = PostgresConnection.execute

    def counted(connection: PostgresConnection, statement: str, values: Sequence[object] = ()) -> object:
        statements.append(statement)
        return execute(connection, statement, values)

    monkeypatch.setattr(PostgresConnection, "execute", counted)
    metrics = [Metric(f"m{number % 50}", number / 7, 1000 + number, number) for number in range(1000)]
    metrics += [
        Metric(f"m{number}", value, 9000, 9000) for number, value in enumerate([inf, -inf, nan, -0.0])
    ]
    params = [Param(f"p{number}", "é😀" * number) for number in range(100)]
    tags = [Tag(f"t{number}", str(number)) for number in range(100)]
    environ = {"MLFLOW_DEFAULT_ARTIFACT_ROOT": str(tmp_path)}
    with closing(open_store(parse_tracking_uri(database), environ, warn=print)) as store:
        run_id = store.create_run("0", start_time=1).run_id
        del statements[:]
        store.log_batch(
            run_id, metrics=metrics, params=params, tags=[*tags, Tag("t1", ""), Tag("t1", "last")]
        )
        written = len(statements)
        run = store.get_run(run_id)
        history = store.get_metric_history(run_id, "m7").metrics
    assert written < 10, statements
    assert set(run.params) == set(params)
    assert {*tags, Tag("t1", "last")} - {Tag("t1", "1")} < set(run.tags)
    latest = {metric.key: (metric.step, metric.value) for metric in metrics}
    assert repr(sorted((metric.key, (metric.step, metric.value)) for metric in run.metrics)) == repr(
        sorted(latest.items())
    )
    assert [(metric.step, metric.value) for metric in history] == [
        (step, step / 7) for step in range(7, 1000, 50)
    ]


@pytest.mark.parametrize(("count", "kept"), [(3, 1), (100, 0)])
def test_a_list_of_values_has_a_plan_of_its_own(empty: PostgresEngine, count: int, kept: int) -> None:
    """One for any values compares all of a list with each point of a series: minutes, where that is a long one."""
    prepare(empty)
    for _ in range(8):
        with empty.reading() as connection:
            connection.execute(f"SELECT 1 FROM points WHERE {in_list('step', range(count))}", range(count))
    with empty.reading() as connection:
        statement = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT 1 FROM points%'"
        assert connection.execute(statement).fetchone() == (kept,)


@pytest.mark.parametrize("count", [2, 100])
def test_rows_of_any_number_of_keys_are_asked_for_in_one_prepared_statement(
    empty: PostgresEngine, count: int
) -> None:
    prepare(empty)
    found, statement = [], "SELECT experiment_id FROM experiments WHERE experiment_id IN ({keys})"
    for more in range(8):
        with empty.reading() as connection:
            found = select_in(connection, statement, range(count + more))
    assert found == [(0,)]
    with empty.reading() as connection:
        statement = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT experiment_id%'"
        assert connection.execute(statement).fetchone() == (1,)
        assert connection.execute("SHOW jit").fetchone() == (
            "off",
        )  # to compile takes longer than any statement


class TestRegistryRaces(RegistryRaces):
    """Many threads, each with a connection of its own."""

    @pytest.fixture
    def open_registry(self, database: str, tmp_path: Path) -> Iterator[Callable[[], ModelRegistry]]:
        opened: list[RunStore] = []
        mine = threading.local()
        environ = {"MLFLOW_DEFAULT_ARTIFACT_ROOT": str(tmp_path)}

        def open_registry() -> ModelRegistry:
            if not hasattr(mine, "store"):
                mine.store = open_store(parse_tracking_uri(database), environ, warn=print)
                opened.append(mine.store)
            return part_of(mine.store, ModelRegistry)

        yield open_registry
        for store in opened:
            store.close()


def test_users_are_kept_with_what_they_may_do(database: str, tmp_path: Path) -> None:
    environ = {"MLFLOW_DEFAULT_ARTIFACT_ROOT": str(tmp_path)}
    name, model = unique("ann"), unique("model")
    with closing(open_store(parse_tracking_uri(database), environ, warn=print)) as store:
        users = part_of(store, Users)
        made = users.create_user(name, "a hash")
        with pytest.raises(AlreadyExistsError):
            users.create_user(name, "a hash")
        users.create_token(name, "ci", name, 1)
        users.create_token(name, "laptop", f"{name} laptop")
        assert (users.find_token_user(name), users.find_token_user(f"{name} laptop")) == (None, made)
        role = users.create_role(unique("tasters"))
        users.add_grant(role.id, "experiment", "*", "EDIT")
        users.assign_role(name, role.id)
        users.grant(name, "registered_model", model, "READ")
        users.grant(name, "registered_model", model, "MANAGE", again=True)
        users.rename_resource("registered_model", model, f"{model} 2")
        assert users.granted(made.id, "registered_model") == {f"{model} 2": ["MANAGE"]}
        assert users.granted(made.id, "experiment", ("7", "*")) == {"*": ["EDIT"]}
        users.forget_resource("registered_model", f"{model} 2")
        assert users.granted(made.id, "registered_model") == {}
        assert users.update_user(name, is_admin=True) == made._replace(is_admin=True)
        users.delete_user(name)
        assert (users.find_user(name), users.find_token_user(f"{name} laptop")) == (None, None)
        assert users.list_role_members(role.id) == ()


@pytest.fixture
def empty(postgres_server: PostgresServer) -> Iterator[PostgresEngine]:
    """An empty database."""
    with closing(PostgresEngine(postgres_server.uri())) as engine:
        yield engine


def test_an_older_store_is_refused_until_it_is_upgraded_with_its_data(empty: PostgresEngine) -> None:
    prepare(empty)
    with empty.writing() as connection:
        experiments.create(connection, "kept", "", ())
    newer = (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN priority BIGINT NOT NULL DEFAULT 3",))
    with pytest.raises(RequestError, match=r"older schema \(\d+; this projrun needs \d+\)") as caught:
        prepare(empty, newer)
    assert "projrun server upgrade-db" in caught.value.hint
    assert upgrade(empty, newer) == len(MIGRATIONS)
    assert upgrade(empty, newer) == len(newer)
    prepare(empty, newer)
    with empty.reading() as connection:
        assert connection.execute("SELECT name, experiment_id FROM experiments ORDER BY 2").fetchall() == [
            ("Default", 0),
            ("kept", 1),
        ]
        connection.execute("SELECT priority FROM runs")
    with pytest.raises(RequestError, match="newer projrun"):
        prepare(empty)
    with pytest.raises(RequestError, match="newer projrun"):
        upgrade(empty)


def test_a_table_that_a_migration_replaces_counts_on(empty: PostgresEngine) -> None:
    prepare(empty)
    with empty.writing() as connection:
        experiments.create(connection, "kept", "", ())
    replacing = (
        "CREATE TABLE experiments_new (experiment_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        "INSERT INTO experiments_new (experiment_id, name) SELECT experiment_id, name FROM experiments",
        "DROP TABLE experiments",
        "ALTER TABLE experiments_new RENAME TO experiments",
    )
    upgrade(empty, (*MIGRATIONS, replacing))
    with empty.writing() as connection:
        connection.execute("INSERT INTO experiments (name) VALUES ('next')")
        assert connection.execute("SELECT max(experiment_id) FROM experiments").fetchone() == (2,)


def test_a_migration_that_fails_changes_nothing(empty: PostgresEngine) -> None:
    prepare(empty)
    broken = (*MIGRATIONS, ("CREATE TABLE first (x BIGINT)", "CREATE TABLE runs (x BIGINT)"))
    with pytest.raises(TrackingError, match="already exists"):
        upgrade(empty, broken)
    prepare(empty)
    with empty.reading() as connection:
        assert connection.execute("SELECT to_regclass('first')").fetchone() == (None,)


@pytest.mark.parametrize(
    ("tables", "message"),
    [(("alembic_version", "experiments", "runs"), "MLflow's own database"), (("runs",), "another program")],
)
def test_a_database_of_another_program_is_refused_untouched(
    empty: PostgresEngine, tables: tuple[str, ...], message: str
) -> None:
    with empty.writing() as connection:
        for table in tables:
            connection.execute(f"CREATE TABLE {table} (x BIGINT)")
    for refusing in (prepare, upgrade):
        with pytest.raises(RequestError, match=message) as caught:
            refusing(empty)
        assert PASSWORD not in f"{caught.value} {caught.value.hint}"
        assert str(caught.value.hint).endswith("give an empty database: createdb NAME")
        assert ("`mlflow server --backend-store-uri postgresql://" in str(caught.value.hint)) == (
            len(tables) > 1
        )
    with empty.reading() as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert sorted(row[0] for row in found) == list(tables)


def test_upgrade_of_a_database_and_of_a_file(postgres_server: PostgresServer, tmp_path: Path) -> None:
    file = tmp_path / "projrun.db"
    file.touch()  # it creates none
    for uri in (postgres_server.uri(), f"sqlite:///{file}"):
        parsed = parse_tracking_uri(uri)
        assert upgrade_db(parsed) == (0, VERSION)
        assert upgrade_db(parsed) == (VERSION, VERSION)
        with closing(open_store(parsed, {}, warn=print, served=True)) as store:
            assert store.get_experiment("0").artifact_location == "mlflow-artifacts:/0"
    with pytest.raises(RequestError, match="is no database"):
        upgrade_db(parse_tracking_uri("http://127.0.0.1:5000"))


@pytest.mark.parametrize(
    ("pattern", "like", "ilike"),
    [
        ("a%", ["abc", "a_c", "a%c", "a\\c"], ["abc", "ABC", "a_c", "a%c", "a\\c"]),
        ("a\\_c", ["a_c"], ["a_c"]),
        ("a\\%c", ["a%c"], ["a%c"]),
        ("a\\\\c", ["a\\c"], ["a\\c"]),
        ("é%", ["éa"], ["Éa", "éa"]),
        ("a*", [], []),
    ],
)
def test_like_is_that_of_mlflows_server_on_postgresql(
    database: str, pattern: str, like: list[str], ilike: list[str]
) -> None:
    """As MLflow 3.17 answered on the same database server: a backslash makes the next character a plain one."""
    values = ["abc", "ABC", "a_c", "a%c", "a\\c", "Éa", "éa"]
    with closing(open_store(parse_tracking_uri(database), {}, warn=print, served=True)) as store:
        experiment = store.create_experiment(unique("like"))
        for start, value in enumerate(values):
            store.create_run(experiment, start_time=start + 1, tags=[Tag("t", value)])

        def found(operator: str) -> list[str | None]:
            text = f"tags.t {operator} '{pattern}'"
            page = store.search_runs([experiment], filter_string=text, order_by=["attributes.start_time"])
            return [run.tag("t") for run in page.runs]

        assert (found("LIKE"), found("ILIKE")) == (like, ilike)
        with pytest.raises(InvalidValueError, match="invalid pattern"):
            store.search_runs([experiment], filter_string="tags.t LIKE '%\\'")
