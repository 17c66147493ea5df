"""What YARN does with an application: takes or refuses it, starts its master, kills it, loses it, gives it up."""

from contracts.clock import Instant
from simulator.dice import dice
from simulator.machine import diagnostics
from simulator.machine.application import ApplicationLife, YarnEnd
from simulator.machine.delays import next_tick
from simulator.machine.master import Master
from simulator.machine.placement import refusal
from simulator.machine.story import Crashed, EndContainers, Kill, Killed, Lost, MakeRoom, Refused, WorldEvent
from simulator.machine.surroundings import Surroundings

STOPPED_BY_SERVICE = Killed(0, from_ip="127.0.0.1")
SUBMISSION_REFUSED = -7300


class Hadoop:
    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._cluster = around.story.cluster
        self._master: Master | None = None
        """Of the newest application."""
        self._masters: list[Master] = []
        self._early: list[tuple[ApplicationLife, MakeRoom | EndContainers]] = []
        """What happened to an application before its master was there."""

    def fall_apart(self) -> None:
        for master in self._masters:
            master.fall_apart()

    def refusal(self, life: ApplicationLife) -> Refused | None:
        if isinstance(life.fate.end, Refused):
            return life.fate.end
        platform, queues = life.descriptor.platform, self._cluster.queues
        if queues is not None and platform.queue not in queues:
            reason = diagnostics.queue_refusal(life.id, life.user, platform.queue)
            return Refused(SUBMISSION_REFUSED, diagnostics.submission_text(life.id, reason), reason)
        text = refusal(platform.am_resource, platform.am_node_label, self._cluster)
        return None if text is None else Refused(SUBMISSION_REFUSED, text)

    def rejected(self, now: Instant, life: ApplicationLife, reason: str) -> None:
        """It was taken and rejected; nobody ran for it."""
        life.submitted = now
        _close(now, life, YarnEnd("FAILED", "FAILED", 0.0, reason))

    def submitted(self, now: Instant, life: ApplicationLife) -> None:
        life.submitted = now
        if life.fate.am_start is not None:
            self._around.agenda.at(now + life.fate.am_start, self._start_master, life)
        if isinstance(life.fate.end, Killed | Lost | Crashed):
            self._around.agenda.at(now + life.fate.end.after, self._end, life, life.fate.end)

    def request_changed(self, now: Instant) -> None:
        """The master looks at requests in a period of its own."""
        if self._master is not None and self._master.alive:
            tick = next_tick(now, self._master.started, self._cluster.intervals.am_request_pull)
            self._around.agenda.at(tick, self._master.pull)

    def kill(self, now: Instant, life: ApplicationLife) -> None:
        """For the service, which does not wait to hear of it."""
        if life.submitted is not None and life.end is None:
            _close(now, life, _killed(life, STOPPED_BY_SERVICE))

    def happened(self, now: Instant, life: ApplicationLife, event: WorldEvent) -> None:
        if life.submitted is None or life.end is not None:
            return
        if isinstance(event, Kill):
            if event.application_id in (None, life.id):
                self._end(now, life, Killed(0, event.by, event.from_ip))
        elif self._master is None or life.master_started is None:
            self._early.append((life, event))
        else:
            self._master.happened(now, event)

    def _start_master(self, now: Instant, life: ApplicationLife) -> None:
        if life.end is None:
            life.master_started = now
            story = self._around.story
            self._master = Master(self._around, life, now, dice(story.seed, story.name, life.key.count))
            self._masters.append(self._master)
            self._master.start(now)
            for meant, event in self._early:
                if meant is life:
                    self._master.happened(now, event)
            self._around.application_changed(now)

    def _end(self, now: Instant, life: ApplicationLife, end: Killed | Lost | Crashed) -> None:
        if life.end is not None:
            return
        if isinstance(end, Killed):
            _close(now, life, _killed(life, end))
        elif isinstance(end, Lost):
            _close(now, life, YarnEnd("KILLED", "KILLED", None, "", lost=True))
        else:
            attempts = self._cluster.am_attempts
            life.masters.append((now, attempts))
            validity, manager = self._cluster.failures_validity, self._cluster.resource_manager
            text = diagnostics.crashed_text(life.id, end, now, attempts, validity, manager)
            _close(now, life, YarnEnd("FAILED", "FAILED", 0.0, text))
        self._around.application_changed(now)


def _killed(life: ApplicationLife, kill: Killed) -> YarnEnd:
    progress = 0.0 if life.master_started is None else 1.0
    return YarnEnd("KILLED", "KILLED", progress, diagnostics.killed_text(life.id, kill))


def _close(now: Instant, life: ApplicationLife, end: YarnEnd) -> None:
    """The master has no time to push again: its tasks stay as they were pushed last."""
    life.end, life.closed = end, now
    if life.master_over is None:
        life.master_over = now
