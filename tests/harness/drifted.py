"""Recordings that were changed on purpose, and the simulated side, made once."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import structs

from contracts.harness.drift import comparing
from contracts.harness.drift.findings import Finding
from contracts.harness.drift.recorded import recorded
from contracts.harness.drift.sides import Real, Simulated
from contracts.harness.observations import Observation
from contracts.launcher.timelines import Said
from restserver.assembling.simulated_worlds import simulated_side

RECORDINGS = Path("fixtures/recordings")
Json = Any
Change = Callable[[Json, int], None]
"""Changes a framework document in place; the number is its position from the end, 0 for the last look."""


@cache
def side() -> Simulated:
    """Its world is walked once; what a style answers, once each."""
    made = simulated_side(None, 1)
    records = list(made.records())
    answers = cache(lambda style: tuple(made.answers(style)))
    return replace(made, records=lambda: records, answers=answers)


@cache
def everything() -> Real:
    return recorded(RECORDINGS)


def real_of(*names: str) -> Real:
    """Only these frameworks of the fixtures, and their applications."""
    whole = everything()
    said = {name: whole.said[name] for name in names}
    ids = {
        look.framework.status.application_id
        for name in names
        for look in whole.histories[name].looks
        if look.framework is not None
    }
    applications = {identity: told for identity, told in whole.applications.items() if identity in ids}
    return Real("changed recordings", "open", said, whole.silences, applications)


def changed(real: Real, change: Change) -> Real:
    return replace(real, said={name: _changed(answers, change) for name, answers in real.said.items()})


def _changed(answers: Sequence[Said], change: Change) -> list[Said]:
    found = [one for one in answers if one.status == 200]
    told = []
    for one in answers:
        if one.status == 200:
            document = json.loads(one.body)
            change(document, len(found) - 1 - found.index(one))
            one = structs.replace(one, body=json.dumps(document))
        told.append(one)
    return told


def nobody(real: Real, style: str) -> Iterable[Observation]:
    """No server: what it would answer is tested elsewhere."""
    del real, style
    return ()


def found(real: Real) -> dict[str, Finding]:
    return {one.id: one for one in comparing.simulator_to_real(side(), real, nobody).findings}
