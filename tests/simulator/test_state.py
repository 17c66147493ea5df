"""A world as one document: restored exactly, refused clearly, and never half saved."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from contracts.clock import VirtualClock
from simulator import launcher_state
from simulator.faults.faults import FaultSet
from simulator.simulation import Simulation
from simulator.state_file import LARGEST, BadState, StateFile, StateNotSaved, parsed
from simulator.told.scenario_files import Scenarios
from simulator.world.profile_files import BadProfile
from tests.simulator.worlds import HOUR, START, names, shown, simulation, submission

NAME = "bob~kept"


def _everything(world: Simulation) -> dict[str, object]:
    return {name: shown(world, name) for name in names(world)}


def _eventful(file: Path | None = None) -> Simulation:
    world = simulation(file=file)
    world.journal.submit(NAME, submission({"retry": 2}))
    world.journal.stop(names(world)[-1])
    with world.changing():
        world.clock.advance(HOUR)
        world.clock.scale(60)
    world.journal.tell("bob~told", {"name": "bob~told", "containers": [{"run": "PT5M"}]})
    with world.changing():
        world.clock.advance(HOUR)
    return world


def test_a_state_is_restored_exactly_into_any_world() -> None:
    world = _eventful()
    saved = json.loads(json.dumps(world.state()))
    other = Simulation(99, 3, VirtualClock(5, frozen=False), "calm", Scenarios(None))
    other.restore(saved)
    assert other.state() == saved
    assert other.clock.read() == world.clock.read()
    assert _everything(other) == _everything(world)
    assert (other.seed, other.jobs, other.profile) == (7, 20, "tiny")
    other.reset()
    assert other.clock.now() == START
    assert NAME not in names(other)


def test_a_file_is_restored_at_the_start_and_holds_every_change(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    world = _eventful(file)
    again = simulation(file=file)
    assert again.state() == world.state()
    assert _everything(again) == _everything(world)
    # Whatever is done is in the file before anybody is told.
    world.journal.delete(NAME)
    assert json.loads(file.read_bytes()) == world.state()
    world.reset()
    assert json.loads(file.read_bytes())["journal"] == []
    assert os.listdir(tmp_path) == ["world.json"]  # noqa: PTH208 - hidden ones too


def test_faults_are_part_of_a_state(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    world = simulation(file=file)
    faults = FaultSet(world.clock)
    world.keep("faults", faults)
    with world.changing():
        faults.add({"kind": "unavailable", "side": "launcher", "ttl": 60})
    again = simulation(file=file)
    restored = FaultSet(again.clock)
    again.keep("faults", restored)
    assert [fault.kind for fault in restored.all()] == ["unavailable"]
    assert again.state() == world.state()
    again.reset()
    assert restored.all() == []
    again.restore({key: value for key, value in world.state().items() if key != "faults"})
    assert restored.all() == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"version": 2}, "of version 2; this program reads version 1"),
        ({"version": None}, "of version None"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": True}, "seed is True"),
        ({"jobs": 0}, "jobs is 0"),
        ({"profile": "none-such"}, "no shipped profile"),
        ({"profileIdentity": "x"}, "is not the mix any more"),
        ({"clock": {"now": "soon", "rate": 1, "frozen": True}}, "soon"),
        ({"clock": {"now": "2026-03-01T12:00:00Z", "rate": 0, "frozen": True}}, "rate"),
        ({"clock": {"now": "2026-03-01T12:00:00Z", "rate": True, "frozen": True}}, "a clock has a rate"),
        ({"clock": {"now": "2026-03-01T12:00:00Z", "rate": 1, "frozen": 1}}, "a clock has a rate"),
        ({"clock": []}, "list indices"),
        ({"start": {}}, "it says nothing of 'rate'"),
        ({"journal": [{}]}, "None at None"),
        ({"journal": 5}, "not iterable"),
        (
            {"journal": [{"at": "2026-03-01T12:00:00Z", "name": "x", "do": "tell", "story": {"name": "y"}}]},
            "the story told for x is another's",
        ),
        (
            {"journal": [{"at": "2026-03-01T12:00:00Z", "name": "x", "do": "tell", "story": {"name": "y", "z": 1}}]},
            "the story of x",
        ),
        (
            {
                "journal": [
                    {"at": "2026-03-01T12:00:01Z", "name": "x", "do": "stop"},
                    {"at": "2026-03-01T12:00:00Z", "name": "x", "do": "stop"},
                ]
            },
            "in time order",
        ),
    ],
)
def test_a_state_that_is_none_is_refused_and_changes_nothing(change: dict[str, Any], complaint: str) -> None:
    world = _eventful()
    before, seen = world.state(), _everything(world)
    with pytest.raises(BadState) as caught:
        world.restore({**before, **change})
    assert complaint in str(caught.value)
    assert world.state() == before
    assert _everything(world) == seen


@pytest.mark.parametrize("missing", ["seed", "jobs", "profile", "start", "clock", "journal"])
def test_what_a_state_says_nothing_of_is_named(missing: str) -> None:
    world = simulation()
    document = {key: value for key, value in world.state().items() if key != missing}
    with pytest.raises(BadState, match=missing):
        world.restore(document)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[]", b"5", b"[" * 100_000])
def test_a_corrupt_file_is_no_state(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "world.json"
    file.write_bytes(content)
    with pytest.raises(BadState, match=r"world\.json"):
        simulation(file=file)
    assert file.read_bytes() == content


def test_a_file_that_is_too_large_or_cannot_be_read_is_no_state(tmp_path: Path) -> None:
    with pytest.raises(BadState, match="larger"):
        parsed(b" " * (LARGEST + 1), "it")
    with pytest.raises(BadState, match="cannot be read"):
        StateFile(tmp_path).load()
    assert StateFile(tmp_path / "none").load() is None


def test_what_cannot_be_saved_has_not_happened(tmp_path: Path) -> None:
    file = tmp_path / "there" / "world.json"
    file.parent.mkdir()
    world = _eventful(file)
    kept, before, seen = file.read_bytes(), world.state(), _everything(world)
    file.parent.rename(tmp_path / "away")
    with pytest.raises(StateNotSaved, match="nothing was changed"):
        world.journal.delete(NAME)
    with pytest.raises(StateNotSaved), world.changing():
        world.clock.advance(HOUR)
    with pytest.raises(StateNotSaved):
        world.reset()
    with pytest.raises(StateNotSaved):
        world.populate(seed=3)
    (tmp_path / "away").rename(file.parent)
    assert world.state() == before
    assert _everything(world) == seen
    assert file.read_bytes() == kept


def test_a_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "world.json"
    world = _eventful(file)
    kept = file.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateNotSaved, match="No space left"):
        world.journal.delete(NAME)
    assert file.read_bytes() == kept
    assert [path.name for path in tmp_path.iterdir()] == ["world.json"]
    assert NAME in names(world)


def test_a_folder_that_cannot_be_opened_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may fail once the new file is in its place: what it holds would be taken back, and be there after a start."""
    file = tmp_path / "world.json"
    world = _eventful(file)
    kept = file.read_bytes()

    def too_many(*_: object) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "open", too_many)
    with pytest.raises(StateNotSaved, match="Too many open files"):
        world.journal.delete(NAME)
    assert file.read_bytes() == kept
    assert NAME in names(world)


