// One job: its life, what can be done to it, and what the API says of it.

import { Poll, Refused, ask, hasToken, look, tell } from "./asking.js";
import { goTo, now } from "./clock.js";
import { $, badge, h, say, show, sure } from "./dom.js";
import { drawn, moveNow } from "./timeline.js";
import { dayOf, isoOf, lengthOf, timeOf } from "./times.js";

const FEW = 40; // rows of the list of changes before it is folded

let name = null;
let back = "#/jobs";
let fact = null; // as the control plane told it last
let life = null;
let even = localStorage.getItem("even") === "yes";
let unfolded = false;
let askedFor = null; // the life that is known to be outdated
let parts = null; // the elements that are filled anew

async function refresh() {
  const asked = name;
  let told, lived;
  try {
    [told, lived] = await Promise.all([ask(`/jobs/${encodeURIComponent(asked)}`), ask(`/jobs/${encodeURIComponent(asked)}/life`)]);
  } catch (error) {
    if (error instanceof Refused && error.status === 404 && asked === name) gone();
    throw error;
  }
  if (asked !== name) return;
  const changed = told !== fact || lived !== life;
  [fact, life] = [told, lived];
  if (parts === null) build();
  if (changed) fill();
}

function gone() {
  parts = null;
  [fact, life] = [null, null];
  show($("job"), h("p", {}, h("a", { href: back, class: "back" }, "All jobs")), h("h2", {}, name), h("p", { class: "soft" }, "There is no such job at this instant: not yet, or not any more."));
}

function build() {
  parts = {
    head: h("div", { class: "head" }),
    about: h("div"),
    chart: h("div", { class: "chart" }),
    changes: h("div"),
    answer: answerPart(),
  };
  const scale = h("button", { class: "quiet", "aria-pressed": String(even), title: "Every step as wide as the next, however long it lasted" }, "Even steps");
  scale.onclick = () => {
    even = !even;
    localStorage.setItem("even", even ? "yes" : "no");
    scale.setAttribute("aria-pressed", String(even));
    chart();
  };
  const next = h("button", { class: "primary", id: "next-change" }, "Next change");
  next.onclick = () => goTo(nextChange());
  parts.next = next;
  show(
    $("job"),
    h("p", { class: "back-line" }, h("a", { href: back, class: "back" }, "All jobs")),
    parts.head,
    parts.about,
    h("div", { class: "head" }, h("h3", {}, "Life"), h("span", { class: "group" }, scale, next)),
    parts.chart,
    parts.changes,
    h("h3", {}, "What the API says"),
    parts.answer,
  );
}

function fill() {
  const deeds = [
    h("button", { "data-key": "stop", onclick: () => act("POST", "/stop", "is to stop") }, "Stop"),
    h("button", {
      class: "danger", "data-key": "delete",
      onclick: async () => (await sure(`Delete ${name}?`, "The launcher forgets it. The clock can be turned back to before.")) && act("DELETE", "", "is deleted"),
    }, "Delete"),
  ];
  if (fact.steps?.some((step) => step.name === fact.step && step.progression === "manual")) {
    deeds.unshift(h("button", { class: "primary", "data-key": "advance", onclick: () => act("POST", "/advance", "goes on") }, "Next step"));
  }
  show(parts.head, h("h2", {}, name, " ", badge(fact.state)), h("span", { class: "group" }, ...deeds));
  const facts = [
    ["sub-state", fact.subState], ["attempt", fact.attemptId], ["version", fact.version], ["user", fact.username],
    ["exit code", fact.appExitCode ?? "none"], ["tasks", fact.totalTaskNumber], ["cluster", fact.virtualCluster ?? "none"],
  ];
  show(
    parts.about,
    fact.about ? h("p", { class: "about" }, fact.about) : null,
    h("dl", { class: "facts" }, ...facts.map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, String(value))))),
    fact.steps?.length ? h("ol", { class: "steps" }, ...fact.steps.map((step) => h("li", { "aria-current": step.name === fact.step ? "step" : null }, step.name))) : null,
  );
  parts.next.disabled = nextChange() === null;
  chart();
  changes();
}

