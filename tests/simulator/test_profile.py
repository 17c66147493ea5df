from pathlib import Path

import pytest

from simulator.world.profile import Profile
from simulator.world.profile_files import DERIVED, SHIPPED, BadProfile, derived, load, read, shipped
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
        (b"[" * 100_000, "not YAML"),
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
