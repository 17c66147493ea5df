"""What was recorded is answered again: byte for byte at every recorded instant, and, by pseudonyms, in every relation."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from contracts import registry
from contracts.clock import Instant, VirtualClock
from contracts.harness.laws import check
from contracts.harness.observations import Observation
from contracts.harness.recording.anonymising import Anonymised
from contracts.harness.recording.files import RecordingFiles
from contracts.harness.recording.following import DIALECTS, Ask, Following
from contracts.harness.recording.pseudonyms import Pseudonyms
from contracts.launcher import private_dialect, wire
from contracts.launcher.recordings import Response, exchanges, files_of, to_line
from contracts.launcher.timelines import read_recordings
from restserver.answers.exit_messages import exit_messages
from restserver.commands.record import asking
from restserver.launchers.recorded import SHIPPED, RecordedLauncher, RecordedResourceManager
from restserver.serving.waitress_server import serving as served_by_waitress
from restserver.settings import Settings
from simulator.launcher import SimulatedResourceManager
from tests.promises.judging import objection
from tests.promises.looking import Looking, client
from tests.promises.subjects import HARD_CASES, Subject, frozen_clock, in_simulation, recorded, recorded_exchanges
from tests.simulator import served_world
from tests.stand_ins.recorded import RecordedBytes
from tests.stand_ins.served import serving

PSEUDONYMS = Pseudonyms(b"a key of more than sixteen bytes")


@contextmanager
def asked_over_http(url: str, dialect: str) -> Iterator[Ask]:
    with ExitStack() as stack:
        yield asking(replace(Settings(), backend="launcher", launcher_url=url, rm_url=url, dialect=dialect), stack)


def record_all(
    folder: Path, ask: Ask, clock: VirtualClock, instants: list[Instant], dialect: str, names: tuple[str, ...] | None
) -> None:
    """A look at each instant."""
    files = RecordingFiles(folder, "recorded")
    following = Following(
        dialect, ask, lambda one: one, files.write, clock.now, asks_resource_manager=True, names=names
    )
    for instant in instants:
        clock.set(instant)
        following.look()
    files.leave()


def replayed(folder: Path) -> Subject:
    recordings = read_recordings(folder)
    clock = VirtualClock(recordings.last, frozen=True)
    launcher = RecordedLauncher(recordings, clock)
    instants = {name: recordings.instants(name) for name in recordings.names()}
    return Subject(launcher, RecordedResourceManager(recordings, clock), clock, instants, in_process=True)


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real launcher's own bytes, recorded once more, over HTTP, at every recorded instant of some hard lives."""
    folder = tmp_path_factory.mktemp("again")
    stand_in, clock = RecordedBytes(recorded_exchanges()), frozen_clock()
    with recorded() as subject, serving(stand_in.reply) as served, asked_over_http(served.url, "open") as ask:
        instants = sorted({instant for name in HARD_CASES for instant in subject.instants[name]})

        def at_its_instant(source: str, path: str) -> Response:
            stand_in.at = clock.now()
            return ask(source, path)

        record_all(folder, at_its_instant, clock, instants, "open", HARD_CASES)
    return folder


@pytest.mark.no_cover
@pytest.mark.parametrize("style", registry.STYLES)
def test_the_recorded_backend_answers_byte_for_byte_what_was_recorded(again: Path, style: str) -> None:
    anew = replayed(again)
    with recorded() as first:
        clients = [client(subject, style) for subject in (first, anew)]
        answered = 0
        for name in HARD_CASES:
            for instant in first.instants[name]:
                for subject in (first, anew):
                    subject.clock.set(instant)
                mine, theirs = (asked.simulate_get(f"/api/v2/jobs/{name}") for asked in clients)
                assert (mine.status_code, mine.content) == (theirs.status_code, theirs.content)
                answered += mine.status_code == 200
    assert answered > 100


