"""``applicationProgress``: a fraction as people read it."""

from decimal import Decimal

from contracts.launcher.lifecycle import FrameworkState


def percent(state: FrameworkState, fraction: float | None) -> str:
    """``100%`` once the framework completed, whatever became of it; else the fraction without float noise: 0.07 is ``7%``."""
    if state is FrameworkState.FRAMEWORK_COMPLETED:
        return "100%"
    exact = Decimal(repr(fraction or 0)) * 100
    within = min(max(exact, Decimal(0)), Decimal(100))
    digits = f"{within:f}"
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + "%"
