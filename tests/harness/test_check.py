"""``restserver check`` against our own server, which keeps the contract, and the ways to call it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contracts.launcher import open_dialect
from restserver import cli
from restserver.setting_values import Allowance
from tests.harness.served_app import INSTANT, Reply, Spoiled, checked, served
from tests.stand_ins.known import framework
from tests.stand_ins.misbehaving import port_of_nobody
from tests.stand_ins.served import Reply as Reply_
from tests.stand_ins.served import serving

if TYPE_CHECKING:
    from contracts.clock import VirtualClock


@pytest.fixture(scope="module")
def server() -> Iterator[Spoiled]:
    with served() as application:
        yield application


@pytest.fixture
def sound(server: Spoiled) -> Spoiled:
    server.spoiler = None
    server.asked.clear()
    return server


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and the one line on standard error, as the program gives them."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["check", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().err


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("backend", "style"),
    [
        ("recorded", "documented"),
        pytest.param("simulated", "portal", marks=pytest.mark.proof),
        pytest.param("recorded", "portal", marks=pytest.mark.proof),
    ],
)
def test_our_server_keeps_the_contract_in_every_style_and_backend(backend: str, style: str) -> None:
    with served(style, backend) as application:
        code, output = checked(application.url, "--style", style, "-n", "500")
    assert code == 0, output
    assert "the contract is kept" in output
    if backend == "simulated":
        assert "statuses 23/23" in output
        assert "not provokable" not in output


@pytest.mark.no_cover
def test_a_recorded_launcher_was_once_away_and_every_operation_says_so() -> None:
    """Its clock goes to the instants at which something was recorded: a silence is one of them."""
    with served("documented", "recorded") as application:
        code, output = checked(application.url, "-n", "1000", "--phases", "stateful")
    assert code == 0, output
    assert "not provokable" not in output


@pytest.mark.no_cover
def test_every_status_is_met_and_most_requests_are_about_real_names(sound: Spoiled) -> None:
    code, output = checked(sound.url, "-n", "600", "--fail-under", "80", "-w", "3")
    assert code == 0, output
    assert re.search(r"real names: \d\d+ from the control plane of http", output)
    share = re.search(r"(\d+) % about real names", output)
    assert share is not None
    assert int(share[1]) >= 50
    assert "operations 4/4, statuses 23/23, parameters 16/16" in output


def test_the_other_style_is_found_to_be_broken(sound: Spoiled) -> None:
    code, output = checked(sound.url, "--style", "portal", "-n", "100", "--phases", "coverage")
    assert code == 1
    assert "NoFrameworkAttemptsError" in output


@pytest.mark.no_cover
def test_a_server_that_wants_a_token_is_checked_with_one() -> None:
    with served(read_tokens=("sesame",)) as application:
        code, output = checked(
            application.url, "-n", "300", "--phases", "coverage", "--header", "Authorization: Bearer sesame"
        )
        assert code == 0, output
        assert "only where configured: 401 (--read-token), 429 (--rate-limit)" in output
        code, output = checked(application.url, "-n", "300", "--phases", "coverage")
        assert code == 1
        assert "200 is documented and was never answered: a token is wanted; give it with --header" in output
        assert "only where configured: 429 (--rate-limit)" in output
        assert "status: un" not in output


def test_a_server_that_allows_so_many_requests_is_told_to_be_asked_more_slowly() -> None:
    with served(rate_limit=Allowance(20, 3_600_000)) as application:
        code, output = checked(application.url, "-n", "300", "--phases", "coverage")
    assert code == 1
    assert "too many requests; ask more slowly, --rate-limit" in output
    assert "status: un" not in output


def test_too_little_coverage_fails_if_that_is_asked_for(sound: Spoiled) -> None:
    code, output = checked(sound.url, "-n", "20", "--phases", "examples", "--fail-under", "99.5")
    assert code == 1
    assert "less than 99.5 %" in output


@pytest.mark.parametrize("frozen", [True, False])
def test_the_clock_is_left_as_it_was_found(sound: Spoiled, frozen: bool) -> None:
    clock: VirtualClock = sound.clock
    clock.scale(2.0)
    if not frozen:
        clock.resume()
    before = clock.read()
    code, _ = checked(sound.url, "-n", "100", "--phases", "stateful", "--at", "2026-02-01T00:00:00Z")
    after = clock.read()
    clock.reset()
    assert code == 0
    assert (after.rate, after.frozen) == (before.rate, before.frozen)
    assert after.now - before.now == 0 if frozen else 0 < after.now - before.now < 120_000
    assert before.now >= INSTANT


@pytest.mark.no_cover
def test_the_same_seed_asks_the_same_and_another_something_else(sound: Spoiled) -> None:
    def asked(seed: str, *more: str) -> list[str]:
        sound.asked.clear()
        assert checked(sound.url, "-n", "60", "--seed", seed, *more)[0] == 0
        return [path for path in sound.asked if path.startswith("/api")][1:]  # the first asks whose clock it lives by

    first = asked("7")
    assert asked("7") == first
    assert asked("8") != first
    fuzzed = asked("7", "--phases", "fuzzing")
    assert "".join(fuzzed) in "".join(first)


def test_names_come_from_a_file_and_from_recordings_too(sound: Spoiled, tmp_path: Path) -> None:
    (tmp_path / "names").write_text("# mine\nalice~job\n\n")
    recordings = Path(__file__).parents[2] / "fixtures/recordings/s14a-launcher-restart.jsonl.gz"
    flags = ["--names", str(tmp_path / "names"), "--recordings", str(recordings)]
    _, output = checked(sound.url, *flags, "-n", "20", "--phases", "examples", "--admin-url", "off")
    assert re.search(r"real names: 1 from \S+names; \d+ from the recordings in ", output)


def test_names_come_from_a_launcher_too(sound: Spoiled) -> None:
    records = [framework("alice~one").summary, framework("alice~two").summary]
    told = json.dumps(open_dialect.encode_summaries(records)).encode()
    with serving(lambda asked: Reply_(200, told)) as launcher:
        flags = ["--launcher-url", launcher.url, "--dialect", "open", "--admin-url", "off"]
        _, output = checked(sound.url, *flags, "-n", "200", "--phases", "examples")
    assert "real names: 2 from the launcher" in output
    assert launcher.asked[0].path == open_dialect.FRAMEWORKS_PATH
    assert "/api/v2/jobs/alice~two" in sound.asked


def test_a_server_without_a_clock_is_watched_in_real_time(sound: Spoiled, tmp_path: Path) -> None:
    sound.clock.resume()
    checked(sound.url, "-n", "200", "--phases", "examples")
    (tmp_path / "names").write_text(
        "".join(f"{path.split('/')[4]}\n" for path in sound.asked if "/jobs/" in path and "mnist" not in path)
    )
    sound.asked.clear()
    flags = ["--admin-url", "off", "--names", str(tmp_path / "names"), "--phases", "stateful", "-n", "300"]
    code, output = checked(sound.url, *flags, "--max-time", "1.5")
    sound.clock.reset()
    assert code == 0, output
    assert "stopped early: --max-time is over" in output
    jobs = [path for path in sound.asked if path.startswith("/api/v2/jobs/")]
    assert len(jobs) > len(set(jobs))


def test_without_a_name_200_is_missed_and_the_way_out_is_told(sound: Spoiled) -> None:
    code, output = checked(sound.url, "--admin-url", "off", "-n", "100", "--phases", "coverage")
    assert code == 1
    assert "200 is documented and was never answered: no name of a job is known; --names FILE gives some" in output


def test_extra_keys_are_tolerated_if_that_is_asked_for(sound: Spoiled) -> None:
    def more(reply: Reply) -> None:
        if reply.status < 500 and reply.body.startswith(b"{"):
            reply.json = {**reply.json, "more": 1}

    sound.spoiler = more
    flags = ["-n", "60", "--phases", "examples"]
    assert checked(sound.url, *flags)[0] == 1
    code, output = checked(sound.url, *flags, "--tolerate", "extra-keys")
    assert code == 0, output


def test_what_is_in_the_baseline_fails_nothing(sound: Spoiled, tmp_path: Path) -> None:
    def other(reply: Reply) -> None:
        reply.body = reply.body.replace(b"NoJobError", b"JobNotFound")

    sound.spoiler = other
    flags = ["-n", "40", "--phases", "coverage"]
    code, output = checked(sound.url, *flags)
    fingerprints = re.findall(r"known as ([0-9a-f]{12})", output)
    baseline = tmp_path / "baseline"
    baseline.write_text("".join(f"{one}  since last year\n" for one in [*fingerprints, "0123456789ab"]))
    assert code == 1
    assert fingerprints
    code, output = checked(sound.url, *flags, "--baseline", str(baseline))
    assert code == 0
    assert f"known and accepted: {fingerprints[0]}" in output
    assert "not seen any more: 0123456789ab" in output


def test_another_openapi_document_is_judged_by_its_own_words(sound: Spoiled, tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "contracts/openapi.documented.json"
    document = json.loads(path.read_text())
    document["components"]["schemas"]["State"]["enum"].remove("WAITING")
    for item in document["paths"].values():
        del item["get"]["responses"]["405"]
    theirs = tmp_path / "theirs.json"
    theirs.write_text(json.dumps(document))
    code, output = checked(sound.url, "--contract", str(theirs), "-n", "200", "--phases", "examples,coverage")
    assert code == 1
    assert "against theirs.json" in output
    assert '"WAITING" is not one of' in output
    assert not re.search(r"\b405\b", output)  # a port may hold these digits


@pytest.mark.no_cover
def test_a_server_under_a_prefix_may_be_named_with_the_base_path(sound: Spoiled) -> None:
    code, output = checked(f"{sound.url}/api/v2/", "-n", "50", "--phases", "examples")
    assert code == 0, output


def test_nobody_listens_is_exit_3(capsys: pytest.CaptureFixture[str]) -> None:
    code, line = fails(capsys, f"http://127.0.0.1:{port_of_nobody()}", "--wait-for", "0.3")
    assert (code, line.count("\n")) == (3, 1)
    assert "cannot be reached within 0.3 s: no connection" in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "'nowhere' is no URL of a server"),
        (["http://user:secret@127.0.0.1"], "a header carries credentials"),
        (["http://127.0.0.1:99999999"], "is no URL"),
        (["http://127.0.0.1", "--phases", "examples,all"], "'examples,all'"),
        (["http://127.0.0.1", "--at", "soon"], "'soon' is no instant"),
        (["http://127.0.0.1", "--header", "secret"], "a header is"),
        (["http://127.0.0.1", "--rate-limit", "fast"], "'fast' is no rate"),
        (["http://127.0.0.1", "--report", "pdf"], "'pdf'"),
        (["http://127.0.0.1", "--style", "odd"], "'odd'"),
        (["http://127.0.0.1", "--contract", "README.md"], "neither JSON nor YAML"),
        (["http://127.0.0.1", "--contract", "Makefile"], "--contract: Makefile"),
        (["http://127.0.0.1", "--contract", "fixtures/cases/open-01/answer.json"], "no OpenAPI 3 document"),
        (["http://127.0.0.1", "--baseline", "README.md"], "is no fingerprint"),
        (["http://127.0.0.1", "-n", "0"], "-n"),
        (
            ["http://127.0.0.1", "--report", "html", "--report-dir", "/dev/null/x"],
            "--report-dir: /dev/null/x cannot be",
        ),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[2])
    code, line = fails(capsys, *arguments)
    assert (code, line.count("\n")) == (2, 1)
    assert says in line
    assert "secret" not in line.replace("'http://user:secret@127.0.0.1'", "")


def test_what_cannot_give_names_is_exit_2(sound: Spoiled, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("# nobody\n")
    nobody = f"http://127.0.0.1:{port_of_nobody()}"
    for flags, says in (
        (["--names", str(tmp_path / "empty")], "there are no names in it"),
        (["--recordings", str(tmp_path)], str(tmp_path)),
        (["--launcher-url", nobody], "--launcher-url"),
        (["--launcher-url", "nowhere"], "--launcher-url"),
        (["--admin-url", nobody], "--admin-url"),
        (["--admin-url", "off", "--at", "2026-03-01"], "--at needs a control plane"),
    ):
        code, line = fails(capsys, sound.url, *flags)
        assert code == 2, line
        assert says in line


def test_a_missing_extra_says_which_one_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, line = fails(capsys, "http://127.0.0.1:1")
    assert code == 2
    assert "pip install 'restserver[check]'" in line
