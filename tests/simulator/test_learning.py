"""``profile learn``: a world made with the fitted profile looks like what it was fitted to, and names nothing of it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner

from contracts.launcher.open_dialect import decode_framework
from contracts.launcher.timelines import read_recordings
from contracts.launcher.wire import parse
from simulator.learning.fitting import LEAST, TooFew, fit
from simulator.learning.learn import learned
from simulator.learning.sightings import Job, Look, Run, jobs_in, jobs_of
from simulator.machine.timeline import plan
from simulator.profile_cli import profile
from simulator.world.profile import Profile
from simulator.world.profile_files import load, read, shipped_mix
from simulator.world.world import Told, World

RECORDINGS = Path(__file__).parents[2] / "fixtures" / "recordings"


def looks(told: Told) -> Iterator[Look]:
    timeline = plan(told.tell())
    at: int | None = told.begins
    while at is not None and at < told.ends:
        yield at, timeline.at(at)
        at = timeline.next_change(at)


def jobs_of_a_world(mix: Profile, seed: int, count: int = 200) -> list[Job]:
    world = World(seed, 100, mix)
    return [job for place in range(count) for job in jobs_in(looks(world.at_place(1000 + place)))]


def of_recordings() -> list[Job]:
    return jobs_of(read_recordings(RECORDINGS))


def of_the_default_profile() -> list[Job]:
    return jobs_of_a_world(load("default"), seed=1)


@cache
def before_and_after(real: Callable[[], list[Job]]) -> tuple[Sequence[Job], Sequence[Job]]:
    seen = real()
    fitted = fit(sorted(seen, key=lambda job: job.created), shipped_mix("default"))
    return seen, jobs_of_a_world(read(json.dumps(fitted.mix).encode(), "fitted"), seed=2)


def runs(jobs: Sequence[Job]) -> list[Run]:
    return [run for job in jobs for run in job.runs]


def apart(first: Iterable[object], second: Iterable[object]) -> float:
    """Total variation: 0 is the same, 1 has nothing in common."""
    one, other = Counter(first), Counter(second)
    return sum(abs(one[key] / one.total() - other[key] / other.total()) for key in {*one, *other}) / 2


def gap(one: Sequence[float], other: Sequence[float]) -> float:
    """Kolmogorov and Smirnov's: the widest distance between the two distributions."""
    return max(
        abs(sum(a <= x for a in one) / len(one) - sum(b <= x for b in other) / len(other)) for x in {*one, *other}
    )


both = pytest.mark.parametrize("real", [of_recordings, of_the_default_profile])


@both
def test_a_world_made_with_it_ends_as_often_in_each_way(real: Callable[[], list[Job]]) -> None:
    seen, made = before_and_after(real)
    assert apart(*([run.ending for run in runs(jobs) if run.ending] for jobs in (seen, made))) < 0.12


@pytest.mark.no_cover
@both
def test_its_jobs_are_of_the_same_sizes(real: Callable[[], list[Job]]) -> None:
    seen, made = before_and_after(real)

    def total(jobs: Sequence[Job], part: str) -> list[int]:
        return [sum(role.tasks * (getattr(role, part) if part else 1) for role in run.roles) for run in runs(jobs)]

    assert apart(*([len(run.roles) for run in runs(jobs)] for jobs in (seen, made))) < 0.08
    for part in ("", "cpu", "memory_mb", "gpus"):
        assert gap(total(seen, part), total(made, part)) < 0.15
    gangs = [sum(run.gang for run in runs(jobs)) / len(runs(jobs)) for jobs in (seen, made)]
    assert abs(gangs[0] - gangs[1]) < 0.12


@both
def test_its_jobs_are_retried_as_often(real: Callable[[], list[Job]]) -> None:
    seen, made = before_and_after(real)

    def retried(jobs: Sequence[Job]) -> float:
        ended = [run for run in runs(jobs) if run.ending is not None]
        return sum(run.retries.total > run.retries.succeeded for run in ended) / len(ended)

    assert abs(retried(seen) - retried(made)) < 0.08
    upgraded = [sum(len(job.runs) > 1 for job in jobs) / len(jobs) for jobs in (seen, made)]
    assert abs(upgraded[0] - upgraded[1]) < 0.06


@both
@pytest.mark.parametrize("part", ["pull", "waited", "ran"])
def test_its_jobs_are_taken_up_wait_and_run_as_long(real: Callable[[], list[Job]], part: str) -> None:
    lengths = (
        [getattr(run, part) for run in runs(jobs) if getattr(run, part) is not None] for jobs in before_and_after(real)
    )
    assert gap(*lengths) < 0.25


@both
def test_its_containers_come_as_soon(real: Callable[[], list[Job]]) -> None:
    granted = ([length for run in runs(jobs) for length in run.granted] for jobs in before_and_after(real))
    assert gap(*granted) < 0.3


def test_in_a_queue_nobody_can_tell_how_long_a_master_takes_to_start() -> None:
    """The default profile's jobs wait for a quarter of an hour: what is behind that stays as it is."""
    seen, _ = before_and_after(of_the_default_profile)
    fitted = fit(seen, shipped_mix("default"))
    assert fitted.mix["starting"]["master"] == ["PT2S", "PT6S"]
    assert any(note.startswith("starting.master: left at default") for note in fitted.notes)


