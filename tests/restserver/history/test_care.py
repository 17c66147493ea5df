"""What people do with the history: look at it, prune it, carry it over."""

import gzip
import json
import logging
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.clock import SystemClock
from restserver.cli import main
from restserver.history.care import BadExport, exported, imported, listed, pruned, shown
from restserver.history.schema import HEAD, Mark
from restserver.history.store import Store
from tests.restserver.history.telling import CREATED, NAME, Archive, application, database, told
from tests.restserver.history.test_database import written_by_the_first_version
from tests.stand_ins.served import Asked, Reply, serving

from contracts.launcher import open_dialect  # isort: skip

UPGRADED = CREATED + 5_500


@pytest.fixture
def full(archive: Archive) -> Archive:
    """A framework with a gap, an upgraded one that is gone, and one that lives."""
    archive.yarn.applications_known = [application(1)]
    archive.poll(told(attempt=2, application=3))
    archive.poll(told(name="bob~gone"), told(name="carol~lives"))
    archive.poll(told(name="bob~gone", version=2, application=2, requested=UPGRADED))
    archive.forget("bob~gone")
    archive.settle()
    return archive


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """The command line over the store of ``archive``: its exit code, and what it said."""

    def call(*arguments: str, data_dir: Path = tmp_path) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--data-dir", str(data_dir)])
        said = capsys.readouterr()
        code = ended.value.code
        return code if isinstance(code, int) else 0, said.out + said.err

    return call


Run = Callable[..., tuple[int, str]]


def test_what_is_listed(full: Archive) -> None:
    found = {one.name: one for one in listed(full.store)}
    assert set(found) == {NAME, "bob~gone", "carol~lives"}
    assert (found["bob~gone"].versions, found["bob~gone"].attempts) == (2, 2)
    assert found["bob~gone"].gone_at is not None
    assert found[NAME].gaps == 2
    assert [one.name for one in listed(full.store, "b")] == ["bob~gone"]
    assert listed(full.store, "%") == []


def test_what_is_shown(full: Archive) -> None:
    (one,) = shown(full.store, NAME)
    assert one.missing == ((0, 0), (0, 1))
    assert [stray[0] for stray in one.strays] == [application(1).id]
    assert shown(full.store, "nobody") == []


def test_pruning_takes_out_what_is_gone_for_long_and_nothing_else(full: Archive) -> None:
    now = full.clock.now()
    assert pruned(full.store, CREATED) == 0
    assert pruned(full.store, now, dry_run=True) == 1
    assert {one.name for one in listed(full.store)} == {NAME, "bob~gone", "carol~lives"}
    assert pruned(full.store, now) == 1
    assert {one.name for one in listed(full.store)} == {NAME, "carol~lives"}
    assert full.store.past("bob~gone") is None


def test_what_was_exported_is_imported_whole(full: Archive, tmp_path: Path) -> None:
    lines = list(exported(full.store))
    other = Store(database(tmp_path / "other"))
    assert imported(other, lines, full.clock.now()) == (3, 0)
    assert imported(other, lines, full.clock.now()) == (0, 3)
    for name in (NAME, "bob~gone", "carol~lives"):
        here, there = full.store.past(name), other.past(name)
        assert here is not None
        assert there is not None
        assert [one.place for one in here.kept] == [one.place for one in there.kept]
        for mine, theirs in zip(here.kept, there.kept, strict=True):
            assert full.store.document(mine.id) == other.document(theirs.id)
            assert (mine.mark, mine.settled, mine.final) == (theirs.mark, theirs.settled, theirs.final)
    assert shown(other, NAME)[0].strays == shown(full.store, NAME)[0].strays


