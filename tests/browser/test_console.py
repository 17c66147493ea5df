"""The console in a real browser, led as a person would lead it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE, Complaints
from tests.production.programs import Program, ask, running, start

pytestmark = [pytest.mark.proof, pytest.mark.needs("chromium")]

WORLD = ("serve", "--at", "2026-03-01T12:00:00Z", "--frozen", "--jobs", "120", "--access-log", "off")

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with running(*WORLD, "-p", "0", log=tmp_path_factory.mktemp("console") / "log") as program:
        yield program


@pytest.fixture(autouse=True)
def _as_it_began(request: pytest.FixtureRequest) -> None:
    if "server" in request.fixturenames:
        assert ask(f"{request.getfixturevalue('server').told}/__admin/reset", "POST").status == 200


def test_jobs_are_found_and_read_no_further_than_scrolled(server: Program, page: Page) -> None:
    page.goto(f"{server.told}/")
    rows = page.locator("#job-rows tr")
    expect(rows.first).to_be_visible()
    assert rows.count() <= 100
    expect(page.locator("#found")).to_contain_text("about")
    for _ in range(20):
        if page.locator("#more").is_hidden():
            break
        rows.last.scroll_into_view_if_needed()
        page.wait_for_timeout(200)
    assert rows.count() > 150
    expect(page.locator("#found")).to_have_text(f"{rows.count()} jobs")
    page.get_by_label("failed", exact=True).check(force=True)
    expect(page.locator("#job-rows .badge:not(.FAILED)")).to_have_count(0)
    expect(page.locator("#job-rows .badge.FAILED").first).to_be_visible()
    page.get_by_label("Name begins with").fill("story~out")
    expect(rows).to_have_count(1)
    assert page.url.endswith("?name=story%7Eout&state=FAILED")
    page.reload()
    expect(rows).to_have_count(1)
    rows.first.get_by_role("link").press("Enter")
    expect(page.get_by_role("heading", name="story~out-of-memory failed")).to_be_visible()
    page.goto(f"{server.told}/#/jobs/story~nobody")
    expect(page.locator("#job")).to_contain_text("There is no such job")


def test_among_very_many_a_job_is_found_by_its_name(tmp_path: Path, page: Page) -> None:
    with running(*WORLD, "-p", "0", "--jobs", "1000000", log=tmp_path / "log") as program:
        oldest = ask(f"{program.told}/__admin/jobs?order=oldest&limit=1").json()["jobs"][0]["name"]
        page.goto(f"{program.told}/")
        expect(page.locator("#found")).to_contain_text("about")
        page.get_by_label("Name begins with").fill(oldest)
        expect(page.locator("#job-rows tr")).to_have_count(1)
        expect(page.locator("#found")).to_have_text("1+ job among the 1000 looked through")
        page.get_by_label("Name begins with").fill("no-such-job")
        expect(page.locator("#job-rows tr")).to_have_count(0)
        page.get_by_role("button", name="Search on").click()
        expect(page.locator("#found")).to_contain_text("among the 2000 looked through")


def test_a_job_is_made_and_led_from_waiting_over_a_retry_to_failed(server: Program, page: Page) -> None:
    page.goto(f"{server.told}/#/new")
    page.get_by_label("Begin with").select_option("fails, is retried, and fails")
    page.get_by_role("button", name="Make it").click()
    job = page.locator("#job")
    state, facts = job.locator("h2 .badge"), job.locator(".facts")
    expect(job.locator("h2")).to_contain_text("me~unlucky")
    seen: list[str] = []
    while not seen or "failed" not in seen[-1]:
        before = page.locator("#now-time").inner_text()
        attempt = re.search(r"attempt\s+(\d+)", facts.inner_text())
        assert attempt is not None
        seen.append(f"{state.inner_text()} {attempt[1]}")
        if "failed" not in seen[-1]:
            expect(page.locator("#next-change")).to_be_enabled()
            page.locator("#next-change").click()
            expect(page.locator("#now-time")).not_to_have_text(before)
            expect(job.locator("tr[aria-current=time] td").first).to_have_text(page.locator("#now-time").inner_text())
        assert len(seen) < 30
    kinds = list(dict.fromkeys(seen))
    assert [kind for kind in kinds if kind in ("waiting 0", "running 0", "running 1", "failed 1")] == [
        "waiting 0",
        "running 0",
        "running 1",
        "failed 1",
    ]
    assert job.locator("svg .span.FAILED").count() >= 1
    expect(job.locator("svg")).to_have_attribute("aria-label", re.compile("FrameworkCompleted, 2 attempts"))
    # And back: the same page as before.
    job.get_by_role("button", name=re.compile("Set the clock to .*ApplicationRunning, attempt 0")).first.click()
    expect(state).to_have_text("running")
    page.get_by_role("button", name="Reset clock").click()
    expect(page.locator("#now-time")).to_have_text("12:00:00")


def test_an_end_that_is_to_come_is_told_apart_from_one_that_came(server: Program, page: Page) -> None:
    attempts = page.locator("#job svg .span.plain text")
    page.goto(f"{server.told}/#/jobs/story~backing-off")
    expect(attempts).to_have_text("#0, exit code -7252")
    expect(page.locator("#job svg .span.BACKOFF text")).to_have_text("back-off before a retry")
    page.goto(f"{server.told}/#/jobs/story~retried-until-failed")
    expect(attempts).to_have_text([f"#{attempt}, exit code 1" for attempt in range(3)])
    page.get_by_role("button", name=re.compile("Set the clock to .*ApplicationRunning, attempt 2")).click()
    expect(attempts.last).to_have_text("#2, exit code 1 to come")


def test_the_clock_is_held(server: Program, page: Page) -> None:
    page.goto(f"{server.told}/")
    shown = page.locator("#now-time")
    expect(shown).to_have_text("12:00:00")
    page.get_by_role("button", name="Ahead one hour").click()
    expect(shown).to_have_text("13:00:00")
    page.get_by_role("button", name="Back five minutes").click()
    expect(shown).to_have_text("12:55:00")
    page.get_by_label("Set the clock to, UTC").fill("2026-04-01T08:30:00")
    page.get_by_role("button", name="Set UTC").click()
    expect(shown).to_have_text("08:30:00")
    page.get_by_label("Speed").select_option("3600")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#pace")).to_have_text("×3600")
    expect(shown).not_to_have_text(re.compile(r"^08:30"))
    page.get_by_role("button", name="Freeze").click()
    expect(page.locator("#pace")).to_have_text("frozen")
    assert ask(f"{server.told}/__admin/clock").json()["frozen"] is True


def test_a_story_is_moved_by_hand(server: Program, page: Page) -> None:
    page.goto(f"{server.told}/#/stories")
    page.get_by_label("Search stories").fill("by hand waits")
    expect(page.locator("#story-list > li")).to_have_count(1)
    page.get_by_role("button", name="On to running").click()
    expect(page.locator("#said")).to_contain_text("goes on to running")
    page.get_by_role("button", name="Ahead five minutes").click()
    expect(page.locator("#story-list [aria-current=step]")).to_have_text("running")


def test_faults_are_made_seen_and_removed(server: Program, page: Page) -> None:
    page.goto(f"{server.told}/#/faults")
    page.get_by_label("Kind").select_option("wrong_type")
    page.get_by_label("Side").select_option("api")
    expect(page.locator("#within")).to_contain_text("outside the contract")
    page.get_by_label("Names like").fill("story~*")
    page.get_by_label("path", exact=True).fill("jobStatus.state")
    page.get_by_label("Heals after").fill("PT1H")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#fault-list")).to_contain_text("jobStatus.state")
    expect(page.locator("#fault-count")).to_have_text("1")
    assert ask(f"{server.told}/api/v2/jobs/story~running").json()["jobStatus"]["state"] == []
    page.get_by_label("Heals after").fill("soon")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#break-said")).to_contain_text("ttl must be seconds")
    page.get_by_role("button", name="Ahead one hour").click()
    expect(page.locator("#fault-list")).to_contain_text("everything works")


def test_the_api_is_asked_with_wishes_and_its_requests_are_listed(server: Program, page: Page) -> None:
    page.goto(f"{server.told}/#/jobs/story~running")
    page.get_by_label("Prefer").fill("code=404")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#job pre")).to_contain_text("NoJobError")
    expect(page.locator("#job")).to_contain_text("Preference-Applied: code=404")
    page.get_by_role("link", name="Requests").click()
    row = page.locator("#request-rows tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("404")
    row.locator("summary").click()
    expect(row).to_contain_text("prefer: code=404")


def test_a_stopped_server_is_said_and_found_again(tmp_path: Path, page: Page) -> None:
    program = start(*WORLD, "-p", "0", log=tmp_path / "log")
    port = program.told.rpartition(":")[2]
    page.goto(f"{program.told}/")
    expect(page.locator("#job-rows tr").first).to_be_visible()
    program.kill()
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    expect(page.locator("#job-rows tr").first).to_be_visible()
    again = start(*WORLD, "-p", port, log=tmp_path / "log")
    try:
        expect(page.locator("#lost")).to_be_hidden(timeout=2 * PATIENCE)
        page.get_by_role("button", name="Ahead one hour").click()
        expect(page.locator("#now-time")).to_have_text("13:00:00")
    finally:
        again.kill()


def test_a_control_plane_with_a_token_is_asked_with_it(tmp_path: Path, page: Page) -> None:
    with running(*WORLD, "-p", "0", "--admin-token", "open-sesame", log=tmp_path / "log") as program:
        page.goto(f"{program.told}/")
        for token in ("wrong", "open-sesame"):
            page.get_by_role("textbox", name="Token").fill(token)
            page.get_by_role("button", name="Use it").click()
            if token == "wrong":  # noqa: S105 - it opens nothing
                expect(page.locator("#token-said")).to_contain_text("not its token")
        expect(page.locator("#job-rows tr").first).to_be_visible()
        page.reload()
        expect(page.locator("#job-rows tr").first).to_be_visible()
        expect(page.get_by_role("dialog")).to_be_hidden()


def test_an_api_with_a_token_is_asked_with_it_and_nothing_else_is(tmp_path: Path, page: Page) -> None:
    sent: list[tuple[str, str | None]] = []
    page.on("request", lambda request: sent.append((request.url, request.headers.get("authorization"))))
    with running(*WORLD, "-p", "0", "--read-token", "read-sesame", log=tmp_path / "log") as program:
        page.goto(f"{program.told}/#/jobs/story~running")
        page.get_by_role("button", name="Ask", exact=True).click()
        page.get_by_role("button", name="Ask without one").click()
        answer = page.locator("#job [role=status]")
        expect(answer).to_contain_text("UnauthorizedError")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(page.get_by_role("heading", name="The API asks for a token")).to_be_visible()
        for token in ("wrong", "read-sesame"):
            page.get_by_role("textbox", name="Token").fill(token)
            page.get_by_role("button", name="Use it").click()
            if token == "wrong":  # noqa: S105 - it opens nothing
                expect(page.locator("#token-said")).to_contain_text("not its token")
        expect(answer).to_contain_text('"jobStatus"')
        expect(answer).to_contain_text("$TOKEN")
        expect(page.get_by_role("link", name="Open")).to_be_hidden()
        page.get_by_label("Prefer").fill("code=401")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(answer).to_contain_text("Preference-Applied: code=401")
        page.reload()  # the tab keeps it
        page.get_by_role("button", name="Ask", exact=True).click()
        expect(answer).to_contain_text('"jobStatus"')
        assert page.evaluate("localStorage.length") == 0
        assert "read-sesame" not in page.content()
    assert "Bearer read-sesame" in {bearer for _, bearer in sent}
    assert not any("sesame" in url for url, _ in sent)
    assert all("/api/v2/" in url for url, bearer in sent if bearer is not None)


def test_a_server_without_a_control_plane_says_so(tmp_path: Path, page: Page) -> None:
    with running(*WORLD, "-p", "0", "--admin", "off", log=tmp_path / "log") as program:
        page.goto(f"{program.told}/")
        expect(page.locator("#lost")).to_contain_text("no control plane")


VIEWS = ("#/jobs", "#/jobs/story~several-attempts-and-versions", "#/stories", "#/new", "#/faults", "#/requests")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_every_view_fits_and_can_be_used_without_eyes_or_mouse(
    server: Program, chromium: Browser, complaints: Complaints, scheme: str, width: int
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page = context.new_page()
    complaints.heed(page)
    for view in VIEWS:
        page.goto(f"{server.told}/{view}")
        page.wait_for_timeout(400)
        assert page.evaluate(_TOO_WIDE) == [], view
        assert page.evaluate(_NAMELESS) == [], view
        assert page.evaluate(_FAINT) == [], view
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    context.close()
    assert complaints == []


_NAMELESS = """
[...document.querySelectorAll("input, select, textarea, button, a, svg[role=img]")]
  .filter((element) => element.checkVisibility())
  .filter((element) => !(element.getAttribute("aria-label") || element.textContent.trim() || [...(element.labels ?? [])].some((label) => label.textContent.trim())))
  .map((element) => element.outerHTML)
"""
_TOO_WIDE = """
document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
  .map((element) => element.outerHTML.slice(0, 120))
"""
_FAINT = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (color) => rgb(color).slice(0, 3).map((part) => part / 255).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => { for (; element; element = element.parentElement) { const color = getComputedStyle(element).backgroundColor; if (rgb(color)[3] === 255) return color; } return "white"; };
  return [...document.querySelectorAll("body *")]
    .filter((element) => !element.closest("svg, #said, .skip, .hidden") && element.checkVisibility() && !element.disabled)
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
    .filter((element) => { const [one, other] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => b - a); return (one + 0.05) / (other + 0.05) < 4.5; })
    .map((element) => `${element.outerHTML.slice(0, 120)} ${getComputedStyle(element).color} on ${behind(element)}`);
})()
"""
"""Text with a contrast below 4.5 to 1 (WCAG 2, AA)."""
