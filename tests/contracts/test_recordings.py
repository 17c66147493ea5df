import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.clock import LATEST
from contracts.launcher.recordings import (
    Exchange,
    NoRecordings,
    Request,
    Response,
    UnreadableRecording,
    exchanges,
    files_of,
    name_of,
    to_line,
)
from tests.contracts.recording_lines import exchange, framework, write

RECORDINGS = Path("fixtures/recordings")

_texts = st.text(max_size=40)
_headers = st.dictionaries(_texts, _texts | st.lists(_texts, max_size=3), max_size=3)
_exchanges = st.builds(
    Exchange,
    scenario=_texts,
    instant=st.integers(0, LATEST),
    source=_texts,
    request=st.builds(Request, _texts, _texts, _headers, st.none() | _texts),
    response=st.builds(Response, st.none() | st.integers(100, 599), st.none() | _texts, _headers, st.none() | _texts),
)


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.mark.no_cover
@settings(max_examples=40, deadline=None)
@given(st.lists(_exchanges, max_size=4))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, written: list[Exchange]) -> None:
    for name in ("a.jsonl", "a.jsonl.gz"):
        path = write(tmp_path_factory.mktemp("recordings") / name, *written)
        assert list(exchanges(path, pytest.fail)) == written


def test_every_recording_of_the_real_launcher_is_read_whole_and_written_back_the_same() -> None:
    files = files_of(RECORDINGS)
    assert len(files) >= 120
    for file in files[::6]:
        lines = gzip.decompress(file.read_bytes()).decode().splitlines()
        read = list(exchanges(file, pytest.fail))
        assert [json.loads(to_line(one)) for one in read] == [json.loads(line) for line in lines]


def test_the_name_of_a_recording_is_its_file_name() -> None:
    assert name_of(Path("x/s01.a.jsonl.gz")) == "s01.a"
    assert name_of(Path("x/s01.jsonl")) == "s01"


def test_a_folder_is_read_by_name_and_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl.gz"):
        write(tmp_path / name)
    (tmp_path / "README.md").write_text("not a recording")
    (tmp_path / "c.jsonl").mkdir()
    assert [file.name for file in files_of(tmp_path)] == ["a.jsonl.gz", "b.jsonl"]


def test_one_file_is_a_folder_of_one(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", exchange(1, "/v1"))
    assert files_of(path) == (path,)


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoRecordings, match="there is no such folder or file"):
        files_of(tmp_path / "nowhere")


def test_a_folder_without_recordings_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoRecordings, match=r"it holds no \*\.jsonl"):
        files_of(tmp_path)


def test_a_path_that_cannot_be_looked_at_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoRecordings, match="it cannot be read"):
        files_of(tmp_path / ("x" * 5000))


def test_a_cut_off_last_line_is_left_out_and_named(tmp_path: Path, warnings: list[str]) -> None:
    path = write(tmp_path / "a.jsonl", exchange(1, "/v1"), exchange(2, "/v1"))
    path.write_bytes(path.read_bytes()[:-9])
    assert [one.instant for one in exchanges(path, warnings.append)] == [1]
    assert warnings == [f"{path}: line 2 is cut off and left out"]


def test_a_last_line_that_only_lacks_its_line_break_counts(tmp_path: Path, warnings: list[str]) -> None:
    path = write(tmp_path / "a.jsonl", exchange(1, "/v1"))
    path.write_bytes(path.read_bytes().rstrip())
    assert [one.instant for one in exchanges(path, warnings.append)] == [1]
    assert not warnings


