"""The texts of an end, as clients cut them up."""

import json
import re

import pytest

from contracts.launcher.records import ExitType, Resource
from simulator.machine import diagnostics
from simulator.machine.story import Crashed, Exit, Killed

AT = 1_795_465_705_000 + 769
NAME = "container_1795464678844_0055_01_000002"
SMALL = Resource(1, 128)
STAMP = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\]"


def text(end: Exit) -> str:
    told = diagnostics.container_text(end, NAME, AT, SMALL)
    assert told is not None
    return told


def test_a_failed_container_has_the_recorded_layout() -> None:
    assert text(Exit(127, "/bin/bash: line 1: no_such_command: command not found")) == (
        "[2026-11-23 20:28:25.769]Exception from container-launch.\n"
        f"Container id: {NAME}\n"
        "Exit code: 127\n"
        "[2026-11-23 20:28:25.769]\n"
        "[2026-11-23 20:28:25.770]Container exited with a non-zero exit code 127. Error file: prelaunch.err.\n"
        "Last 4096 bytes of prelaunch.err :\n"
        "Last 4096 bytes of stderr :\n"
        "/bin/bash: line 1: no_such_command: command not found\n\n"
        "[2026-11-23 20:28:25.770]\n"
        "[2026-11-23 20:28:25.770]Container exited with a non-zero exit code 127. Error file: prelaunch.err.\n"
        "Last 4096 bytes of prelaunch.err :\n"
        "Last 4096 bytes of stderr :\n"
        "/bin/bash: line 1: no_such_command: command not found\n\n"
        "[2026-11-23 20:28:25.770]"
    )


def test_only_the_end_of_a_long_stderr_is_kept() -> None:
    told = text(Exit(1, "é" * 5000 + "last words\n"))
    tail = told.split("stderr :\n")[1].split("\n[")[0]
    assert tail.endswith("last words\n")
    assert len(tail.encode()) in (4095, 4096)


def test_a_runtime_error_stands_between_its_landmarks_twice() -> None:
    told = text(Exit(1, "Traceback\n", runtime_error={"exitcode": 254, "originalUserExitCode": 1, "reason": "ügly"}))
    block = re.findall(r"\[PAI_RUNTIME_ERROR_START\]\n(.*?)\[PAI_RUNTIME_ERROR_END\]", told, re.DOTALL)
    assert block == ['exitcode: 254\noriginalUserExitCode: 1\nreason: "ügly"\n'] * 2


def test_a_killed_container_reads_otherwise_than_one_that_exits_so_itself() -> None:
    assert re.fullmatch(
        f"{STAMP}Container killed on request. Exit code is 137{STAMP}\n"
        f"{STAMP}Container exited with a non-zero exit code 137. {STAMP}\n{STAMP}Killed by external signal",
        text(Exit(137, killed=True)),
    )
    assert "Exception from container-launch" in text(Exit(137))


def test_a_success_has_an_empty_text_and_what_the_launcher_found_itself_has_none() -> None:
    assert text(Exit(0)) == ""
    for code in (-7151, -7153, -7154):
        assert diagnostics.container_text(Exit(code), NAME, AT, SMALL) is None


def test_the_text_of_a_lost_node_and_of_an_expired_container_are_exact() -> None:
    assert text(Exit(-7111)) == "Container released on a *lost* node"
    assert text(Exit(-7112)) == "Container expired since it was unused"


@pytest.mark.parametrize(("code", "kind"), [(-7121, "virtual"), (-7122, "physical")])
def test_a_container_over_its_memory_says_how_much_it_used(code: int, kind: str) -> None:
    told = text(Exit(code))
    assert re.match(
        rf"{STAMP}Container \[pid=\d+,containerID={NAME}\] is running beyond {kind} memory limits. Current usage: ",
        told,
    )
    assert told.endswith("]")


@pytest.mark.parametrize("code", [-7123, -7124, -7125])
def test_a_container_killed_by_a_master_names_its_killer_and_the_signal(code: int) -> None:
    assert "Exit code is 143" in text(Exit(code))


def test_a_known_text_is_kept_and_an_unknown_cause_has_none() -> None:
    assert text(Exit(1, text="as recorded")) == "as recorded"
    assert text(Exit(-1234)) == ""


def test_a_report_stands_between_its_landmarks_as_json() -> None:
    report = diagnostics.Report(2, "d", ExitType.UNKNOWN, "é\n", "m", "worker", 1)
    wrapped = diagnostics.wrapped_report(report)
    assert wrapped.startswith('<LAUNCHER_AM_DIAGNOSTICS_START>{\n  "applicationExitCode" : 2,\n')
    body = wrapped.removeprefix(diagnostics.REPORT_START).removesuffix(diagnostics.REPORT_END)
    assert json.loads(body)["applicationExitTriggerTaskIndex"] == 1


def test_the_first_line_of_a_launcher_error_is_its_message() -> None:
    for code in diagnostics.EXCEPTION_OF_CODE:
        told = diagnostics.exception_text(code, "what happened")
        assert told.splitlines()[:2] == ["what happened", "Exception:"]
    crash = diagnostics.crashed_text("application_1_0002", Crashed(1), AT, 3, 10_000, "rm:8088")
    assert "appattempt_1_0002_000003" in crash
    told = diagnostics.no_report_text(crash)
    assert told.startswith("Cannot get more exit info due to failed to deserialize AMDiagnostics: ")
    assert told.endswith(f"\nAMDiagnostics:\n[{crash}]")
    assert diagnostics.no_diagnostics_text(5).splitlines()[1] == "Exception:"


def test_the_remaining_sentences_are_the_recorded_ones() -> None:
    assert diagnostics.gang_timeout_text(1, 30) == "Still waiting for 1 outstanding Tasks after timeout 30s"
    killed = diagnostics.killed_text
    assert killed("application_1_0002", Killed(0, "bob")) == "Application application_1_0002 was killed by user bob"
    assert killed("a", Killed(0, "bob", "192.0.2.2")).endswith("by user bob at 192.0.2.2")
    waiting = diagnostics.waiting_for_master_text(AT, activated=False)
    assert waiting.startswith("[Mon Nov 23 20:28:25 +0000 2026] Application is Activated")
    assert diagnostics.waiting_for_master_text(AT, activated=True).startswith("AM container is launched")
