"""Links worth opening: what ``make run`` prints, so that a newcomer sees something alive at once."""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final

from contracts.launcher.port import Ask, Launcher
from contracts.launcher.records import Summary
from contracts.states import FAILED, RUNNING, job_state
from restserver.answers.links import job_full_detail_url

LOOKED_AT: Final = 2_000
"""Jobs at most; a mix that hides one kind behind more of the others goes without its link."""


def _is(state: str) -> Callable[[Summary], bool]:
    return lambda job: job_state(job.state, job.application_exit_code) == state


KINDS: Final[Mapping[str, Callable[[Summary], bool]]] = {
    "a running job": _is(RUNNING),
    "a failed job": _is(FAILED),
    "a retried job": lambda job: job.retries.total > 0,
}


CONSOLE: Final = "the console"


def links_worth_opening(launcher: Launcher, base_url: str, *, console: bool = False) -> list[str]:
    """A line for each kind; the jobs differ where they can. Before them the console's, where there is one."""
    found: dict[str, str] = {}
    for job in islice(launcher.summaries(Ask()), LOOKED_AT):
        for kind, is_one in KINDS.items():
            if kind not in found and is_one(job) and job.name not in found.values():
                found[kind] = job.name
        if len(found) == len(KINDS):
            break
    width = max(map(len, KINDS))
    first = [f"  {CONSOLE:<{width}}  {base_url}/"] if console else []
    return first + [
        f"  {kind:<{width}}  {job_full_detail_url(base_url, found[kind])}" for kind in KINDS if kind in found
    ]
