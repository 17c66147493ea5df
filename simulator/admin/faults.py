"""The control plane's calls about faults."""

from collections.abc import Callable
from typing import Any

import falcon

from simulator.admin import bodies as bodies
from simulator.faults.faults import FaultSet, NoSuchFault
from simulator.faults.kinds import KINDS

KINDS_TOLD = [
    {"kind": name, "sides": list(kind.sides), "keys": sorted(kind.keys), "within": sorted(kind.within)}
    for name, kind in KINDS.items()
]
"""Which faults can be made: on which sides, what each may be told, and the sides on which it is within the contract."""


class Faults:
    def __init__(self, faults: FaultSet, changing: Callable[[], Any], *, makes_wire_faults: bool) -> None:
        """``changing``: within it the faults may change; it saves."""
        self._faults = faults
        self._changing = changing
        self._makes_wire_faults = makes_wire_faults

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        bodies.query(req)
        bodies.answer(resp, {"faults": [fault.document() for fault in self._faults.all()], "kinds": KINDS_TOLD})

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        told = bodies.body(req)
        with self._changing():
            fault = self._faults.add(told, makes_wire_faults=self._makes_wire_faults)
        resp.status = falcon.HTTP_201
        resp.location = f"{req.path}/{fault.id}"
        bodies.answer(resp, fault.document())

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        bodies.empty(req)
        with self._changing():
            removed = self._faults.clear()
        bodies.answer(resp, {"removed": removed})


class OneFault:
    def __init__(self, faults: FaultSet, changing: Callable[[], Any]) -> None:
        self._faults = faults
        self._changing = changing

    def on_delete(self, req: falcon.Request, resp: falcon.Response, fault_id: str) -> None:
        bodies.empty(req)
        try:
            with self._changing():
                self._faults.remove(fault_id)
        except NoSuchFault as error:
            raise falcon.HTTPNotFound(description=str(error)) from error
        bodies.answer(resp, {"removed": 1})