def test_what_is_followed_here_stays_what_the_name_means(full: Archive, tmp_path: Path) -> None:
    lines = list(exported(full.store, [NAME]))
    other = Store(database(tmp_path / "other"))
    other.record(told(created=CREATED - 1, requested=CREATED + 1), CREATED)
    assert imported(other, lines, CREATED) == (1, 0)
    past = other.past(NAME)
    assert past is not None
    assert past.incarnation.created == CREATED - 1


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ([], "line 1"),
        (["{}"], "line 1"),
        (["no json"], "line 1"),
        (["[]"], "line 1"),
        (['{"restserverHistory": 1}', "{}"], "line 2"),
        (['{"restserverHistory": 1}', '{"name": "a", "attempts": [], "created": 1}'], "line 2"),
    ],
)
def test_what_is_no_export_is_refused_with_its_line(archive: Archive, lines: list[str], where: str) -> None:
    with pytest.raises(BadExport, match=where):
        imported(archive.store, lines, CREATED)


def test_a_damaged_export_puts_in_nothing_of_the_damaged_line(full: Archive, tmp_path: Path) -> None:
    header, *rest = exported(full.store)
    damaged = json.loads(rest[1])
    damaged["attempts"][0]["document"]["summarizedFrameworkInfo"]["frameworkName"] = "somebody~else"
    other = Store(database(tmp_path / "other"))
    with pytest.raises(BadExport, match="line 3"):
        imported(other, [header, rest[0], json.dumps(damaged), rest[2]], CREATED)
    assert len(listed(other)) == 1


# --- the commands ---------------------------------------------------------------------------------------------------


def test_list_and_show_are_for_people(full: Archive, run: Run) -> None:
    code, said = run("history", "list")
    assert code == 0
    assert "bob~gone  created 2023-11-14T22:13:20Z  2 versions, 2 attempts  gone 2023-" in said
    assert "2 missing  known to the launcher" in said
    assert run("history", "list", "--prefix", "carol")[1].count("\n") == 1
    code, said = run("history", "show", NAME)
    assert code == 0
    assert "attempt 0  missing" in said
    assert "cannot be numbered" in said
    assert Mark.UNFINISHED in run("history", "show", "bob~gone")[1]
    assert run("history", "show", "nobody") == (2, "restserver: the history knows nothing of nobody\n")


def test_prune_from_the_command_line(full: Archive, run: Run) -> None:
    assert run("history", "prune", "--older-than", "1s", "--dry-run") == (0, "would take out 1 framework\n")
    assert run("history", "prune", "--older-than", "36500d") == (0, "took out 0 frameworks\n")
    assert run("history", "prune", "--older-than", "1d") == (0, "took out 1 framework\n")
    code, said = run("history", "prune", "--older-than", "soon")
    assert code == 2
    assert "--older-than" in said


@pytest.mark.parametrize("name", ["export.jsonl", "export.jsonl.gz"])
def test_export_and_import_from_the_command_line(full: Archive, run: Run, tmp_path: Path, name: str) -> None:
    file, other = tmp_path / name, tmp_path / "other"
    assert run("history", "export", "-o", str(file), NAME)[0] == 0
    assert not list(tmp_path.glob("*.part"))
    assert file.read_bytes().startswith(b"\x1f\x8b") is name.endswith("gz")
    assert run("history", "import", str(file), data_dir=other) == (0, "put in 1 framework, 0 were there already\n")
    assert NAME in run("history", "list", data_dir=other)[1]
    assert run("history", "export")[1].count("\n") == 4
    assert run("history", "export", "-o", str(tmp_path / "no" / "folder"))[0] == 2
    assert run("history", "export", NAME, "nobody") == (2, "restserver: the history knows nothing of nobody\n")
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"{}")[:-4])
    assert run("history", "import", str(broken))[0] == 2
    broken.write_bytes(gzip.compress(b"{}")[:10] + b"\xff" * 20)
    code, said = run("history", "import", str(broken))
    assert (code, "broken.gz" in said) == (2, True)


def test_many_names_can_be_exported(full: Archive) -> None:
    assert len(list(exported(full.store, [NAME, *map(str, range(1_500))]))) == 2


