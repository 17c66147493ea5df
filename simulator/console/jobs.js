// The list of jobs: searched and paged by the server, read no further than it is scrolled.

import { Poll, Refused, ask } from "./asking.js";
import { now } from "./clock.js";
import { $, badge, h, show } from "./dom.js";
import { job } from "./job.js";
import { isoOf, roughly } from "./times.js";

const STATES = ["WAITING", "RUNNING", "SUCCEEDED", "STOPPED", "FAILED"];
const PAGE = 50;
const LARGEST_PAGE = 1000;

let wanted = PAGE; // rows
let calls = 1; // how often one may ask for them: a rare kind takes several calls
let selected = null;
let filter = new URLSearchParams();
let last = null; // what is shown

async function pages() {
  const found = [];
  let cursor = null;
  let scanned = 0;
  let total = null;
  for (let call = 0; call < calls && found.length < wanted; call += 1) {
    const query = new URLSearchParams(filter);
    query.set("limit", String(Math.min(LARGEST_PAGE, wanted - found.length)));
    if (cursor !== null) query.set("cursor", cursor);
    const page = await ask(`/jobs?${query}`);
    found.push(...page.jobs);
    cursor = page.cursor;
    scanned += page.scanned;
    total = page.total;
    if (cursor === null) break;
  }
  const named = cursor !== null && found.length < wanted ? await exactly(filter.get("name")) : null;
  if (named !== null && !found.some((each) => each.name === named.name)) found.unshift(named);
  return { found, cursor, scanned, total };
}

// Whoever types a whole name need not wait until all the others are looked through.
async function exactly(name) {
  if (!name) return null;
  try {
    const each = await ask(`/jobs/${encodeURIComponent(name)}`);
    return [["state", each.state], ["user", each.username]].every(([key, value]) => [null, value].includes(filter.get(key))) ? each : null;
  } catch (error) {
    if (error instanceof Refused) return null;
    throw error;
  }
}

async function refresh() {
  let read;
  try {
    read = await pages();
  } catch (error) {
    if (error instanceof Refused) $("found").textContent = error.message;
    throw error;
  }
  const { found, cursor, scanned, total } = read;
  const few = found.length < wanted && cursor !== null;
  const count = `${found.length}${cursor === null ? "" : "+"} ${found.length === 1 ? "job" : "jobs"}`;
  $("found").textContent =
    total !== null && cursor !== null ? `about ${total} jobs` : few ? `${count} among the ${scanned} looked through` : found.length ? count : "No such job";
  $("more").hidden = cursor === null;
  $("more").textContent = few ? "Search on" : "More";
  const told = JSON.stringify(found);
  if (told !== last) {
    last = told;
    show($("job-rows"), ...found.map(row));
  }
  ages();
}

function row(each) {
  const link = `#/jobs/${encodeURIComponent(each.name)}${String(filter) ? `?${filter}` : ""}`;
  return h(
    "tr",
    { class: each.name === selected ? "selected" : null, "data-name": each.name },
    h("th", { scope: "row" }, h("a", { href: link, "data-key": each.name, "aria-current": each.name === selected ? "true" : null }, each.name)),
    h("td", { title: each.subState }, badge(each.state)),
    h("td", { class: "number" }, String(each.attemptId)),
    h("td", { class: "clip" }, each.username),
    h("td", { class: "number age", "data-created": each.createdTime, title: isoOf(each.createdTime) }),
  );
}

function ages() {
  const at = now();
  for (const cell of document.querySelectorAll("#job-rows .age")) cell.textContent = roughly(at - Number(cell.dataset.created));
}

const poll = new Poll(6, refresh);

function filtered() {
  const query = new URLSearchParams();
  const state = document.querySelector("#filter-state input:checked")?.value;
  for (const [key, value] of [["name", $("filter-name").value.trim()], ["user", $("filter-user").value.trim()], ["state", state]]) {
    if (value) query.set(key, value);
  }
  if ($("filter-order").value !== "newest") query.set("order", $("filter-order").value);
  [wanted, calls] = [PAGE, 1];
  const name = selected === null ? "" : `/${encodeURIComponent(selected)}`;
  history.replaceState(null, "", `#/jobs${name}${String(query) ? `?${query}` : ""}`);
  filter = query;
  poll.soon(0);
}

function more() {
  if ($("more").hidden) return;
  wanted = $("more").textContent === "More" ? wanted + PAGE : wanted;
  calls += 1;
  poll.soon(0);
}

let typed = 0;
$("filter").addEventListener("input", () => {
  clearTimeout(typed);
  typed = setTimeout(filtered, 200);
});
$("filter").addEventListener("submit", (event) => event.preventDefault());
$("filter-state").append(
  ...["", ...STATES].map((state) =>
    h("label", { class: `chip ${state}` }, h("input", { type: "radio", name: "state", value: state, checked: state === "" }), h("span", {}, state.toLowerCase() || "all")),
  ),
);
$("more").onclick = more;
new IntersectionObserver(([entry]) => entry.isIntersecting && $("more").textContent === "More" && more(), { rootMargin: "200px" }).observe($("more"));

export const jobs = {
  show([name], query) {
    filter = new URLSearchParams([...query].filter(([key]) => ["name", "user", "state", "order"].includes(key)));
    for (const key of ["name", "user"]) if (document.activeElement !== $(`filter-${key}`)) $(`filter-${key}`).value = filter.get(key) ?? "";
    $("filter-order").value = filter.get("order") ?? "newest";
    for (const input of $("filter-state").querySelectorAll("input")) input.checked = input.value === (filter.get("state") ?? "");
    if (selected !== (name ?? null)) last = null;
    selected = name ?? null;
    $("jobs").classList.toggle("one", selected !== null);
    poll.start();
    if (selected === null) job.hide();
    else job.show(selected, `#/jobs${String(filter) ? `?${filter}` : ""}`);
    document.title = selected === null ? "Jobs · simulated" : `${selected} · simulated`;
  },
  hide() {
    poll.stop();
    job.hide();
  },
};
