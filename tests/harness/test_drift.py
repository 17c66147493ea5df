"""``restserver drift`` as people call it, the sides that are ours, and waivers."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from contracts import registry
from contracts.clock import VirtualClock, from_iso
from contracts.harness.drift import document_to_schemas, schemas_to_simulator
from contracts.harness.drift.findings import Compared, Comparison, Finding, distinct
from contracts.harness.drift.recorded import recorded
from contracts.harness.drift.sides import RECOVERY, Simulated
from contracts.harness.drift.waivers import BadWaivers, Waiver, judge, read_waivers
from contracts.harness.drift.watching import Heard, Live, NoAnswer, chosen, watch
from contracts.harness.observations import Observation
from contracts.launcher import recordings
from contracts.launcher.lifecycle import FrameworkState
from contracts.launcher.records import Summary
from restserver import cli
from restserver.assembling import simulated_worlds
from restserver.commands.drift import SeenLauncher, drift
from restserver.launchers.http_resource_manager import NoResourceManager
from restserver.launchers.recorded import SHIPPED
from restserver.serving.waitress_server import serving
from restserver.worlds import World, untouched
from restserver.worlds import served as served_world
from simulator.simulation import Simulation
from tests.harness.drifted import RECORDINGS, everything, side
from tests.simulator.served_world import served

NOW = from_iso("2026-03-01T12:00:00Z")


@pytest.fixture(autouse=True)
def _one_simulated_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made once; the command asks for it each time."""

    def made(profile: str | None, seed: int) -> Simulated:
        return side() if (profile, seed) == (None, 1) else cli_side(profile, seed)

    monkeypatch.setattr(simulated_worlds, "simulated_side", made)
    monkeypatch.setattr(schemas_to_simulator, "compare", schemas_to_simulator_once)


cli_side = simulated_worlds.simulated_side
compare_schemas = schemas_to_simulator.compare


@cache
def schemas_to_simulator_once(simulated: Simulated) -> Compared:
    assert simulated is side()
    return compare_schemas(simulated)


def drifts(*arguments: object) -> Result:
    return CliRunner().invoke(drift, [str(argument) for argument in arguments], standalone_mode=False)


# --- document to schemas --------------------------------------------------------------------------------------------


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    shutil.copy(registry.FOLDER / "api.md", tmp_path)
    for name in ("openapi.documented.json", "openapi.portal.json"):
        shutil.copy(registry.FOLDER / name, tmp_path)
    shutil.copytree(registry.FOLDER / "schemas", tmp_path / "schemas")
    return tmp_path


