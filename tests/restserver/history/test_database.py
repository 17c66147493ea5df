"""An empty history is created, an older one is never migrated by the way, and one that fails stops nobody."""

import logging
import sqlite3
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text

from restserver.history import database as database_module
from restserver.history.assembled import condition, history_url, schema_fits
from restserver.history.database import BadHistoryUrl, Database, HistoryFailed, State
from restserver.history.schema import HEAD, VERSION_TABLE, metadata
from restserver.history.store import Store
from tests.restserver.history.telling import CREATED, NAME, database, told

MIGRATIONS = Path(database_module.__file__).parent / "migrations"


def at_version(folder: Path, version: str) -> Database:
    """A store as a program of that version left it."""
    found = database(folder)
    with found.engine.begin() as connection:
        from alembic import command

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, version)
    return found


def written_by_the_first_version(folder: Path) -> Database:
    found = at_version(folder, "0001")
    with found.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO incarnations (id, name, created, followed_at) VALUES (1, :name, :at, :at)"),
            {"name": NAME, "at": CREATED},
        )
        connection.execute(
            text(
                "INSERT INTO attempts (incarnation_id, run, version, attempt, last_request, final, settled, recorded_at,"
                " revision, document) VALUES (1, 0, 1, 0, :at, false, false, :at, 0, :document)"
            ),
            {"at": CREATED, "document": database_module_packed()},
        )
    return found


def database_module_packed() -> bytes:
    from restserver.history.documents import packed

    return packed(told())


def test_the_newest_migration_is_the_version_of_this_program() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_migrations_lead_to_the_tables_of_the_program(tmp_path: Path) -> None:
    migrated = database(tmp_path)
    migrated.migrate()
    declared = create_engine("sqlite://")
    metadata.create_all(declared)
    found, wanted = inspect(migrated.engine), inspect(declared)
    assert set(found.get_table_names()) == {*wanted.get_table_names(), VERSION_TABLE}
    for table in wanted.get_table_names():
        columns = [
            {(c["name"], str(c["type"]), c["nullable"]) for c in one.get_columns(table)} for one in (found, wanted)
        ]
        assert columns[0] == columns[1]
        keys = [{(k["name"], *k["column_names"]) for k in one.get_unique_constraints(table)} for one in (found, wanted)]
        assert keys[0] == keys[1]
        indexes = [{i["name"] for i in one.get_indexes(table)} for one in (found, wanted)]
        assert indexes[0] == indexes[1]


def test_an_empty_store_is_created_by_the_first_question(tmp_path: Path) -> None:
    made = database(tmp_path / "not" / "there" / "yet")
    assert made.state() is State.EMPTY
    assert Store(made).past(NAME) is None
    assert made.state() is State.CURRENT
    assert condition(made) == "ok"


def test_an_older_store_is_not_migrated_by_asking(tmp_path: Path) -> None:
    old = written_by_the_first_version(tmp_path)
    with pytest.raises(HistoryFailed, match="older schema"):
        Store(old).past(NAME)
    assert old.state() is State.OLDER
    assert "restserver history migrate" in condition(old)
    assert not schema_fits(old)


def test_a_store_of_an_older_version_opens_after_migration(tmp_path: Path) -> None:
    old = written_by_the_first_version(tmp_path)
    assert old.migrate() is State.OLDER
    assert old.migrate() is State.CURRENT
    past = Store(old).past(NAME)
    assert past is not None
    assert Store(old).document(past.newest.id) == told()


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    newer = database(tmp_path)
    newer.migrate()
    with newer.engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608 - a constant
    assert newer.migrate() is State.NEWER
    with pytest.raises(HistoryFailed, match="newer version"):
        Store(database(tmp_path)).past(NAME)
    assert "newer version" in condition(newer)
    assert not schema_fits(newer)


def test_where_nothing_creates_an_empty_store_is_told(tmp_path: Path) -> None:
    with pytest.raises(HistoryFailed, match="empty"):
        Database(f"sqlite:///{tmp_path}/history.sqlite", creates=False).read(lambda _: None)


