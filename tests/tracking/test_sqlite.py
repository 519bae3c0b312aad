"""The store's file: made, recognised, migrated, refused, shared by processes."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from projrun.errors import InvalidValueError, RequestError, TrackingError
from projrun.tracking.sql import sqlite as sqlite_module
from projrun.tracking.sql.engine import VERSION
from projrun.tracking.sql.migrations import MIGRATIONS
from projrun.tracking.sql.sqlite import APPLICATION_ID, SqliteEngine
from projrun.tracking.sql.store import SqlStore
from tests.support.commands import start_python

NFS = "36 35 98:0 / / rw,noatime master:1 - ext4 /dev/root rw\n40 36 0:50 / {} rw - nfs4 server:/x rw\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a store is to be; its folder does not exist yet."""
    return tmp_path / "home" / "projrun.db"


def pragma(file: Path, name: str) -> object:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_new_store_carries_its_marks(file: Path) -> None:
    SqliteEngine.open(file).close()
    assert pragma(file, "application_id") == APPLICATION_ID
    assert pragma(file, "user_version") == len(MIGRATIONS)
    assert pragma(file, "journal_mode") == "wal"


def test_a_log_that_was_half_written_into_the_store_is_no_damage(file: Path) -> None:
    """As a full disk leaves it, or the end of the machine: the header says more pages than there are."""
    with closing(SqliteEngine.open(file)) as database:
        with database.writing() as connection:
            connection.execute(
                "INSERT INTO experiments (name, artifact_location, lifecycle_stage, creation_time,"
                " last_update_time) VALUES (?, '', 'active', 0, 0)",
                ("x" * 50_000,),
            )
        copies = {path.name: path.read_bytes() for path in file.parent.glob("projrun.db*")}
    pages = file.read_bytes()
    torn = file.parent.parent / "torn"
    torn.mkdir()
    for name in ("projrun.db", "projrun.db-wal"):
        (torn / name).write_bytes(copies[name])
    (torn / "projrun.db").write_bytes(pages[:4096] + copies["projrun.db"][4096:])
    with closing(SqliteEngine.open(torn / "projrun.db")) as database, database.reading() as connection:
        assert connection.execute("SELECT max(length(name)) FROM experiments").fetchone()[0] == 50_000


def test_new_store_is_its_owners_alone(file: Path) -> None:
    with closing(SqliteEngine.open(file)) as database, database.writing() as connection:
        connection.execute("UPDATE experiments SET name = 'x'")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}
    assert modes == dict.fromkeys(("projrun.db", "projrun.db-wal", "projrun.db-shm"), 0o600)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_artifacts_are_as_private_as_the_file(tmp_path: Path) -> None:
    with closing(SqlStore.open(tmp_path / "runs.db")) as store:
        assert store.artifact_root
        assert stat.S_IMODE(store.artifact_root.stat().st_mode) == 0o700


