"""Laws L8 and L9: the lists of attempts and versions, and what they promise to answer.

A list says nothing about itself, so it is judged only together with the job detail of the same instant: between two looks
a job may have been upgraded twice.
"""

from collections.abc import Iterator, Sequence

from contracts.harness.observations import (
    GET_ATTEMPT,
    GET_ATTEMPTS,
    GET_VERSIONS,
    Job,
    Moment,
    Observation,
    Violation,
    runs,
)


def listed(one: Observation) -> tuple[int, ...]:
    """The ids of a list body: it has one key, which each style names differently."""
    (ids,) = one.body.values()
    return tuple(ids)


def l8_attempts_are_kept(moments: Sequence[Moment]) -> Iterator[Violation]:
    """Within a run the list of attempts only grows, ends with the current one at most, and every id in it is answered."""
    for run in runs(moments):
        newest: Observation | None = None
        for moment in run:
            job = moment.job()
            for one in moment.of(GET_ATTEMPTS):
                if job is None or one.status != 200 or one.version not in (None, job.status["version"]):
                    continue
                yield from _grows(newest, one)
                newest = one
            if job is not None and newest is not None:
                yield from _ends_in_time(newest, job)
    for moment in moments:
        yield from _attempts_are_answered(moment)


def _grows(before: Observation | None, after: Observation) -> Iterator[Violation]:
    if before is not None:
        lost = sorted(set(listed(before)) - set(listed(after)))
        if lost:
            yield Violation("L8", f"attempts {lost} vanished from the list", (before, after))


def _ends_in_time(list_: Observation, job: Job) -> Iterator[Violation]:
    current = job.status["attemptId"]
    if max(listed(list_), default=0) > current:
        yield Violation("L8", f"attempts {listed(list_)} while the current one is {current}", (list_, job.seen))


def _attempts_are_answered(moment: Moment) -> Iterator[Violation]:
    for one in moment.of(GET_ATTEMPTS):
        if one.status != 200:
            continue
        for detail in moment.of(GET_ATTEMPT):
            if detail.version == one.version and detail.attempt in listed(one) and detail.status == 404:
                yield Violation("L8", f"attempt {detail.attempt} is listed and not found", (one, detail))


def l9_versions_are_kept(moments: Sequence[Moment]) -> Iterator[Violation]:
    """The list of versions holds the current one, and each of them answers its list of attempts."""
    for moment in moments:
        job = moment.job()
        for one in moment.of(GET_VERSIONS):
            if job is not None and (
                one.status == 404 or (one.status == 200 and job.status["version"] not in listed(one))
            ):
                what = f"the current version {job.status['version']} is not in the list"
                yield Violation("L9", what, (job.seen, one))
            if one.status != 200:
                continue
            for attempts in moment.of(GET_ATTEMPTS):
                if attempts.version in listed(one) and attempts.status == 404:
                    what = f"version {attempts.version} is listed and its attempts are not found"
                    yield Violation("L9", what, (one, attempts))