def test_a_store_with_a_version_table_and_no_version_is_empty(tmp_path: Path) -> None:
    found = database(tmp_path)
    with found.engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {VERSION_TABLE} (version_num VARCHAR(32))"))
    assert found.state() is State.EMPTY


def test_what_is_no_database_fails_in_one_sentence_and_heals(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "history.sqlite").write_bytes(b"this is a text, and a long one, where a database should be" * 20)
    broken = database(tmp_path)
    with caplog.at_level(logging.WARNING), pytest.raises(HistoryFailed, match="cannot be asked"):
        Store(broken).past(NAME)
    assert "not a database" in caplog.text
    assert condition(broken) == "The history of past attempts cannot be asked."
    assert schema_fits(broken)
    (tmp_path / "history.sqlite").unlink()
    assert Store(broken).past(NAME) is None


def test_a_folder_that_cannot_be_made_fails_too(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HistoryFailed):
        Store(database(tmp_path / "file")).past(NAME)


def test_a_writer_waits_for_another(tmp_path: Path) -> None:
    found = database(tmp_path)
    found.migrate()
    other = sqlite3.connect(tmp_path / "history.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert found.read(lambda connection: connection.execute(text("SELECT 1")).scalar()) == 1
    other.execute("ROLLBACK")
    other.close()
    assert found.write(lambda connection: connection.execute(text("SELECT 1")).scalar()) == 1


@pytest.mark.parametrize("url", ["nothing", "oracle+nonsense://host/name", "sqlite+nonsense:///file"])
def test_an_address_of_no_database_is_refused(url: str) -> None:
    with pytest.raises(BadHistoryUrl, match="no address"):
        Database(url)


def test_a_driver_that_is_not_there_is_named() -> None:
    with pytest.raises(BadHistoryUrl, match=r"restserver\[postgres\]"):
        Database("postgresql+asyncpg://host/name")


def test_postgresql_is_spoken_to_with_the_driver_of_the_extra() -> None:
    assert Database("postgres://host/name").engine.url.drivername == "postgresql+psycopg"


def test_a_database_that_is_away_fails(caplog: pytest.LogCaptureFixture) -> None:
    away = Database("postgresql://127.0.0.1:1/history")
    with caplog.at_level(logging.CRITICAL), pytest.raises(HistoryFailed):
        away.state()


def test_without_an_address_it_is_a_file_in_the_folder_for_data(tmp_path: Path) -> None:
    assert history_url(None, tmp_path) == f"sqlite:///{tmp_path}/history.sqlite"
    assert history_url("sqlite://", tmp_path) == "sqlite://"
    assert history_url(None, None).endswith("restserver/history.sqlite")


def test_a_schema_that_does_not_fit_is_no_failed_write(tmp_path: Path) -> None:
    old = written_by_the_first_version(tmp_path)
    with pytest.raises(HistoryFailed, match="older schema"):
        old.write(lambda connection: connection.execute(text("SELECT 1")).all())
    old.migrate()
    assert condition(old) == "ok"
    old.close()


def test_a_failed_write_is_told_until_one_succeeds(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    made = Database(f"sqlite:///{tmp_path / 'history.sqlite'}")
    made.migrate()
    with pytest.raises(HistoryFailed):
        made.write(lambda connection: connection.execute(text("INSERT INTO nowhere VALUES (1)")))
    made.write(lambda connection: connection.execute(text("SELECT 1")).all())
    assert condition(made) == "ok"
    full = f"CREATE TRIGGER disk_full BEFORE UPDATE ON {VERSION_TABLE} BEGIN SELECT RAISE(FAIL, 'no room'); END"
    made.write(lambda connection: connection.execute(text(full)))
    with pytest.raises(HistoryFailed):
        made.write(lambda connection: connection.execute(text("INSERT INTO nowhere VALUES (1)")))
    for _ in range(2):
        assert condition(made) == "could not be written to; the log tells why"
    assert "nowhere" in caplog.text
    assert "no room" in caplog.text
    made.write(lambda connection: connection.execute(text("DROP TRIGGER disk_full")))
    made.not_written = True
    assert condition(made) == "ok", "whoever has nothing to write tries whether it could"
    made.close()