@pytest.mark.no_cover
def test_it_is_not_any_world_that_looks_so() -> None:
    """The comparison can fail: another mix is told from the one that was learned."""
    seen, _ = before_and_after(of_recordings)
    other = jobs_of_a_world(load("gpu-training"), seed=2, count=100)
    assert apart(*([run.ending for run in runs(jobs) if run.ending] for jobs in (seen, other))) > 0.2
    assert gap(*([run.ran for run in runs(jobs) if run.ran is not None] for jobs in (seen, other))) > 0.5


@pytest.mark.no_cover
def test_nothing_that_was_recorded_is_named_in_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    result = CliRunner().invoke(profile, ["learn", str(RECORDINGS), "-o", str(file)])
    assert result.exit_code == 0, result.output
    text = file.read_text("utf-8") + result.output
    words = set(_words_of_recordings())
    assert len(words) > 500
    assert [word for word in words if re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-])", text)] == []
    assert load(str(file)).identity() == read(file.read_bytes(), "mine").identity()
    assert "endings: fitted to" in result.output
    assert all(f"# {line}" in text for line in result.output.splitlines())


def _words_of_recordings() -> Iterator[str]:
    """Names, users, hosts, roles, queues, ids and every line of text in what the launcher told."""
    for timeline in read_recordings(RECORDINGS).frameworks.values():
        for said in timeline.said:
            if said.status == 200 and said.body.startswith("{"):
                yield from (
                    word for word in _texts(json.loads(said.body)) if len(word) > 3 and word not in THE_LAUNCHERS
                )


THE_LAUNCHERS = {"default", "fast", "master", "true"}
"""Words that are no more the recordings' than the program's."""


def _texts(value: object, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        if key in ("taskRoles", "aggregatedTaskRoleStatuses", "migrateTaskRequests"):
            yield from value
        for name, each in value.items():
            yield from _texts(each, name)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, key)
    elif isinstance(value, str):
        yield from filter(None, (line.strip() for line in value.splitlines()))


def _recording(folder: Path, *statuses: int) -> Path:
    folder.mkdir()
    lines = [
        {
            "scenario": "s",
            "t_ms": 1_795_000_000_000 + place,
            "source": "launcher",
            "request": {"method": "GET", "path": "/v1/Frameworks/a~b", "headers": {}, "body": None},
            "response": {"status": status, "reason": "", "headers": {}, "body": "{}"},
        }
        for place, status in enumerate(statuses)
    ]
    (folder / "s.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


def test_what_nothing_can_be_learned_from_is_said(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    damaged = _recording(tmp_path / "damaged", 200)
    (damaged / "s.jsonl").write_text('{"scenario": 1}\n')
    for folder, named in (
        (empty, "no *.jsonl"),
        (tmp_path / "none", "no such folder"),
        (damaged, "line 1"),
        (_recording(tmp_path / "unknown", 404), "no framework was seen"),
        (_recording(tmp_path / "unreadable", 200), "no framework was seen"),
    ):
        result = CliRunner().invoke(profile, ["learn", str(folder), "-o", str(tmp_path / "out.yaml")])
        assert result.exit_code == 2
        assert named in result.output.replace("\n", " ")
        assert not (tmp_path / "out.yaml").exists()


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.mkdir()
    source = RECORDINGS / "s01a-succeed-1task.jsonl.gz"
    (one / source.name).write_bytes(source.read_bytes())
    result = CliRunner().invoke(profile, ["learn", str(one), "-o", str(tmp_path / "none" / "out.yaml")])
    assert result.exit_code == 2
    assert "cannot be written" in result.output


def test_what_too_few_tell_of_stays_at_its_default(tmp_path: Path) -> None:
    source = RECORDINGS / "s01a-succeed-1task.jsonl.gz"
    (tmp_path / source.name).write_bytes(source.read_bytes()[:-20])  # and its recorder was killed
    found = learned(tmp_path)
    mix, usual = read(found.text.encode(), "one"), load("default")
    assert (mix.shapes, mix.endings, mix.running) == (usual.shapes, usual.endings, usual.running)
    assert mix.users == 1
    assert [note.partition(":")[0] for note in found.notes if "left at default: " in note] == [
        "arrivals",
        "intervals",
        "shapes",
        "starting.submission",
        "starting.master",
        "starting.container",
        "starting.program",
        "waiting",
        "running",
        "endings",
        "retries",
        "causes",
        "task_retries",
        "upgrades",
    ]
    assert f"fewer than {LEAST}" in found.text
    assert len(found.warnings) == 1
    assert "cut off" in found.warnings[0]


@pytest.mark.no_cover
def test_how_soon_a_submission_is_taken_up_is_learned_of_jobs_first_seen_later_too() -> None:
    """A recording that begins in the middle of things shows few jobs from their beginning."""
    recordings = read_recordings(RECORDINGS)
    last = [
        [(said.instant, decode_framework(parse(said.content))) for said in timeline.said if said.status == 200][-1:]
        for timeline in recordings.frameworks.values()
    ]
    jobs = [job for one in last for job in jobs_in(one)]
    pulls = [run.pull for run in runs(jobs) if run.pull is not None]
    assert len(pulls) > len(jobs) / 3
    fitted = fit(jobs, shipped_mix("default"))
    assert fitted.mix["intervals"] == "fast"
    again = [run.pull for run in runs(of_recordings()) if run.pull is not None]
    assert {*pulls} <= {*again}, "a later look says nothing else than the first"


def test_no_jobs_are_no_profile() -> None:
    with pytest.raises(TooFew):
        fit([], shipped_mix("default"))