def edited(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def of_document(folder: Path) -> dict[str, Finding]:
    return {finding.id: finding for finding in document_to_schemas.compare(folder).findings}


def test_what_is_derived_is_as_the_document_says(contract: Path) -> None:
    assert of_document(contract) == {}


@pytest.mark.no_cover
def test_other_words_in_the_document_are_wording_and_say_their_line(contract: Path) -> None:
    edited(contract, "api.md", "who submitted it;", "whoever submitted it;")
    found = of_document(contract)
    finding = found["document-schemas/wording/getJob.jobStatus.username.description"]
    lines = (contract / "api.md").read_text(encoding="utf-8").splitlines()
    assert "whoever submitted it" in lines[int(finding.place.rpartition(":")[2]) - 1]
    assert {one.rule for one in found.values()} == {"wording"}
    assert finding.seen == 4  # a schema and an OpenAPI document in each style


def test_another_type_in_the_document_is_more_than_wording(contract: Path) -> None:
    edited(contract, "api.md", "username: string ", "username: integer ")
    edited(contract, "api.md", 'who submitted it; e.g. "alice"', "who submitted it; e.g. 3")
    found = of_document(contract)
    assert found["document-schemas/schema/getJob.jobStatus.username.type"].what.endswith(
        'says "integer", the schema "string"'
    )


def test_a_schema_that_was_edited_lost_or_added_is_found(contract: Path) -> None:
    edited(contract, "schemas/documented/getVersions.200.json", '"array"', '"object"')
    (contract / "schemas/portal/getJob.404.json").unlink()
    (contract / "schemas/portal/getJob.418.json").write_text("{}")
    (contract / "schemas/portal/getJob.405.json").write_text("{")
    layout = contract / "schemas/portal/getJob.414.json"
    layout.write_text(json.dumps(json.loads(layout.read_text())))
    found = of_document(contract)
    assert sorted(one.rule for one in found.values()) == ["extra", "layout", "missing", "schema", "unreadable"]
    assert found["document-schemas/missing/schemas-portal-getJob.404.json"].what.endswith("is missing")


def test_a_document_that_cannot_be_read_is_a_finding(contract: Path) -> None:
    edited(contract, "api.md", "username: string ", "username: strong ")
    (finding,) = of_document(contract).values()
    assert finding.rule == "unreadable"
    assert "strong" in finding.what


# --- schemas to simulator -------------------------------------------------------------------------------------------


Spoil = Callable[[Observation], Observation | None]


def of_simulator(spoil: Spoil) -> dict[str, Finding]:
    told = (one for one in side().answers("documented") if one.operation == "getJob")
    answers = [spoiled for one in told if (spoiled := spoil(one)) is not None]
    compared = compare_schemas(replace(side(), answers=lambda _: answers), ["documented"])
    return {finding.id: finding for finding in compared.findings}


def status_with(**values: object) -> Spoil:
    def spoil(one: Observation) -> Observation:
        if one.operation != "getJob" or one.status != 200:
            return one
        return replace(one, body={**one.body, "jobStatus": {**one.body["jobStatus"], **values}})

    return spoil


def without(key: str) -> Spoil:
    def spoil(one: Observation) -> Observation:
        if one.operation != "getJob" or one.status != 200:
            return one
        status = {name: value for name, value in one.body["jobStatus"].items() if name != key}
        return replace(one, body={**one.body, "jobStatus": status})

    return spoil


def never(key: str, value: object) -> Spoil:
    """As if the simulator had forgotten it."""
    return lambda one: (
        None if one.operation == "getJob" and one.status == 200 and one.body["jobStatus"][key] == value else one
    )


@pytest.mark.no_cover
def test_the_simulator_shows_what_the_schemas_promise_in_both_styles() -> None:
    compared = schemas_to_simulator_once(side())
    assert compared.findings == ()
    assert "answers in both styles" in (compared.looked_at or "")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (without("username"), "schemas-simulator/schema-required/"),
        (status_with(mood="good"), "schemas-simulator/schema-additionalProperties/"),
        (status_with(version="1"), "schemas-simulator/schema-type/"),
        (status_with(state="PAUSED"), "schemas-simulator/schema-enum/"),
        (never("state", "STOPPED"), "schemas-simulator/never-shown/getJob-200-jobStatus.state-STOPPED"),
        (never("appExitCode", None), "schemas-simulator/never-shown/getJob-200-jobStatus.appExitCode-null"),
        (status_with(executionType="UNKNOWN"), "schemas-simulator/shown-after-all/getJob-200-jobStatus.executionType-UNKNOWN"),
        (lambda one: replace(one, status=418), "schemas-simulator/status/"),
    ],
)  # fmt: skip
def test_what_the_simulator_shows_otherwise_or_never_is_found(spoil: Spoil, expected: str) -> None:
    found = of_simulator(spoil)
    assert any(one.startswith(expected) for one in found), sorted(found)[:20]


@pytest.mark.no_cover
def test_a_finding_says_the_line_of_the_document() -> None:
    found = of_simulator(never("state", "STOPPED"))
    finding = found["schemas-simulator/never-shown/getJob-200-jobStatus.state-STOPPED"]
    line = int(finding.place.split(":")[1].split(",")[0])
    assert "state: State" in (registry.FOLDER / "api.md").read_text(encoding="utf-8").splitlines()[line - 1]


# --- waivers --------------------------------------------------------------------------------------------------------


def finding(where: str, comparison: Comparison = Comparison.SIMULATOR_REAL) -> Finding:
    return Finding(comparison, "null", where, "something is null", "somewhere")


def waiver(pattern: str, expires: str = "2026-03-01") -> Waiver:
    return Waiver(pattern, "known", date.fromisoformat(expires), "waivers.yaml:1")


RAN = frozenset({Comparison.SIMULATOR_REAL})


def test_a_waiver_counts_until_its_last_day_is_over() -> None:
    judged = judge([finding("x")], [waiver("simulator-real/null/*")], NOW, RAN)
    assert (judged.open, judged.about_waivers) == ((), ())
    assert [one.where for one, _ in judged.waived] == ["x"]
    later = judge([finding("x")], [waiver("simulator-real/null/*")], NOW + 86_400_000, RAN)
    assert [one.where for one in later.open] == ["x"]
    (expired,) = later.about_waivers
    assert expired.id == "waivers/expired/simulator-real-null-*"
    assert "2026-03-01" in expired.what


