"""Profiles as files: YAML, checked against ``profiles/profile.schema.json``.

What is wrong is told with file, line and key, before anything is simulated. The shipped ones are checked by the tests, not
at every start; and as reading YAML costs a tenth of a start, they lie there as JSON too: ``python -m
simulator.world.profile_files`` derives it, and a test fails when it is stale.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from contracts.clock import Milliseconds
from simulator.lengths import length
from simulator.world.people import NoSuchLocale, names_of
from simulator.world.profile import Profile, profile_of
from simulator.world.sayings import SAYINGS_OF_LOCALE
from simulator.yaml_text import NotYaml, document_in

SHIPPED = Path(__file__).parents[1] / "profiles"
SCHEMA = SHIPPED / "profile.schema.json"
DERIVED = SHIPPED / "shipped.json"
MARGIN: Milliseconds = 4 * 3_600_000
"""What back-off, full clusters and the launcher's own looks may add to a life, retries included."""
LONGEST_START: Milliseconds = 2 * 60_000
"""So that the starts of a life are within its margin."""

Keys: TypeAlias = Sequence[str | int]
"""Where in a document: ``("shapes", 0, "weight")``."""

Wrong: TypeAlias = tuple[Keys, str]


class BadProfile(ValueError):
    """A profile that cannot be used: not there, not YAML, or not what the schema promises."""


def shipped() -> list[str]:
    """The names of the profiles that come with the package."""
    return sorted(file.stem for file in SHIPPED.glob("*.yaml"))


def load(name_or_file: str) -> Profile:
    """A shipped profile by its name, or one from a file. Raises BadProfile."""
    if name_or_file in shipped():
        return profile_of(name_or_file, shipped_mix(name_or_file))
    try:
        content = Path(name_or_file).read_bytes()
    except OSError as error:
        raise BadProfile(
            f"profile {name_or_file}: no shipped profile ({', '.join(shipped())}), and no readable file: {error.strerror}"
        ) from error
    return read(content, name_or_file)


def shipped_mix(name: str) -> Mapping[str, Any]:
    """The document of a shipped profile."""
    mixes: Mapping[str, Mapping[str, Any]] = json.loads(DERIVED.read_text("utf-8"))
    return mixes[name]


def derived() -> str:
    """Every shipped profile by its name, as JSON."""
    from ruamel.yaml import YAML

    documents = {name: YAML(typ="safe").load((SHIPPED / f"{name}.yaml").read_bytes()) for name in shipped()}
    return json.dumps(documents, indent=1, ensure_ascii=False) + "\n"


def read(content: bytes, where: str) -> Profile:
    """The profile in that text, checked. ``where`` names it in errors. Raises BadProfile."""
    try:
        document = document_in(content, where)
    except NotYaml as error:
        raise BadProfile(str(error)) from error
    for rule in (_by_schema, *_RULES):
        for keys, message in rule(document):
            raise BadProfile(f"{where}{_line(document, keys)}: {'.'.join(map(str, keys)) or 'the whole'}: {message}")
    return profile_of(Path(where).stem, document)


def _by_schema(document: object) -> Iterator[Wrong]:
    from jsonschema import Draft202012Validator  # only files of people's own need it, and it takes long to import
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).iter_errors(document))
    if error is not None:
        yield list(error.absolute_path), error.message


# What a schema cannot say. Each rule gets a document that the schema, and the rules before it, found right.


def _lengths_are_lengths(mix: Mapping[str, Any]) -> Iterator[Wrong]:
    for keys in (("window",), *((key, part) for key in ("waiting", "running") for part in ("median", "longest"))):
        text = _at(mix, keys)
        try:
            if length(text) <= 0:
                yield keys, f"{text} is no length of time"
        except ValueError:
            yield keys, f"{text!r} is no ISO 8601 duration of fixed length, such as PT90S or PT12H"


def _starts_ascend(mix: Mapping[str, Any]) -> Iterator[Wrong]:
    for key, (low, high) in mix.get("starting", {}).items():
        try:
            ascends = 0 <= length(low) <= length(high)
        except ValueError:
            yield ("starting", key), f"{low!r} to {high!r}: no two ISO 8601 durations of fixed length, such as PT0.5S"
            return
        if not ascends:
            yield ("starting", key), f"{low} to {high} is no range from PT0S up"
        elif length(high) > LONGEST_START:
            yield ("starting", key), f"{high} is more than {LONGEST_START // 60_000} minutes: that is a waiting"


def _ranges_ascend(mix: Mapping[str, Any]) -> Iterator[Wrong]:
    for place, shape in enumerate(mix["shapes"]):
        for name, role in shape["roles"].items():
            for key, lowest in (("tasks", 0), ("cpu", 1), ("memory_mb", 1), ("gpus", 0)):
                low, high = role.get(key, (lowest, lowest))
                if not lowest <= low <= high:
                    yield ("shapes", place, "roles", name, key), f"{low} to {high} is no range from {lowest} up"


def _roles_fit_a_host(mix: Mapping[str, Any]) -> Iterator[Wrong]:
    for place, shape in enumerate(mix["shapes"]):
        for name, role in shape["roles"].items():
            for key in ("gpus", "cpu", "memory_mb"):
                most = mix["cluster"].get({"cpu": "cpus"}.get(key, key) + "_per_host")
                if most is not None and role.get(key, (0, 0))[1] > most:
                    yield ("shapes", place, "roles", name, key), "more than a host of the cluster has"


def _something_has_weight(mix: Mapping[str, Any]) -> Iterator[Wrong]:
    for keys in (("endings",), ("retries", "causes")):
        if not sum(_at(mix, keys).values()):
            yield keys, "all weights are 0"
    if not sum(shape["weight"] for shape in mix["shapes"]):
        yield ("shapes",), "all weights are 0"


def _locales_are_known(mix: Mapping[str, Any]) -> Iterator[Wrong]:
    for locale in mix["users"]["locales"]:
        try:
            names_of(locale)
        except NoSuchLocale:
            yield (
                ("users", "locales", locale),
                f"Faker has no people there; it has {', '.join(SAYINGS_OF_LOCALE)}, and more",
            )


def _lives_fit_the_window(mix: Mapping[str, Any]) -> Iterator[Wrong]:
    if length(mix["waiting"]["longest"]) + length(mix["running"]["longest"]) + MARGIN > length(mix["window"]):
        yield ("window",), f"too short for the longest waiting and running, and {MARGIN // 3_600_000} h for retries"


_RULES: tuple[Callable[[Mapping[str, Any]], Iterator[Wrong]], ...] = (
    _lengths_are_lengths,
    _starts_ascend,
    _ranges_ascend,
    _roles_fit_a_host,
    _something_has_weight,
    _locales_are_known,
    _lives_fit_the_window,
)


def _at(document: Any, keys: Keys) -> Any:
    for key in keys:
        document = document[key]
    return document


def _line(document: object, keys: Keys) -> str:
    """Where that key stands: ruamel keeps the positions of keys with what holds them."""
    for depth in range(len(keys), 0, -1):
        positions = getattr(_at(document, keys[: depth - 1]), "lc", None)
        if positions is not None and keys[depth - 1] in (positions.data or {}):
            return f", line {positions.data[keys[depth - 1]][0] + 1}"
    return ", line 1"


if __name__ == "__main__":
    DERIVED.write_text(derived(), encoding="utf-8")
