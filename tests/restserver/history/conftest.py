"""Fixtures of the history's tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.restserver.history import telling


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[telling.Archive]:
    made = telling.archive(tmp_path)
    yield made
    made.store.database.close()
