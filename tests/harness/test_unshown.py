"""What the simulator never shows is written down, so that a check does not count it as missed; the list is kept here.

``-m "" --update-fixtures`` looks long and rewrites the list; otherwise a shorter look must find nothing that is on it.
"""

import json

import pytest

from contracts import registry
from contracts.harness.contract import our_contract
from contracts.harness.control import ControlPlane
from contracts.harness.meeting import KINDS, UNSHOWN, unshown
from contracts.harness.names import gathered
from contracts.harness.running import Check, Outcome, Plan
from contracts.harness.transport import Client, target_of
from tests.harness.served_app import served


def look(style: str, requests: int, jobs: int) -> Outcome:
    with served(style, jobs=jobs) as application:
        client, other = Client(target_of(application.url)), Client(target_of(application.url))
        control = ControlPlane(other)
        with control.held() as reading:
            names = gathered(control, None, None, None)
            plan = Plan(max_examples=requests)
            outcome = Check(client, our_contract(style), plan, names, control, reading.now).run()
        client.close()
        other.close()
    return outcome


# What the simulator comes to show, it shows in both styles: one is enough for the gate.
BOTH = [registry.STYLES[0], *(pytest.param(style, marks=pytest.mark.proof) for style in registry.STYLES[1:])]


@pytest.mark.no_cover
@pytest.mark.parametrize("style", BOTH)
def test_what_is_never_shown_is_not_shown(style: str, request: pytest.FixtureRequest) -> None:
    updating = bool(request.config.getoption("--update-fixtures"))
    outcome = look(style, 12_000 if updating else 400, 400 if updating else 40)
    assert not outcome.stopped
    assert not outcome.findings.new
    met = {f"{item.kind} {item}" for item in outcome.meeting.met}
    if updating:
        hidden = {(item.operation, item.status) for item in outcome.meeting.not_provokable()}
        only_with_a_setting = outcome.meeting.not_configured()
        missed = {
            item
            for item in outcome.meeting.all - outcome.meeting.met
            if (item.operation, item.status) not in hidden and item.status not in only_with_a_setting
        }
        told = json.loads(UNSHOWN.read_text())
        told[style] = sorted(f"{item.kind} {item}" for item in missed)
        UNSHOWN.write_text(json.dumps(told, indent=1) + "\n")
    else:
        assert not unshown(style) & met, (
            "run this test with -m '' --update-fixtures: the simulator shows more than it did"
        )
        assert outcome.meeting.percent() >= 75


@pytest.mark.parametrize("style", registry.STYLES)
def test_nothing_that_asking_alone_provokes_is_on_the_list(style: str) -> None:
    assert not [line for line in unshown(style) if line.split()[0] in KINDS[:3]]
