"""Options and settings of the whole test suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-fixtures",
        action="store_true",
        help="rewrite the answers of fixtures/cases/ as the server gives them now; review the difference",
    )