// The next that can be seen here; of a job that is over none, but that it will be forgotten.
function nextChange() {
  const at = now();
  const coming = [...life.states, ...life.tasks.flatMap((task) => task.spans)].map((span) => span.from).filter((from) => from > at);
  if (coming.length) return Math.min(...coming);
  return life.states.at(-1)?.subState === "FrameworkCompleted" ? null : life.nextChange;
}

async function act(method, path, done) {
  try {
    const { dropped } = await tell(method, `/jobs/${encodeURIComponent(name)}${path}`);
    say(`${name} ${done}.${dropped ? ` ${dropped} later operations are dropped.` : ""}`);
  } catch (error) {
    say(error.message, true);
  }
}

function chart() {
  if (parts === null || life === null) return;
  const width = Math.max(300, Math.floor(parts.chart.clientWidth));
  show(parts.chart, drawn(life, now(), width, even));
}

// The same as the picture, in words, and each a place to go to.
function changes() {
  const at = now();
  const rows = [
    ...life.states.map((state) => ({ at: state.from, to: state.to, state, what: `${state.subState}, attempt ${state.attemptId}${life.states.some((other) => other.version !== state.version) ? `, version ${state.version}` : ""}` })),
    ...life.operations.map((operation) => ({ at: operation.at, what: operation.do.replaceAll("_", " "), deed: true })),
    ...life.attempts.filter((attempt) => attempt.exitCode !== null).map((attempt) => ({ at: endOf(attempt), what: `attempt ${attempt.attemptId} ended with ${attempt.exitCode}: ${attempt.exitDescription ?? attempt.exitType}`, deed: true })),
  ].sort((one, other) => one.at - other.at || Number(other.deed ?? 0) - Number(one.deed ?? 0));
  const current = rows.findLastIndex((row) => row.at <= at && !row.deed);
  const begin = unfolded ? 0 : Math.max(0, Math.min(current - FEW / 2, rows.length - FEW));
  const shown = unfolded ? rows : rows.slice(begin, begin + FEW);
  const day = new Set(rows.map((row) => dayOf(row.at))).size > 1;
  show(
    parts.changes,
    h("table", { class: "rows changes" }, h("caption", { class: "hidden" }, "Changes of this job, in order of time"),
      h("thead", {}, h("tr", {}, ...["At", "What", "Lasts", ""].map((head) => h("th", { scope: "col" }, head || h("span", { class: "hidden" }, "Go there"))))),
      h("tbody", {}, ...shown.map((row) =>
        h("tr", { class: [row.at > at ? "future" : "", rows.indexOf(row) === current ? "current" : "", row.deed ? "deed" : ""].join(" "), "aria-current": rows.indexOf(row) === current ? "time" : null },
          h("td", { class: "time", title: isoOf(row.at) }, `${day ? `${dayOf(row.at)} ` : ""}${timeOf(row.at)}`),
          h("td", {}, row.state ? h("span", { class: `dot ${kindOf(row.state)}` }) : null, row.what),
          h("td", { class: "time" }, row.state && row.to !== null && row.to < 4e12 && row.to - row.at < 3e10 ? lengthOf(row.to - row.at) : ""),
          h("td", { class: "number" }, h("button", { class: "quiet small", "data-key": `go ${row.at} ${row.what}`, "aria-label": `Set the clock to ${timeOf(row.at)}, ${row.what}`, onclick: () => goTo(row.at) }, "go")),
        ))),
    ),
    shown.length < rows.length ? h("p", { class: "center" }, h("button", { class: "quiet", onclick: () => ((unfolded = true), changes()) }, `All ${rows.length} changes`)) : null,
    life.whole ? null : h("p", { class: "soft small" }, "Its beginning is too long ago to be shown."),
  );
}

