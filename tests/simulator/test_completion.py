"""When tasks end their application (launcher fact sheet, 4.2)."""

from contracts.launcher.records import CompletionPolicy
from simulator.machine.completion import Ending, Tally, ending


def judged(policy: CompletionPolicy, *, succeeded: bool, in_role: Tally, in_all: Tally | None = None) -> Ending | None:
    return ending(policy, "worker", succeeded=succeeded, in_role=in_role, in_all=in_all or in_role)


def test_enough_failed_tasks_of_a_role_end_the_application() -> None:
    assert judged(CompletionPolicy(2), succeeded=False, in_role=Tally(3, 0, 1)) is None
    assert judged(CompletionPolicy(2), succeeded=False, in_role=Tally(3, 0, 2)) == Ending(
        "FailedTaskCount 2 has reached MinFailedTaskCount 2 in TaskRole [worker]", True
    )


def test_enough_succeeded_tasks_of_a_role_end_the_application() -> None:
    assert judged(CompletionPolicy(1, 2), succeeded=True, in_role=Tally(3, 1, 0)) is None
    assert judged(CompletionPolicy(1, 2), succeeded=True, in_role=Tally(3, 2, 0)) == Ending(
        "SucceededTaskCount 2 has reached MinSucceededTaskCount 2 in TaskRole [worker]", True
    )


def test_a_success_never_triggers_the_failure_rule_nor_the_other_way_round() -> None:
    assert judged(CompletionPolicy(1, None), succeeded=True, in_role=Tally(3, 1, 1)) is None
    assert judged(CompletionPolicy(None, 1), succeeded=False, in_role=Tally(3, 1, 1)) is None


def test_all_tasks_done_end_it_as_a_success_even_if_they_failed() -> None:
    message = (
        "All Tasks completed and no ApplicationCompletionPolicy has ever been triggered:"
        " TotalTaskCount: 2, FailedTaskCount: 2"
    )
    assert judged(CompletionPolicy(None), succeeded=False, in_role=Tally(2, 0, 2)) == Ending(message, False)


def test_the_other_roles_must_be_done_too() -> None:
    assert judged(CompletionPolicy(), succeeded=True, in_role=Tally(1, 1, 0), in_all=Tally(2, 1, 0)) is None
