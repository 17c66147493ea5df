"""The backend of ``serve`` over a launcher of the open dialect, put together from settings."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.launcher import open_dialect
from contracts.launcher.port import Ask, LauncherUnavailable
from restserver.assembling.backends import launcher_backend
from restserver.history.care import listed
from restserver.history.remembering import Remembering
from restserver.history.store import Store
from restserver.settings import BadSetting, Settings
from tests.restserver.history.telling import NAME, database, told
from tests.restserver.history.test_database import written_by_the_first_version
from tests.stand_ins.served import Asked, Reply, serving


def answer(asked: Asked) -> Reply:
    document: object = open_dialect.encode_framework(told())
    if asked.path == "/v1/Frameworks":
        document = open_dialect.encode_summaries([told().summary])
    return Reply(200, open_dialect.render(document).encode())


def settings(url: str, tmp_path: Path, **more: Any) -> Settings:
    given = {"launcher_url": url, "dialect": "open", "data_dir": str(tmp_path), "poll_interval": "0.02", **more}
    return Settings.from_environ({}, {"backend": "launcher", **given})


def until(true: Callable[[], bool]) -> None:
    while not true():
        threading.Event().wait(0.005)


def test_it_remembers_archives_and_says_how_it_is(tmp_path: Path) -> None:
    with serving(answer) as launcher:
        built = launcher_backend(settings(launcher.url, tmp_path))
        try:
            until(lambda: built.backend.informed["archiver"]() == "ok")
            assert built.backend.launcher.versions(NAME, Ask()).value == (1,)
            assert built.backend.informed["history"]() == "ok"
            assert built.backend.required["history"]() == "ok"
            assert "restserver_archiver_polls" in {one.name for one in built.backend.metrics.told()}
        finally:
            built.close()
        assert [one.name for one in listed(Store(database(tmp_path)))] == [NAME]


def test_without_an_archiver_it_remembers_what_it_answered(tmp_path: Path) -> None:
    with serving(answer) as launcher:
        built = launcher_backend(settings(launcher.url, tmp_path, archiver="off"))
        assert (tmp_path / "history.sqlite").exists()
        assert "archiver" not in built.backend.informed
        assert built.backend.launcher.attempts(NAME, None, Ask()).value == (0,)
        built.close()


def test_an_older_history_is_not_migrated_by_serving(tmp_path: Path) -> None:
    written_by_the_first_version(tmp_path).close()
    with serving(answer) as launcher:
        built = launcher_backend(settings(launcher.url, tmp_path))
        until(lambda: "older schema" in built.backend.informed["archiver"]())
        assert "restserver history migrate" in built.backend.required["history"]()
        assert built.backend.launcher.framework(NAME, Ask()).value.summary.name == NAME
        built.close()


def test_the_private_dialect_needs_no_history(tmp_path: Path) -> None:
    built = launcher_backend(settings("http://127.0.0.1:1", tmp_path, dialect="private"))
    assert not isinstance(built.backend.launcher, Remembering)
    assert "history" not in built.backend.informed
    assert not list(tmp_path.iterdir())
    built.close()


def test_a_history_that_is_left_alone_for_a_while_is_told_of_though_it_may_be_well_again(tmp_path: Path) -> None:
    with serving(answer) as launcher:
        away = settings(launcher.url, tmp_path, archiver="off", history_url="postgresql://127.0.0.1:1/history")
        built = launcher_backend(away)
        assert built.backend.informed["historyBreaker"]() == "ok"
        for _ in range(5):
            with pytest.raises(LauncherUnavailable):
                built.backend.launcher.versions(NAME, Ask())
        assert built.backend.informed["historyBreaker"]() == "open: calls are refused for a while"
        built.close()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("history_url", "file.sqlite"),
        ("history_url", "sqlite+nonsense:///x"),
        ("data_dir", __file__),
        ("poll_interval", "0"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, key: str, value: str) -> None:
    with pytest.raises(BadSetting, match=key.replace("_url", "").replace("_", "-")):
        launcher_backend(settings("http://127.0.0.1:1", tmp_path, **{key: value}))