@pytest.mark.no_cover
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_simulated_launcher_is_recorded_in_both_dialects(dialect: str, tmp_path: Path) -> None:
    with in_simulation() as world:
        manager = world.resource_manager
        assert isinstance(manager, SimulatedResourceManager)
        app = served_world.served(dialect, world.launcher, manager, world.clock)
        instants = sorted({instant for each in world.instants.values() for instant in each})[::32]
        with served_by_waitress(app) as url, asked_over_http(url, dialect) as ask:
            record_all(tmp_path, ask, world.clock, instants, dialect, None)
        if dialect == "private":
            details = [
                private_dialect.decode_framework(wire.parse((one.response.body or "").encode()))
                for path in files_of(tmp_path)
                for one in exchanges(path, lambda warning: None)
                if one.response.status == 200 and one.request.path.count("/") == 3 and one.source == "launcher"
            ]
            assert len(details) > 30
            return
        anew = replayed(tmp_path)
        asked, told = (client(subject, "documented") for subject in (anew, world))
        found = 0
        for instant in instants[1::4]:
            for name in anew.instants:
                anew.clock.set(instant)
                world.clock.set(instant)
                mine, theirs = (one.simulate_get(f"/api/v2/jobs/{name}") for one in (asked, told))
                assert (mine.status_code, mine.content) == (theirs.status_code, theirs.content)
                found += mine.status_code == 200
        assert found > 30


@pytest.fixture(scope="module")
def by_pseudonyms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped recordings, told by pseudonyms."""
    folder = tmp_path_factory.mktemp("pseudonyms")
    telling = Anonymised(PSEUDONYMS)
    for path in files_of(SHIPPED):
        lines = [to_line(telling.exchange(exchange)) for exchange in exchanges(path, lambda warning: None)]
        (folder / path.name.removesuffix(".gz")).write_text("\n".join([*lines, ""]))
    return folder


@pytest.mark.no_cover
@pytest.mark.parametrize("style", registry.STYLES)
def test_what_is_told_by_pseudonyms_keeps_every_law_and_schema(by_pseudonyms: Path, style: str) -> None:
    subject = replayed(by_pseudonyms)
    asked, observations = client(subject, style), list[Observation]()
    for name, instants in subject.instants.items():
        for instant in instants[::3]:
            subject.clock.set(instant)
            observations += Looking(asked, name, instant).everything()
    assert sum(one.status == 200 for one in observations) > 300
    assert check(observations) == []
    for one in observations:
        wrong = objection(one.operation, one.status, style, one.body)
        assert wrong is None, f"{one}: {wrong}"


def test_what_is_told_by_pseudonyms_differs_in_names_and_texts_only(by_pseudonyms: Path) -> None:
    plain, told = replayed(SHIPPED), replayed(by_pseudonyms)
    clients = [client(subject, "portal") for subject in (plain, told)]
    for name, instants in plain.instants.items():
        other = PSEUDONYMS.text(name)
        assert other != name
        assert told.instants[other] == instants
        for instant in (instants[len(instants) // 2], instants[-1]):
            for subject in (plain, told):
                subject.clock.set(instant)
            mine, theirs = (
                json.loads(asked.simulate_get(f"/api/v2/frameworks/{each}/attempts/0").content)
                for asked, each in zip(clients, (name, other), strict=True)
            )
            assert _shape(mine) == _shape(theirs)
    everything = "".join(path.read_text() for path in files_of(by_pseudonyms))
    assert "alice" not in everything
    assert "something went wrong" not in everything


def test_what_is_cut_from_diagnostics_is_cut_from_pseudonyms_too() -> None:
    cut = 0
    for path in sorted(Path("fixtures/cases").glob("*/launcher.json")):
        for said in json.loads(path.read_text())["launcher"].values():
            for text in _texts(said):
                for code in (1, -7351):
                    mine, theirs = (exit_messages(one, code) for one in (text, PSEUDONYMS.text(text)))
                    assert {key: type(value) for key, value in mine.items()} == {
                        key: type(value) for key, value in theirs.items()
                    }
                    cut += mine["container"] is not None or mine["runtime"] is not None
    assert cut > 20


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _shape(value: object) -> object:
    """Everything but the texts that are not a state."""
    if isinstance(value, dict):
        return [(key if isinstance(inner, (int, str, float)) else "", _shape(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [_shape(inner) for inner in value]
    return len(value) if isinstance(value, str) and not value.isupper() else value
