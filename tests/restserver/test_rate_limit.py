"""The allowance of a client: exact, on our clock, and bounded in memory."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.clock import VirtualClock
from restserver.guarding.rate_limit import RateLimit, client_of
from restserver.setting_values import Allowance

NOW = 1_795_464_000_000


def limit(requests: int, period: int = 1_000, most_clients: int = 100) -> tuple[RateLimit, VirtualClock]:
    clock = VirtualClock(NOW, frozen=True)
    return RateLimit(Allowance(requests, period), clock, most_clients), clock


def test_so_many_at_once_then_one_by_one() -> None:
    limited, clock = limit(4)
    assert [limited.wait("a") for _ in range(6)] == [0, 0, 0, 0, 250, 250]
    assert limited.wait("b") == 0
    clock.advance(249)
    assert limited.wait("a") == 1
    clock.advance(1)
    assert [limited.wait("a"), limited.wait("a")] == [0, 250]
    clock.advance(1_000)
    assert [limited.wait("a") for _ in range(5)] == [0, 0, 0, 0, 250]


@given(requests=st.integers(1, 5_000), steps=st.lists(st.integers(0, 400), min_size=1, max_size=80))
def test_never_more_than_allowed_in_any_period_and_never_a_wait_too_many(requests: int, steps: list[int]) -> None:
    """In a stretch of time no more than a whole allowance and what filled up meanwhile; and who waits as told gets in."""
    limited, clock = limit(requests)
    passed = 0
    for step in steps:
        clock.advance(step)
        for _ in range(3):
            wait = limited.wait("a")
            passed += wait == 0
            assert passed * 1_000 <= (clock.now() - NOW + 1_000) * requests
            if wait:
                clock.advance(wait - 1)
                assert limited.wait("a") == 1
                clock.advance(1)
                assert limited.wait("a") == 0
                passed += 1


def test_a_clock_that_was_turned_back_locks_nobody_out() -> None:
    limited, clock = limit(1)
    assert limited.wait("a") == 0
    clock.set(NOW - 3_600_000)
    assert limited.wait("a") == 1_000
    clock.advance(1_000)
    assert limited.wait("a") == 0


def test_of_too_many_clients_the_one_not_heard_of_for_longest_begins_anew() -> None:
    limited, _ = limit(1, most_clients=3)
    assert [limited.wait(name) for name in "abc"] == [0, 0, 0]
    assert limited.wait("a") > 0  # heard of again: it stays
    assert limited.wait("d") == 0
    assert [bool(limited.wait(name)) for name in "acd"] == [True, True, True]
    assert limited.wait("b") == 0


def test_an_ipv6_subscriber_is_one_client_whatever_addresses_he_takes() -> None:
    assert client_of("2001:db8:1:2::1") == client_of("2001:db8:1:2:ffff::9") != client_of("2001:db8:1:3::1")
    assert client_of("fe80::1%eth0") == "fe80::"
    assert client_of("::ffff:192.0.2.7") == client_of("192.0.2.7") == "192.0.2.7"
    assert client_of("192.0.2.8") != client_of("192.0.2.7")
    assert client_of("") == ""
