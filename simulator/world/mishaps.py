"""What goes wrong in a simulated world, by whom the launcher blames for it: which exit, and which words with it.

The texts are what a program would leave on its standard error; the launcher's own text around it is made by the timeline.
"""

import random
from collections.abc import Callable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Milliseconds
from contracts.launcher.lifecycle import TaskState
from simulator.machine.story import (
    SECOND,
    ApplicationEnd,
    Crashed,
    Exit,
    Intervals,
    Killed,
    Lost,
    MasterFailed,
    Refused,
)


class Mishap(Struct, frozen=True):
    """Either a container of one task ends badly, or the whole application does, or the cluster is too full for it."""

    exit: Exit | None = None
    ends_in: TaskState = TaskState.CONTAINER_RUNNING
    application: Callable[[Milliseconds, Milliseconds], ApplicationEnd] | None = None
    """Gets how long the master waits for its start, and how long it runs then."""
    needs_gang: bool = False
    """It happens only while containers wait for each other."""
    run: Milliseconds | None = None
    """How long it takes; ``None``: as long as the attempt would."""

    @property
    def starves(self) -> bool:
        """One task gets no container, so that a gang times out."""
        return self.exit is None and self.application is None

    @property
    def in_container(self) -> bool:
        return self.exit is not None


def _traceback(error: str, line: int = 42) -> str:
    return f'Traceback (most recent call last):\n  File "main.py", line {line}, in <module>\n    main()\n{error}\n'


UNKNOWN: tuple[Mishap, ...] = (
    Mishap(Exit(1, _traceback("ModuleNotFoundError: No module named 'datasets'", 3))),
    Mishap(Exit(1, _traceback("ValueError: 图像大小不匹配: expected (3, 224, 224)", 118))),
    Mishap(
        Exit(
            1,
            _traceback("RuntimeError: CUDA out of memory", 201),
            runtime_error={
                "exitcode": 1,
                "reason": "the program ran out of GPU memory",
                "solution": "use smaller batches",
            },
        )
    ),
    Mishap(Exit(1, "")),
    Mishap(Exit(2, "usage: train.py [--epochs N]\ntrain.py: error: unrecognized arguments: --epoch 3\n")),
    Mishap(Exit(126, "/bin/bash: ./run.sh: Permission denied\n")),
    Mishap(Exit(127, "/bin/bash: line 1: python3.9: command not found\n")),
    Mishap(Exit(134, "terminate called after throwing an instance of 'std::bad_alloc'\n")),
    Mishap(Exit(255, "Fehler: Eingabedatei „größen.csv“ fehlt\n")),
)
"""Codes the launcher was told nothing about: counted under unknown."""

USER: tuple[Mishap, ...] = (
    Mishap(Exit(139, "Segmentation fault (core dumped)\n")),
    Mishap(Exit(136, "Floating point exception\n")),
    Mishap(Exit(194, "giving up: the input is not what this program can read\n")),
    Mishap(Exit(-7122)),
    Mishap(
        application=lambda _, run: MasterFailed(
            -7251, "Source location hdfs://cluster.example/jobs/code.zip does not exist", min(run, 3 * SECOND)
        )
    ),
)
"""Failures that trying again does not cure."""

PLATFORM: tuple[Mishap, ...] = (
    Mishap(Exit(-7111)),
    Mishap(Exit(-7102)),
    Mishap(Exit(-7120)),
    Mishap(Exit(137, killed=True)),
    Mishap(Exit(193, "lost the connection to the storage, please try again\n")),
    Mishap(application=lambda wait, run: Killed(wait + run)),
    Mishap(application=lambda wait, run: Crashed(wait + run)),
    Mishap(application=lambda wait, run: Lost(wait + run)),
)
"""Failures that trying again cures."""

RESOURCE: tuple[Mishap, ...] = (
    Mishap(needs_gang=True),
    Mishap(needs_gang=True),
    Mishap(Exit(-7112), ends_in=TaskState.CONTAINER_ALLOCATED, needs_gang=True),
)
"""The cluster was too full."""

REFUSED: tuple[Mishap, ...] = (
    Mishap(application=lambda *_: Refused(-7300, "Failed to submit the application to YARN: the queue is stopped")),
    Mishap(application=lambda *_: Refused(-7301, "Connection refused: rm.cluster.example:8032")),
    Mishap(application=lambda *_: Refused(-7302, "Failed to upload the application package")),
)
"""The application never came to run."""

MISHAPS_OF_CAUSE: Mapping[str, tuple[Mishap, ...]] = {
    "unknown": UNKNOWN,
    "user": USER,
    "platform": PLATFORM,
    "resource": RESOURCE,
    "refused": REFUSED,
}


def roll(cause: str, dice: random.Random, pace: Intervals) -> Mishap:
    mishap = dice.choice(MISHAPS_OF_CAUSE[cause])
    return replace(mishap, run=pace.container_expiry) if mishap.ends_in is TaskState.CONTAINER_ALLOCATED else mishap
