"""Options and settings of the whole test suite."""

import gc
import logging
import os
import shutil
from collections.abc import Iterator

import hypothesis
import pytest

# A run keeps what it collected and most of what it read. Looked through as often as is usual, that is a third of the time
# that collecting takes and more than a tenth of what the tests take.
gc.set_threshold(20_000, 10, 20)

# No test here is timed: a machine that is busy with something else is no failure.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _the_log_as_it_was() -> Iterator[None]:
    """A command under test sets up the log of its process, which is ours: no later test may find it so."""
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-fixtures",
        action="store_true",
        help="rewrite the answers of fixtures/cases/ as the server gives them now; review the difference",
    )
    parser.addoption("--launcher-url", help="a live launcher (and resource manager): tests/promises asks it too")
    parser.addoption("--recordings", metavar="DIR", help="replays these recordings instead of the shipped ones")
    parser.addoption("--dialect", choices=("open", "private"), default="open", help="how that launcher speaks")


def pytest_collection_finish() -> None:
    """What is here now stays until the end: the collector leaves it alone."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A program that a test needs and this machine lacks: named on a laptop, a failure in CI."""
    for item in items:
        missing = [name for mark in item.iter_markers("needs") for name in mark.args if not shutil.which(name)]
        if missing and not os.environ.get("CI"):
            item.add_marker(pytest.mark.skip(reason=f"not on this machine: {', '.join(missing)}"))
