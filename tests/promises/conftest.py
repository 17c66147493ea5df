from collections.abc import Iterator

import pytest

from tests.promises.subjects import BUILDERS, Subject


@pytest.fixture(params=BUILDERS, scope="module")
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    with BUILDERS[request.param]() as built:
        yield built
