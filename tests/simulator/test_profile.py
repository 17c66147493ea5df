from pathlib import Path

import pytest
from msgspec.structs import replace

from simulator.machine.story import ApplicationKey, ContainerKey
from simulator.world.fortunes import Fortune, _attempt
from simulator.world.lives import Life
from simulator.world.profile import USUAL_START, Profile
from simulator.world.profile_files import DERIVED, SHIPPED, BadProfile, derived, load, read, shipped
from simulator.world.world import World
from simulator.yaml_text import LARGEST_FILE

DEFAULT = (SHIPPED / "default.yaml").read_bytes()


@pytest.mark.parametrize("name", shipped())
def test_every_shipped_profile_is_right(name: str) -> None:
    content = (SHIPPED / f"{name}.yaml").read_bytes()
    assert read(content, f"{name}.yaml") == load(name)


def test_the_quick_copy_of_the_shipped_profiles_is_the_newest() -> None:
    assert DERIVED.read_text("utf-8") == derived(), "run `make fmt`"


def test_default_is_shipped() -> None:
    assert "default" in shipped()


def test_a_profile_is_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(DEFAULT.replace(b"window: PT12H", b"window: P1D"))
    mine = load(str(file))
    assert mine.name == "mine"
    assert mine.window == 24 * 3_600_000


def test_equal_mixes_have_equal_identities_whatever_they_are_called() -> None:
    one, other = read(DEFAULT, "one.yaml"), read(DEFAULT.replace(b"about: A shared", b"about: Another"), "other.yaml")
    assert one.identity() == other.identity()
    assert one.identity() != read(DEFAULT.replace(b"hosts: 48", b"hosts: 47"), "one.yaml").identity()


def test_how_fast_things_start_is_usual_where_a_profile_says_nothing_of_it() -> None:
    """States that were saved before it could be said name the same mix."""
    silent = read(b"\n".join(line for line in DEFAULT.splitlines() if not line.startswith(b"starting:")), "my.yaml")
    assert (silent.starting, silent.identity()) == (USUAL_START, read(DEFAULT, "my.yaml").identity())
    slow = read(DEFAULT.replace(b"master: [PT2S, PT6S]", b"master: [PT30S, PT90S]"), "my.yaml")
    assert slow.identity() != silent.identity()


def test_masters_and_containers_start_as_fast_as_the_profile_says() -> None:
    """Of jobs of the population, and of what people submit."""
    told = b"starting: {submission: [PT1S, PT1S], master: [PT40S, PT50S], container: [PT20S, PT30S], program: [PT5S, PT9S]}"
    was = next(line for line in DEFAULT.splitlines() if line.startswith(b"starting:"))
    mix = read(DEFAULT.replace(was, told), "my.yaml")
    world = World(1, 50, mix)
    stories = [world.at_place(place).tell() for place in range(1000, 1030)]
    key = ApplicationKey(0, 0, 0)
    people = [Fortune(mix, f"people/{number}", 1) for number in range(30)]
    waits = [_attempt(mix, each.dice_name, 0, 0).wait for each in people]
    starts = [(each.application(key).am_start or 0) - wait for each, wait in zip(people, waits, strict=True)]
    assert all(40_000 <= start <= 50_000 for start in starts)
    for life in [story.behaviour for story in stories if isinstance(story.behaviour, Life)]:
        first, version = next(iter(life.versions.items()))
        fate = life.application(replace(key, version=first))
        assert fate.upload == 1000
        assert 40_000 <= (fate.am_start or 0) - version.attempts[0].wait <= 50_000
        role = next(iter(version.descriptor.task_roles))
        container = life.container(ContainerKey(replace(key, version=first), role, 0, 0))
        assert container.allocation is None or container.allocation >= 20_000
        assert 5000 <= container.start <= 9000 or container.allocation is None


def wrong(old: bytes, new: bytes) -> str:
    assert old in DEFAULT
    with pytest.raises(BadProfile) as caught:
        read(DEFAULT.replace(old, new, 1), "my.yaml")
    return str(caught.value)


