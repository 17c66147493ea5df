// A job made from a story that is written here, or from a body as the launcher takes it.

import { Refused, Lost, tell } from "./asking.js";
import { $, say } from "./dom.js";

const TEMPLATES = {
  "runs, and succeeds": ["application/yaml", `name: me~fine
about: Runs for half an hour, and succeeds.
containers:
  - {run: PT30M, exit: {code: 0}}
`],
  "fails, is retried, and fails": ["application/yaml", `name: me~unlucky
about: One retry, then failed.
descriptor: {retry: 1}
containers:
  - {run: PT10M, exit: {code: 1, stderr: "out of luck\\n"}}
`],
  "goes on by hand": ["application/yaml", `name: me~by-hand
about: Waits, and runs, for as long as I like.
steps:
  - {name: waiting, state: APPLICATION_WAITING, progression: manual}
  - {name: running, state: APPLICATION_RUNNING, progression: manual, ends: {exit: {code: 1}}}
  - {name: over, state: FRAMEWORK_COMPLETED}
`],
  "a body as the launcher takes it": ["application/json", `{
  "name": "me~submitted",
  "version": 1,
  "taskRoles": {
    "worker": {
      "taskNumber": 2,
      "taskService": {
        "version": 1, "entryPoint": "sleep 600", "sourceLocations": [],
        "resource": {"cpuNumber": 1, "memoryMB": 1024}
      }
    }
  }
}
`],
};

$("template").append(...Object.keys(TEMPLATES).map((name) => new Option(name)));
function template() {
  [$("as").value, $("story").value] = TEMPLATES[$("template").value];
  $("make-said").textContent = "";
}
$("template").onchange = template;
template();

$("make").onsubmit = async (event) => {
  event.preventDefault();
  $("make-said").textContent = "";
  try {
    const made = await tell("POST", "/jobs", $("story").value, $("as").value);
    say(`${made.name} is made.${made.dropped ? ` ${made.dropped} later operations are dropped.` : ""}`);
    location.hash = `#/jobs/${encodeURIComponent(made.name)}`;
  } catch (error) {
    if (!(error instanceof Refused || error instanceof Lost)) throw error;
    $("make-said").textContent = error.message;
  }
};

export const make = {
  show() {
    document.title = "New job · simulated";
  },
  hide() {},
};
