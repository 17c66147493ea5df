"""Bytes, entity tags, and what is kept of them."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.launcher.records import Figures
from restserver.answers.encodings import takes_gzip
from restserver.answers.presenters import finite
from restserver.answers.rendering import KEPT_BYTES, PACKED_FROM, Renderer, json_bytes
from restserver.settings import Settings
from tests.restserver.small_launcher import Small, framework, small, style
from tests.restserver.wsgi_client import ask

JOB = "/api/v2/jobs/alice~mnist"
ATTEMPT = "/api/v2/frameworks/alice~mnist/attempts/0"
TAKES = {"Accept-Encoding": "gzip, deflate"}
LISTS = ["/api/v2/frameworks/alice~mnist/attempts", "/api/v2/frameworks/alice~mnist/versions"]


@pytest.fixture
def server() -> Small:
    return small()


@pytest.mark.parametrize("target", [JOB, ATTEMPT, *LISTS, "/openapi.json", "/docs"])
def test_a_client_that_has_the_answer_is_told_so(server: Small, target: str) -> None:
    first = ask(server.app, target)
    etag = first.headers["etag"]
    for offered in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = ask(server.app, target, headers={"If-None-Match": offered})
        assert (again.status, again.body) == (304, b"")
        assert again.headers["etag"] == etag
    for offered in ('"other"', "", "garbage", etag.strip('"')[:-1]):
        assert ask(server.app, target, headers={"If-None-Match": offered}).body == first.body


def test_head_with_the_tag_is_not_modified_either(server: Small) -> None:
    etag = ask(server.app, JOB).headers["etag"]
    assert ask(server.app, JOB, "HEAD", headers={"If-None-Match": etag}).status == 304


def test_a_new_edition_is_a_new_answer(server: Small) -> None:
    before = ask(server.app, JOB)
    server.launcher.put(framework(progress=0.75))
    after = ask(server.app, JOB, headers={"If-None-Match": before.headers["etag"]})
    assert after.status == 200
    assert after.json["jobStatus"]["appProgress"] == 0.75
    assert after.headers["etag"] != before.headers["etag"]


def test_figures_are_part_of_the_edition(server: Small) -> None:
    before = ask(server.app, ATTEMPT)
    server.resource_manager.figures = Figures(allocated_mb=1)
    assert ask(server.app, ATTEMPT).body == before.body  # the same edition is promised to be the same value
    server.resource_manager.edition += 1
    assert ask(server.app, ATTEMPT).json["frameworkInfo"]["jobStatus"]["allocatedMB"] == 1


def test_an_error_is_never_not_modified(server: Small) -> None:
    etag = ask(server.app, JOB).headers["etag"]
    assert ask(server.app, "/api/v2/jobs/nobody", headers={"If-None-Match": "*"}).status == 404
    server.launcher.frameworks.clear()
    assert ask(server.app, JOB, headers={"If-None-Match": etag}).status == 404


def test_the_launcher_is_asked_every_time(server: Small) -> None:
    for _ in range(3):
        ask(server.app, JOB)
    assert server.launcher.asked == ["framework"] * 3


def test_equal_answers_of_two_servers_have_equal_tags_and_other_answers_have_others() -> None:
    tags = {name: ask(small(style(name)).app, JOB).headers["etag"] for name in ("documented", "portal")}
    assert ask(small().app, JOB).headers["etag"] == tags["documented"] != tags["portal"]


def test_the_base_url_is_the_clients_unless_one_is_configured() -> None:
    def url(server: Small, host: str) -> str:
        answer = ask(server.app, ATTEMPT, headers={"Host": host}).json
        return str(answer["frameworkInfo"]["jobStatus"]["jobFullDetailUrl"])

    server = small()
    for host in ("api.example", "api.example:8080", "127.0.0.1:9186", "[::1]:80", "a_b.example"):
        assert url(server, host) == f"http://{host}/api/v2/jobs/alice~mnist"
    fallback = "http://127.0.0.1:9186/api/v2/jobs/alice~mnist"
    for host in (
        "",
        "a b",
        "evil/path",
        "x@y",
        "a:b",
        "a\r\nb",
        "é",
        "<script>",
        "-",
        "[::1",
        "a" * 300,
        ":80",
        "a:123456",
    ):
        assert url(server, host) == fallback
    configured = small(replace(Settings(), public_url="https://api.example/base"))
    for host in ("other.example", "a b"):
        assert url(configured, host) == "https://api.example/base/api/v2/jobs/alice~mnist"


def test_kept_bytes_are_used_again_only_for_the_same_editions() -> None:
    renderer = Renderer()
    presented: list[int] = []

    def present(number: int) -> dict[str, object]:
        presented.append(number)
        return {"number": number}

    first = renderer.rendered("key", 1, lambda: present(1))
    assert renderer.rendered("key", 1, lambda: present(2)) is first
    assert renderer.rendered("other", 1, lambda: present(3)).body == b'{"number":3}'
    assert renderer.rendered("key", 2, lambda: present(4)).body == b'{"number":4}'
    assert renderer.rendered("key", 1, lambda: present(5)).body == b'{"number":5}'
    assert presented == [1, 3, 4, 5]


def test_kept_bytes_are_bounded_and_the_least_used_go_first() -> None:
    renderer = Renderer(capacity=10_000)
    for number in range(100):
        renderer.rendered(number, 0, lambda: {"text": "x" * 1000})
        renderer.rendered(0, 0, lambda: {"text": "must be kept"})
        assert renderer.kept_bytes <= 10_000
    big = renderer.rendered("big", 0, lambda: {"text": "x" * 20_000})
    assert len(big.body) > 20_000
    assert renderer.kept_bytes <= 10_000
    assert KEPT_BYTES == 16 * 2**20


@pytest.mark.parametrize("target", [JOB, ATTEMPT, "/openapi.json", "/docs"])
def test_who_takes_it_gets_the_same_packed_under_a_tag_of_its_own(server: Small, target: str) -> None:
    plain, packed = ask(server.app, target), ask(server.app, target, headers=TAKES)
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < 0.6 * len(plain.body)
    assert (packed.headers["content-encoding"], packed.headers["content-type"]) == (
        "gzip",
        plain.headers["content-type"],
    )
    assert "content-encoding" not in plain.headers
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"]
    head = ask(server.app, target, "HEAD", headers=TAKES)
    assert (head.body, {**head.headers, "x-request-id": ""}) == (b"", {**packed.headers, "x-request-id": ""})


def test_a_tag_is_of_one_encoding(server: Small) -> None:
    """By the letter: the condition is about what would be sent (RFC 9110, 13.1.2)."""
    plain, packed = ask(server.app, JOB), ask(server.app, JOB, headers=TAKES)
    again = ask(server.app, JOB, headers={**TAKES, "If-None-Match": packed.headers["etag"]})
    assert (again.status, again.headers["etag"], again.headers["vary"]) == (
        304,
        packed.headers["etag"],
        "Accept-Encoding",
    )
    assert "content-encoding" not in again.headers
    assert ask(server.app, JOB, headers={**TAKES, "If-None-Match": plain.headers["etag"]}).body == packed.body
    assert ask(server.app, JOB, headers={"If-None-Match": packed.headers["etag"]}).body == plain.body


def test_what_is_small_or_an_error_is_sent_as_it_is(server: Small) -> None:
    for target in (*LISTS, "/api/v2/jobs/nobody", "/api/v2/jobs/" + "a" * 2 * PACKED_FROM, "/healthz"):
        plain, other = ask(server.app, target), ask(server.app, target, headers=TAKES)
        assert other.body == plain.body
        assert not {"content-encoding", "vary"} & set(other.headers)


def test_a_body_is_packed_once_and_kept_within_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    packings: list[int] = []

    def compress(body: bytes, level: int, *, mtime: float) -> bytes:
        packings.append(len(body))
        return gzip.compress(body, level, mtime=mtime)

    monkeypatch.setattr("restserver.answers.rendering.gzip", SimpleNamespace(compress=compress))
    renderer = Renderer(capacity=20_000)
    environ = {"HTTP_ACCEPT_ENCODING": "gzip"}
    whole = renderer.rendered("key", 1, lambda: {"text": "x" * 5_000})
    kept = renderer.kept_bytes
    first = renderer.fitting(whole, environ)
    assert renderer.kept_bytes > kept
    stale = renderer.fitting(whole.marked(7), environ)
    assert (stale.body, stale.etag, stale.stale_since, first.stale_since) == (first.body, first.etag, 7, None)
    assert packings == [len(whole.body)]
    assert renderer.fitting(whole, {}) is whole
    for number in range(60):
        renderer.fitting(renderer.rendered_bytes(number, 1, partial(bytes, 5_000 + number)), environ)
        assert renderer.kept_bytes <= 20_000


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ("gzip", True),
        ("GZip", True),
        ("x-gzip", True),
        ("gzip, deflate, br, zstd", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*", True),
        ("gzip;q=0.001", True),
        ("identity;q=0.5, gzip;q=0.5", True),
        ("identity;q=0, *", True),
        (" gzip ; q=0.8 ,", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("identity, gzip;q=0.9", False),
        ("gzip;q=2", False),
        ("gzip;q=0.1234", False),
        ("gzip;q=-1", False),
        ("gzip;level=9", False),
        ("gzipped", False),
        ("gzip deflate", False),
    ],
)
def test_gzip_is_for_who_takes_it(accepted: str, taken: bool) -> None:
    assert takes_gzip(accepted) is taken


def test_threads_may_render_at_once() -> None:
    renderer = Renderer(capacity=20_000)

    def render(number: int) -> bytes:
        key = number % 7
        return renderer.rendered(key, number % 3, lambda: {"key": key, "edition": number % 3}).body

    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(render, range(2_000)))
    assert [json.loads(body) for body in bodies] == [{"key": n % 7, "edition": n % 3} for n in range(2_000)]


def test_what_json_cannot_say_is_never_sent() -> None:
    for number in (float("nan"), float("inf"), float("-inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            finite(number)
    assert (finite(None), finite(0.25)) == (None, 0.25)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(1e-4, 1e15),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@pytest.mark.no_cover
@given(st.dictionaries(st.text(), VALUES))
@example({"text": "half a pair: \ud800", "more": "\u00e9"})
@example({"control": "\x00\x1f\x7f\u2028</script>", "long": 2**80})
def test_a_body_has_the_bytes_of_the_standard_library(body: dict[str, object]) -> None:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        assert json_bytes(body) == text.encode()
    except UnicodeEncodeError:
        assert json_bytes(body) == json.dumps(body, separators=(",", ":")).encode()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_told_to_its_last_digit(number: float) -> None:
    assert json.loads(json_bytes(number)) == number
