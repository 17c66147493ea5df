"""What a real launcher was asked, and what its containers did, told to the simulator: the same comes out.

Of every recorded name, without exception: the shipped fixtures, or any other folder (``pytest --recordings DIR``).
"""

from itertools import pairwise
from pathlib import Path

import pytest

from contracts.launcher.laws_of_records import breaches_between, breaches_of
from simulator.replay.replaying import replay
from tests.contracts.recorded_records import FOLDER, histories


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    folder = Path(metafunc.config.getoption("--recordings") or FOLDER)
    if "recorded_name" in metafunc.fixturenames:
        metafunc.parametrize(("folder", "recorded_name"), [(folder, name) for name in histories(folder)])
    elif "folder" in metafunc.fixturenames:
        metafunc.parametrize("folder", [folder])


def test_the_same_things_happening_give_the_same_story(folder: Path, recorded_name: str) -> None:
    assert replay(histories(folder)[recorded_name]).differences == ()


def test_the_laws_of_records_hold_for_the_real_launcher_too(folder: Path) -> None:
    assert histories(folder)
    for history in histories(folder).values():
        records = history.records()
        for record in records:
            assert list(breaches_of(record)) == []
        for before, after in pairwise(records):
            assert list(breaches_between(before, after)) == []
