"""The messages cut from exit diagnostics (rulings 2.2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restserver.answers.exit_messages import container_message, exit_messages, launcher_message, runtime_message

OLD = """Exception from container-launch.
Container id: container_1
Exit code: 1
Stack trace: ExitCodeException exitCode=1: line one
  line two
    at org.apache.hadoop.util.Shell.runCommand(Shell.java:545)
    at org.apache.hadoop.util.Shell.run(Shell.java:456)
"""

NEW_BLOCK = """[2026-11-23 20:34:20.883]Container exited with a non-zero exit code 2. Error file: prelaunch.err.
Last 4096 bytes of prelaunch.err :
{prelaunch}Last 4096 bytes of stderr :
{stderr}
[2026-11-23 20:34:20.883]
"""


def new(stderr: str = "", prelaunch: str = "", message: str = "") -> str:
    """As Hadoop 2.9 prints it: the block stands there twice."""
    head = "[2026-11-23 20:34:20.881]Exception from container-launch.\nContainer id: container_1\nExit code: 2\n"
    block = NEW_BLOCK.format(stderr=stderr, prelaunch=prelaunch)
    return head + message + "[2026-11-23 20:34:20.881]\n" + block + block.rstrip("\n")


def test_older_hadoop_has_the_message_between_its_two_marks() -> None:
    assert container_message(OLD) == "line one\n  line two"


@pytest.mark.parametrize(
    "text",
    [
        OLD.replace("at org.apache.hadoop.util.Shell.runCommand", "at somewhere"),
        OLD.replace("ExitCodeException exitCode=1:", ""),
        OLD.replace("exitCode=1:", "exitCode=1"),
        "at org.apache.hadoop.util.Shell.runCommand ... ExitCodeException exitCode=1: x",
        "ExitCodeException exitCode=1: \n at org.apache.hadoop.util.Shell.runCommand",
        OLD.replace("ExitCodeException exitCode=1:", "") + "Last 4096 bytes of stderr :\nsomething",
    ],
)
def test_a_cut_at_the_older_marks_that_fails_is_null(text: str) -> None:
    assert container_message(text) is None


def test_newer_hadoop_has_the_tail_of_stderr_up_to_a_lone_time_stamp() -> None:
    assert container_message(new(stderr="step 1 failed\n[2026-11-23 20:34:20.883] not alone\n\nstep 2\n")) == (
        "step 1 failed\n[2026-11-23 20:34:20.883] not alone\n\nstep 2"
    )


def test_without_a_time_stamp_the_tail_goes_to_the_end() -> None:
    assert container_message("Last 4096 bytes of stderr :\n  cut off here") == "cut off here"


def test_a_job_may_write_a_heading_of_its_own() -> None:
    text = "Last 4096 bytes of stderr :\ntail of the log\nLast 4096 bytes of train.log :\nboom\n[2026-11-23 20:18:36.676]\n"
    assert container_message(text) == "tail of the log\nLast 4096 bytes of train.log :\nboom"


def test_an_empty_stderr_gives_way_to_prelaunch_err() -> None:
    assert container_message(new(prelaunch="cannot create directory\n")) == "cannot create directory"
    assert container_message("Last 4096 bytes of prelaunch.err :\non: -c: line 2\n[2026-11-23 20:18:36.676]\n") == (
        "on: -c: line 2"
    )


def test_where_both_are_empty_the_exception_message_is_told() -> None:
    text = new(message="Exception message: line 2:  3978 Aborted   /bin/bash\nmore\n\nnot this\n")
    assert container_message(text) == "line 2:  3978 Aborted   /bin/bash\nmore"
    assert container_message("Exception message: one\n[2026-11-23 20:34:20.881]\nx") == "one"


def test_nothing_to_tell_is_null() -> None:
    assert container_message(new()) is None
    assert container_message("") is None
    assert container_message("Container killed on request. Exit code is 137") is None


def test_the_runtime_error_is_the_first_yaml_mapping_between_its_marks() -> None:
    block = "[PAI_RUNTIME_ERROR_START]\n{}\n[PAI_RUNTIME_ERROR_END]\n"
    text = "x" + block.format("name: A\ncode: 10\nlist: [1, 2.5, null]") + block.format("name: B")
    assert runtime_message(text) == {"name": "A", "code": 10, "list": [1, 2.5, None]}


@pytest.mark.parametrize(
    "text",
    [
        "no marks",
        "[PAI_RUNTIME_ERROR_START] name: A",
        "name: A [PAI_RUNTIME_ERROR_END]",
        "[PAI_RUNTIME_ERROR_END]name: A[PAI_RUNTIME_ERROR_START]",
        "[PAI_RUNTIME_ERROR_START]- a\n- b[PAI_RUNTIME_ERROR_END]",
        "[PAI_RUNTIME_ERROR_START]text[PAI_RUNTIME_ERROR_END]",
        "[PAI_RUNTIME_ERROR_START][PAI_RUNTIME_ERROR_END]",
        "[PAI_RUNTIME_ERROR_START]a: [1[PAI_RUNTIME_ERROR_END]",
    ],
)
def test_anything_but_a_mapping_is_no_runtime_error(text: str) -> None:
    assert runtime_message(text) is None


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("Still waiting for 1 task\nException:\nat x", -7252, "Still waiting for 1 task"),
        ("  spaced  \r\nmore", -7300, "spaced"),
        ("first", 0, "first"),
        ("first", None, "first"),
        ("first", 1, None),
        ("\nsecond", -7300, None),
        ("", -7300, None),
    ],
)
def test_the_launcher_speaks_in_the_first_line_unless_the_container_failed(
    text: str, code: int | None, message: str | None
) -> None:
    assert launcher_message(text, code) == message


def test_no_diagnostics_no_messages() -> None:
    assert exit_messages(None, None) == {"container": None, "runtime": None, "launcher": None}


@given(
    st.lists(
        st.sampled_from(
            [
                "ExitCodeException exitCode",
                "=1:",
                "at org.apache.hadoop.util.Shell.runCommand",
                "Last 4096 bytes of stderr :",
                "Last 4096 bytes of prelaunch.err :",
                "Exception message:",
                "\n[2026-11-23 20:34:20.883]\n",
                "[PAI_RUNTIME_ERROR_START]",
                "[PAI_RUNTIME_ERROR_END]",
                "\n",
                " ",
            ]
        )
        | st.text(max_size=20)
    ).map("".join),
    st.none() | st.integers(),
)
def test_no_text_makes_a_cut_fail(text: str, code: int | None) -> None:
    messages = exit_messages(text, code)
    for key in ("container", "launcher"):
        message = messages[key]
        assert message is None or (isinstance(message, str) and message and message == message.strip())
        assert message is None or message in text
    assert messages["runtime"] is None or isinstance(messages["runtime"], dict)
