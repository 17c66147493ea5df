from pathlib import Path

import pytest

from contracts.launcher.recordings import NoRecordings
from contracts.launcher.timelines import framework_asked_for, read_recordings
from tests.contracts.recording_lines import NOT_FOUND, exchange, framework, write

RECORDINGS = Path("fixtures/recordings")


def test_a_name_is_known_by_its_whole_answers_only(tmp_path: Path) -> None:
    write(
        tmp_path / "a.jsonl",
        framework(1, "whole"),
        framework(1, "part/FrameworkStatus"),
        exchange(1, "/v1/Frameworks", '[{"frameworkName": "listed"}]'),
        framework(1, "submitted", method="PUT", status=202),
        framework(1, "vain", NOT_FOUND, status=404),
        framework(1, "as-xml", accept="application/xml"),
        framework(1, "of-the-rm", source="rm"),
        framework(1, "bad!name", status=400),
        framework(1, "b%C3%A4d"),
        framework(1, "x?y=1"),
    )
    recordings = read_recordings(tmp_path)
    assert recordings.names() == ("whole",)
    assert set(recordings.frameworks) == {"whole", "vain"}


@pytest.mark.parametrize("accept", [None, "*/*", "application/*;q=0.3", "text/html, application/json"])
@pytest.mark.parametrize("path", ["a~b", "a~b/", "a%7Eb"])
def test_one_name_may_be_asked_for_in_several_ways(accept: str | None, path: str) -> None:
    assert framework_asked_for(framework(1, path, accept=accept)) == "a~b"


def test_repetitions_are_no_changes(tmp_path: Path) -> None:
    write(
        tmp_path / "a.jsonl",
        framework(1, "a", "{}"),
        framework(2, "a", "{}"),
        framework(3, "a", "", status=None, reason="refused"),
        framework(4, "a", "{}"),
    )
    recordings = read_recordings(tmp_path)
    assert recordings.instants("a") == (1, 3, 4)
    assert recordings.instants() == (1, 3, 4)
    assert recordings.instants("b") == ()


def test_recordings_of_one_name_are_merged_by_time(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl", framework(10, "a", "{1}"), framework(30, "a", "{3}"))
    write(tmp_path / "c.jsonl", framework(20, "a", "{2}"), framework(30, "a", "{4}"))
    recordings = read_recordings(tmp_path)
    line = recordings.frameworks["a"]
    assert [said.body for said in line.said] == ["{1}", "{2}", "{3}", "{4}"]
    at_30 = line.position_at(30)
    assert at_30 is not None
    assert line.said[at_30].body == "{4}"
    assert [recordings.recording_of("a", instant) for instant in (0, 10, 25, 30)] == ["b", "b", "c", "c"]
    assert recordings.recording_of("nobody", 10) is None


def test_a_timeline_is_looked_up_by_instant(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", framework(10, "a", "{1}"), framework(20, "a", "{2}"))
    line = read_recordings(tmp_path).frameworks["a"]
    assert [line.position_at(instant) for instant in (9, 10, 19, 20, 99)] == [None, 0, 0, 1, 1]
    assert [line.next_change(instant) for instant in (9, 10, 19, 20, 99)] == [10, 20, 20, None, None]


def test_editions_tell_answers_apart(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", framework(10, "a", "{1}"), framework(10, "a", "{2}"), framework(20, "a", "{1}"))
    write(tmp_path / "b.jsonl", framework(10, "b", "{1}"))
    said = [one for line in read_recordings(tmp_path).frameworks.values() for one in line.said]
    assert len({one.edition for one in said}) == 4


def test_applications_are_told_one_by_one_or_by_lists(tmp_path: Path) -> None:
    write(
        tmp_path / "a.jsonl",
        exchange(1, "/ws/v1/cluster/apps/application_1_0001", source="rm"),
        exchange(1, "/ws/v1/cluster/apps/application_1_0001/state", source="rm"),
        exchange(2, "/ws/v1/cluster/apps/application_1_0002", source="rm", status=404),
        exchange(3, "/ws/v1/cluster/apps?startedTimeBegin=5", source="rm"),
        exchange(4, "/ws/v1/cluster/apps", "no", source="rm", status=500),
        exchange(5, "/ws/v1/cluster/metrics", source="rm"),
    )
    recordings = read_recordings(tmp_path)
    assert set(recordings.applications) == {"application_1_0001", "application_1_0002"}
    assert recordings.application_lists.instants == (3,)
    assert (recordings.first, recordings.last) == (1, 5)


def test_recordings_without_any_exchange_say_so(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl")
    with pytest.raises(NoRecordings, match="nothing was recorded"):
        read_recordings(tmp_path)


def test_what_was_cut_off_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", framework(1, "a"), framework(2, "b"))
    path.write_bytes(path.read_bytes()[:-5])
    recordings = read_recordings(tmp_path)
    assert recordings.names() == ("a",)
    assert len(recordings.cut_off) == 1


def test_a_retry_after_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", framework(1, "a", status=503, headers={"retry-after": "7"}))
    (said,) = read_recordings(tmp_path).frameworks["a"].said
    assert said.retry_after == "7"


@pytest.mark.no_cover
def test_the_recordings_of_the_real_launcher_are_indexed() -> None:
    recordings = read_recordings(RECORDINGS)
    assert len(recordings.names()) == 131
    assert not recordings.cut_off
    assert recordings.first <= recordings.instants()[0] <= recordings.instants()[-1] <= recordings.last
    assert recordings.recording_of("alice~parent-h", recordings.last) == "s05h-parent-stop-cascade"
