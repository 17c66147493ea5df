"""Names a server listens on, as in a Host header."""

import socket

import pytest

from restserver.guarding.hosts import HostsListenedOn, is_loopback


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("example.com", False),
        ("localhost.evil.example", False),
    ],
)
def test_loopback_is_what_only_this_machine_can_reach(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_on_loopback_only_the_names_of_loopback_are_known() -> None:
    hosts = HostsListenedOn("127.0.0.1")
    for known in ("localhost", "localhost:9186", "127.0.0.1:1", "[::1]:9186", "LocalHost:80", socket.gethostname()):
        assert known in hosts
    for foreign in (
        "evil.example",
        "evil.example:9186",
        "10.0.0.1",
        "",
        "localhost.evil.example",
        "[::2]",
        "[",
        ":80",
        "[::1].evil",
        "localhost:x",
    ):
        assert foreign not in hosts


def test_the_address_and_the_public_name_are_known() -> None:
    hosts = HostsListenedOn("192.0.2.1", "https://Api.example:4431/base")
    assert all(known in hosts for known in ("192.0.2.1:9186", "api.example", "api.example:4431"))
    assert "192.0.2.2:9186" not in hosts
    assert "[2001:db8::1]:80" in HostsListenedOn("2001:db8::1")


@pytest.mark.parametrize("everywhere", ["0.0.0.0", "::"])
def test_listening_everywhere_any_address_in_numbers_is_its_own(everywhere: str) -> None:
    hosts = HostsListenedOn(everywhere)
    assert all(known in hosts for known in ("10.1.2.3:9186", "[2001:db8::1]:80", "localhost"))
    assert all(foreign not in hosts for foreign in ("evil.example", "10.1.2.3.evil.example"))
