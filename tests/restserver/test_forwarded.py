"""What a proxy says of its client is believed only of proxies that are named."""

from ipaddress import ip_network
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from restserver.guarding.forwarded import believing

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8::1"))


def told(environ: WSGIEnvironment, proxies: tuple[object, ...] = PROXIES) -> tuple[str, str, str]:
    """Address, scheme and host, as the application gets them."""
    got: WSGIEnvironment = {}

    def application(given: WSGIEnvironment, _: StartResponse) -> list[bytes]:
        got.update(given)
        return []

    list(believing(proxies, application)({"wsgi.url_scheme": "http", "HTTP_HOST": "here", **environ}, lambda *_: print))  # type: ignore[arg-type]  # no whole start_response
    return got["REMOTE_ADDR"], got["wsgi.url_scheme"], got["HTTP_HOST"]


SAID = {"HTTP_X_FORWARDED_FOR": "192.0.2.7", "HTTP_X_FORWARDED_PROTO": "https", "HTTP_X_FORWARDED_HOST": "jobs.example"}


def test_a_trusted_proxy_is_believed() -> None:
    assert told({"REMOTE_ADDR": "10.1.2.3", **SAID}) == ("192.0.2.7", "https", "jobs.example")
    assert told({"REMOTE_ADDR": "2001:db8::1", **SAID}) == ("192.0.2.7", "https", "jobs.example")


def test_a_trusted_proxy_is_believed_on_a_socket_for_both_families() -> None:
    assert told({"REMOTE_ADDR": "::ffff:10.1.2.3", **SAID}) == ("192.0.2.7", "https", "jobs.example")
    said = {**SAID, "HTTP_X_FORWARDED_FOR": "192.0.2.7, ::ffff:10.9.9.9"}
    assert told({"REMOTE_ADDR": "::ffff:10.1.2.3", **said})[0] == "192.0.2.7"
    assert told({"REMOTE_ADDR": "::ffff:192.0.2.1", **SAID})[1] == "http"


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::2", "", "unix"])
def test_anybody_else_is_not(address: str) -> None:
    assert told({"REMOTE_ADDR": address, **SAID}) == (address, "http", "here")


def test_without_a_named_proxy_nothing_stands_around_the_application() -> None:
    def application(_: WSGIEnvironment, __: StartResponse) -> list[bytes]:
        return []

    assert believing((), application) is application


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("192.0.2.7, 10.9.9.9", "192.0.2.7"),  # a trusted proxy before another
        ("203.0.113.1, 192.0.2.7, 10.9.9.9", "192.0.2.7"),  # what the client itself said is not believed
        ("10.9.9.9", "10.9.9.9"),  # all trusted: the farthest
        ("192.0.2.7, nonsense", "10.1.2.3"),  # whoever wrote that is not believed any further
        ("nonsense, 192.0.2.7", "192.0.2.7"),
        (" , ", "10.1.2.3"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_trusted_proxys(said: str, client: str) -> None:
    assert told({"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_FOR": said})[0] == client


def test_a_scheme_that_is_none_is_not_believed() -> None:
    assert told({"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_PROTO": "javascript"})[1] == "http"
