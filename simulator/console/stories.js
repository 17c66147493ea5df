// The stories told by hand: found by what they are about, and moved on where one waits for a hand.

import { Poll, ask, tell } from "./asking.js";
import { $, h, say, show } from "./dom.js";

let told = null;
let drawn = null;

function refreshed() {
  const words = $("story-search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const key = JSON.stringify([told, words]);
  if (key === drawn) return;
  drawn = key;
  const items = told.scenarios.flatMap((scenario) => [
    ...(scenario.problem ? [h("li", { class: "bad" }, h("strong", {}, scenario.file), " ", scenario.problem)] : []),
    ...scenario.jobs
      .filter((job) => words.every((word) => `${job.name} ${job.about} ${scenario.name}`.toLowerCase().includes(word)))
      .map((job) => card(scenario, job)),
  ]);
  show($("story-list"), ...(items.length ? items : [h("li", { class: "soft" }, "No such story")]));
}

function card(scenario, job) {
  const at = job.steps.findIndex((step) => step.name === job.state);
  const next = job.steps[at + 1];
  const waits = at >= 0 && job.steps[at].manual && next;
  return h("li", {},
    h("a", { href: `#/jobs/${encodeURIComponent(job.name)}`, "data-key": job.name }, job.name),
    h("p", { class: "soft" }, job.about),
    job.steps.length ? h("ol", { class: "steps" }, ...job.steps.map((step) => h("li", { "aria-current": step.name === job.state ? "step" : null }, step.name))) : null,
    waits ? h("p", {}, h("button", { "data-key": `on ${job.name}`, onclick: () => move(scenario.name, job.name, next.name) }, `On to ${next.name}`)) : null,
  );
}

async function move(scenario, job, state) {
  try {
    await tell("PUT", `/scenarios/${encodeURIComponent(scenario)}/state`, { state, job });
    say(`${job} goes on to ${state}, once the launcher notices.`);
  } catch (error) {
    say(error.message, true);
  }
}

const poll = new Poll(6, async () => {
  told = await ask("/scenarios");
  refreshed();
});
$("story-search").addEventListener("input", () => told && refreshed());

export const stories = {
  show() {
    document.title = "Stories · simulated";
    poll.start();
  },
  hide: () => poll.stop(),
};
