"""The laws that hold between any two answers of any server, as code (rulings, section 7).

They judge answers as a client sees them, in either style, and nothing else: a law that needs what no answer shows is kept
as far as answers show it. Each is a small function from the moments of one name to violations; bodies must be such as
their schemas allow, for laws judge what is said and not how.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from contracts.harness.laws_of_answers import l7_an_answer_agrees_with_itself, l10_one_instant_tells_one_story
from contracts.harness.laws_of_lists import l8_attempts_are_kept, l9_versions_are_kept
from contracts.harness.laws_of_time import (
    l1_states_move_along_the_table,
    l2_retries_are_counted,
    l3_the_end_is_the_end,
    l4_nothing_is_before_the_creation,
    l5_an_attempt_moves_forward,
    l6_a_container_has_one_life,
)
from contracts.harness.observations import Moment, Observation, Violation, moments_by_name

Law: TypeAlias = Callable[[Sequence[Moment]], Iterator[Violation]]

LAWS: Mapping[str, Law] = {
    "L1": l1_states_move_along_the_table,
    "L2": l2_retries_are_counted,
    "L3": l3_the_end_is_the_end,
    "L4": l4_nothing_is_before_the_creation,
    "L5": l5_an_attempt_moves_forward,
    "L6": l6_a_container_has_one_life,
    "L7": l7_an_answer_agrees_with_itself,
    "L8": l8_attempts_are_kept,
    "L9": l9_versions_are_kept,
    "L10": l10_one_instant_tells_one_story,
}


def check(observations: Iterable[Observation]) -> list[Violation]:
    """Every breach of a law, name by name. Observations may come in any order; those of one instant are judged together."""
    return [
        violation
        for moments in moments_by_name(observations).values()
        for law in LAWS.values()
        for violation in law(moments)
    ]
