"""The control plane's calls about jobs: look at one, make one, stop, start, advance and delete it."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import falcon

from contracts.launcher.half_pairs import mended
from contracts.launcher.port import NoSuchFramework
from simulator.admin import bodies as bodies
from simulator.admin.job_list import listed
from simulator.journal_entries import encode
from simulator.problems import BadInput
from simulator.simulation import Simulation
from simulator.told.scenario_files import BadScenario, jobs_in, parsed, plain
from simulator.yaml_text import NotYaml, document_in

YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})


class OneJob:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def on_get(self, _req: falcon.Request, resp: falcon.Response, name: str) -> None:
        bodies.answer(resp, job_as_told(self._simulation, bodies.framework_name(name)))

    def on_delete(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        bodies.empty(req)
        bodies.framework_name(name)
        bodies.answer(resp, {"name": name, "dropped": self._simulation.journal.delete(name)})


def job_as_told(simulation: Simulation, name: str) -> dict[str, object]:
    """Raises NoSuchFramework."""
    now = simulation.clock.now()
    record = simulation.journal.standing(name, now)
    if record is None:
        raise NoSuchFramework(name)
    lived = simulation.journal.life(name, now)
    done = [] if lived is None else [entry for entry in lived.entries if entry.at <= now]
    told: dict[str, object] = {**listed(record.summary), "done": [encode(entry) for entry in done]}
    job = None if lived is None else lived.job
    if lived is not None and job is not None:
        reached = job.step_at(simulation.journal.timeline(lived), now)
        told["about"] = job.about
        told["steps"] = [
            {"name": step.name, "state": step.state.value, "progression": step.progression} for step in job.steps
        ]
        told["step"] = None if reached is None else job.steps[reached].name
    return told


class Deed:
    """``POST /jobs/{name}/WORD``."""

    def __init__(self, do: Callable[[str], int]) -> None:
        self._do = do

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        bodies.empty(req)
        bodies.framework_name(name)
        bodies.answer(resp, {"name": name, "dropped": self._do(name)})


def make(simulation: Simulation, prefix: str, req: falcon.Request, resp: falcon.Response) -> None:
    """From a story (YAML or JSON), or from a submit body, whose name comes beside or with it."""
    text = bodies.content(req, bodies.LARGEST_STORY)
    wanted = bodies.query(req, "name").get("name")
    media_type = (req.content_type or "").partition(";")[0].strip().lower()
    document = _document(text, media_type in YAML_TYPES)
    if not isinstance(document, Mapping):
        raise BadInput("the body is a story or a submit body, so an object")
    existed = False
    if "taskRoles" in document:
        name = bodies.framework_name(wanted if wanted is not None else document.get("name"))
        existed = simulation.journal.standing(name, simulation.clock.now()) is not None
        dropped = _submit(simulation, name, document)
    elif not {"name", "jobs"} & document.keys() and wanted is None:
        raise BadInput("a story has a name, and a submit body has taskRoles: this has neither")
    else:
        name, dropped = _tell(simulation, wanted, document, text, as_yaml=media_type in YAML_TYPES)
    resp.status = falcon.HTTP_200 if existed else falcon.HTTP_201
    resp.location = f"{prefix}/jobs/{quote(name, safe='~')}"
    bodies.answer(resp, {"name": name, "dropped": dropped, "job": f"/api/v2/jobs/{quote(name, safe='~')}"})


def _document(text: bytes, as_yaml: bool) -> object:
    if not as_yaml:
        return bodies.json_of(text)
    try:
        return mended(plain(document_in(text, "the body")), text.decode("utf-8", "replace"))
    except NotYaml as error:
        raise BadInput(str(error)) from error


def _submit(simulation: Simulation, name: str, document: Mapping[str, Any]) -> int:
    """As the launcher itself would judge it."""
    from simulator.submission.judging import Library, descriptor, descriptor_shape, judged
    from simulator.submission.refusals import Refused

    shape = descriptor_shape(Library())
    try:
        wanted = judged(shape, shape.bound({key: value for key, value in document.items() if key != "name"}))
        return simulation.journal.submit(name, descriptor(wanted))
    except Refused as refused:
        raise BadInput(f"the launcher would not take this: {refused}") from refused


def _tell(
    simulation: Simulation, wanted: str | None, document: Mapping[str, Any], text: bytes, *, as_yaml: bool
) -> tuple[str, int]:
    if wanted is not None:
        document = {**document, "name": wanted}
        text = json.dumps(document).encode()
    elif not as_yaml:
        text = json.dumps(document).encode()
    if "starts" in document:
        raise BadInput("starts: a story that is made here begins now")
    try:
        (job, *more) = jobs_in(text, "the body")
    except BadScenario as error:
        raise BadInput(str(error)) from error
    story = plain(parsed(text, "the body"))
    if more or "jobs" in story:
        raise BadInput("jobs: one story is told at a time; several are a scenario, in a file")
    return job.name, simulation.journal.tell(job.name, story)
