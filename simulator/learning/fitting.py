"""A profile's mix, fitted to what was seen of jobs. What too few jobs tell of stays as in the default profile, and is named.

Nothing is fitted that a profile cannot say: of lengths of time the median and the spread of a lognormal distribution, of numbers
of retries how often there are any and how many then, of sizes what occurred together.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, median, pstdev
from typing import Any

from msgspec import Struct

from contracts.clock import Milliseconds
from contracts.launcher.records import RetryState
from simulator.learning.shapes import MOST_GPUS, Mix, shapes_of
from simulator.learning.sightings import Job, Run
from simulator.lengths import iso_length, length
from simulator.machine.story import DAY, FAST, HOUR, MINUTE, SECOND
from simulator.world.profile import Between, Starting, starting_of
from simulator.world.profile_files import LONGEST_START, MARGIN

LEAST = 8
"""So many make a fit; with fewer the default stays."""
USUAL_JOBS = 200
"""The number of jobs a world has if nobody says otherwise; the window is made for it."""
LONGEST_WINDOW: Milliseconds = 30 * DAY
DOMAIN = "learned.example"
FAST_PULL: Milliseconds = 5 * SECOND
"""Half of all submissions are taken up sooner: by a launcher that looks every second, not every 20 s."""
QUEUE: Milliseconds = 30 * SECOND
"""Where half of all masters take longer they stand in a queue, and nobody can tell how long they would take without it."""
INSTANT: Milliseconds = 100
"""The shortest waiting that is told apart from none."""
MOST_RETRIES, MOST_UPGRADES, MOST_HOSTS = 8, 4, 10_000
WIDEST = 4.0
NEVER_RETRIED = frozenset({"refused", "restarting", "stopped_waiting"})


class Fitted(Struct, frozen=True):
    mix: Mix
    notes: tuple[str, ...]
    """A line for each part: from how many it was fitted, or that it was left at its default."""


class TooFew(ValueError):
    """There is nothing to fit a profile to."""


def fit(jobs: Sequence[Job], usual: Mapping[str, Any]) -> Fitted:
    """``usual``: the mix that says what nobody told. Raises TooFew."""
    if not jobs:
        raise TooFew("no framework was seen in them")
    runs = [run for job in jobs for run in job.runs]
    fitting = _Fitting(usual)
    fitting.window(jobs, runs)
    fitting.intervals([run.pull for run in runs if run.pull is not None])
    fitting.people(jobs)
    fitting.cluster(jobs, runs)
    fitting.names(jobs)
    fitting.shapes([run for run in runs if run.roles])
    starting = fitting.starting(runs)
    waited = [run.waited for run in runs if run.waited is not None]
    fitting.lengths("waiting", "first applications", _less(waited, starting.master), INSTANT)
    ran = [run.ran for run in runs if run.ran is not None]
    fitting.lengths("running", "runs that ended", _less(ran, starting.program), SECOND)
    fitting.endings([run.ending for run in runs if run.ending is not None])
    fitting.retries([run.retries for run in runs if run.ending is not None and run.ending not in NEVER_RETRIED])
    fitting.task_retries([run for run in runs if run.roles])
    fitting.upgrades(jobs)
    return Fitted(fitting.mix, tuple(fitting.notes))


class _Fitting:
    """The mix as it grows, part by part in the order of a profile."""

    def __init__(self, usual: Mapping[str, Any]) -> None:
        self._usual = usual
        self.mix: Mix = {"about": "Fitted to recordings."}
        self.notes: list[str] = []

    # --- parts ------------------------------------------------------------------------------------------------------

    def window(self, jobs: Sequence[Job], runs: Sequence[Run]) -> None:
        """As long as the usual number of jobs took to come, if the lives of this mix fit into that."""
        longest = max((run.ran or 0) for run in runs) + max((run.waited or 0) for run in runs)
        least = MARGIN + longest + 2 * HOUR
        span = jobs[-1].created - jobs[0].created
        if len(jobs) < LEAST or span <= 0:
            self.mix["window"] = iso_length(max(least, 12 * HOUR))
            self._left("arrivals", len(jobs), "jobs")
            return
        apart = span / (len(jobs) - 1)
        window = _whole(max(least, min(round(USUAL_JOBS * apart), LONGEST_WINDOW)), MINUTE)
        self.mix["window"] = iso_length(window)
        self._fitted(
            "arrivals", len(jobs), "jobs", f"one every {apart / SECOND:.1f} s, which is --jobs {round(window / apart)}"
        )

    def intervals(self, pulls: Sequence[Milliseconds]) -> None:
        if len(pulls) < LEAST:
            self.mix["intervals"] = self._usual["intervals"]
            self._left("intervals", len(pulls), "submissions")
            return
        half = median(pulls)
        self.mix["intervals"] = "fast" if half < FAST_PULL else "deployed"
        said = f"{self.mix['intervals']}: half of them were launched within {half / SECOND:.1f} s"
        self._fitted("intervals", len(pulls), "submissions", said)

    def people(self, jobs: Sequence[Job]) -> None:
        users = len({job.user for job in jobs})
        self.mix["users"] = {"count": min(users, MOST_HOSTS), "locales": dict(self._usual["users"]["locales"])}
        self._fitted("users", len(jobs), "jobs", f"{users}; their locales are left at default, for no name is kept")

    def cluster(self, jobs: Sequence[Job], runs: Sequence[Run]) -> None:
        """Queues are numbered, the most used first; the launcher's own default keeps its word."""
        hosts = {host for job in jobs for host in job.hosts}
        gpus = max([*(job.gpus_of_a_host for job in jobs), *(role.gpus for run in runs for role in run.roles), 0])
        queues = Counter(job.queue for job in jobs)
        words = {queue: "default" if queue in ("default", "") else f"queue-{n}" for n, queue in enumerate(queues, 1)}
        counted: Counter[str] = Counter()
        for queue, count in queues.most_common():
            counted[words[queue]] += count
        self.mix["cluster"] = {
            "hosts": min(max(1, len(hosts)), MOST_HOSTS) if hosts else self._usual["cluster"]["hosts"],
            "gpus_per_host": min(gpus, MOST_GPUS),
            "domain": DOMAIN,
            "queues": dict(counted),
        }
        if hosts:
            self._fitted("hosts", len(jobs), "jobs", f"{len(hosts)}, with {gpus} GPUs each")
        else:
            self._left("hosts", 0, "containers")
        self._fitted("queues", len(jobs), "jobs", f"{len(counted)}, numbered")

    def names(self, jobs: Sequence[Job]) -> None:
        """How often names are of a kind; the words are the default's."""
        self.mix["names"] = {
            "topics": list(self._usual["names"]["topics"]),
            "works": list(self._usual["names"]["works"]),
            "job_wrappers": _share(job.wrapper for job in jobs),
            "without_namespace": _share(not job.namespace for job in jobs),
            "groups": _share(job.grouped for job in jobs),
        }
        self._fitted("names", len(jobs), "jobs", "how often of which kind; the words are the default profile's")

    def shapes(self, runs: Sequence[Run]) -> None:
        if len(runs) < LEAST:
            self.mix["shapes"] = [dict(shape) for shape in self._usual["shapes"]]
            most = self.mix["cluster"]["gpus_per_host"]
            wanted = (role.get("gpus", [0, 0])[1] for shape in self.mix["shapes"] for role in shape["roles"].values())
            self.mix["cluster"]["gpus_per_host"] = max([most, *wanted])
            self._left("shapes", len(runs), "submissions")
            return
        self.mix["shapes"] = shapes_of(runs)
        self._fitted(
            "shapes", len(runs), "submissions", f"{len(self.mix['shapes'])} kinds; roles and ports are numbered"
        )

    def starting(self, runs: Sequence[Run]) -> Starting:
        """What of a start can be told apart from the waiting, and from the looks of the launcher, before and behind it."""
        usual = starting_of(self._usual["starting"])
        fast = self.mix["intervals"] == "fast"
        # A submission is taken up at the service's next look: on average after half of its period.
        pulls = [run.pull - FAST.service_request_pull // 2 for run in runs if run.pull is not None and fast]
        waited = sorted(run.waited for run in runs if run.waited is not None)
        without_queue = waited[: len(waited) // 2] if waited and median(waited) < QUEUE else []
        ran = sorted(run.ran for run in runs if run.ran is not None)
        fitted = Starting(
            submission=self._between(
                "submission", "submissions to a launcher that looks often", pulls, usual.submission
            ),
            master=self._between("master", "masters that did not have to queue", without_queue, usual.master),
            container=self._between(
                "container", "containers of no gang", [each for run in runs for each in run.granted], usual.container
            ),
            program=self._program(ran, usual.program),
        )
        self.mix["starting"] = {
            name: [iso_length(between.low), iso_length(between.high)]
            for name, between in ((name, getattr(fitted, name)) for name in Starting.__struct_fields__)
        }
        return fitted

    def _program(self, ran: Sequence[Milliseconds], usual: Between) -> Between:
        """Nobody tells when a program runs; but one that started and ended within a second took no longer to start."""
        if len(ran) < LEAST:
            self._left("starting.program", len(ran), "runs that ended")
            return usual
        high = min(usual.high, ran[len(ran) // 20])
        low = min(usual.low, high // 2)
        said = f"{low / SECOND:.1f} to {high / SECOND:.1f} s, for hardly any was over sooner"
        self._fitted("starting.program", len(ran), "runs that ended", said)
        return Between(low, high)

    def _between(self, part: str, what: str, seen: Sequence[Milliseconds], usual: Between) -> Between:
        """So that the quickest, and three quarters, come out where they were seen: the few that were held up count for nothing."""
        if len(seen) < LEAST:
            self._left(f"starting.{part}", len(seen), what)
            return usual
        in_order = sorted(seen)
        low, most = max(0, in_order[len(seen) // 20]), in_order[len(seen) * 3 // 4]
        high = min(LONGEST_START, max(low, low + (most - low) * 4 // 3))
        low = min(low, high)
        self._fitted(f"starting.{part}", len(seen), what, f"{low / SECOND:.1f} to {high / SECOND:.1f} s")
        return Between(low, high)

    def lengths(self, part: str, what: str, seen: Sequence[Milliseconds], least: Milliseconds) -> None:
        if len(seen) < LEAST:
            self.mix[part] = self._usual_lengths(part)
            self._left(part, len(seen), what)
            return
        half = max(least, round(median(seen)))
        spread = min(WIDEST, pstdev([math.log(max(least, length)) for length in seen]))
        longest = _whole(max(half, *seen), SECOND)
        self.mix[part] = {
            "median": iso_length(_whole(half, least)),
            "spread": round(spread, 2),
            "longest": iso_length(longest),
        }
        self._fitted(
            part, len(seen), what, f"median {half / SECOND:.{0 if half > 10 * SECOND else 1}f} s, spread {spread:.2f}"
        )

    def endings(self, seen: Sequence[str]) -> None:
        self._counts("endings", "runs that ended", Counter(seen), self._usual["endings"], self.mix)

    def retries(self, seen: Sequence[RetryState]) -> None:
        usual, counts = self._usual["retries"], [each.total - each.succeeded for each in seen]
        retried = [count for count in counts if count]
        self.mix["retries"] = {
            "chance": _share(map(bool, counts)) if len(seen) >= LEAST else usual["chance"],
            "most": _most(retried, MOST_RETRIES) if len(seen) >= LEAST else usual["most"],
        }
        if len(seen) >= LEAST:
            said = f"{len(retried)} were retried, {fmean(retried) if retried else 0:.1f} times"
            self._fitted("retries", len(seen), "runs that ended", said)
        else:
            self._left("retries", len(seen), "runs that ended")
        causes = Counter(
            {
                "user": sum(each.non_transient for each in seen),
                "platform": sum(each.transient_normal for each in seen),
                "resource": sum(each.transient_conflict for each in seen),
                "unknown": sum(each.unknown for each in seen),
            }
        )
        self._counts("causes", "retries", causes, usual["causes"], self.mix["retries"])

    def task_retries(self, runs: Sequence[Run]) -> None:
        """By what was asked for: policies are in every request, retries only in some looks."""
        usual = self._usual["task_retries"]
        if len(runs) < LEAST:
            self.mix["task_retries"] = dict(usual)
            self._left("task_retries", len(runs), "submissions")
            return
        policies = [policy for run in runs for policy in run.task_retry_policies]
        asked = [policy.max_retry_count for policy in policies if policy.max_retry_count > 0 and not policy.fancy]
        allowed = [any(policy.fancy or policy.max_retry_count for policy in run.task_retry_policies) for run in runs]
        chance = _share(allowed)
        self.mix["task_retries"] = {"chance": chance, "most": max(_most(asked, MOST_RETRIES), int(chance > 0))}
        self._fitted("task_retries", len(runs), "submissions", f"{sum(allowed)} allow their tasks some")

    def upgrades(self, jobs: Sequence[Job]) -> None:
        if len(jobs) < LEAST:
            self.mix["upgrades"] = dict(self._usual["upgrades"])
            self._left("upgrades", len(jobs), "jobs")
            return
        upgraded = [len(job.runs) - 1 for job in jobs if len(job.runs) > 1]
        self.mix["upgrades"] = {"chance": round(len(upgraded) / len(jobs), 4), "most": _most(upgraded, MOST_UPGRADES)}
        self._fitted("upgrades", len(jobs), "jobs", f"{len(upgraded)} got another version")

    # --- how --------------------------------------------------------------------------------------------------------

    def _counts(self, part: str, what: str, counts: Counter[str], usual: Mapping[str, Any], into: Mix) -> None:
        if counts.total() < LEAST:
            into[part] = dict(usual)
            self._left(part, counts.total(), what)
        else:
            into[part] = {word: count for word, count in counts.most_common() if count}
            self._fitted(part, counts.total(), what, ", ".join(f"{count} {word}" for word, count in into[part].items()))

    def _usual_lengths(self, part: str) -> Mix:
        """The default's are those of a day, and the window here may be one of hours: it grows."""
        other = {"waiting": "running", "running": "waiting"}[part]
        told = self.mix.get(other) or self._usual[other]
        least = length(self._usual[part]["longest"]) + length(told["longest"]) + MARGIN
        self.mix["window"] = iso_length(max(length(self.mix["window"]), least))
        return dict(self._usual[part])

    def _fitted(self, part: str, count: int, what: str, said: str) -> None:
        self.notes.append(f"{part}: fitted to {count} {what}: {said}")

    def _left(self, part: str, count: int, what: str) -> None:
        self.notes.append(f"{part}: left at default: {count} {what}, and fewer than {LEAST} say too little")


def _less(seen: Iterable[Milliseconds], start: Between) -> list[Milliseconds]:
    """Without what the start of it takes on average."""
    return [max(0, length - start.middle) for length in seen]


def _share(flags: Iterable[bool]) -> float:
    told = list(flags)
    return round(sum(told) / len(told), 4)


def _most(counts: Sequence[int], ceiling: int) -> int:
    """Of a number that is uniform from 1 on, and as large on average."""
    return min(ceiling, max(1, round(2 * fmean(counts) - 1))) if counts else 0


def _whole(length: Milliseconds, unit: Milliseconds) -> Milliseconds:
    """Rounded up."""
    return -(-length // unit) * unit
