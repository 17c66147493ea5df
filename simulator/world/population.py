"""Who is in a world: users, hosts and the names of jobs, from (seed, index) in any order.

Each kind of value is drawn once per world, when first needed, into a pool, and a job picks from the pools by its dice.

Ruling: ``user.name`` of the open launcher must match the name rule (ASCII), ``UserName`` of the private one is not known
to. Pages must survive any user name, so some users here have names of other scripts; where a job's name begins with its
user, such a user stands there with an ASCII account name.
"""

import random
import unicodedata
from functools import cached_property

from msgspec import Struct

from simulator.dice import dice, number
from simulator.machine.story import Host
from simulator.world.names import code, index_of
from simulator.world.people import Names, names_of
from simulator.world.profile import Profile


class User(Struct, frozen=True):
    name: str
    account: str
    """ASCII, fit for the beginning of a framework name."""
    address: str
    """The machine this user submits from."""
    locale: str


class Population:
    """Everybody and everything of one world that has a name. Thread-safe: what is made twice is equal."""

    def __init__(self, seed: int, profile: Profile) -> None:
        self.seed = seed
        self.profile = profile

    @cached_property
    def users(self) -> tuple[User, ...]:
        locales = self.profile.locales
        users: list[User] = []
        names: set[str] = set()
        accounts: set[str] = set()
        for place in range(self.profile.users):
            locale = locales[place % len(locales)]
            name = _user_name(names_of(locale), dice(self.seed, "user name", place))
            name = f"{name}{place}" if name in names else name
            account = _account(name, place)
            account = f"{account}{place}" if account in accounts else account
            names.add(name)
            accounts.add(account)
            users.append(User(name, account, f"10.1.{place // 250}.{place % 250 + 1}", locale))
        return tuple(users)

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        return tuple(
            Host(f"node-{place + 1:02d}.{self.profile.domain}", f"10.240.{place // 250}.{place % 250 + 1}")
            for place in range(self.profile.hosts)
        )

    def user_of(self, index: int) -> User:
        """A few users have most of the jobs, as everywhere."""
        roll = number(64, self.seed, "user", index)
        return self.users[min(roll % len(self.users), (roll >> 32) % len(self.users))]

    def name_of(self, index: int) -> str:
        """The framework name of that job."""
        profile = self.profile
        # One roll for all, taken apart by division: long lists of names are searched, and this is what they cost.
        roll = number(64, self.seed, "name", index)
        roll, topic = divmod(roll, len(profile.topics))
        roll, work = divmod(roll, len(profile.works))
        roll, kind = divmod(roll, 1000)
        words = f"{profile.topics[topic]}-{profile.works[work]}-{code(self.seed, index)}"
        if kind < profile.job_wrappers * 1000:
            return ("JD_", "MPJD_")[roll % 2] + words
        if kind < (profile.job_wrappers + profile.without_namespace) * 1000:
            return words
        return f"{self.user_of(index).account}~{words}"

    def index_of(self, name: str) -> int | None:
        """The job that has exactly this name; ``None``: no job ever had or will have it."""
        index = index_of(self.seed, name.rpartition("-")[2])
        return index if index is not None and self.name_of(index) == name else None


def _user_name(people: Names, rolls: random.Random) -> str:
    first, last = rolls.choice(people.first), rolls.choice(people.last)
    if not (first[0].isupper() or first[0].islower()):
        return f"{last}{first}"  # scripts without case name the family first
    name = rolls.choice((first, f"{first}.{last}", f"{first[0]}.{last}"))
    return name.lower().replace(" ", "-").replace("'", "")


def _account(name: str, place: int) -> str:
    """The name without its accents; a name in another script gets a number instead."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return plain if sum(map(str.isalnum, plain)) > len(name) // 2 else f"u{10_000 + place}"