def test_mode_of_a_folder_that_exists_is_kept(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    SqliteEngine.open(tmp_path / "projrun.db").close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_empty_file_becomes_a_store(tmp_path: Path) -> None:
    file = tmp_path / "projrun.db"
    file.touch()
    SqliteEngine.open(file).close()
    assert pragma(file, "application_id") == APPLICATION_ID


def test_path_that_is_special_in_a_uri(tmp_path: Path) -> None:
    file = tmp_path / "a?b#c%20d é" / "projrun.db?mode=memory"
    for _ in range(2):
        SqliteEngine.open(file).close()
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def mlflow_database(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        for table in ("alembic_version", "experiments", "runs", "metrics"):
            connection.execute(f"CREATE TABLE {table} (x)")
        connection.commit()


def mlflow_database_in_use(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    mlflow_database(file)


def foreign_database(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE runs (x)")


def tableless_database(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (mlflow_database, "MLflow's own database", "mlflow server --backend-store-uri sqlite:///"),
        (mlflow_database_in_use, "MLflow's own database", "mlflow server --backend-store-uri sqlite:///"),
        (foreign_database, "another program", "does not exist yet"),
        (tableless_database, "another program", "does not exist yet"),
        (lambda file: file.write_bytes(b"\x00\x17random" * 2000), "not an SQLite file", "does not exist yet"),
        (lambda file: file.write_text("alpha: 1\n"), "not an SQLite file", "does not exist yet"),
    ],
)
def test_file_of_another_program_is_refused_untouched(
    tmp_path: Path, make: Callable[[Path], object], message: str, hint: str
) -> None:
    file = tmp_path / "mlflow.db"
    make(file)
    before = snapshot(tmp_path)
    with pytest.raises(RequestError, match=message) as caught:
        SqliteEngine.open(file)
    assert str(file) in caught.value.message
    assert hint in caught.value.hint
    assert snapshot(tmp_path) == before


def test_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "projrun.db").mkdir()
    (tmp_path / "projrun.db" / "x").touch()
    with pytest.raises(RequestError, match="is not a file"):
        SqliteEngine.open(tmp_path / "projrun.db")


def test_store_of_a_newer_projrun_is_refused(file: Path) -> None:
    SqliteEngine.open(file).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(RequestError, match="newer projrun") as caught:
        SqliteEngine.open(file)
    assert "upgrade projrun" in caught.value.hint


def test_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrackingError, match="cannot be used"):
        SqliteEngine.open(tmp_path / "file" / "projrun.db")


def test_damaged_store_is_told(file: Path) -> None:
    SqliteEngine.open(file).close()
    damaged = file.read_bytes()
    file.write_bytes(damaged[:4096] + b"\xff" * (len(damaged) - 4096))
    with pytest.raises(TrackingError, match="is damaged") as caught:
        SqlStore.open(file)
    assert "backup" in caught.value.hint


def test_store_in_use_is_told_after_the_timeout(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SqliteEngine.open(file).close()
    monkeypatch.setattr(sqlite_module, "BUSY_TIMEOUT", 0.05)
    with closing(sqlite3.connect(file, isolation_level=None)) as other, closing(SqlStore.open(file)) as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TrackingError, match="locked by another process"):
            store.create_experiment("mine")
        other.execute("ROLLBACK")
        assert store.create_experiment("mine") == "1"


def test_failed_transaction_leaves_nothing(file: Path) -> None:
    with closing(SqliteEngine.open(file)) as database:
        with pytest.raises(ZeroDivisionError), database.writing() as connection:
            connection.execute("UPDATE experiments SET name = 'half done'")
            raise ZeroDivisionError
        with database.reading() as connection:
            assert connection.execute("SELECT name FROM experiments").fetchall() == [("Default",)]


@pytest.mark.parametrize("value", ["\udcff", 2**63, "a\0b"])
def test_value_that_no_database_holds_is_the_callers_mistake(file: Path, value: object) -> None:
    with (
        closing(SqliteEngine.open(file)) as database,
        pytest.raises(InvalidValueError, match="cannot be stored"),
        database.writing() as connection,
    ):
        connection.execute("UPDATE experiments SET name = ?", (value,))


def test_closing_twice_is_fine(file: Path) -> None:
    database = SqliteEngine.open(file)
    database.close()
    database.close()
    with pytest.raises(TrackingError, match="cannot be used"), database.reading():
        pass


def test_older_store_is_migrated_with_its_data(file: Path) -> None:
    with closing(SqlStore.open(file)) as store:
        store.create_experiment("kept")
    newer = (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN priority BIGINT NOT NULL DEFAULT 3",))
    for _ in range(2):
        with closing(SqliteEngine.open(file, migrations=newer)) as database, database.reading() as connection:
            assert connection.execute("SELECT name FROM experiments ORDER BY 1").fetchall() == [
                ("Default",),
                ("kept",),
            ]
            connection.execute("SELECT priority FROM runs")
    assert pragma(file, "user_version") == len(newer)


def test_version_of_the_schema_counts_the_migrations() -> None:
    assert len(MIGRATIONS) == VERSION


def test_migration_may_replace_a_table_that_others_name(file: Path) -> None:
    with closing(SqlStore.open(file)) as store:
        store.create_run(store.create_experiment("kept"), start_time=1)
    replacing = (
        "CREATE TABLE experiments_new (experiment_id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
        "INSERT INTO experiments_new SELECT experiment_id, name FROM experiments",
        "DROP TABLE experiments",
        "ALTER TABLE experiments_new RENAME TO experiments",
    )
    SqliteEngine.open(file, migrations=(*MIGRATIONS, replacing)).close()
    losing = ("DELETE FROM experiments WHERE name = 'kept'",)
    with pytest.raises(TrackingError, match="rows of runs name rows of experiments"):
        SqliteEngine.open(file, migrations=(*MIGRATIONS, replacing, losing))


def test_migration_that_fails_changes_nothing(file: Path) -> None:
    SqliteEngine.open(file).close()
    broken = (*MIGRATIONS, ("CREATE TABLE first (x)", "CREATE TABLE runs (x)"))
    with pytest.raises(TrackingError, match="already exists"):
        SqliteEngine.open(file, migrations=broken)
    assert pragma(file, "user_version") == len(MIGRATIONS)
    with closing(sqlite3.connect(file)) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "first" not in tables


def test_network_folder_gets_the_rollback_journal_and_one_warning(file: Path) -> None:
    warnings: list[str] = []
    mountinfo = NFS.format(file.parent)
    with closing(SqliteEngine.open(file, warn=warnings.append, mountinfo=mountinfo)):
        pass
    assert pragma(file, "journal_mode") == "delete"
    assert len(warnings) == 1
    assert str(file.parent) in warnings[0]
    assert "nfs4" in warnings[0]
    assert "PROJRUN_HOME" in warnings[0]


def test_store_that_moved_to_a_network_folder_and_back(file: Path) -> None:
    for mountinfo, journal in (("", "wal"), (NFS.format(file.parent), "delete"), ("", "wal")):
        SqliteEngine.open(file, mountinfo=mountinfo).close()
        assert pragma(file, "journal_mode") == journal


@pytest.mark.processes
def test_processes_that_make_one_store_at_once(file: Path, tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from projrun.tracking.sql.store import SqlStore\n"
        "while not Path(sys.argv[3]).exists(): time.sleep(0.001)\n"
        "store = SqlStore.open(Path(sys.argv[1]))\n"
        "store.create_run('0', start_time=1, run_name=sys.argv[2])\n"
        "store.close()\n"
    )
    go = tmp_path / "go"
    processes = [start_python(script, file, f"run {number}", go) for number in range(8)]
    go.touch()
    answers = [process.end() for process in processes]
    assert [answer.returncode for answer in answers] == [0] * 8, answers
    with closing(SqlStore.open(file)) as store:
        names = {run.run_name for run in store.search_runs(["0"]).runs}
        assert names == {f"run {number}" for number in range(8)}
        assert [found.name for found in store.search_experiments().experiments] == ["Default"]


def test_threads_that_make_one_store_at_once(file: Path) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(8)

    def open_it() -> None:
        try:
            barrier.wait()
            SqliteEngine.open(file).close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert pragma(file, "user_version") == len(MIGRATIONS)
