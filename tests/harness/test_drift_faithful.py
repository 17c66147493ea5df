"""Drift cries no wolf: whatever a faithful poller may have recorded of a lawful launcher is clean, and drift in it is found."""

from collections.abc import Mapping
from itertools import cycle
from pathlib import Path

import pytest

from contracts.harness.drift import comparing
from contracts.harness.drift.recorded import recorded
from contracts.launcher.recordings import exchanges
from restserver.commands.drift import _Sides
from tests.harness import faithful
from tests.harness.drifted import RECORDINGS, Change, changed, found, side
from tests.harness.test_drift_real import at_the_end, of_tasks, retries, status

pytestmark = pytest.mark.no_cover

SOME = 18
"""Every so manieth recording is looked at by the quick tests."""
ALONE_IN_ITS_PACE = "story~stop-taken-back"
"""Its launcher looks once an hour, and no other of that launcher is seen: told without a profile, nobody could know."""


def clean(files: faithful.Files, folder: Path) -> None:
    findings = found(recorded(faithful.write(files, folder)))
    assert {one: (finding.what, finding.examples) for one, finding in findings.items()} == {}


TRYING = ["a look every second", "a look every 10 s", "a look every minute", "the first 60 %", "the last 60 %",
          "five times as slow", "ten times as slow", "in one file", "seldom looked at, slow, and from the middle"]  # fmt: skip
"""What is asked of all recordings by make proof; the others are asked of some."""


@pytest.mark.parametrize("change", [change for change in faithful.CHANGES if change not in TRYING])
def test_some_recordings_changed_faithfully_are_clean(change: str, tmp_path: Path) -> None:
    clean(faithful.CHANGES[change](faithful.read(RECORDINGS, SOME)), tmp_path)


@pytest.mark.proof
@pytest.mark.parametrize("change", TRYING)
def test_all_recordings_changed_faithfully_are_clean(change: str, tmp_path: Path) -> None:
    clean(faithful.CHANGES[change](faithful.read(RECORDINGS)), tmp_path)


@pytest.mark.proof
@pytest.mark.parametrize("change", ["none", "a look every 10 s", "the last 60 %"])
@pytest.mark.parametrize(
    ("profile", "seed", "interval"), [("default", 7, 3_000), ("failing", 8, 700), ("tiny", 9, 1_000)]
)
def test_what_a_poller_sees_of_our_simulator_is_clean(
    profile: str, seed: int, interval: int, change: str, tmp_path: Path
) -> None:
    files = {
        name: lines for name, lines in faithful.simulated(profile, seed, interval).items() if name != ALONE_IN_ITS_PACE
    }
    clean(files if change == "none" else faithful.CHANGES[change](files), tmp_path)


def before_the_end(**values: object) -> Change:
    """At the last look but one."""
    return lambda document, left: status(document).update(values) if left == 1 else None


UNLAWFUL: Mapping[str, tuple[Change, str]] = {
    "a state that is not of what else is told": (at_the_end(frameworkState="APPLICATION_CREATED"), "law-L7"),
    "a counter that goes down": (retries(transientNormalRetriedCount=0, retriedCount=0), "law-L2"),
    "a counter that jumps": (retries(transientNormalRetriedCount=3, retriedCount=3, unKnownRetriedCount=1), "law-L2"),
    "another exit code": (at_the_end(applicationExitCode=3), "text"),
    "a change after the end": (before_the_end(frameworkState="FRAMEWORK_COMPLETED"), "law-L3"),
    "an end long after the end": (at_the_end(frameworkCompletedTimestamp=1_990_000_000_000), "delay"),
    "an exit code while it runs": (of_tasks(lambda task: task["taskState"] == "CONTAINER_RUNNING", containerExitCode=1), "null"),
}  # fmt: skip


def test_a_recording_that_begins_while_tasks_are_scaled_away_is_clean_answers_and_all(tmp_path: Path) -> None:
    name = "s09a-tasknumber-up-down"
    lines = list(exchanges(RECORDINGS / f"{name}.jsonl.gz", lambda _: None))
    real = recorded(faithful.write(faithful.CHANGES["the last 60 %"]({name: lines}), tmp_path))
    assert comparing.simulator_to_real(side(), real, _Sides().present).findings == ()


BLUNTED = ["a look every second", "the last 60 %", "ten times as slow", "a year later"]


@pytest.mark.parametrize(("unlawful", "change"), list(zip(UNLAWFUL, cycle(BLUNTED), strict=False)))
def test_drift_is_found_in_recordings_changed_faithfully(unlawful: str, change: str, tmp_path: Path) -> None:
    recording = "s03f-fw-fancy-max2-transient"
    lines = list(exchanges(RECORDINGS / f"{recording}.jsonl.gz", lambda _: None))
    wrong, rule = UNLAWFUL[unlawful]
    real = recorded(faithful.write(faithful.CHANGES[change]({recording: lines}), tmp_path))
    ids = found(changed(real, wrong))
    assert any(one.startswith(f"simulator-real/{rule}/") for one in ids), sorted(ids)
