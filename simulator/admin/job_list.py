"""What ``GET /__admin/jobs`` shows: pages of jobs, made lazily, with bounded work per call.

Two lists answer it: one over the simulated world, that pages by index and reads no more jobs than it shows or searches,
and one over anything a launcher lists, for launchers that hold few.
"""

from collections.abc import Callable, Iterable
from typing import Literal, Protocol

from msgspec import Struct

from contracts.launcher.port import Ask, Launcher
from contracts.launcher.records import Summary
from contracts.states import job_state, sub_state
from simulator.problems import BadInput

STATES = ("WAITING", "RUNNING", "SUCCEEDED", "STOPPED", "FAILED", "UNKNOWN")
ORDERS = ("newest", "oldest")
USUAL_PAGE = 50
LARGEST_PAGE = 1000
LONGEST_INSTANT = 15
"""Digits."""
SCANNED_AT_MOST = 1000
"""Jobs looked at in one call with a filter: a rare one needs several calls, none of which is long."""


class JobQuery(Struct, frozen=True):
    limit: int = USUAL_PAGE
    offset: int | None = None
    cursor: str | None = None
    """Where an earlier page ended."""
    order: Literal["newest", "oldest"] = "newest"
    state: str | None = None
    user: str | None = None
    name: str | None = None
    """How the names begin."""

    @property
    def filtered(self) -> bool:
        return not (self.state is None and self.user is None and self.name is None)

    def matches(self, job: Summary) -> bool:
        return (
            (self.name is None or job.name.startswith(self.name))
            and (self.user is None or job.user_name == self.user)
            and (self.state is None or job_state(job.state, job.application_exit_code) == self.state)
        )


class JobPage(Struct, frozen=True):
    jobs: tuple[Summary, ...]
    cursor: str | None
    """``None`` on the last page."""
    scanned: int
    """Jobs that were looked at for this page."""
    total: int | None
    """All jobs; ``None`` with a filter."""


class JobList(Protocol):
    def page(self, query: JobQuery) -> JobPage:
        """Raises BadInput for a cursor that is none."""


class ListedJobs:
    """The jobs of any launcher. Reads its whole list for every page."""

    def __init__(self, launcher: Launcher) -> None:
        self._launcher = launcher

    def page(self, query: JobQuery) -> JobPage:
        newest_first = query.order == "newest"
        jobs = sorted(self._launcher.summaries(Ask()), key=_place, reverse=newest_first)
        begin = query.offset or 0
        if query.cursor is not None:
            left = _place_of_cursor(query.cursor)
            begin = sum(1 for job in jobs if (_place(job) >= left if newest_first else _place(job) <= left))
        shown, last, scanned = select((_candidate(job) for job in jobs[begin:]), query)
        more = last is not None and begin + scanned < len(jobs)
        return JobPage(shown, last if more else None, scanned, None if query.filtered else len(jobs))


Candidate = tuple[str, str, str, Callable[[], Summary | None]]
"""Its cursor, name and user, and what reads it; ``None`` if it turns out not to exist."""


def _candidate(job: Summary) -> Candidate:
    return _cursor(job), job.name, job.user_name, lambda: job


def select(candidates: Iterable[Candidate], query: JobQuery) -> tuple[tuple[Summary, ...], str | None, int]:
    """The jobs of one page, the cursor of the last candidate looked at, and how many were."""
    shown: list[Summary] = []
    scanned = 0
    last: str | None = None
    for cursor, name, user, read in candidates:
        scanned += 1
        last = cursor
        if (query.name is None or name.startswith(query.name)) and (query.user is None or user == query.user):
            job = read()
            if job is not None and query.matches(job):
                shown.append(job)
        if len(shown) >= query.limit or scanned >= max(SCANNED_AT_MOST, query.limit):
            break
    return tuple(shown), last, scanned


def listed(job: Summary) -> dict[str, object]:
    """One entry of the page, in the words of the API."""
    return {
        "name": job.name,
        "username": job.user_name,
        "state": job_state(job.state, job.application_exit_code),
        "subState": sub_state(job.state),
        "version": job.version,
        "attemptId": job.retries.total,
        "executionType": job.execution_type.value,
        "createdTime": job.first_request_timestamp or 0,
        "completedTime": job.completed_timestamp or 0,
        "appExitCode": job.application_exit_code,
        "virtualCluster": job.queue,
        "totalTaskNumber": job.total_task_number,
        "totalTaskRoleNumber": job.total_task_role_number,
    }


def _place(job: Summary) -> tuple[int, str]:
    return job.first_request_timestamp or 0, job.name


def _cursor(job: Summary) -> str:
    created, name = _place(job)
    return f"{created}.{name}"


def _place_of_cursor(cursor: str) -> tuple[int, str]:
    created, dot, name = cursor.partition(".")
    if not (dot and created.isascii() and created.isdigit() and len(created) <= LONGEST_INSTANT):
        raise BadInput(f"cursor {cursor!r} is none that this list has given")
    return int(created), name
