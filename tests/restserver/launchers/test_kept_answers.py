"""What is kept: bounded in bytes and number, never longer than its lifetime; and what a record costs."""

import sys

from contracts.clock import VirtualClock
from contracts.launcher.port import Answer, Call, NoSuchFramework
from restserver.launchers.kept_answers import KeptAnswers, kept
from restserver.launchers.sizes import size_of
from tests.restserver.small_launcher import framework

NOW = 1_000_000


def call(index: int) -> Call:
    return Call("framework", f"job-{index}")


def test_what_was_asked_for_longest_ago_goes_first() -> None:
    clock = VirtualClock(NOW, frozen=True)
    answers = KeptAnswers(clock, 1_000, most_entries=3)
    for index in range(3):
        answers.keep(call(index), kept(Answer(index, index), NOW))
    assert answers.get(call(0)) is not None
    answers.keep(call(3), kept(Answer(3, 3), NOW))
    assert [answers.get(call(index)) is not None for index in range(4)] == [True, False, True, True]
    assert answers.entries == 3


def test_bytes_are_bounded_and_what_alone_is_too_much_is_not_kept() -> None:
    clock = VirtualClock(NOW, frozen=True)
    answers = KeptAnswers(clock, 1_000, most_bytes=10_000)
    for index in range(100):
        answers.keep(call(index), kept(Answer("x" * 1_000, index), NOW))
        assert answers.size <= 10_000
    assert 3 <= answers.entries <= 5
    answers.keep(call(99), kept(Answer("x" * 10_000, 0), NOW))
    assert answers.get(call(99)) is None


def test_nothing_outlives_its_lifetime() -> None:
    clock = VirtualClock(NOW, frozen=True)
    answers = KeptAnswers(clock, 1_000)
    answers.keep(call(0), kept(Answer(1, 1), NOW))
    clock.advance(999)
    assert answers.get(call(0)) is not None
    clock.advance(1)
    assert answers.get(call(0)) is None


def test_an_older_word_never_replaces_a_newer_one_unless_the_clock_went_back() -> None:
    clock = VirtualClock(NOW, frozen=True)
    answers = KeptAnswers(clock, 1_000)
    answers.keep(call(0), kept(Answer("new", 2), NOW))
    answers.keep(call(0), kept(Answer("old", 1), NOW - 500))
    found = answers.get(call(0))
    assert found is not None
    assert isinstance(found.said, Answer)
    assert found.said.value == "new"
    clock.advance(-700)
    answers.keep(call(0), kept(Answer("after", 3), NOW - 700))
    found = answers.get(call(0))
    assert found is not None
    assert isinstance(found.said, Answer)
    assert found.said.value == "after"


def test_a_record_costs_what_its_parts_cost() -> None:
    assert size_of("abc") == sys.getsizeof("abc")
    text = "x" * 5_000
    assert size_of((text, text)) < 2 * sys.getsizeof(text)
    assert size_of({"a": [text], "b": frozenset({1, 2})}) > 5_000
    small, large = framework("a"), framework("a", description="d" * 100_000)
    assert size_of(large) - size_of(small) >= 99_000
    assert size_of(small) > 1_000
    assert size_of(None) == 0


def test_an_error_costs_its_facts() -> None:
    assert kept(NoSuchFramework("n" * 9_000), NOW).size > 9_000
