"""The laws of rulings section 7 and the schemas, over what every launcher makes the server say as time goes by."""

from collections import Counter
from functools import lru_cache

import pytest

from contracts import registry
from contracts.clock import Instant
from contracts.harness.laws import check
from contracts.harness.observations import Observation
from tests.promises.judging import objection
from tests.promises.looking import Looking, client
from tests.promises.subjects import Subject

pytestmark = pytest.mark.no_cover


@lru_cache(maxsize=2)
def seen(subject: Subject, style: str) -> tuple[Observation, ...]:
    """Everything the server says about every framework as time goes by."""
    asked = client(subject, style)
    observations: list[Observation] = []
    for name, instants in subject.instants.items():
        for instant in _looks(subject, style, instants):
            subject.clock.set(instant)
            observations += Looking(asked, name, instant).everything()
    return tuple(observations)


def _looks(subject: Subject, style: str, instants: tuple[Instant, ...]) -> list[Instant]:
    """All changes where asking is cheap, else some; the first and the last always. The second style only repeats the first."""
    cheap = subject.in_process and style == "documented"
    return sorted({*instants[:: 1 if cheap else 4], instants[-1]})


@pytest.fixture(params=registry.STYLES)
def style(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_the_laws_hold_over_time(subject: Subject, style: str) -> None:
    observations = seen(subject, style)
    assert sum(one.status == 200 for one in observations) > 100
    # What keeps no past cannot keep a list of it; the history around it will.
    unkept = set() if subject.keeps_the_past else {"L8"}
    violations = [violation for violation in check(observations) if violation.law not in unkept]
    assert not violations, "\n".join(map(str, violations[:10]))


def test_every_answer_is_as_its_schema_says(subject: Subject, style: str) -> None:
    seen_bodies = set()
    for one in seen(subject, style):
        key = one.operation, one.status, repr(one.body)
        if key not in seen_bodies:
            seen_bodies.add(key)
            wrong = objection(one.operation, one.status, style, one.body)
            assert wrong is None, f"{one}: {wrong}"


def test_found_and_not_found_were_both_met_for_every_operation(subject: Subject, style: str) -> None:
    met = Counter((one.operation, one.status) for one in seen(subject, style))
    for operation in ("getJob", "getAttempts", "getVersions"):
        assert met[operation, 200]
        assert met[operation, 404]
    assert met["getAttempt", 200]
