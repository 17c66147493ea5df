"""A check breaks the launcher where a control plane lets it: what a server makes of that is judged, and all is put back."""

import gc
import json
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from contracts import registry
from contracts.harness import checking
from contracts.harness.cli import Unusable
from contracts.harness.control import ControlPlane
from contracts.harness.names import varied
from contracts.harness.transport import Client, target_of
from restserver.assembling import application, backends
from restserver.serving import waitress_server
from restserver.settings import Settings
from restserver.stand_ins import Simulated, Stage
from tests.harness.served_app import Reply, Spoiled, checked, served

COVERAGE = ("-n", "40", "--phases", "coverage")


@pytest.fixture(scope="module")
def server() -> Iterator[Spoiled]:
    with served() as application:
        yield application


@pytest.fixture
def sound(server: Spoiled) -> Spoiled:
    server.spoiler = None
    return server


@pytest.fixture
def control(server: Spoiled) -> Iterator[ControlPlane]:
    with closing(Client(target_of(server.url))) as client:
        yield ControlPlane(client)


def test_what_only_a_launcher_in_trouble_provokes_is_met_and_healed(sound: Spoiled, control: ControlPlane) -> None:
    code, output = checked(sound.url, *COVERAGE)
    assert code == 0, output
    assert "statuses 23/23" in output
    assert control.asked("GET", "/faults")["faults"] == []


def test_the_faults_of_others_stay(sound: Spoiled, control: ControlPlane) -> None:
    with control.fault({"kind": "latency", "fixedDelayMilliseconds": 0}) as mine:
        checked(sound.url, *COVERAGE)
        assert [fault["id"] for fault in control.asked("GET", "/faults")["faults"]] == [mine]


def trouble_is_told_as_absence(reply: Reply) -> None:
    if reply.status == 500 and "/jobs/" in reply.path:
        reply.status = 404
        reply.json = {"code": "NoJobError", "message": f"Job {reply.path.split('/')[4]} is not found."}


def patience_is_not_told(reply: Reply) -> None:
    reply.headers.pop("retry-after", None)


def a_stack_trace_is_told(reply: Reply) -> None:
    if reply.status == 500:
        reply.json = {"code": "UnknownError", "message": "java.lang.Error: x\n\tat a.B.c(B.java:1)"}


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("spoiler", "rule", "says"),
    [
        (trouble_is_told_as_absence, "status: unexpected", "answered 404, but the launcher is in trouble"),
        (patience_is_not_told, "header: missing", "the launcher said when to try again, Retry-After: 7"),
        (a_stack_trace_is_told, "schema: pattern", "java.lang.Error"),
    ],
)
def test_a_server_that_hides_its_trouble_is_caught(sound: Spoiled, spoiler: object, rule: str, says: str) -> None:
    sound.spoiler = spoiler  # type: ignore[assignment]  # one of the three above
    code, output = checked(sound.url, *COVERAGE)
    assert code == 1
    found = re.search(rf", {rule}: ([^\n]*)\n +breaks api\.md:(\d+) ", output)
    assert found is not None, output
    assert says in found[1]


@pytest.mark.needs("curl")
def test_the_line_that_shows_it_breaks_the_launcher_first(sound: Spoiled, control: ControlPlane) -> None:
    sound.spoiler = trouble_is_told_as_absence
    _, output = checked(sound.url, *COVERAGE)
    line = next(one.partition("see it:")[2].strip() for one in output.splitlines() if "see it:" in one)
    try:
        shown = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
        assert "NoJobError" in shown.stdout
        assert len(control.asked("GET", "/faults")["faults"]) == 1
    finally:
        control.asked("DELETE", "/faults")


def test_a_law_broken_at_a_moved_clock_is_shown_at_that_instant(sound: Spoiled) -> None:
    def spoil(reply: Reply) -> None:
        if reply.is_job:
            body = reply.json
            body["jobStatus"]["attemptState"] = "UNKNOWN"
            reply.json = body

    sound.spoiler = spoil
    code, output = checked(sound.url, "-n", "100", "--phases", "stateful")
    assert code == 1
    words = shlex.split(next(one.partition("see it:")[2] for one in output.splitlines() if "see it:" in one))
    assert f"{sound.url}/__admin/clock" in words
    assert words.index("&&") > words.index(f"{sound.url}/__admin/clock")
    assert re.search(r'"action": "set", "to": "20', " ".join(words))


