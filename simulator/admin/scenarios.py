"""The control plane's calls about scenarios: which files there are, where each story stands, and moving one by hand."""

from collections.abc import Mapping

import falcon

from contracts.clock import Instant
from simulator.admin import bodies as bodies
from simulator.journal import NoStep
from simulator.problems import BadInput
from simulator.simulation import Simulation
from simulator.told.scenario_files import Scenario


class AllScenarios:
    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        bodies.query(req)
        now = self._simulation.clock.now()
        bodies.answer(
            resp,
            {"scenarios": [_told(self._simulation, scenario, now) for scenario in self._simulation.scenarios.all()]},
        )


class ScenarioState:
    """A scenario's state is the step that its first story with steps has come to."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def on_put(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        scenario = next((each for each in self._simulation.scenarios.all() if each.name == name), None)
        if scenario is None:
            raise falcon.HTTPNotFound(description=f"There is no scenario {name}.")
        wanted = bodies.body(req)
        if (
            not isinstance(wanted, Mapping)
            or set(wanted) - {"state", "job"}
            or not isinstance(wanted.get("state"), str)
        ):
            raise BadInput('the body is {"state": STEP}, and may name the job: {"state": STEP, "job": NAME}')
        jobs = [
            job
            for job in scenario.jobs
            if wanted.get("job") in (None, job.name) and wanted["state"] in [step.name for step in job.steps]
        ]
        if not jobs:
            raise BadInput(f"no story of {name} has a step {wanted['state']}")
        dropped = self._advance([job.name for job in jobs], wanted["state"])
        now = self._simulation.clock.now()
        bodies.answer(resp, {**_told(self._simulation, scenario, now), "dropped": dropped})

    def _advance(self, names: list[str], to: str) -> int:
        """Every story that can; the reason of the last that could not, if none could."""
        dropped, moved = 0, False
        why: NoStep | None = None
        for name in names:
            try:
                dropped += self._simulation.journal.advance(name, to)
                moved = True
            except NoStep as error:
                why = error
        if not moved and why is not None:
            raise why
        return dropped


def _told(simulation: Simulation, scenario: Scenario, now: Instant) -> dict[str, object]:
    jobs: list[dict[str, object]] = []
    for job in scenario.jobs:
        lived = simulation.journal.life(job.name, now)
        reached = None
        if lived is not None and lived.job is not None and job.steps:
            reached = lived.job.step_at(simulation.journal.timeline(lived), now)
        jobs.append(
            {
                "name": job.name,
                "about": job.about,
                "state": job.steps[reached].name if reached is not None and reached < len(job.steps) else None,
                "steps": [{"name": step.name, "manual": step.by_hand} for step in job.steps],
            }
        )
    return {
        "name": scenario.name,
        "file": scenario.file,
        "state": next((job["state"] for job in jobs if job["steps"]), None),
        "jobs": jobs,
        "problem": scenario.problem or scenario.clash,
    }
