"""The shields of a backend, put together: one for the launcher, one for the resource manager, counted and looked after."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Final

from contracts.clock import Clock
from contracts.launcher.port import Hook, LauncherError, stacked
from restserver.launchers import missed_figures
from restserver.launchers.counted import Counted
from restserver.launchers.shield_figures import shield_figures
from restserver.launchers.shielded import Policy, Shield, shield
from restserver.seeing.metrics import Metrics

LAUNCHER: Final = "launcher"
RESOURCE_MANAGER: Final = "resource_manager"
NAMES: Final[Mapping[str, str]] = {LAUNCHER: "The launcher", RESOURCE_MANAGER: "The resource manager"}
"""In sentences, by side."""


class Protection:
    """Times are seconds, as people set them.

    The resource manager never gets a stale copy for an error: without figures a request goes on anyway.
    """

    def __init__(
        self,
        clock: Clock,
        metrics: Metrics,
        ttl: float,
        stale_for: float,
        breaker: bool,
        traced: Callable[[str], Hook] | None = None,
    ) -> None:
        """``traced``: what stands around each call that is really made, by side, where somebody traces."""
        self._metrics = metrics
        self._counted = {side: Counted(metrics, side) for side in NAMES}
        self._innermost: Mapping[str, Hook] = self._counted
        if traced is not None:
            self._innermost = {side: stacked(traced(side), counted) for side, counted in self._counted.items()}
        dice = Random()  # noqa: S311 - spreads retries, keeps no secret
        stale = {LAUNCHER: round(stale_for * 1000), RESOURCE_MANAGER: 0}
        self._shields = {
            side: shield(
                clock,
                name,
                Policy(ttl=round(ttl * 1000), stale_for=stale[side], breaker=breaker),
                dice,
                self._innermost[side],
            )
            for side, name in NAMES.items()
        }
        metrics.sources.append(lambda: shield_figures(self._shields))

    def hook(self, side: str) -> Hook:
        return self._shields[side].hook

    def counting(self, side: str) -> Hook:
        """For who asks past the shield: counts, and protects nobody."""
        return self._innermost[side]

    def count_rm_failure(self, error: LauncherError) -> None:
        missed_figures.counted(self._metrics, error)

    def informed(self, *, resource_manager: bool) -> Mapping[str, Callable[[], str]]:
        """Parts of ``/readyz``, which tell and do not decide."""
        parts = {"breaker": _told(self._shields[LAUNCHER])}
        if not resource_manager:
            return {**parts, "resourceManager": lambda: "not configured"}
        counted = self._counted[RESOURCE_MANAGER]
        return {
            **parts,
            "resourceManager": lambda: counted.last or "not asked yet",
            "resourceManagerBreaker": _told(self._shields[RESOURCE_MANAGER]),
        }


def _told(one: Shield) -> Callable[[], str]:
    breaker = one.breaker
    return (lambda: "off") if breaker is None else lambda: breaker.condition
