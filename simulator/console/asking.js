// Asks the control plane and the API, and nobody else. Answers are kept by their entity tags: nothing is sent twice that did not change.

import { $ } from "./dom.js";

const ADMIN = "/__admin";
// Two doors, each with a token of its own, which is sent to nothing else, stands in no address and ends with this tab. Whoever
// asks the API may go without one, to see what that is like.
const CONTROL = { kept: "restserver token", title: "The control plane asks for its token", about: "token-of-control", free: false };
const API = { kept: "restserver read token", title: "The API asks for a token", about: "token-of-api", free: true };
const doorOf = (path) => (path.startsWith(ADMIN) ? CONTROL : API);

const MOST_KEPT = 200;

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}
export class Lost extends Error {}

const kept = new Map();
let asking = null; // the door of the open dialog, and the promise of what comes of it

async function request(path, options) {
  const headers = { ...options.headers };
  const token = sessionStorage.getItem(doorOf(path).kept);
  if (token) headers.Authorization = `Bearer ${token}`;
  try {
    const answer = await fetch(path, { ...options, headers, cache: "no-store", signal: AbortSignal.timeout(20000) });
    heard();
    return answer;
  } catch (error) {
    unheard();
    throw new Lost("The server does not answer.", { cause: error });
  }
}

async function admitted(path, options) {
  const door = doorOf(path);
  for (let first = true; ; first = false) {
    const answer = await request(path, options);
    if (answer.status !== 401 || answer.headers.has("Preference-Applied")) return answer; // the second was wished for
    while (asking !== null && asking.door !== door) await asking.given;
    asking ??= { door, given: askForToken(door, first && !hasToken(path)).finally(() => (asking = null)) };
    if (!(await asking.given)) return answer;
  }
}

export function hasToken(path) {
  return sessionStorage.getItem(doorOf(path).kept) !== null;
}

// True once there is a token to try, false for whoever goes without one.
function askForToken(door, first) {
  const dialog = $("token-dialog");
  $("token-title").textContent = door.title;
  for (const each of [CONTROL, API]) $(each.about).hidden = each !== door;
  $("token-without").hidden = !door.free;
  $("token-said").textContent = first ? "" : "That is not its token.";
  if (!dialog.open) dialog.showModal();
  return new Promise((done) => {
    const leave = (token) => {
      if (token === null) sessionStorage.removeItem(door.kept);
      else sessionStorage.setItem(door.kept, token);
      $("token").value = "";
      dialog.close();
      done(token !== null);
    };
    $("token-form").onsubmit = (event) => {
      event.preventDefault();
      leave($("token").value);
    };
    $("token-without").onclick = () => leave(null);
    dialog.oncancel = (event) => {
      event.preventDefault();
      if (door.free) leave(null);
    };
  });
}

async function refusal(answer) {
  const told = await answer.json().catch(() => ({}));
  return new Refused(answer.status, told.detail ?? told.message ?? `${answer.status} ${answer.statusText}`);
}

// A GET of the control plane. The same object comes again while nothing has changed.
export async function ask(path) {
  const known = kept.get(path);
  const answer = await admitted(ADMIN + path, { headers: known ? { "If-None-Match": known.etag } : {} });
  if (answer.status === 304 && known) return known.body;
  if (!answer.ok) throw await refusal(answer);
  const body = await answer.json();
  kept.delete(path);
  kept.set(path, { etag: answer.headers.get("ETag"), body });
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  return body;
}

export async function tell(method, path, body, type = "application/json") {
  const content = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const answer = await admitted(ADMIN + path, { method, body: content, headers: content ? { "Content-Type": type } : {} });
  if (!answer.ok) throw await refusal(answer);
  window.dispatchEvent(new Event("changed"));
  return answer.json();
}

// What a client of the API would see, whatever it is.
export async function look(path, prefer) {
  const answer = await admitted(path, { headers: prefer ? { Prefer: prefer } : {} });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

// --- a server that was stopped -----------------------------------------------------------------------------------------

let lost = 0;

function heard() {
  if (lost) window.dispatchEvent(new Event("changed"));
  lost = 0;
  $("lost").hidden = true;
}

function unheard() {
  lost += 1;
  $("lost").hidden = false;
  $("lost").textContent = "The server does not answer. What is shown is as it was; it is asked again by itself.";
}

// --- asking again and again, gently --------------------------------------------------------------------------------------

// Asks at once and then every so many seconds, while the page is seen; less often while there is no answer.
export class Poll {
  constructor(seconds, task) {
    this.seconds = seconds;
    this.task = task;
    this.timer = 0;
    this.running = false;
    this.busy = false;
    this.changed = () => this.running && this.soon(0);
    this.seen = () => this.running && !document.hidden && this.soon(0);
  }

  start() {
    if (this.running) return this.soon(0);
    this.running = true;
    window.addEventListener("changed", this.changed);
    document.addEventListener("visibilitychange", this.seen);
    return this.soon(0);
  }

  stop() {
    this.running = false;
    clearTimeout(this.timer);
    window.removeEventListener("changed", this.changed);
    document.removeEventListener("visibilitychange", this.seen);
  }

  soon(milliseconds) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.turn(), milliseconds);
  }

  async turn() {
    if (this.busy) return this.soon(50);
    this.busy = true;
    try {
      if (!document.hidden) await this.task();
    } catch (error) {
      if (!(error instanceof Lost || error instanceof Refused)) console.error(error);
    } finally {
      this.busy = false;
      if (this.running && !document.hidden) this.soon(this.seconds * 1000 * Math.min(8, 2 ** lost));
    }
  }
}