def test_a_waiver_that_nothing_needs_is_a_finding_if_what_it_is_about_was_compared() -> None:
    (unused,) = judge([], [waiver("simulator-real/null/y")], NOW, RAN).about_waivers
    assert unused.rule == "unused"
    assert judge([], [waiver("simulator-real/null/y")], NOW, frozenset()).about_waivers == ()
    assert judge([], [waiver("document-schemas/*")], NOW, RAN).about_waivers == ()
    assert judge([], [waiver("*")], NOW, RAN).about_waivers != ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("finding: x", "a list of waivers"),
        ("- x", "waivers.yaml:1: 'x' is no waiver"),
        ("- {finding: x, reason: y}", "wrong or missing: expires"),
        ("\n- {finding: x, reason: y, expires: 2027-01-01, until: never}", "waivers.yaml:2"),
        ("- {finding: '', reason: y, expires: 2027-01-01}", "no pattern"),
        ("- {finding: x, reason: ' ', expires: 2027-01-01}", "without a reason"),
        ("- {finding: x, reason: y, expires: soon}", "no day"),
        ("- {finding: x, reason: y, expires: 2027-02-30}", "day is out of range"),
        ("- {finding: x, reason: y, expires: 2027-01-01T00:00:00}", "no day"),
        ("- [", "not YAML"),
    ],
)
def test_a_bad_waiver_file_says_where_and_why(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text(text)
    with pytest.raises(BadWaivers, match=r"waivers\.yaml") as raised:
        read_waivers(path)
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_empty_waiver_file_waives_nothing(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_text("# nothing yet\n")
    assert read_waivers(path) == ()


def test_the_same_finding_is_told_once_with_its_examples() -> None:
    (one,) = distinct(replace(finding("x"), examples=(name,)) for name in "abcd")
    assert (one.seen, one.examples) == (4, ("a", "b", "c"))


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_the_shipped_recordings_have_not_drifted() -> None:
    result = drifts("--recordings", SHIPPED)
    assert result.return_value == 0, result.output
    assert result.output.splitlines()[-1] == "no drift"
    assert "✓ simulator to real: no drift (12 recordings" in result.output


def test_without_a_real_side_three_are_compared_and_the_page_says_so() -> None:
    result = drifts()
    assert result.return_value == 0
    assert "simulator to real: the real side was not given" in result.output


@pytest.fixture
def spoiled(tmp_path: Path) -> Path:
    """A recording whose launcher counts wrongly."""
    said = [one for one in everything().said["alice~s01b-succeed-2tasks"] if one.status == 200]
    lines = [
        {
            "scenario": "s",
            "t_ms": one.instant,
            "source": "launcher",
            "request": {"method": "GET", "path": "/v1/Frameworks/alice~s01b-succeed-2tasks", "headers": {}, "body": None},
            "response": {
                "status": 200,
                "reason": "OK",
                "headers": {},
                "body": one.body.replace('"retriedCount" : 0', '"retriedCount" : 5').replace('"retriedCount":0', '"retriedCount":5'),
            },
        }
        for one in said
    ]  # fmt: skip
    folder = tmp_path / "recordings"
    folder.mkdir()
    (folder / "s.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_drift_is_told_to_people_and_machines_and_fails(spoiled: Path) -> None:
    result = drifts("--recordings", spoiled)
    assert result.return_value == 1
    assert "simulator-real/law-L2/sum-of-the-counters, seen " in result.output
    assert "see simulator/machine/retry.py; shown by alice~s01b-succeed-2tasks at 2026-" in result.output
    assert result.output.splitlines()[-1].startswith("drifted in ")
    machine = drifts("--recordings", spoiled, "--json")
    assert machine.return_value == 1
    told = json.loads(machine.output)
    assert told["drifted"] is True
    assert "simulator-real/law-L2/sum-of-the-counters" in {one["id"] for one in told["findings"]}
    assert [one["given"] for one in told["comparisons"]] == [True, True, True]


def test_waived_drift_does_not_fail_and_is_shown(spoiled: Path, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("- {finding: simulator-real/*, reason: a known fault of launcher 7, expires: 2126-01-01}\n")
    result = drifts("--recordings", spoiled, "--waivers", waivers)
    assert result.return_value == 0, result.output
    assert (
        "waived until 2126-01-01: simulator-real/law-L2/sum-of-the-counters (a known fault of launcher 7)"
        in result.output
    )
    assert result.output.splitlines()[-1].startswith("no drift, ")
    told = json.loads(drifts("--recordings", spoiled, "--waivers", waivers, "--json").output)
    assert told["waived"][0]["expires"] == "2126-01-01"
    waivers.write_text("- {finding: simulator-real/*, reason: it was known, expires: 2026-01-01}\n")
    expired = drifts("--recordings", spoiled, "--waivers", waivers)
    assert expired.return_value == 1
    assert "waivers/expired/simulator-real-" in expired.output


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--recordings", SHIPPED, "--launcher-url", "http://127.0.0.1:1"], 2, "one real side"),
        (["--rm-url", "http://127.0.0.1:1"], 2, "needs --launcher-url"),
        (["--recordings", "contracts"], 2, "no recordings in contracts"),
        (["--launcher-url", "ftp://x"], 2, "ftp"),
        (["--launcher-url", "http://127.0.0.1:1"], 3, "refused the connection"),
        (["--profile", "no-such-profile"], 2, "no-such-profile"),
        (["--waivers", "pyproject.toml"], 2, "--waivers: pyproject.toml"),
        (["--seed", "-1"], 2, "-1"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: Sequence[str], code: int, says: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["drift", *map(str, arguments)])
    assert ended.value.code == code
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["drift"])
    assert ended.value.code == 2
    assert "pip install 'restserver[check]'" in capsys.readouterr().err


@pytest.mark.proof
def test_another_profile_brings_its_own_intervals() -> None:
    tiny = cli_side("tiny", 3)
    assert set(tiny.paces) == {"fast"}
    assert compare_schemas(tiny).findings == ()
    assert set(side().paces) == {"fast", "deployed"}


# --- a live launcher ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["open", "private"])
def launcher(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    clock = VirtualClock(NOW, rate=20)
    world = Simulation(3, 25, clock, "tiny")
    application = served(request.param, world.launcher, world.resource_manager, clock)
    with serving(application) as address:
        yield address, request.param


@pytest.mark.no_cover
def test_a_live_launcher_is_only_read_and_has_not_drifted(launcher: tuple[str, str]) -> None:
    address, dialect = launcher
    # Twenty times as fast as the watch that looks at it, which goes by the clock that the answers tell.
    result = drifts(
        "--launcher-url",
        address,
        "--rm-url",
        address,
        "--dialect",
        dialect,
        "--for",
        1,
        "--poll-interval",
        0.3,
        "--json",
    )
    told: dict[str, Any] = json.loads(result.output)
    assert [one["id"] for one in told["findings"]] == []
    real = told["comparisons"][2]
    assert f"({dialect})" in real["lookedAt"]
    assert "60 frameworks" in real["lookedAt"]
    replayed = "does not tell what was asked for" not in " ".join(real["notes"])
    assert replayed == (dialect == "open")


def test_the_wrong_dialect_is_no_launcher(launcher: tuple[str, str]) -> None:
    address, dialect = launcher
    other = {"open": "private", "private": "open"}[dialect]
    with pytest.raises(SystemExit) as ended:
        cli.main(["drift", "--launcher-url", address, "--dialect", other])
    assert ended.value.code == 3


def summary(name: str, state: FrameworkState, asked: int) -> Summary:
    listed = next(iter(everything().histories.values())).records()[0].summary
    return msgspec.structs.replace(listed, name=name, state=state, first_request_timestamp=asked)


def test_mostly_what_may_still_change_is_watched() -> None:
    living = [summary(f"living{k}", FrameworkState.APPLICATION_RUNNING, k) for k in range(100)]
    over = [summary(f"over{k}", FrameworkState.FRAMEWORK_COMPLETED, k) for k in range(100)]
    names = chosen([*living, *over])
    assert len(names) == 60
    assert sum(name.startswith("living") for name in names) == 40
    assert names[0] == "living99"
    assert len(chosen(living)) == 60
    assert chosen(over[:3]) == ("over2", "over1", "over0")


def test_a_launcher_that_falls_silent_is_watched_on() -> None:
    said = [one for one in everything().said["alice~s01b-succeed-2tasks"] if one.status == 200]
    turns = iter([said[0], None, said[1], said[1]])

    def framework(name: str) -> Heard:
        del name
        turn = next(turns)
        if turn is None:
            raise NoAnswer("it is away")
        return Heard(200, turn.body)

    def application(identity: str) -> Heard:
        raise NoAnswer(identity)

    listed = [summary("alice~s01b-succeed-2tasks", FrameworkState.APPLICATION_RUNNING, 1)]
    clock = _Ticking()
    seconds = count()
    real = watch(
        Live("here", "open", lambda: listed, framework, application), clock, 3900, 0, lambda: next(seconds) / 2
    )
    assert len(real.said["alice~s01b-succeed-2tasks"]) == 2  # what did not change is not told again
    told = real.said["alice~s01b-succeed-2tasks"]
    assert [one.before for one in told] == [None, told[0].instant], "a silence is no look"
    unknown, silence = real.silences
    assert unknown.ends == told[0].instant, "before the first answer nobody knows of it"
    assert (silence.begins, silence.ends) == (told[0].instant, told[1].instant + RECOVERY)
    assert real.applications == {}


class _Ticking:
    def __init__(self) -> None:
        self._now = NOW

    def now(self) -> int:
        self._now += 300
        return self._now


def test_a_launcher_of_which_no_framework_was_seen_can_be_presented() -> None:
    clock = VirtualClock(NOW, frozen=True)
    nothing = World(SeenLauncher({}, clock), NoResourceManager(), clock, {})
    answers = [seen.answer for seen in served_world(nothing, "documented")(untouched)]
    assert [(one.instant, one.status) for one in answers] == [(NOW, 400)] * 2, (
        "only the questions that are always asked"
    )


def test_the_launcher_that_was_seen_tells_no_past() -> None:
    from contracts.launcher.port import Ask, NoSuchAttempt, NoSuchFramework, NoSuchVersion

    history = everything().histories["alice~s07a-delete-while-running-resubmit"]
    clock = VirtualClock(history.looks[-1].instant, frozen=True)
    seen = SeenLauncher({history.name: history}, clock)
    status = seen.framework(history.name, Ask()).value.status
    assert seen.attempts(history.name, None, Ask()).value == (status.retries.total,)
    assert seen.versions(history.name, Ask()).value == (status.version,)
    assert list(seen.summaries(Ask())) == []
    seen.ready(Ask())
    with pytest.raises(NoSuchVersion):
        seen.attempts(history.name, 99, Ask())
    with pytest.raises(NoSuchAttempt):
        seen.attempt(history.name, 99, None, Ask())
    clock.set(next(look.instant for look in history.looks if look.framework is None))
    for ask in (lambda: seen.framework(history.name, Ask()), lambda: seen.versions("nobody", Ask())):
        with pytest.raises(NoSuchFramework):
            ask()
    with pytest.raises(NoSuchAttempt):
        seen.attempt("nobody", 0, None, Ask())
    with pytest.raises(NoSuchVersion):
        seen.attempts("nobody", None, Ask())


def test_a_wall_clock_that_is_put_back_makes_no_watch_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    said = next(one for one in everything().said["alice~s01b-succeed-2tasks"] if one.status == 200)
    instants: Iterator[int] = iter([NOW, NOW + 50, *range(NOW - 3_600_000, NOW)])
    pauses: list[float] = []
    seconds = [0.0]

    class PutBack:
        def now(self) -> int:
            return next(instants)

    def pause(length: float) -> None:
        pauses.append(length)
        seconds[0] += length

    monkeypatch.setattr("contracts.harness.drift.watching.pause", pause)
    listed = [summary("alice~s01b-succeed-2tasks", FrameworkState.APPLICATION_RUNNING, 1)]
    live = Live("here", "open", lambda: listed, lambda name: Heard(200, said.body))
    watch(live, PutBack(), 3000, 1000, lambda: seconds[0])
    assert pauses == [1.0, 1.0, 1.0]


def test_a_recording_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    told = recordings.exchanges

    def counted(path: Path, warn: recordings.Warn) -> Iterator[recordings.Exchange]:
        read.append(path.name)
        return told(path, warn)

    for module in ("contracts.launcher.timelines", "contracts.harness.drift.recorded"):
        monkeypatch.setattr(f"{module}.exchanges", counted, raising=False)
    recorded(RECORDINGS)
    assert read
    assert len(read) == len(set(read))