def line_of(text: bytes) -> int:
    return DEFAULT[: DEFAULT.index(text)].count(b"\n") + 1


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "said"),
    [
        (b"gpus: [1, 8]", b"gpus: [1, 9]", b"gpus: [1, 8]", "shapes.1.roles.worker.gpus", "more than a host"),
        (b"cpu: [1, 8]", b"cpu: [1, 65]", b"cpu: [1, 8]", "shapes.0.roles.main.cpu", "more than a host"),
        (b"16384]", b"262145]", b"memory_mb: [2048, 16384]", "shapes.0.roles.main.memory_mb", "more than a host"),
        (b"cpu: [1, 8]", b"cpu: [8, 1]", b"cpu: [1, 8]", "shapes.0.roles.main.cpu", "8 to 1"),
        (b"cpu: [1, 8]", b"cpu: [0, 8]", b"cpu: [1, 8]", "shapes.0.roles.main.cpu", "from 1"),
        (b"longest: PT5H", b"longest: PT50H", b"window:", "window", "too short"),
        (b"window: PT12H", b"window: P2Y", b"window:", "window", "fixed length"),
        (b"window: PT12H", b"window: P", b"window:", "window", "ISO 8601"),
        (b"window: PT12H", b"window: PT0S", b"window:", "window", "no length of time"),
        (b"window: PT12H", b"window: 12", b"window:", "window", "12"),
        (b"PT2S, PT6S]", b"PT6S, PT2S]", b"starting:", "starting.master", "PT6S to PT2S"),
        (b"PT2S, PT6S]", b"PT2S, PT6H]", b"starting:", "starting.master", "that is a waiting"),
        (b"PT2S, PT6S]", b"PT2S, P1M]", b"starting:", "starting.master", "no two ISO 8601"),
        (b"PT2S, PT6S]", b"PT2S]", b"starting:", "starting.master", "PT2S"),
        (b"succeeded: 48", b"succeeded: much", b"succeeded: 48", "endings.succeeded", "much"),
        (b"succeeded: 48", b"won: 48", b"endings:", "endings", "'won'"),
        (b"en_US: 6", b"en_XX: 6", b"locales:", "users.locales.en_XX", "en_US"),
        (b"most: 3", b"most: 3.5", b"most: 3", "retries.most", "3.5"),
        (b"intervals: deployed", b"intervals: slow", b"intervals:", "intervals", "slow"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_key(old: bytes, new: bytes, line: bytes, key: str, said: str) -> None:
    message = wrong(old, new)
    assert message.startswith(f"my.yaml, line {line_of(line)}: {key}: ")
    assert said in message


def test_all_weights_nought_is_wrong() -> None:
    zero = DEFAULT[: DEFAULT.index(b"endings:")] + b"endings: {user: 0}\n" + DEFAULT[DEFAULT.index(b"retries:") :]
    with pytest.raises(BadProfile, match="endings: all weights are 0"):
        read(zero, "my.yaml")
    begin, end = DEFAULT.index(b"shapes:"), DEFAULT.index(b"waiting:")
    shapes = b"shapes: [{weight: 0, roles: {a: {tasks: [1, 1], cpu: [1, 1], memory_mb: [1, 1]}}}]\n"
    with pytest.raises(BadProfile, match="shapes: all weights are 0"):
        read(DEFAULT[:begin] + shapes + DEFAULT[end:], "my.yaml")


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a: [", "line 1: not YAML"),
        (DEFAULT + b"about: again\n", f"line {DEFAULT.count(chr(10).encode()) + 1}: not YAML"),
        (b"\xff\xfe\xff", "not YAML"),
        (b"\x00", "not YAML"),
        (b"", "the whole"),
        (b"- 1", "the whole"),
        (b"just a text", "the whole"),
        (b" " * (LARGEST_FILE + 1), "larger than"),
        (b"[" * 1_000, "not YAML"),
        (b"? {a: [b]: c}: d", "not YAML"),
    ],
)
def test_what_is_no_profile_at_all_is_told(content: bytes, said: str) -> None:
    with pytest.raises(BadProfile) as caught:
        read(content, "my.yaml")
    assert said in str(caught.value)


def test_a_missing_profile_is_told_with_those_there_are() -> None:
    with pytest.raises(BadProfile, match=r"no/such\.yaml: no shipped profile \(.*default"):
        load("no/such.yaml")


def test_a_profile_is_a_value() -> None:
    assert isinstance(load("default"), Profile)
    assert load("default") == load("default")
