"""What is written of what was heard: no secret, and, if wanted, no name; everything else as it was."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.harness.recording.anonymising import Anonymised, key_beside
from contracts.harness.recording.files import NotWritten
from contracts.harness.recording.pseudonyms import Pseudonyms, vocabulary
from contracts.harness.recording.secrets_out import SecretsOut
from contracts.harness.recording.texts import rewritten
from contracts.launcher.exits import EXITS
from contracts.launcher.recordings import Exchange, Request, Response, exchanges

KEY = b"a key of more than sixteen bytes"
PSEUDONYMS = Pseudonyms(KEY)
SECRET = "hunter2hunter2"  # noqa: S105 - of nobody
WORDS = st.from_regex(r"[A-Za-z]{1,12}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def kept(under: str, text: str) -> str:
    return text


@given(JSON, st.sampled_from([None, 1]), st.booleans())
def test_texts_that_are_not_rewritten_stay_byte_for_byte(value: Any, indent: int | None, ascii_only: bool) -> None:
    document = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert rewritten(document, kept, kept) == document


@given(JSON)
def test_every_text_and_every_key_is_met_once_with_the_key_it_is_under(value: Any) -> None:
    document = json.dumps(value)
    marked = json.loads(rewritten(document, lambda under, text: f"{under}>{text}", lambda under, key: f"{under}<{key}"))
    assert marked == _marked(value, "")


def _marked(value: Any, under: str) -> Any:
    if isinstance(value, dict):
        return {f"{under}<{key}": _marked(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_marked(inner, under) for inner in value]
    return f"{under}>{value}" if isinstance(value, str) else value


def test_what_is_no_json_is_one_text() -> None:
    assert rewritten('<p class="x">', lambda under, text: text.upper(), kept) == '<P CLASS="X">'


def test_numbers_and_spaces_stay_as_they_are() -> None:
    document = '{ "a" : 0.10, "b":1E5 ,"c" : "x",\n "d": 12345678901234567890 }'
    assert rewritten(document, lambda under, text: "y", kept) == document.replace('"x"', '"y"')


def told(text: str, key: str = "entryPoint") -> str:
    cleaned = SecretsOut([("X-Api-Key", SECRET), ("X-Team", "ml")]).exchange(said(json.dumps({key: text})))
    found: str = json.loads(str(cleaned.response.body))[key]
    return found


def said(body: str | None, **headers: str | list[str]) -> Exchange:
    request = Request("GET", "/v1/Frameworks/alice~a", {"Accept": "application/json", "X-Api-Key": SECRET}, None)
    return Exchange("recorded", 1, "launcher", request, Response(200, "OK", headers, body))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("export DB_PASSWORD=abc; run", "export DB_PASSWORD=[redacted]; run"),
        ("WANDB_API_KEY='a b' python x.py", "WANDB_API_KEY=[redacted] python x.py"),
        ("run --token abc --lr 0.1", "run --token [redacted] --lr 0.1"),
        ("run --hf-token=abc --lr 0.1", "run --hf-token=[redacted] --lr 0.1"),
        ('{"secret": "abc", "x": 1}', '{"secret": [redacted], "x": 1}'),
        ("git clone https://me:abc@example.com/x", "git clone https://[redacted]@example.com/x"),
        ("curl -H 'Authorization: Bearer abcdefgh.ijk' x", "curl -H 'Authorization: Bearer [redacted]' x"),
        (f"echo {SECRET}", "echo [redacted]"),
        ("hdfs://alice@nn:8020/x", "hdfs://alice@nn:8020/x"),
        ("tokenize --input x; teams: ml", "tokenize --input x; teams: ml"),
        ("Exit code: 143, Killed by external signal", "Exit code: 143, Killed by external signal"),
    ],
)
def test_secrets_are_taken_out_of_texts(text: str, cleaned: str) -> None:
    assert told(text) == cleaned


def test_a_key_that_is_named_like_a_secret_tells_nothing() -> None:
    assert told("abc", "dbPassword") == "[redacted]"


def test_credentials_are_taken_out_of_headers_in_both_directions() -> None:
    headers: dict[str, str | list[str]] = {"Set-Cookie": ["a=1", "b=2"], "X-Access-Token": "abc", "Date": "today"}
    exchange = said("{}", **headers)
    cleaned = SecretsOut([]).exchange(exchange)
    assert cleaned.request.headers == {"Accept": "application/json", "X-Api-Key": "[redacted]"}
    assert cleaned.response.headers == {
        "Set-Cookie": ["[redacted]"] * 2,
        "X-Access-Token": "[redacted]",
        "Date": "today",
    }


@pytest.mark.no_cover
def test_in_what_a_real_launcher_said_there_is_no_secret_to_see() -> None:
    cleaning = SecretsOut([])
    seen = 0
    for path in sorted(Path("fixtures/recordings").glob("*.gz"))[::12]:
        for exchange in exchanges(path, lambda warning: None):
            assert cleaning.exchange(exchange) == exchange
            seen += 1
    assert seen > 500


@given(WORDS, WORDS)
def test_no_two_words_become_the_same_and_no_word_becomes_one_that_stays(one: str, other: str) -> None:
    first, second = PSEUDONYMS.text(one.lower()), PSEUDONYMS.text(other.lower())
    assert (first == second) == (one.lower() == other.lower())
    assert len(first) == len(one)
    assert (one.lower() in vocabulary()) == (first in vocabulary())
    assert PSEUDONYMS.text(one).lower() == PSEUDONYMS.text(one.upper()).lower() or re.search(
        r"[a-z][A-Z]|[A-Z]{2}[a-z]", one
    )


def test_short_words_are_shuffled_among_themselves() -> None:
    letters = [letter for letter in "abcdefghijklmnopqrstuvwxyz" if letter not in vocabulary()]
    assert sorted(PSEUDONYMS.text(letter) for letter in letters) == letters


def test_another_key_tells_other_words() -> None:
    other = Pseudonyms(KEY + b"!")
    names = ["alice", "mnist", "gpu07.corp.internal"]
    assert all(other.text(name) != PSEUDONYMS.text(name) for name in names)
    assert [Pseudonyms(KEY).text(name) for name in names] == [PSEUDONYMS.text(name) for name in names]


@pytest.mark.parametrize(
    "text",
    [
        "application_1795464678844_0141",
        "container_e84_1546300800865_10698_01_000003",
        "FRAMEWORK_COMPLETED",
        "[2026-11-23 20:34:20.883]Container exited with a non-zero exit code 2.",
        "Last 4096 bytes of stderr :",
        "[PAI_RUNTIME_ERROR_START]",
        "2026-11-23T20:34:20.500Z",
        "http://127.0.0.1:8088/proxy/",
        "JD_",
    ],
)
def test_what_programs_read_stays(text: str) -> None:
    assert PSEUDONYMS.text(text) == text


def test_the_launchers_own_words_for_its_exit_codes_stay() -> None:
    for row in EXITS.values():
        for text in (row.name, row.description, row.text or ""):
            assert PSEUDONYMS.text(text) == text


def test_relations_survive_in_every_text_that_tells_of_them() -> None:
    name = PSEUDONYMS.text("alice~bert-pretrain.v2")
    user, job = name.split("~")
    assert PSEUDONYMS.text("[alice~bert-pretrain.v2]_[1]_[WEB_UI]") == f"[{name}]_[1]_[WEB_UI]"
    assert PSEUDONYMS.text("/user/alice/x%20y\\nz").startswith(f"/user/{user}/")
    assert "%20" in PSEUDONYMS.text("/user/alice/x%20y\\nz")
    assert re.fullmatch(r"[a-z]{4}-[a-z]{8}\.v2", job)


@pytest.mark.parametrize(
    ("address", "pattern"),
    [
        ("10.1.2.3", r"10(\.\d+){3}"),
        ("192.168.7.9", r"192\.168(\.\d+){2}"),
        ("172.20.1.1", r"172\.(1[6-9]|2\d|3[01])(\.\d+){2}"),
        ("8.8.4.4", r"\d+(\.\d+){3}"),
    ],
)
def test_addresses_stay_in_their_network(address: str, pattern: str) -> None:
    found = PSEUDONYMS.text(f"host {address}:22")
    assert address not in found
    assert re.fullmatch(rf"host {pattern}:22", found)


def test_words_of_other_scripts_and_digests_are_told_too() -> None:
    assert PSEUDONYMS.text("工作者").isascii()
    assert PSEUDONYMS.text("工作者") != PSEUDONYMS.text("工作")
    assert re.fullmatch(r"[a-z]\d[a-z]\d{2}[a-z]", PSEUDONYMS.text("a3f96c"))
    assert PSEUDONYMS.text("a3f96c") != "a3f96c"
    assert len(PSEUDONYMS.text("x" * 500)) == 500


def test_names_that_are_keys_are_told_by_the_same_words() -> None:
    body = json.dumps(
        {"taskRoles": {"trainer": {"taskNumber": 1}}, "taskRoleName": "trainer", "environmentVariables": {"TEAM": "x"}}
    )
    found = json.loads(str(Anonymised(PSEUDONYMS).exchange(said(body, Server="alice", Date="Mon, 1")).response.body))
    (role,) = found["taskRoles"]
    assert role == found["taskRoleName"] != "trainer"
    assert found["taskRoles"][role] == {"taskNumber": 1}
    headers = Anonymised(PSEUDONYMS).exchange(said(None, Server=["alice"], Date="Mon, 1 Foo")).response.headers
    assert headers["Date"] == "Mon, 1 Foo"
    assert headers["Server"] != ["alice"]


@pytest.mark.parametrize(
    ("status", "reason", "kept"),
    [
        (404, "Not Found", True),
        (None, "The launcher did not answer within 10 s.", True),
        (404, "/v1/Frameworks/alice~mnist", False),
        (500, "Not Found", True),
        (503, "mnist is away", False),
    ],
)
def test_a_reason_in_words_of_its_own_names_nobody(status: int | None, reason: str, kept: bool) -> None:
    exchange = said(None)
    response = Response(status, reason, {}, None)
    told = Anonymised(PSEUDONYMS).exchange(replace(exchange, response=response)).response.reason
    assert told is not None
    assert (told == reason) == kept
    assert kept or len(told) == len(reason)


def test_the_key_lies_beside_the_folder_for_its_owner_only(tmp_path: Path) -> None:
    path, key = key_beside(tmp_path / "out")
    assert path == tmp_path / "out.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert key_beside(tmp_path / "out") == (path, key)
    path.write_text("short")
    with pytest.raises(NotWritten, match="too short"):
        key_beside(tmp_path / "out")
    path.unlink()
    path.mkdir()
    with pytest.raises(NotWritten, match="cannot be read or made"):
        key_beside(tmp_path / "out")


def test_the_vocabulary_names_nobody() -> None:
    assert vocabulary().isdisjoint({"alice", "bob", "carol", "dave", "mnist", "bert", "example"})
