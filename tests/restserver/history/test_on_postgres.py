"""The history on PostgreSQL: the same answers as on SQLite, several writers, and one leader who may die."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text

from contracts.clock import pause, uptime
from contracts.launcher import open_dialect
from restserver.history.assembled import condition, schema_fits
from restserver.history.care import exported, imported, listed, pruned
from restserver.history.database import Database, HistoryFailed, State
from restserver.history.follower import Follower
from restserver.history.leadership import Leadership
from restserver.history.recovery import Recovery
from restserver.history.schema import Mark
from restserver.history.store import Store
from tests.restserver.history import postgres
from tests.restserver.history.telling import (
    CREATED,
    NAME,
    ONE_BATCH,
    Archive,
    application,
    told,
)
from tests.restserver.history.telling import (
    archive as sqlite_archive,
)
from tests.stand_ins.served import Asked, Reply, serving

UPGRADED = CREATED + 5_500
PROGRAMS = postgres.programs()

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(PROGRAMS is None and not os.environ.get("CI"), reason="not on this machine: postgresql"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    assert PROGRAMS is not None, "PostgreSQL is missing"
    with postgres.running(PROGRAMS) as url:
        yield url


@pytest.fixture
def url(server: str, request: pytest.FixtureRequest) -> str:
    """A database of its own."""
    name = f"t{abs(hash(request.node.name))}"
    engine = create_engine(server.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = Database(url)
    yield made
    made.close()


def on(database: Database, folder: Path) -> Archive:
    """The archive of the other tests, over this database."""
    made = sqlite_archive(folder)
    made.store = Store(database)
    made.follower = Follower(made.launcher, made.store, made.clock, lambda _: False, ONE_BATCH)
    made.recovery = Recovery(made.store, made.yarn, 1_000)
    return made


def story(archive: Archive) -> list[tuple[object, ...]]:
    """Retries, an upgrade, versions entered again unseen, a delete, and what can be known of all that."""
    archive.poll(told(), told(name="bob~gone"))
    archive.yarn.applications_known = [
        application(1, code=193),
        application(2, version=2, code=None, state="KILLED"),
        application(3),
        application(4, state="RUNNING"),
    ]
    archive.poll(told(attempt=1, application=4, requested=UPGRADED))
    archive.forget("bob~gone")
    archive.poll(told(version=3, application=6, requested=UPGRADED + 9_000))
    archive.settle()
    past = archive.store.past(NAME)
    assert past is not None
    return [
        (one.place, one.version, one.application_id, one.mark, one.settled, archive.store.document(one.id))
        for one in past.kept
    ]


def test_it_keeps_what_sqlite_keeps(database: Database, tmp_path: Path) -> None:
    here, there = on(database, tmp_path), sqlite_archive(tmp_path)
    assert story(here) == story(there)
    assert here.store.gaps() == there.store.gaps() > 0
    assert Mark.RECOVERED in here.marks().values()


def test_migrations_work_and_two_at_once_do_not_collide(url: str) -> None:
    databases = [Database(url) for _ in range(4)]
    befores: list[State] = []
    threads = [threading.Thread(target=lambda one=one: befores.append(one.migrate())) for one in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(before.name for before in befores) == ["CURRENT"] * 3 + ["EMPTY"]
    assert databases[0].state() is State.CURRENT
    for one in databases:
        one.close()


def test_care_works_too(database: Database, tmp_path: Path) -> None:
    archive = on(database, tmp_path)
    story(archive)
    lines = list(exported(archive.store))
    assert pruned(archive.store, archive.clock.now()) == 1
    assert imported(archive.store, lines, archive.clock.now()) == (1, 1)
    assert [one.name for one in listed(archive.store)] == [NAME, "bob~gone"]


def test_many_replicas_remember_one_framework_once(url: str) -> None:
    stores = [Store(Database(url)) for _ in range(6)]
    seen: list[object] = []
    threads = [
        threading.Thread(
            target=lambda one=one: seen.extend(
                one.remember(told(attempt=attempt, application=attempt + 1), CREATED) for attempt in range(4)
            )
        )
        for one in stores
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 24
    assert None not in seen
    past = stores[0].past(NAME)
    assert past is not None
    assert [one.place for one in past.kept] == [(0, attempt) for attempt in range(4)]
    for one in stores:
        one.database.close()


def test_when_the_leaders_connection_dies_another_leads(database: Database, url: str) -> None:
    database.migrate()
    first, second = Leadership(database), Leadership(database)
    assert first.leads()
    assert not second.leads()
    database.read(
        lambda connection: connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        ).all()
    )
    assert leads_soon(second)
    assert not first.leads()
    second.close()
    assert leads_soon(first)
    first.close()


def leads_soon(one: Leadership) -> bool:
    """The server lets go of a lock a moment after its connection is gone."""
    for _ in range(3000):
        if one.leads():
            return True
        threading.Event().wait(0.01)
    return False


def test_a_leader_that_stands_still_is_followed_by_another(database: Database) -> None:
    """Its process lives, its connection is open: only its silence tells."""
    database.migrate()
    still, other = Leadership(database, silence=300), Leadership(database)
    assert still.leads()
    until = uptime() + 30
    while not other.leads():
        assert uptime() < until
        pause(0.05)
    assert not still.leads()
    other.close()
    still.close()


def test_a_database_that_is_silent_is_waited_for_so_long(database: Database, url: str) -> None:
    database.migrate()
    impatient = Database(url, patience=0.2)
    assert impatient.state() is State.CURRENT

    def slow(connection: Connection) -> object:
        return connection.execute(text("SELECT pg_sleep(1)")).all()

    for ask in (impatient.read, impatient.write):
        began = uptime()
        with pytest.raises(HistoryFailed, match="cannot be asked"):
            ask(slow)
        assert uptime() - began < 0.9
    assert impatient.not_written
    until_nobody_asks()
    impatient.close()


def until_nobody_asks() -> None:
    """What was not waited for goes on to its end."""
    while any(thread.name == "history" for thread in threading.enumerate()):
        pause(0.05)


def test_a_probe_is_answered_in_time_while_the_database_is_silent(database: Database, url: str) -> None:
    database.migrate()
    asked = Database(url, patience=30)
    assert condition(asked) == "ok"
    with ExitStack() as held, create_engine(asked.engine.url, poolclass=NullPool).connect() as other:
        other.execute(text("LOCK TABLE restserver_history_version"))
        held.callback(other.rollback)
        began = uptime()
        assert (condition(asked), schema_fits(asked)) == ("The history of past attempts cannot be asked.", True)
        assert uptime() - began < 5
    until_nobody_asks()
    assert condition(asked) == "ok"
    asked.close()


def answer(asked: Asked) -> Reply:
    one = told()
    document: object = open_dialect.encode_framework(one)
    if asked.path == "/v1/Frameworks":
        document = open_dialect.encode_summaries([one.summary])
    return Reply(200, open_dialect.render(document).encode())


def test_an_archiver_that_is_killed_is_followed_by_another(url: str, tmp_path: Path) -> None:
    def start(launcher_url: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "restserver", "archive", "--dialect", "open", "--poll-interval", "0.05"],
            env={**os.environ, "LAUNCHER_WEBSERVICE_URI": launcher_url, "HISTORY_URL": url},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline().startswith("archiving")
        return process

    def polled(asked: list[Asked], more: int) -> None:
        so_far = len(asked)
        while len(asked) < so_far + more:
            threading.Event().wait(0.01)

    with serving(answer) as launcher:
        leader = start(launcher.url)
        polled(launcher.asked, 4)
        other = start(launcher.url)
        leader.send_signal(signal.SIGKILL)
        leader.wait()
        polled(launcher.asked, 6)
        other.terminate()
        assert other.wait(20) == 0
        for one in (leader, other):
            assert one.stdout is not None
            one.stdout.close()
    found = Store(Database(url))
    assert [one.name for one in listed(found)] == [NAME]
    found.database.close()