def test_migrate_says_what_it_did(run: Run, tmp_path: Path) -> None:
    assert run("history", "migrate") == (0, f"created at version {HEAD}\n")
    assert run("history", "migrate") == (0, f"is already at version {HEAD}\n")
    old = tmp_path / "old"
    old.mkdir()
    written_by_the_first_version(old).close()
    code, said = run("history", "list", data_dir=old)
    assert code == 3
    assert "restserver history migrate" in said
    assert run("history", "migrate", data_dir=old) == (0, f"brought to version {HEAD}\n")
    assert NAME in run("history", "list", data_dir=old)[1]


def test_an_empty_history_is_not_created_by_looking(run: Run, tmp_path: Path) -> None:
    code, said = run("history", "list")
    assert code == 3
    assert "is empty" in said
    assert run("history", "list", data_dir=tmp_path / "mistyped")[0] == 3
    assert not list(tmp_path.iterdir())
    assert run("history", "list", "--history", "nonsense")[0] == 2


def test_a_history_that_cannot_be_reached_is_exit_3(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        assert run("history", "list", "--history", "postgresql://127.0.0.1:1/h")[0] == 3


def answer(asked: Asked) -> Reply:
    one = told()
    if asked.path == "/v1/Frameworks":
        document: object = open_dialect.encode_summaries([one.summary])
    else:
        document = open_dialect.encode_framework(one)
    return Reply(200, open_dialect.render(document).encode())


def test_archive_once_follows_into_the_history(run: Run, tmp_path: Path) -> None:
    written_by_the_first_version(tmp_path).close()  # which it migrates
    with serving(answer) as launcher:
        code, said = run(
            "archive", "--once", "--launcher-url", launcher.url, "--dialect", "open", "--log-level", "error"
        )
    assert (code, said) == (0, "")
    assert NAME in run("history", "list")[1]


def test_archive_says_what_it_cannot_do(run: Run) -> None:
    away = "http://127.0.0.1:1"
    assert run("archive", "--once", "--launcher-url", away)[0] == 2
    assert run("archive", "--once", "--dialect", "open")[0] == 2
    assert run("archive", "--once", "--launcher-url", away, "--dialect", "open", "--log-level", "error")[0] == 3
    assert run("archive", "--once", "--launcher-url", "http://a b", "--dialect", "open")[0] == 2


def test_an_archiver_of_its_own_says_how_it_is(tmp_path: Path) -> None:
    command = ["archive", "--dialect", "open", "--poll-interval", "0.05", "--management-port", "0"]
    with serving(answer) as launcher:
        process = subprocess.Popen(
            [sys.executable, "-m", "restserver", *command],
            env={**os.environ, "LAUNCHER_WEBSERVICE_URI": launcher.url, "DATA_DIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stderr.readline().removeprefix("management on ").strip()
        process.stdout.readline()
        told = ""
        while "restserver_history_gaps 0.0" not in told:
            with urllib.request.urlopen(f"{url}/metrics", timeout=30) as response:
                told = response.read().decode()
        for figure in ("archiver_leads 1.0", "archiver_frameworks 1.0", "archiver_lag_seconds 0."):
            assert f"restserver_{figure}" in told
        assert "restserver_calls_in_flight" not in told, "by which the alert rules tell servers from archivers"
        assert re.search(r'launcher_calls_total\{operation="summaries",outcome="answered",side="launcher"\} \d', told)
        with urllib.request.urlopen(f"{url}/readyz", timeout=30) as response:
            parts = json.load(response)["parts"]
        assert parts == {"server": "ok", "launcher": "ok", "archiver": "ok", "history": "ok"}
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        process.stdout.close()
        process.stderr.close()


def test_archive_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with serving(answer) as launcher:
        process = subprocess.Popen(
            [sys.executable, "-m", "restserver", "archive", "--dialect", "open", "--poll-interval", "0.05"],
            env={**os.environ, "LAUNCHER_WEBSERVICE_URI": launcher.url, "DATA_DIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == f"archiving {launcher.url}\n"
        while sum(one.path.endswith(NAME) for one in launcher.asked) < 2:
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        process.stdout.close()
    assert [one.name for one in listed(Store(database(tmp_path)))] == [NAME]
    assert SystemClock().now() > CREATED