def test_a_document_that_says_nothing_of_trouble_is_not_held_to_it(sound: Spoiled, tmp_path: Path) -> None:
    document = json.loads((registry.FOLDER / "openapi.documented.json").read_text())
    for item in document["paths"].values():
        del item["get"]["responses"]["500"]
    (tmp_path / "theirs.json").write_text(json.dumps(document))
    code, output = checked(sound.url, "--contract", str(tmp_path / "theirs.json"), *COVERAGE)
    assert code == 0, output
    assert "500" not in output


def test_a_control_plane_without_faults_provokes_nothing() -> None:
    with served(backend="recorded") as recorded:
        code, output = checked(recorded.url, *COVERAGE)
    assert code == 0, output
    assert "not provokable by asking: getAttempt 500" in output


# --- the control plane of the launcher that the server asks ---------------------------------------------------------


@contextmanager
def in_front_of(launcher: Simulated, dialect: str, folder: Path) -> Iterator[str]:
    settings = Settings(
        backend="launcher",
        launcher_url=launcher.url,
        rm_url=launcher.url,
        dialect=dialect,
        archiver=False,
        data_dir=folder,
        port=0,
    )
    built = backends.BACKENDS["launcher"](settings)
    try:
        with waitress_server.serving(application.application(built, settings)) as url:
            yield url
    finally:
        built.close()


@pytest.mark.no_cover
@pytest.mark.parametrize("dialect", ["private", "open"])
def test_a_server_is_checked_through_the_launcher_it_asks(dialect: str, tmp_path: Path) -> None:
    with Stage() as stage:
        launcher = stage.launcher(dialect=dialect, jobs=20)
        began = launcher.clock.now()
        with in_front_of(launcher, dialect, tmp_path) as url:
            flags = ["--admin-url", launcher.url]
            code, output = checked(url, *flags, "-n", "200", "--phases", "examples,coverage")
            assert code == 0, output
            assert f"from the control plane of {launcher.url}" in output
            assert "statuses 23/23" in output
            asked = {one["request"]["url"] for one in launcher.requests()}
            with pytest.raises(Unusable, match="does not live by the clock of that control plane"):
                checked(url, *flags, "--at", "2026-03-01T13:00:00Z")
        assert asked
        assert launcher.clock.now() == began
        assert launcher.control.asked("GET", "/faults")["faults"] == []


# --- interrupted ----------------------------------------------------------------------------------------------------


@pytest.mark.proof
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_check_puts_everything_back_and_tells_what_it_found(
    sound: Spoiled, control: ControlPlane, number: int
) -> None:
    before = sound.clock.read()
    sound.asked.clear()
    command = [sys.executable, "-m", "restserver", "check", sound.url, "-n", "100000", "--phases", "examples,stateful"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while len(sound.asked) < 50:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(number)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 130, errors
    assert "stopped early: interrupted" in output
    assert sound.clock.read() == before
    assert control.asked("GET", "/faults")["faults"] == []


def test_a_few_names_show_as_much_as_there_is() -> None:
    assert varied(["a1", "a2", "a3", "b1", "b2", "c1"], lambda name: name[0]) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_an_interruption_that_nobody_could_be_told_of_comes_again() -> None:
    """Hypothesis measures the collector of garbage by a callback; what is raised there goes nowhere."""
    ignored = sys.unraisablehook

    def at_a_bad_moment(phase: str, _: object) -> None:
        if phase == "start":
            signal.raise_signal(signal.SIGTERM)

    def interrupted_at_a_bad_moment() -> None:
        with checking._ended_as_interrupted():
            gc.callbacks.append(at_a_bad_moment)
            try:
                gc.collect()
            finally:
                gc.callbacks.remove(at_a_bad_moment)
            for _ in range(1000):
                time.sleep(0.01)

    with pytest.raises(KeyboardInterrupt):
        interrupted_at_a_bad_moment()
    assert sys.unraisablehook is ignored
