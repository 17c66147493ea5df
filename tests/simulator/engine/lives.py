"""What every life here is told with: a planned timeline, held to every law along the way."""

from contracts.launcher.records import RetryPolicy
from simulator.machine.story import ContainerFate, ContainerRule, Rules, Story
from simulator.machine.timeline import Timeline, plan
from tests.simulator.telling import START, breaches, ends_with

S = 1000
FANCY = RetryPolicy(fancy=True)
W, C, L, AW, R, AC, FC = (
    "FRAMEWORK_WAITING",
    "APPLICATION_CREATED",
    "APPLICATION_LAUNCHED",
    "APPLICATION_WAITING",
    "APPLICATION_RUNNING",
    "APPLICATION_COMPLETED",
    "FRAMEWORK_COMPLETED",
)
STARVED = Rules(
    containers=(ContainerRule(ContainerFate(allocation=None), attempt=0, index=1),), usual_container=ends_with(0)
)


def told(story_told: Story, until: int = 600 * S) -> Timeline:
    """Planned, and held to every law along the way."""
    timeline = plan(story_told)
    assert breaches(timeline, START + until) == []
    return timeline


def without_launch(shown: list[str]) -> list[str]:
    """States between two looks may be jumped over: those two always are but for luck."""
    return [state for state in shown if state not in (C, L)]
