"""Numbering never invents: over made-up lives of frameworks, whatever polls saw of them and the resource manager remembers."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from contracts.launcher.records import Application
from restserver.history.looks import Kept
from restserver.history.numbering import Numbering, Place, number
from tests.restserver.history.telling import CREATED, app, application


@dataclass(frozen=True)
class Life:
    """What really happened: each run's version, and its applications, by attempt."""

    runs: tuple[tuple[int, tuple[Application, ...]], ...]

    def places(self) -> dict[str, Place]:
        return {
            one.id: (run, attempt)
            for run, (_, applications) in enumerate(self.runs)
            for attempt, one in enumerate(applications)
        }

    def applications(self) -> list[Application]:
        return [one for _, applications in self.runs for one in applications]


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """Neighbouring runs have different versions: that is what makes them two."""
    runs: list[tuple[int, tuple[Application, ...]]] = []
    sequence = 1
    for length in draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)):
        version = draw(st.integers(1, 3).filter(lambda found: not runs or found != runs[-1][0]))
        runs.append((version, tuple(application(sequence + i, version=version) for i in range(length))))
        sequence += length
    return Life(tuple(runs))


def kept(id_: int, place: Place, version: int, application_id: str | None) -> Kept:
    return Kept(id_, 0, place[0], version, place[1], application_id, None, CREATED, False, False, None)


def seen_by_polls(life: Life, seen: set[str]) -> list[Kept]:
    """As a store would hold it: runs are counted as they were met, and the last attempt is always seen."""
    found: list[Kept] = []
    met = -1
    for version, applications in life.runs:
        here = [(i, one) for i, one in enumerate(applications) if one.id in seen]
        if here:
            met += 1
            found += [kept(len(found) + i, (met, attempt), version, one.id) for i, (attempt, one) in enumerate(here)]
    return found


def in_truth(life: Life, numbering: Numbering, stored: list[Kept]) -> dict[Place, Application]:
    """What was numbered, with each stored run under the number it really had."""
    places = life.places()
    really = {one.run: places[one.application_id or ""][0] for one in stored}
    return {(really[run], attempt): found for (run, attempt), found in numbering.numbered.items()}


@pytest.mark.no_cover
@given(lives(), st.data())
def test_what_is_numbered_is_right_and_nothing_is_lost(life: Life, data: st.DataObject) -> None:
    applications = life.applications()
    seen = {one.id for one in applications if data.draw(st.booleans())} | {applications[-1].id}
    stored = seen_by_polls(life, seen)
    numbering = number(stored, data.draw(st.permutations(applications)), over=False)
    assert not numbering.breaks
    places = life.places()
    for place, found in in_truth(life, numbering, stored).items():
        assert places[found.id] == place
    numbered = {one.id for one in numbering.numbered.values()}
    assert numbered | {one.id for one in numbering.strays} == {one.id for one in applications}
    assert not numbered & {one.id for one in numbering.strays}


@pytest.mark.no_cover
@given(lives(), st.data())
def test_the_newest_run_is_always_numbered_whole(life: Life, data: st.DataObject) -> None:
    applications = life.applications()
    seen = {one.id for one in applications if data.draw(st.booleans())} | {applications[-1].id}
    stored = seen_by_polls(life, seen)
    numbering = number(stored, applications, over=False)
    run = stored[-1].run
    newest = life.runs[-1][1]
    assert {place[1]: one.id for place, one in numbering.numbered.items() if place[0] == run} == {
        attempt: one.id for attempt, one in enumerate(newest)
    }


@pytest.mark.no_cover
@given(lives(), st.data())
def test_what_the_resource_manager_forgot_is_a_gap_and_never_a_wrong_number(life: Life, data: st.DataObject) -> None:
    applications = life.applications()
    seen = {one.id for one in applications if data.draw(st.booleans())} | {applications[-1].id}
    lost = data.draw(st.sampled_from(applications)).id
    # One is forgotten in a run whose version is not that of the runs around it, or the count could still fit by chance.
    run = life.places()[lost][0]
    around = [life.runs[i][0] for i in (run - 1, run + 1) if 0 <= i < len(life.runs)]
    whole = len(life.runs[run][1]) > 1 or len(set(around)) == len(around)
    stored = seen_by_polls(life, seen)
    numbering = number(stored, [one for one in applications if one.id != lost], over=False)
    if whole and not numbering.breaks:
        places = life.places()
        for place, found in in_truth(life, numbering, stored).items():
            assert places[found.id] == place


@pytest.mark.no_cover
@given(lives())
def test_one_run_of_two_looks_is_broken_where_another_version_ran(life: Life) -> None:
    """A store that took everything of one version for one run."""
    first, last = life.runs[0][1][0], life.applications()[-1]
    if len(life.runs) < 2 or life.runs[0][0] != life.runs[-1][0] or len(life.runs[-1][1]) < 2:
        return
    version = life.runs[0][0]
    stored = [kept(0, (0, 0), version, first.id), kept(1, (0, len(life.runs[-1][1]) - 1), version, last.id)]
    assert number(stored, life.applications(), over=False).breaks == ((0, len(life.runs[-1][1]) - 1),)


def test_applications_after_the_current_one_belong_to_a_later_look() -> None:
    stored = [kept(0, (0, 1), 1, app(2))]
    applications = [application(1), application(2), application(3)]
    assert set(number(stored, applications, over=False).numbered) == {(0, 0), (0, 1)}
    assert number(stored, applications, over=False).strays == ()
    assert number(stored, applications, over=True).strays == (applications[2],)


def test_sides_that_contradict_each_other_number_nothing() -> None:
    stored = [kept(0, (0, 0), 1, app(2)), kept(1, (0, 1), 1, app(1))]
    numbering = number(stored, [application(1), application(2), application(3)], over=False)
    assert numbering.numbered == {}


def test_two_runs_of_one_version_with_nothing_between_share_what_nobody_can_tell_apart() -> None:
    stored = [kept(0, (0, 0), 1, app(1)), kept(1, (1, 1), 1, app(4))]
    applications = [application(number_) for number_ in (1, 2, 3, 4)]
    numbering = number(stored, applications, over=False)
    assert set(numbering.numbered) == {(0, 0), (1, 1)}
    assert [one.id for one in numbering.strays] == [app(2), app(3)]


def test_an_id_of_another_form_is_numbered_by_its_start() -> None:
    odd = replace(application(1), id="job_1")
    stored = [kept(0, (0, 1), 1, app(2))]
    assert number(stored, [application(2), odd], over=False).numbered[0, 0] == odd
