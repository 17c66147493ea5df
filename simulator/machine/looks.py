"""When a change becomes visible: the web server looks at statuses, and at tasks as the masters pushed them, now and then."""

from bisect import insort

from contracts.clock import Instant
from simulator.machine.application import ApplicationLife
from simulator.machine.delays import next_tick, web_phase
from simulator.machine.story import Cluster


class Looks:
    def __init__(self, cluster: Cluster) -> None:
        self.changes: list[Instant] = []
        """Ascending: the instants at which what is shown may change."""
        self._known: set[Instant] = set()
        self._phase = web_phase(cluster.started)
        self._pull = cluster.intervals.web_status_pull
        self._push = cluster.intervals.am_status_push

    def at_once(self, instant: Instant) -> None:
        if instant not in self._known:
            self._known.add(instant)
            insort(self.changes, instant)

    def after_look(self, written: Instant) -> None:
        self.at_once(next_tick(written - 1, self._phase, self._pull))

    def after_push(self, application: ApplicationLife, changed: Instant) -> None:
        started, over = application.master_started, application.master_over
        if started is None or (over is not None and over < changed):
            return
        if over is not None:
            self.after_look(changed)
        else:
            self.after_look(next_tick(max(changed - 1, started), started, self._push))  # nothing is pushed at its start