function endOf(attempt) {
  const over = life.states.find((state) => state.attemptId === attempt.attemptId && state.version === attempt.version && ["ApplicationCompleted", "FrameworkCompleted"].includes(state.subState));
  return over?.from ?? attempt.to ?? attempt.from;
}

const kindOf = (state) => (state.subState === "ApplicationCompleted" ? "BACKOFF" : state.state);

function answerPart() {
  const path = h("select", { "aria-label": "Path" });
  const prefer = h("input", { placeholder: "Prefer, such as code=404", list: "wishes", spellcheck: "false", autocomplete: "off", "aria-label": "Prefer" });
  const wishes = h("datalist", { id: "wishes" }, ...["code=404", "code=500", "fault=throttled", "delay=2", "example=out-of-memory"].map((value) => h("option", { value })));
  const out = h("div", { role: "status" });
  const base = `/api/v2/frameworks/${encodeURIComponent(name)}`;
  const paths = [`/api/v2/jobs/${encodeURIComponent(name)}`, `${base}/attempts`, ...Array.from({ length: Math.min(fact.attemptId + 1, 20) }, (_, id) => `${base}/attempts/${id}`), `${base}/versions`];
  path.append(...paths.map((each) => h("option", {}, each)));
  const form = h("form", { class: "try", onsubmit: (event) => event.preventDefault() }, path, prefer, wishes, h("button", {}, "Ask"), h("a", { class: "button quiet", href: paths[0] }, "Open"));
  path.onchange = () => (form.querySelector("a").href = path.value);
  form.addEventListener("submit", async () => {
    try {
      const answer = await look(path.value, prefer.value);
      const headers = ["ETag", "X-Simulated", "Preference-Applied", "Retry-After"].filter((key) => answer.headers.has(key));
      let text = answer.text;
      try {
        text = JSON.stringify(JSON.parse(text), null, 2);
      } catch {
        // shown as it came
      }
      const open = hasToken(path.value); // a link cannot send it, and no command shown here holds it
      form.querySelector("a").hidden = open;
      const curl = `curl -s ${open ? '-H "Authorization: Bearer $TOKEN" ' : ""}${prefer.value ? `-H 'Prefer: ${prefer.value}' ` : ""}'${location.origin}${path.value}'`;
      show(out,
        h("p", { class: "small" }, h("strong", { class: answer.status < 400 ? "good" : "bad" }, String(answer.status)), ...headers.map((key) => h("span", { class: "header" }, `${key}: ${answer.headers.get(key)}`))),
        h("p", { class: "small" }, h("code", {}, curl)),
        h("pre", { tabindex: "0", "aria-label": "Body of the answer" }, text));
    } catch (error) {
      show(out, h("p", { class: "bad" }, error.message));
    }
  });
  return h("div", {}, form, out);
}

const poll = new Poll(4, refresh);
window.addEventListener("tick", () => {
  if (name === null || parts === null || life === null) return;
  moveNow(parts.chart, now());
  if (life !== askedFor && life.nextChange !== null && now() >= life.nextChange) {
    askedFor = life; // it has just changed: nobody need wait for the next turn
    poll.soon(0);
  }
});
let wide = 0;
new ResizeObserver(([{ contentRect }]) => {
  if (contentRect.width === wide) return;
  wide = contentRect.width;
  chart();
}).observe($("job"));

export const job = {
  show(wanted, backTo) {
    back = backTo;
    if (wanted !== name) {
      [name, fact, life, parts, unfolded] = [wanted, null, null, null, false];
      show($("job"), h("p", { class: "soft" }, "Asking…"));
      poll.stop();
    }
    poll.start();
  },
  hide() {
    poll.stop();
    [name, parts] = [null, null];
    show($("job"), h("p", { class: "soft empty" }, "Choose a job to see its life."));
  },
};
