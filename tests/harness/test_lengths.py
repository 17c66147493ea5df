"""Lengths of time on command lines: the same forms for every flag that takes one."""

import click
import pytest
from click.testing import CliRunner

from contracts.harness.lengths import Length
from restserver.commands.drift import drift
from restserver.commands.record import record


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("10", 10_000),
        ("0.3", 300),
        ("10s", 10_000),
        ("500ms", 500),
        ("1.5m", 90_000),
        ("12h", 43_200_000),
        ("7d", 604_800_000),
        ("PT10S", 10_000),
        ("PT0.5S", 500),
        ("P1DT1H", 90_000_000),
    ],
)
def test_seconds_units_and_iso_8601_say_the_same(text: str, length: int) -> None:
    assert Length()(text) == length


@pytest.mark.parametrize("text", ["", "s", "-1", "1y", "10 seconds", "PT", "PTS", "P1M", "10S", "nan", "0"])
def test_what_is_no_length_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Length()(text)


@pytest.mark.parametrize("command", [drift, record])
@pytest.mark.parametrize("flag", ["--for", "--poll-interval"])
def test_record_and_drift_take_the_same_forms(command: click.Command, flag: str) -> None:
    (param,) = [one for one in command.params if flag in one.opts]
    context = click.Context(command)
    assert {param.type_cast_value(context, text) for text in ("10", "10s", "PT10S")} == {10_000}
    refused = CliRunner().invoke(command, [flag, "soon"])
    assert refused.exit_code == 2
    assert "'soon' is no length of time: 90, 90s, 30m, 12h, 7d and PT1M30S are" in refused.output
    short = CliRunner().invoke(command, ["--poll-interval", "50ms"])
    assert (short.exit_code, "is not from 0.1 s to" in short.output) == (2, True)
