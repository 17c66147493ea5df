import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from simulator.world.people import NoSuchLocale, draw, names_of
from simulator.world.population import Population
from simulator.world.profile_files import load
from simulator.world.sayings import SAYINGS_OF_LOCALE

POPULATION = Population(1, load("default"))
FRAMEWORK_NAME = re.compile(r"[A-Za-z0-9\-._~]{1,256}")


@given(st.integers(0, 10**13))
@settings(max_examples=300)
def test_a_name_carries_its_index(index: int) -> None:
    name = POPULATION.name_of(index)
    assert FRAMEWORK_NAME.fullmatch(name)
    assert POPULATION.index_of(name) == index


@given(st.integers(0, 10**8), st.sampled_from(["mnist-", "x~", "JD_", "alice~mnist-train-", ""]))
def test_a_right_code_behind_wrong_words_is_unknown(index: int, words: str) -> None:
    code = POPULATION.name_of(index).rpartition("-")[2]
    assert POPULATION.index_of(words + code) is None


@given(st.text(max_size=40))
def test_any_other_text_is_no_name(text: str) -> None:
    assert POPULATION.index_of(text) is None


def test_another_seed_has_other_names() -> None:
    other = Population(2, load("default"))
    assert all(other.index_of(POPULATION.name_of(index)) is None for index in range(200))
    assert [user.name for user in other.users] != [user.name for user in POPULATION.users]


def test_names_are_of_every_kind() -> None:
    names = [POPULATION.name_of(index) for index in range(2000)]
    assert len(set(names)) == len(names)
    for kind in ("JD_", "MPJD_"):
        assert any(name.startswith(kind) for name in names)
    assert any("~" in name for name in names)
    assert any("~" not in name and "JD_" not in name for name in names)


def test_some_users_have_names_that_are_not_ascii_and_all_have_an_account_that_is() -> None:
    users = POPULATION.users
    assert len({user.name for user in users}) == len({user.account for user in users}) == len(users)
    assert sum(not user.name.isascii() for user in users) >= 4
    assert sum(user.name.isascii() for user in users) >= 10
    assert all(FRAMEWORK_NAME.fullmatch(user.account) for user in users)


def test_every_user_has_jobs() -> None:
    names = {POPULATION.user_of(index).name for index in range(5000)}
    assert names == {user.name for user in POPULATION.users}


def test_hosts_have_names_and_addresses_of_their_own() -> None:
    hosts = POPULATION.hosts
    assert len({host.name for host in hosts}) == len({host.ip for host in hosts}) == load("default").hosts


def test_every_locale_has_people() -> None:
    everywhere = replace(load("default"), users=300, locales=tuple(SAYINGS_OF_LOCALE))
    users = Population(3, everywhere).users
    assert {user.locale for user in users} == set(SAYINGS_OF_LOCALE)
    assert len({user.name for user in users}) == len({user.account for user in users}) == 300


def test_a_locale_that_is_not_kept_is_drawn_with_faker() -> None:
    somewhere = replace(load("default"), users=40, locales=("it_IT", "uk_UA"))
    users = Population(3, somewhere).users
    assert users == Population(3, somewhere).users
    drawn = draw("it_IT")
    assert drawn == draw("it_IT") == names_of("it_IT")
    assert any(name.lower() in user.name for user in users for name in drawn.first + drawn.last)
    assert any("а" <= letter <= "я" for user in users for letter in user.name)


@pytest.mark.parametrize("locale", ["xx_XX", "..", "en_US.evil", ""])
def test_nobody_lives_where_faker_has_nobody(locale: str) -> None:
    with pytest.raises(NoSuchLocale):
        names_of(locale)
