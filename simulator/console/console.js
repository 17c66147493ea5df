// The page as a whole: which view is shown is in the address, so that links to jobs, filters and stories can be kept.

import { Poll, ask } from "./asking.js";
import { startClock } from "./clock.js";
import { $ } from "./dom.js";
import { faults } from "./faults.js";
import { jobs } from "./jobs.js";
import { make } from "./make.js";
import { requests } from "./requests.js";
import { stories } from "./stories.js";

const VIEWS = { jobs, stories, new: make, faults, requests };
let shown = null;

function route() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map(decodeURIComponent);
  const view = Object.hasOwn(VIEWS, name) ? name : "jobs";
  if (shown !== null && shown !== view) VIEWS[shown].hide();
  for (const each of Object.keys(VIEWS)) $(each).hidden = each !== view;
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === view) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  shown = view;
  VIEWS[view].show(rest, new URLSearchParams(query));
}

async function world() {
  const told = await ask("/settings");
  $("world").textContent = `seed ${told.seed}, about ${told.jobs} jobs, profile ${told.profile}`;
}

window.addEventListener("hashchange", route);
startClock();
new Poll(30, world).start();
new Poll(10, async () => {
  const { faults: there } = await ask("/faults");
  $("fault-count").hidden = there.length === 0;
  $("fault-count").textContent = String(there.length);
  $("fault-count").setAttribute("aria-label", `${there.length} at present`);
}).start();
route();
