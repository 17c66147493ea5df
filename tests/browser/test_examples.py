"""The pages of ``examples/``, in a real browser, from an origin of their own: a job seen from waiting over a retry to failed."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE
from tests.gate.readme import ROOT
from tests.production.programs import Program, ask, running

pytestmark = [pytest.mark.proof, pytest.mark.needs("chromium")]

EXAMPLES = ROOT / "examples"
STORY = {
    "name": "me~page",
    "descriptor": {"retry": 1},
    "containers": [{"run": "PT10M", "exit": {"code": 1, "stderr": "out of luck\n"}}],
}
STEPS = (("PT0S", "waiting", 0), ("PT5M", "running", 0), ("PT10M", "running", 1), ("PT10M", "failed", 1))

expect.set_options(timeout=PATIENCE)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        del format, args


@contextmanager
def pages_of(folder: Path) -> Iterator[str]:
    """Another origin: the same host, another port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Program]:
    world = ("--at", "2026-03-01T12:00:00Z", "--frozen", "--jobs", "20", "--access-log", "off")
    with running("serve", "-p", "0", *world, log=tmp_path / "log") as program:
        assert ask(f"{program.told}/__admin/jobs", "POST", STORY).status == 201
        yield program


def advance(server: Program, by: str) -> None:
    assert ask(f"{server.told}/__admin/clock", "PUT", {"action": "advance", "by": by}).status == 200


def test_a_plain_page_draws_a_life_and_outlives_a_fault(server: Program, page: Page) -> None:
    with pages_of(EXAMPLES / "plain-page") as origin:
        page.goto(f"{origin}/?server={server.told}&job=me~page")
        for by, state, attempt in STEPS:
            advance(server, by)
            expect(page.locator("#state")).to_have_text(state)
            expect(page.locator("#facts")).to_contain_text(f"attempt {attempt}")
        expect(page.locator("#bars .bar.FAILED")).to_have_count(2)
        expect(page.locator("#facts")).to_contain_text("attempt 1, exit code 1")
        seen = page.locator("#seen li").all_inner_texts()
        assert [line.split(",")[0] for line in seen] == ["WAITING", "RUNNING", "RUNNING", "FAILED"]
        assert seen[1].endswith("attempt 0")
        assert seen[2].endswith("attempt 1")
        page.reload()
        expect(page.locator("#bars .bar.FAILED")).to_have_count(2)
        fault = {"kind": "unavailable", "side": "launcher"}
        assert ask(f"{server.told}/__admin/faults", "POST", fault).status == 201
        page.reload()
        expect(page.locator("#trouble")).to_contain_text("UnknownError: The launcher refused the connection.")
        assert ask(f"{server.told}/__admin/faults", "DELETE").status == 200
        expect(page.locator("#state")).to_have_text("failed")
        expect(page.locator("#trouble")).to_have_text("")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """As its README says, from the lock file and nothing else."""
    folder = tmp_path / "vue-page"
    shutil.copytree(EXAMPLES / "vue-page", folder, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, capture_output=True, timeout=120)  # noqa: S607 - found by its name
    return folder


@pytest.mark.needs("npm")
def test_a_page_with_a_framework_draws_a_life(server: Program, installed: Path, page: Page) -> None:
    with pages_of(installed) as origin:
        elsewhere: list[str] = []
        page.on(
            "request",
            lambda asked: None if asked.url.startswith((origin, server.told)) else elsewhere.append(asked.url),
        )
        page.goto(f"{origin}/?server={server.told}&job=me~page")
        for by, state, attempt in STEPS:
            advance(server, by)
            expect(page.locator("#state")).to_have_text(state)
            expect(page.locator("#facts")).to_contain_text(f"attempt {attempt}")
        steps = page.locator(".life li")
        expect(steps).to_have_text(["waiting #0", "running #0", "running #1", "failed #1"])
        page.goto(f"{origin}/?server={server.told}&job=nobody")
        expect(page.get_by_role("alert")).to_have_text("Job nobody is not found.")
        assert [url for url in elsewhere if not url.startswith("data:")] == [], "once installed, it needs no network"
