"""A real launcher's own bytes, read over HTTP, and the recorded backend tell one and the same story."""

from collections.abc import Iterator

import pytest

from contracts import registry
from tests.promises.looking import client
from tests.promises.subjects import BUILDERS, Subject, recordings

pytestmark = pytest.mark.no_cover

LOOKS = 6


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Subject, Subject]]:
    with BUILDERS["recorded"]() as recorded, BUILDERS["open over recorded bytes"]() as over_http:
        yield recorded, over_http


@pytest.mark.parametrize("style", registry.STYLES)
def test_job_details_are_the_same_byte_for_byte(both: tuple[Subject, Subject], style: str) -> None:
    recorded, over_http = (client(subject, style) for subject in both)
    found = 0
    for name in recordings().names():
        instants = recordings().instants(name)
        for step in range(LOOKS):
            for subject in both:
                subject.clock.set(instants[(len(instants) - 1) * step // (LOOKS - 1)])
            mine, theirs = (asked.simulate_get(f"/api/v2/jobs/{name}") for asked in (recorded, over_http))
            assert mine.status_code == theirs.status_code
            if mine.status_code != 500:  # why nothing answered is said in words of their own
                assert mine.content == theirs.content
            found += mine.status_code == 200
    assert found > 500
