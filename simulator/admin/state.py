"""The control plane's calls about the whole: its state as a document, its settings, and back to the beginning."""

from collections.abc import Mapping
from typing import Any

import falcon

from contracts.clock import iso
from simulator.admin import bodies as bodies
from simulator.problems import BadInput
from simulator.request_journal import RequestJournal
from simulator.simulation import MOST_JOBS, MOST_SEED, Simulation
from simulator.state_file import BadState
from simulator.world.profile_files import BadProfile, shipped


class State:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        bodies.query(req)
        bodies.answer(resp, self._simulation.state())

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        try:
            self._simulation.restore(bodies.body(req, bodies.LARGEST_STATE))
        except BadState as error:
            raise BadInput(f"this state cannot be restored: {error}") from error
        bodies.answer(resp, self._simulation.state())


class Settings:
    """What can be changed while the server runs. Another seed, number or profile is another population."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        bodies.query(req)
        bodies.answer(resp, self._told())

    def on_patch(self, req: falcon.Request, resp: falcon.Response) -> None:
        wanted = bodies.body(req)
        if not isinstance(wanted, Mapping) or set(wanted) - set(CHANGEABLE):
            raise BadInput(f"the body is an object with some of {', '.join(CHANGEABLE)}")
        facts = {key: CHANGEABLE[key](key, value) for key, value in wanted.items()}
        watch = facts.pop("watch", None)
        dropped = 0
        if facts:
            try:
                dropped = self._simulation.populate(**facts)
            except BadProfile as error:
                raise BadInput(str(error)) from error
        if watch is not None:
            self._simulation.scenarios.watch = watch
        bodies.answer(resp, {**self._told(), "dropped": dropped})

    def _told(self) -> dict[str, object]:
        simulation = self._simulation
        return {
            "seed": simulation.seed,
            "jobs": simulation.jobs,
            "profile": simulation.profile,
            "profileProblem": simulation.profile_problem,
            "watch": simulation.scenarios.watch,
            "started": iso(simulation.world.started),
        }


class Reset:
    """As it began: nothing done to it, the clock where it started, no faults, and nothing asked."""

    def __init__(self, simulation: Simulation, requests: RequestJournal | None) -> None:
        self._simulation = simulation
        self._requests = requests

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        bodies.empty(req)
        dropped = self._simulation.reset()
        if self._requests is not None:
            self._requests.clear()
        bodies.answer(resp, {"dropped": dropped})


def _whole(least: int, most: int) -> Any:
    def read(key: str, value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise BadInput(f"{key} is a whole number from {least} to {most}, not {value!r}")
        return value

    return read


def _profile(key: str, value: object) -> str:
    """A shipped one: files are for whoever starts the server, not for whoever can reach it."""
    if value not in shipped():
        raise BadInput(f"{key} is one of {', '.join(shipped())}, not {value!r}")
    return str(value)


def _flag(key: str, value: object) -> bool:
    if type(value) is not bool:
        raise BadInput(f"{key} is true or false, not {value!r}")
    return value


CHANGEABLE = {"seed": _whole(0, MOST_SEED), "jobs": _whole(1, MOST_JOBS), "profile": _profile, "watch": _flag}
