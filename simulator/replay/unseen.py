"""What of a history nobody saw, so that a replay of it has to make it up: then ours may come out otherwise, lawfully so.

Any poller misses something, and one that looks seldom misses most. Laws and the retry rule go on judging every two looks; what
is taken back is only that the simulator, told this history, would have to come out the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from contracts.launcher.exits import STOP_FRAMEWORK_CODES
from contracts.launcher.histories import BLIND, History, Look
from contracts.launcher.records import ExecutionType, FrameworkRequest
from simulator.machine.story import FAST
from simulator.replay.happened import Run, happened


def unseen(history: History) -> str | None:
    """The first thing that is missing; ``None``: nothing that one could tell."""
    return next(_missing(history), None)


def _missing(history: History) -> Iterator[str]:
    runs = happened(history, FAST).runs
    if min(runs[0].applications) > 0:
        yield "the first attempts were not seen"
    if any(map(_has_unseen_ends, runs)):
        yield "how an attempt ended was not seen, and what comes after hangs on when it did"
    if any(map(_has_unseen_ends_of_tasks, runs)):
        yield "how a container ended was not seen, and what comes after hangs on when it did"
    yield from _of_requests([look for look in history.looks if look.framework is not None])
    if any(role.tasks for role in history.records()[0].task_roles.values()):
        yield "its tasks were already there when somebody looked first"
    if any(_same_version(*pair) for pair in pairwise(runs)):
        yield "it left its version and came back while nobody looked"
    yield from _blind_spots(history.looks)


def _blind_spots(looks: Sequence[Look]) -> Iterator[str]:
    for before, after in pairwise(looks):
        if after.unseen > BLIND and _request(before) != _request(after):
            yield "it was looked at too seldom to see all that was asked for"


def _request(look: Look) -> FrameworkRequest | None:
    return None if look.framework is None else look.framework.request


def _has_unseen_ends(run: Run) -> bool:
    """Of attempts that were retried."""
    records = (run.applications.get(number) for number in range(min(run.applications), max(run.applications)))
    return any(record is None or record.status.application_exit_code is None for record in records)


def _has_unseen_ends_of_tasks(run: Run) -> bool:
    return any(
        number not in seen or seen[number].container_exit_code is None
        for seen in run.containers.values()
        for number in range(max(seen))
    )


def _of_requests(looks: Sequence[Look]) -> Iterator[str]:
    requests = list(_requests(looks))
    if requests and requests[0].first_request_timestamp != requests[0].last_request_timestamp:
        yield "what was asked for at first was not seen"
    # A look that found nothing in between dates it; without one, only the next submission does.
    if any(one.first_request_timestamp != other.first_request_timestamp for one, other in pairwise(requests)):
        yield "when it was deleted was not seen"
    stopped = any(one.descriptor.execution_type is ExecutionType.STOP for one in requests)
    codes = (look.framework.status.application_exit_code for look in looks if look.framework is not None)
    if not stopped and any(code in STOP_FRAMEWORK_CODES for code in codes):
        yield "what stopped it was not seen"


def _requests(looks: Iterable[Look]) -> Iterator[FrameworkRequest]:
    for look in looks:
        if look.framework is not None and look.framework.request is not None:
            yield look.framework.request


def _same_version(one: Run, other: Run) -> bool:
    return one.version == other.version
