// The simulated clock: shown as it goes, and held.

import { Poll, Refused, ask, tell } from "./asking.js";
import { $, say, sure } from "./dom.js";
import { dateOf, isoOf, timeOf } from "./times.js";

let reading = null; // as told
let readAt = 0; // by the stopwatch of the page

export function now() {
  if (reading === null) return Date.now();
  return reading.instant + (reading.frozen ? 0 : (performance.now() - readAt) * reading.rate);
}

function read(told) {
  reading = { ...told, instant: Date.parse(told.now) };
  readAt = performance.now();
  $("freeze").textContent = told.frozen ? "Resume" : "Freeze";
  $("freeze").setAttribute("aria-pressed", String(told.frozen));
  $("pace").textContent = told.frozen ? "frozen" : `×${told.rate}`;
  $("pace").className = told.frozen ? "badge frozen" : "badge going";
  const rate = $("rate");
  if (![...rate.options].some((option) => Number(option.value) === told.rate)) rate.add(new Option(`×${told.rate}`, told.rate));
  if (document.activeElement !== rate) rate.value = String(told.rate);
  if (!$("set").contains(document.activeElement)) $("to").value = isoOf(Math.floor(reading.instant / 1000) * 1000).slice(0, 19);
  tick();
}

function tick() {
  if (reading === null) return;
  const at = now();
  $("now-time").textContent = timeOf(at);
  $("now-date").textContent = `${dateOf(at)} UTC`;
  $("now").dateTime = isoOf(Math.floor(at));
  window.dispatchEvent(new Event("tick"));
}

export async function hold(action) {
  try {
    read(await tell("PUT", "/clock", action));
  } catch (error) {
    say(error.message, true);
  }
}

export const goTo = (instant) => hold({ action: "set", to: isoOf(instant) });

export function startClock() {
  $("freeze").onclick = () => hold({ action: reading?.frozen ? "resume" : "freeze" });
  $("rate").onchange = () => hold({ action: "scale", rate: Number($("rate").value) });
  for (const button of document.querySelectorAll("[data-by]")) {
    button.onclick = () => hold({ action: "advance", by: button.dataset.by });
  }
  $("set").onsubmit = (event) => {
    event.preventDefault();
    hold({ action: "set", to: `${$("to").value}Z` });
  };
  $("clock-reset").onclick = () => hold({ action: "reset" });
  $("world-reset").onclick = async () => {
    if (!(await sure("Reset the world?", "Jobs that were made, faults and the list of requests are forgotten, and the clock goes back to where it began."))) return;
    try {
      const done = await tell("POST", "/reset");
      say(`The world is as it began; ${done.dropped} operations are forgotten.`);
    } catch (error) {
      say(error.message, true);
    }
  };
  new Poll(5, async () => {
    try {
      read(await ask("/clock"));
    } catch (error) {
      if (error instanceof Refused) {
        $("lost").hidden = false;
        $("lost").textContent =
          error.status === 404
            ? "This server has no control plane: start it with --admin on, or listen on loopback only."
            : error.message;
      }
      throw error;
    }
  }).start();
  setInterval(() => document.hidden || reading?.frozen || tick(), 250);
}
