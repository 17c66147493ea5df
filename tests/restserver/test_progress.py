"""``applicationProgress`` as text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.launcher.lifecycle import FrameworkState
from restserver.answers.progress import percent

RUNNING = FrameworkState.APPLICATION_RUNNING


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.07, "7%"),
        (0.29, "29%"),
        (0.57, "57%"),
        (0.999, "99.9%"),
        (0.33333334, "33.333334%"),
        (0.1, "10%"),
        (0.0, "0%"),
        (1.0, "100%"),
        (1, "100%"),
        (None, "0%"),
        (1e-7, "0.00001%"),
        (1.5, "100%"),
        (-0.5, "0%"),
    ],
)
def test_a_fraction_becomes_a_percentage_without_float_noise(fraction: float | None, text: str) -> None:
    assert percent(RUNNING, fraction) == text


def test_a_completed_framework_is_always_at_a_hundred() -> None:
    assert percent(FrameworkState.FRAMEWORK_COMPLETED, 0.3) == "100%"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_gives_the_promised_form(fraction: float) -> None:
    assert re.fullmatch(r"\d{1,3}(\.\d+)?%", percent(RUNNING, fraction))
