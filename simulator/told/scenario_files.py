"""Scenarios as files: a folder of YAML, each file one told story or several, checked before anybody sees it.

What is wrong is told with file, line and key. A folder that is watched is looked at again at most every second, when
somebody asks; a file that is broken then keeps what it said before, and says so.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from contracts.clock import Instant, Milliseconds, real_now

if TYPE_CHECKING:
    from simulator.told.scenario import Job
    from simulator.told.words import Keys
from simulator.yaml_text import NotYaml, document_in

SHIPPED = Path(__file__).parents[1] / "stories"
SCHEMA = SHIPPED / "story.schema.json"
NAMESPACE = "story~"
"""Before the names of the shipped ones."""
LOOKED_EVERY: Milliseconds = 1000

_log = logging.getLogger(__name__)


class BadScenario(ValueError):
    """A file that cannot be used; the message says which, where and why."""


class Scenario(Struct, frozen=True):
    """One file."""

    name: str
    file: str
    jobs: "tuple[Job, ...]"
    stamp: tuple[int, int]
    problem: str | None = None
    """Why the file as it is now is not used; the jobs are those it told before."""
    clash: str | None = None
    """Why some of its stories are not: another file tells of the same name."""


class ShippedScenarios:
    """Those of the package: one story in each file, found by its name, and read when somebody asks for it."""

    watch = False
    edition: object = "shipped"

    def __init__(self) -> None:
        self._files = {f"{NAMESPACE}{path.stem}": path for path in _files(SHIPPED)}
        self._read = lru_cache(len(self._files) + 1)(_shipped)

    def job(self, name: str) -> "Job | None":
        path = self._files.get(name)
        return None if path is None else self._read(path)

    def jobs(self) -> "Sequence[Job]":
        return [self._read(path) for path in self._files.values()]

    def all(self) -> Sequence[Scenario]:
        return [Scenario(path.stem, path.name, (self._read(path),), (0, 0)) for path in self._files.values()]


def _shipped(path: Path) -> "Job":
    """Checked by the tests, not at every start."""
    from ruamel.yaml import YAML  # the first story asks for it, not the start

    from simulator.told.scenario import job_of

    return job_of(plain(YAML(typ="safe").load(path.read_bytes())))


class Scenarios:
    """The scenarios of a folder. Thread-safe: they are replaced as a whole."""

    def __init__(self, folder: Path | None, *, watch: bool = False, real: Callable[[], Instant] = real_now) -> None:
        """``None``: no folder, no scenarios. Raises BadScenario."""
        self._folder = folder
        self.watch = watch
        """Whether files are looked at again. May be changed."""
        self._real = real
        self._looked = real()
        self._scenarios: Mapping[str, Scenario] = {}
        self._owners: Mapping[str, tuple[str, Job]] = {}
        """By the name of the job: which scenario tells of it, and what."""
        self._jobs: Mapping[str, Job] = {}
        self._load(strict=True)

    @property
    def edition(self) -> object:
        self._look()
        return self._jobs  # replaced whenever anything in it is

    def job(self, name: str) -> "Job | None":
        self._look()
        return self._jobs.get(name)

    def jobs(self) -> "Sequence[Job]":
        self._look()
        return tuple(self._jobs.values())

    def all(self) -> Sequence[Scenario]:
        self._look()
        return tuple(self._scenarios.values())

    def _look(self) -> None:
        if self.watch and self._real() - self._looked >= LOOKED_EVERY:
            self._looked = self._real()
            self._load(strict=False)

    def _load(self, *, strict: bool) -> None:
        before = self._scenarios
        after: dict[str, Scenario] = {}
        for path in _files(self._folder):
            known = before.get(path.stem)
            try:
                stamp = _stamp(path)
                if known is not None and known.stamp == stamp:
                    after[path.stem] = replace(known, clash=None)
                    continue
                after[path.stem] = Scenario(path.stem, str(path), _read(path), stamp)
                if known is not None or not strict:
                    _log.info("scenario %s is told anew", path)
            except (BadScenario, OSError) as error:
                if strict:
                    raise BadScenario(str(error)) from error
                _log.warning("a scenario keeps what it said before: %s", error)
                old = Scenario(path.stem, str(path), (), (0, 0)) if known is None else known
                after[path.stem] = replace(old, stamp=stamp, problem=str(error))
        owners: dict[str, tuple[str, Job]] = {}
        told = [(scenario.name, job) for scenario in after.values() for job in scenario.jobs]
        for name, job in sorted(told, key=lambda each: self._owners.get(each[1].name, ("",))[0] != each[0]):
            owner, _ = owners.setdefault(job.name, (name, job))
            if owner != name:
                clash = f"{after[name].file}: {after[owner].file} tells of {job.name} too"
                if strict:
                    raise BadScenario(clash)
                after[name] = replace(after[name], clash=clash)
        if after != before:
            self._scenarios, self._owners = after, owners
            self._jobs = {name: job for name, (_, job) in owners.items()}


def _files(folder: Path | None) -> list[Path]:
    return [] if folder is None else sorted(path for path in folder.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))


def _stamp(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


def _read(path: Path) -> "tuple[Job, ...]":
    return jobs_in(path.read_bytes(), str(path))


def jobs_in(content: bytes, where: str) -> "tuple[Job, ...]":
    """The stories of that text, checked. ``where`` names it in errors. Raises BadScenario."""
    from simulator.told.scenario import job_of, tried
    from simulator.told.words import BadStory

    document = parsed(content, where)
    jobs: list[Job] = []
    for position, told in enumerate(_jobs_of(document)):
        try:
            jobs.append(tried(job_of(plain(told))))
        except BadStory as error:
            keys = error.keys if told is document else ("jobs", position, *error.keys)
            raise BadScenario(_complaint(where, document, keys, str(error))) from error
        if jobs[-1].name in {job.name for job in jobs[:-1]}:
            raise BadScenario(_complaint(where, document, ("jobs", position, "name"), "a story before has that name"))
    return tuple(jobs)


def parsed(content: bytes, where: str) -> Any:
    """Its document, which the schema found right. Raises BadScenario."""
    try:
        document = document_in(content, where)
    except NotYaml as error:
        raise BadScenario(str(error)) from error
    for keys, message in _by_schema(document):
        raise BadScenario(_complaint(where, document, keys, message))
    return document


def _jobs_of(document: Any) -> Sequence[Mapping[str, Any]]:
    jobs: Sequence[Mapping[str, Any]] = document.get("jobs", [document])
    return jobs


def plain(told: Any) -> Any:
    """Without what the YAML library keeps with it."""
    if isinstance(told, Mapping):
        return {str(key): plain(value) for key, value in told.items()}
    if isinstance(told, list):
        return [plain(value) for value in told]
    if isinstance(told, date):  # YAML takes an instant for more than a text; a datetime is a date too
        return told.isoformat()
    for kind in (bool, int, float, str):
        if isinstance(told, kind):
            return kind(told)
    return told


def _by_schema(document: object) -> "Iterator[tuple[Keys, str]]":
    from jsonschema import Draft202012Validator  # only files of people's own need it, and it takes long to import
    from jsonschema.exceptions import best_match

    try:
        told = plain(document)
        json.dumps(told, ensure_ascii=False).encode()  # half of a surrogate pair could not be told
    except (TypeError, ValueError, RecursionError) as error:
        yield (), f"a value in it has no place in JSON: {error}"
        return
    schema = json.loads(SCHEMA.read_text("utf-8"))
    kind = "scenario" if isinstance(told, dict) and "jobs" in told else "job"
    validator = Draft202012Validator({**schema, "oneOf": [{"$ref": f"#/$defs/{kind}"}]})
    worst = best_match(validator.iter_errors(told))
    if worst is not None:
        yield tuple(worst.absolute_path), worst.message


def in_schema(story: object, where: str) -> None:
    """Raises BadScenario."""
    for keys, message in _by_schema(story):
        raise BadScenario(f"{where}: {'.'.join(map(str, keys)) or 'the whole'}: {message}")


def _complaint(where: str, document: Any, keys: "Keys", message: str) -> str:
    return f"{where}, line {_line(document, keys)}: {'.'.join(map(str, keys)) or 'the whole'}: {message}"


def _line(document: Any, keys: "Keys") -> int:
    """Where that key stands: ruamel keeps the positions of keys with what holds them."""
    line = 1
    for key in keys:
        positions = getattr(document, "lc", None)
        if positions is None or key not in (positions.data or {}):
            break
        line = positions.data[key][0] + 1
        document = document[key]
    return line
