"""Answers that nobody has to wait for are given by the thread that read the question; the others get a thread, as ever.

Waitress reads in one thread and answers in others. To hand a question over and be told of its answer costs more than all the
rest of a small answer: two changes of thread, each with the interpreter lock, and a byte through a pipe. So a question is
first put to the application here, marked as one that must be answered at once. An application that would have to wait, or has
the answer not at hand, raises :class:`restserver.answers.at_once.NotAtOnce`; nothing has been written then, and a thread puts
the question again. Whatever waits (for a launcher, for an injected delay, for a slow reader) or takes a while (a large job to be
rendered, or packed) does so in threads only.

Head and body, which waitress sends by two calls, are gathered here and go out by one.

What is relied on of waitress beyond its documentation: that a question stays the first of its connection until it is
answered, whatever is raised meanwhile; that the loop looks anew at every connection before it waits. The tests of this module
fail where a version of it does otherwise.
"""

from collections import deque
from typing import TYPE_CHECKING, cast
from wsgiref.types import WSGIEnvironment

from restserver.answers.at_once import AT_ONCE, NotAtOnce
from restserver.serving.heads import FormedTask
from restserver.serving.strict_http import StrictChannel, StrictServer

if TYPE_CHECKING:
    from waitress.task import Task


class MarkedTask(FormedTask):
    def get_environment(self) -> WSGIEnvironment:
        environ = super().get_environment()
        if cast("GatheringChannel", self.channel).is_gathering:
            environ[AT_ONCE] = True
        return environ


class GatheringChannel(StrictChannel):
    task_class = MarkedTask
    _gathered: list[bytes] | None = None

    @property
    def is_gathering(self) -> bool:
        return self._gathered is not None

    def write_soon(self, data: bytes) -> int:
        if self._gathered is None:
            return super().write_soon(data)
        self._gathered.append(data)
        return len(data)

    def answers_at_once(self) -> bool:
        """Answers the first question that waits here; ``False``: a thread has to."""
        if self.total_outbufs_len:  # its reader is slow, and whoever writes more may have to wait for it
            return False
        gathered = self._gathered = []
        try:
            self.service()
        except NotAtOnce:
            return False
        finally:
            self._gathered = None
        if gathered and self.connected:
            super().write_soon(b"".join(gathered))
        return True


class AtOnceServer(StrictServer):
    """For applications that know what :data:`restserver.answers.at_once.AT_ONCE` means, or never wait."""

    channel_class = GatheringChannel
    _asked: "deque[GatheringChannel]"
    _is_answering = False

    def accept_connections(self) -> None:
        self._asked = deque()
        super().accept_connections()

    def add_task(self, task: "Task") -> None:
        """Called by the loop, and by threads that answered one of several questions; they wake the loop next."""
        self._asked.append(cast("GatheringChannel", task))  # what waitress calls a task here is a channel

    def answer(self) -> None:
        """All that was asked in this turn of the loop. Called by the loop."""
        self._is_answering = True
        while self._asked:
            channel = self._asked.popleft()
            if not channel.answers_at_once():
                self.task_dispatcher.add_task(cast("Task", channel))
        self._is_answering = False

    def pull_trigger(self) -> None:
        """Needs not be while the loop answers: what there is to write it sees before it waits again."""
        if not self._is_answering:
            super().pull_trigger()