def test_a_last_line_cut_within_a_letter_is_left_out_and_named(tmp_path: Path, warnings: list[str]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"scenario": "é'.encode()[:-1])
    assert not list(exchanges(path, warnings.append))
    assert warnings


def test_a_cut_off_compressed_stream_is_read_as_far_as_it_goes_and_named(tmp_path: Path, warnings: list[str]) -> None:
    path = write(tmp_path / "a.jsonl.gz", *(framework(n, f"job-{n * n}") for n in range(2000)))
    path.write_bytes(path.read_bytes()[:-40])
    read = list(exchanges(path, warnings.append))
    assert 0 < len(read) < 2000
    assert read == [framework(n, f"job-{n * n}") for n in range(len(read))]
    (warning,) = warnings
    assert "the compressed stream is cut off" in warning


def test_streams_appended_to_one_file_are_read_one_after_the_other(tmp_path: Path) -> None:
    first, second = (write(tmp_path / f"{n}.jsonl.gz", exchange(n, "/v1")).read_bytes() for n in (1, 2))
    (tmp_path / "both.jsonl.gz").write_bytes(first + second)
    assert [one.instant for one in exchanges(tmp_path / "both.jsonl.gz", pytest.fail)] == [1, 2]


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"not gzip at all",
        lambda whole: whole[:10] + b"\xff\xff" + whole[12:],
        lambda whole: whole[:-8] + b"\0\0\0\0" + whole[-4:],
    ],
    ids=["another format", "an impossible block", "a wrong checksum"],
)
def test_a_damaged_compressed_stream_is_an_error_naming_the_file(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = write(tmp_path / "a.jsonl.gz", framework(1, "a"))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UnreadableRecording, match=r"a\.jsonl\.gz is not a recording: the compressed stream is damaged"):
        list(exchanges(path, pytest.fail))


def test_a_file_that_cannot_be_read_is_an_error_naming_it(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRecording, match="it cannot be read"):
        list(exchanges(tmp_path / "gone.jsonl", pytest.fail))


def test_a_line_in_the_middle_that_is_not_json_is_an_error_naming_the_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", exchange(1, "/v1"))
    path.write_text("oops\n" + path.read_text())
    with pytest.raises(UnreadableRecording, match=r"a\.jsonl, line 1 is not a recording: it is not JSON"):
        list(exchanges(path, pytest.fail))


def test_a_deeply_nested_line_is_an_error_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("[" * 100_000 + "]" * 100_000 + "\n")
    with pytest.raises(UnreadableRecording):
        list(exchanges(path, pytest.fail))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"t_ms": None}, "t_ms is not an integer"),
        ({"t_ms": True}, "t_ms is not an integer"),
        ({"t_ms": 1.5}, "t_ms is not an integer"),
        ({"t_ms": -1}, "t_ms is outside the years 1970 to 9999"),
        ({"t_ms": 10**20}, "t_ms is outside the years 1970 to 9999"),
        ({"scenario": 5}, "scenario is not a text"),
        ({"source": None}, "source is not a text"),
        ({"request": []}, "request is not an object"),
        ({"response": {}}, "status is missing"),
        (
            {"request": {"method": "GET", "path": "/", "headers": {"a": 1}, "body": None}},
            "request.headers.a is not a text",
        ),
        ({"request": {"method": "GET", "path": "/", "headers": {}, "body": {}}}, "request.body is not a text"),
        (
            {"response": {"status": "200", "reason": None, "headers": None, "body": None}},
            "response.status is not an integer",
        ),
    ],
)
def test_a_line_of_another_shape_is_an_error_saying_what_is_wrong(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(json.loads(to_line(exchange(1, "/v1"))) | change) + "\n")
    with pytest.raises(UnreadableRecording, match=complaint):
        list(exchanges(path, pytest.fail))


@pytest.mark.parametrize("line", ["[]", "null", "5", '"x"', "{}"])
def test_a_line_that_is_no_exchange_is_an_error(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(UnreadableRecording):
        list(exchanges(path, pytest.fail))


def test_headers_may_be_absent(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    document = json.loads(to_line(exchange(1, "/v1", status=None)))
    document["response"]["headers"] = None
    path.write_text(json.dumps(document) + "\n")
    (one,) = exchanges(path, pytest.fail)
    assert one.response.headers == {}