def test_another_population_drops_what_was_done_to_the_one_before() -> None:
    world = _eventful()
    assert world.populate(seed=8, jobs=30, profile="calm") == 3
    assert (world.seed, world.jobs, world.profile) == (8, 30, "calm")
    assert len(names(world)) in (29, 30, 31)
    with pytest.raises(BadProfile):
        world.populate(profile="none-such")
    assert world.profile == "calm"
    assert world.populate() == 0


def test_what_the_launcher_was_told_is_kept_and_restored_exactly(tmp_path: Path) -> None:
    file = tmp_path / "world.json"
    world = simulation(file=file)
    acl = {"namespaceAcls": {"alice": {"users": [{"name": "bob"}]}}, "normalAdminUsers": [{"name": "carol"}]}
    world.launcher_requests.set_acl(acl)
    with world.changing():
        world.clock.advance(HOUR)
    world.launcher_requests.set_cluster({"nodes": {"node-1": {"gpuType": "K80"}}})
    world.launcher_requests.set_data_deployment("LAUNCHED", "2")
    again = simulation(file=file)
    assert again.state() == world.state()
    assert again.launcher_requests.now() == world.launcher_requests.now()
    with again.changing():
        again.clock.set(START)
    assert again.launcher_requests.now().cluster == {"nodes": None}
    assert again.launcher_requests.now().acl == acl
    again.reset()
    assert again.launcher_requests.now().acl == {"namespaceAcls": {}, "normalAdminUsers": []}


def test_a_state_of_before_the_launcher_was_told_anything_still_loads() -> None:
    world = simulation()
    world.launcher_requests.set_data_deployment("LAUNCHING", "1")
    old = {key: value for key, value in simulation().state().items() if key != "launcherRequest"}
    world.restore(old)
    assert world.launcher_requests.now().launching is None


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ("all", "list"),
        ([1], "object"),
        ([{"at": "yesterday", "clusterConfiguration": {}, "aclConfiguration": {}}], "yesterday"),
        ([{"clusterConfiguration": {}, "aclConfiguration": {}, "launchedDataDeploymentVersion": 2}], "text"),
        ([{"clusterConfiguration": {}, "aclConfiguration": {"namespaceAcls": 3}}], "LinkedHashMap"),
        (
            [
                {"at": at, "clusterConfiguration": {}, "aclConfiguration": {}}
                for at in ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z")
            ],
            "time order",
        ),
    ],
)
def test_a_wrong_telling_of_the_launcher_changes_nothing(told: object, named: str) -> None:
    world = simulation()
    world.launcher_requests.set_data_deployment("LAUNCHING", "1")
    before = world.state()
    with pytest.raises(BadState, match=named):
        world.restore({**before, "launcherRequest": told})
    assert world.state() == before


def test_what_cannot_be_saved_the_launcher_was_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = simulation(file=tmp_path / "world.json")

    def full(_: StateFile, __: object) -> None:
        raise StateNotSaved(tmp_path, "no space left")

    monkeypatch.setattr(StateFile, "save", full)
    with pytest.raises(StateNotSaved):
        world.launcher_requests.set_data_deployment("LAUNCHING", "1")
    assert world.launcher_requests.now().launching is None


def test_the_launcher_is_told_only_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher_state, "MOST_TOLD", 2)
    world = simulation()
    for version in ("1", "2"):
        world.launcher_requests.set_data_deployment("LAUNCHING", version)
    with pytest.raises(launcher_state.TooMuchTold, match="reset"):
        world.launcher_requests.set_data_deployment("LAUNCHING", "3")
    assert world.launcher_requests.now().launching == "2"


def test_a_state_of_before_hosts_had_a_size_still_loads() -> None:
    world = _eventful()
    saved = world.state()
    old = {**saved, "profileIdentity": world.world.population.profile.former_identity()}
    assert old["profileIdentity"] != saved["profileIdentity"]
    again = simulation()
    again.restore(old)
    assert again.state() == saved
