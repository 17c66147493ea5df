"""Recordings that nobody made: the shipped ones changed as others may differ, and every answer is still one of the contract."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import falcon.testing
import pytest

from restserver.answers.styles import STYLES
from restserver.app import create_app
from restserver.assembling.backends import recorded_backend
from restserver.settings import Settings
from tests.promises.judging import objection

pytestmark = pytest.mark.no_cover

SHIPPED = Path(__file__).resolve().parents[2] / "restserver" / "launchers" / "recordings"
Lines = list[dict[str, Any]]  # exchanges, as the format has them


def _as_text(change: Callable[[str], str]) -> Callable[[Lines, Random], Lines]:
    return lambda lines, dice: json.loads(change(json.dumps(lines)))


def _some_bodies_cut(lines: Lines, dice: Random) -> Lines:
    for line in lines:
        if line["response"]["body"] and dice.random() < 0.2:
            line["response"]["body"] = line["response"]["body"][: len(line["response"]["body"]) // 2]
    return lines


def _some_failures(lines: Lines, dice: Random) -> Lines:
    for line in lines:
        if dice.random() < 0.15:
            status = dice.choice([None, 404, 429, 500, 503])
            body = None if status is None else dice.choice([None, "<html>", '{"exception": "e", "message": "m"}'])
            line["response"] = {"status": status, "reason": "odd", "headers": None, "body": body}
    return lines


CHANGES: dict[str, Callable[[Lines, Random], Lines]] = {
    "as they are": lambda lines, dice: lines,
    "other names and hosts": _as_text(lambda text: text.replace("alice~", "Zed.9~").replace("cluster.example", "x")),
    "words nobody knows": _as_text(lambda text: text.replace("_RUNNING", "_DANCING").replace("TRANSIENT", "ODD")),
    "polls left out": lambda lines, dice: [line for line in lines if dice.random() < 0.4],
    "in no order": lambda lines, dice: dice.sample(lines, len(lines)),
    "bodies cut off": _some_bodies_cut,
    "failures between": _some_failures,
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("change", CHANGES)
def test_every_answer_is_one_of_the_contract(tmp_path: Path, change: str, style: str) -> None:
    dice = Random(change)
    whole = b"".join(gzip.decompress(file.read_bytes()) for file in sorted(SHIPPED.glob("*.jsonl.gz")))
    lines = CHANGES[change]([json.loads(line) for line in whole.splitlines()], dice)
    (tmp_path / "one.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    paths = {line["request"]["path"].partition("?")[0].split("/")[3] for line in lines if _is_about_one(line)}
    settings = Settings(backend="recorded", recordings=tmp_path, style=style)
    built = recorded_backend(settings)
    client = falcon.testing.TestClient(create_app(built.backend, settings))
    assert built.clock is not None
    answered = 0
    for instant in [None, *sorted(line["t_ms"] for line in dice.sample(lines, 3))]:
        if instant is not None:
            built.clock.set(instant)
        for name in sorted(paths):
            for operation, path in (
                ("getJob", f"/jobs/{name}"),
                ("getVersions", f"/frameworks/{name}/versions"),
                ("getAttempts", f"/frameworks/{name}/attempts"),
                ("getAttempt", f"/frameworks/{name}/attempts/0"),
            ):
                result = client.simulate_get(f"/api/v2{path}")
                wrong = objection(operation, result.status_code, style, result.json)
                assert wrong is None, f"{name}, {result.status}: {wrong}"
                answered += result.status_code == 200
    assert answered


def _is_about_one(line: dict[str, Any]) -> bool:
    return str(line["request"]["path"]).startswith("/v1/Frameworks/")
