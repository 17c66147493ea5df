"""Which pages may read what, as a browser would find out."""

from collections.abc import Iterator

import pytest

from restserver.assembling import application, backends
from restserver.guarding.cross_origin import Origins
from restserver.settings import BadSetting, Settings
from tests.restserver.wsgi_client import Response, ask

LOCAL = ("http://localhost:5173", "http://127.0.0.1:8080", "http://localhost")
FOREIGN = ("https://evil.example", "http://localhost.evil.example", "http://localhost:x", "https://localhost:1", "null")
JOB = "/api/v2/jobs/story~succeeded"


class Served:
    """Put together as ``serve`` does it."""

    def __init__(self, **more: object) -> None:
        settings = Settings(**{"access_log": False, "jobs": 5, **more})  # type: ignore[arg-type]  # settings by name
        built = backends.BACKENDS[settings.backend](settings)
        self._app = application.application(built, settings, application.surroundings(built, settings))

    def ask(self, path: str, origin: str | None = None, method: str = "GET", **headers: str) -> Response:
        told = {**({"Origin": origin} if origin else {}), **headers}
        return ask(self._app, path, method, told)

    def preflight(self, path: str, origin: str, method: str, names: str) -> Response:
        asking = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": names}
        return self.ask(path, origin, "OPTIONS", **asking)


def allowed(answer: Response) -> str | None:
    return answer.headers.get("access-control-allow-origin")


@pytest.fixture(scope="module")
def simulated() -> Iterator[Served]:
    return Served()  # type: ignore[return-value]  # a fixture may return


@pytest.mark.parametrize("path", [JOB, "/api/v2/jobs/nobody", "/nowhere", "/openapi.json"])
def test_local_pages_read_a_simulated_api_errors_included(simulated: Served, path: str) -> None:
    for origin in LOCAL:
        answer = simulated.ask(path, origin)
        assert allowed(answer) == origin
        readable = answer.headers["access-control-expose-headers"].split(", ")
        assert {"ETag", "X-Simulated", "Preference-Applied", "Retry-After", "Date"} <= set(readable)
        assert "access-control-allow-credentials" not in answer.headers
    for origin in FOREIGN:
        assert allowed(simulated.ask(path, origin)) is None
    assert "Origin" in simulated.ask(path).headers["vary"], "whoever keeps answers keeps them apart"


def test_a_preflight_lets_a_page_wish_and_revalidate(simulated: Served) -> None:
    answer = simulated.preflight(JOB, LOCAL[0], "GET", "prefer,if-none-match,x-mine")
    assert answer.status == 204
    assert allowed(answer) == LOCAL[0]
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS"
    assert answer.headers["access-control-allow-headers"] == "prefer,if-none-match,x-mine"
    assert answer.headers["access-control-max-age"] == "600"
    for origin, names in ((FOREIGN[0], "prefer"), (LOCAL[0], "pre\tfer")):
        assert "access-control-allow-headers" not in simulated.preflight(JOB, origin, "GET", names).headers
    assert "access-control-allow-methods" not in simulated.ask(JOB, LOCAL[0], "OPTIONS").headers


def test_the_control_plane_is_for_no_page_but_the_servers_own(simulated: Served) -> None:
    clock = "/__admin/clock"
    assert simulated.ask(clock).status == 200
    assert simulated.ask(clock, "http://localhost").status == 200, "that is its own"
    for origin in (*LOCAL[:2], *FOREIGN):
        for answer in (simulated.ask(clock, origin), simulated.ask("/__admin/reset", origin, "POST")):
            assert answer.status == 403
            assert allowed(answer) is None
            assert "--cors-origin" in answer.json["detail"]


def test_the_control_plane_is_for_pages_that_somebody_named() -> None:
    mine = "https://portal.example"
    served = Served(cors_origins=(mine,), admin_token="t")  # noqa: S106 - protects nothing
    answer = served.preflight("/__admin/clock", mine, "PUT", "authorization,content-type")
    assert answer.status == 200
    assert allowed(answer) == mine
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert served.ask("/__admin/clock", mine).status == 401
    assert allowed(served.ask("/__admin/clock", mine, Authorization="Bearer t")) == mine
    assert served.ask("/__admin/clock", LOCAL[0], Authorization="Bearer t").status == 403
    assert allowed(served.ask(JOB, LOCAL[0])) is None, "who names origins means those"


def test_every_origin_may_read_but_not_control_where_all_are_named() -> None:
    served = Served(cors_origins=("*",))
    assert allowed(served.ask(JOB, FOREIGN[0])) == FOREIGN[0]
    assert served.ask("/__admin/clock", FOREIGN[0]).status == 403


def test_nothing_is_said_where_nobody_is_named() -> None:
    answer = Served(backend="recorded").ask("/healthz", LOCAL[0])
    assert not {"vary", "access-control-allow-origin"} & set(answer.headers)


@pytest.mark.parametrize(
    "origin", ["*", "https://portal.example", "http://localhost:*", "http://[::1]:8080", "http://10.0.0.1:80"]
)
def test_origins_are_named_as_browsers_spell_them(origin: str) -> None:
    assert Settings.from_environ({}, {"cors_origins": (origin,)}).cors_origins == (origin,)
    assert origin.replace("*", "8") in Origins([origin])


@pytest.mark.parametrize(
    "origin", ["localhost", "https://portal.example/", "https://Portal.example", "null", "http://*"]
)
def test_what_is_no_origin_stops_the_start(origin: str) -> None:
    with pytest.raises(BadSetting, match=r"--cors-origin: .* is not an origin"):
        Settings.from_environ({}, {"cors_origins": (origin,)})


def test_several_origins_stand_in_the_variable_one_a_line() -> None:
    settings = Settings.from_environ({"CORS_ORIGINS": "https://a.example\nhttp://localhost:*\n"})
    assert settings.cors_origins == ("https://a.example", "http://localhost:*")
