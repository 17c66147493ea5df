import inspect
from enum import StrEnum

import pytest
from msgspec import Struct

from contracts.launcher import records

RECORDS = [
    each for _, each in inspect.getmembers(records, inspect.isclass) if issubclass(each, Struct) and each is not Struct
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_cannot_be_changed_and_carries_nothing_else(record: type[Struct]) -> None:
    assert record.__struct_config__.frozen
    assert not record.__dictoffset__


@pytest.mark.parametrize(
    "words",
    [each for _, each in inspect.getmembers(records, inspect.isclass) if issubclass(each, str) and each is not StrEnum],
)
def test_every_list_of_words_has_one_for_what_we_do_not_know(words: type) -> None:
    assert "UNKNOWN" in words.__members__  # type: ignore[attr-defined]  # all of them are enums
    assert all(name == member.value for name, member in words.__members__.items())  # type: ignore[attr-defined]  # as above


def test_a_submission_has_the_launchers_defaults() -> None:
    platform = records.PlatformParameters()
    assert platform.am_resource == records.Resource(cpu_number=1, memory_mb=4096)
    assert (platform.queue, platform.skip_local_tried_resource) == ("default", True)
    assert records.CompletionPolicy() == records.CompletionPolicy(1, None)
    assert records.RetryPolicy() == records.RetryPolicy(fancy=False, max_retry_count=0)
