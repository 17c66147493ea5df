"""How often one client may ask: an allowance that fills up again as time passes (the generic cell rate algorithm).

Of each client one number is kept, the moment at which its allowance will be whole again, so that memory is bounded by the
number of clients: beyond :data:`MOST_CLIENTS` the one not heard of for longest is forgotten, and begins anew.

No library fits. ``limits`` and ``token-bucket`` read the real time themselves, so that nothing of theirs could be tested (or
simulated) on our clock; ``pyrate-limiter`` takes a clock, but keeps a list of every request of every client, and forgets no
client by itself.
"""

import ipaddress
from functools import lru_cache
from threading import Lock
from typing import Final

from cachetools import LRUCache

from contracts.clock import Clock, Instant, Milliseconds
from restserver.setting_values import Allowance

MOST_CLIENTS: Final = 16_384


class RateLimit:
    """Thread-safe."""

    def __init__(self, allowance: Allowance, clock: Clock, most_clients: int = MOST_CLIENTS) -> None:
        self.allowance = allowance
        self._clock = clock
        self._lock = Lock()
        self._whole_at: LRUCache[str, int] = LRUCache(most_clients)
        """By client, in parts of a millisecond: as many as there are requests in a period, so that every sum is exact."""

    def wait(self, client: str) -> Milliseconds:
        """0: one more request is fine, and counted. Else how long until it would be; it is not counted then."""
        parts = self.allowance.requests
        one, all_of_them = self.allowance.period, self.allowance.period * parts
        now: Instant = self._clock.now() * parts
        with self._lock:
            # Never longer than a period ahead: a clock that was turned back does not lock anybody out.
            whole_at = min(max(self._whole_at.get(client, now), now), now + all_of_them)
            too_much = whole_at + one - (now + all_of_them)
            self._whole_at[client] = whole_at if too_much > 0 else whole_at + one
        return max(0, -(-too_much // parts))


@lru_cache(maxsize=MOST_CLIENTS)
def client_of(address: str) -> str:
    """Who counts as one client: an address, of IPv6 the network of 64 bits that one subscriber has to himself."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a socket without addresses
        return address
    if parsed.version == 4:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
