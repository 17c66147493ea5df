from collections.abc import Iterator

import pytest

from tests.promises.subjects import BUILDERS, Subject, live

LIVE = "live"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of the folder on every launcher, and on a live one if its address is given."""
    if "subject" in metafunc.fixturenames:
        launchers = [*BUILDERS, *([LIVE] if metafunc.config.getoption("launcher_url") else [])]
        metafunc.parametrize("subject", launchers, indirect=True, scope="module")


@pytest.fixture(scope="module")
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    url, dialect = request.config.getoption("launcher_url"), request.config.getoption("dialect")
    with live(url, dialect) if request.param == LIVE else BUILDERS[request.param]() as built:
        yield built
