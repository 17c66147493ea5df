// What the API was asked lately, so that people see what their page really sends.

import { Poll, ask, tell } from "./asking.js";
import { $, h, say, show } from "./dom.js";
import { timeOf } from "./times.js";

const MOST_SHOWN = 200;
let told = null;
let drawn = null;

function refreshed() {
  const word = $("request-search").value.trim().toLowerCase();
  if (drawn === told && word === refreshed.word) return;
  [drawn, refreshed.word] = [told, word];
  const found = told.requests.filter(({ request, response }) => `${request.method} ${request.url} ${response.status}`.toLowerCase().includes(word));
  $("asked").textContent = told.meta.total === 0 ? "Nothing was asked yet." : word ? `${found.length} of the last ${told.requests.length}` : `${told.meta.total} requests, newest first`;
  const open = new Set([...document.querySelectorAll("#request-rows details[open]")].map((each) => each.dataset.id));
  show($("request-rows"), ...found.slice(0, MOST_SHOWN).map((each) => row(each, open)));
}

function row({ id, request, response }, open) {
  const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`).join("\n");
  const kind = response.status < 400 ? "good" : "bad";
  return h("tr", {},
    h("td", { class: "time", title: request.loggedDateString }, timeOf(request.loggedDate)),
    h("td", {}, request.method),
    h("td", {}, h("details", { "data-id": id, open: open.has(id) }, h("summary", { "data-key": id }, request.url), h("pre", {}, headers))),
    h("td", {}, h("strong", { class: kind }, String(response.status))),
  );
}

const poll = new Poll(3, async () => {
  told = await ask("/requests?limit=1000");
  refreshed();
});
$("request-search").addEventListener("input", () => told && refreshed());
$("forget").onclick = async () => {
  try {
    const { removed } = await tell("DELETE", "/requests");
    say(`${removed} requests are forgotten.`);
  } catch (error) {
    say(error.message, true);
  }
};

export const requests = {
  show() {
    document.title = "Requests · simulated";
    poll.start();
  },
  hide: () => poll.stop(),
};
