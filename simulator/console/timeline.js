// A job's life as a picture: its states, attempts and tasks over time. The list below it says the same in words.

import { s } from "./dom.js";
import { dayOf, lengthOf, timeOf } from "./times.js";

const MINUTE = 60000;
const MOST_TO_COME = 12 * 60 * MINUTE;
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800].map((each) => each * 1000);
const OVER = new Set(["ApplicationCompleted", "FrameworkCompleted"]); // states in which the end of an attempt is known
const LETTER = 6.7; // pixels, about
const WORDS = {
  FrameworkWaiting: ["framework waiting", "waiting"], ApplicationCreated: ["application created", "created"],
  ApplicationLaunched: ["application launched", "launched"], ApplicationWaiting: ["application waiting", "waiting"],
  ApplicationRunning: ["running"], ApplicationRetrievingDiagnostics: ["retrieving diagnostics", "diagnostics"],
  ApplicationCompleted: ["back-off before a retry", "back-off"], UNKNOWN: ["unknown"],
};

// Where time is; `even` gives every step the same width, however long it lasted.
function scaleOf(life, now, even, left, right) {
  const instants = [...life.states, ...life.attempts, ...life.tasks.flatMap((task) => task.spans)].map((span) => span.from);
  const [first, last] = [Math.min(...instants), Math.max(...instants)];
  const over = life.states.at(-1)?.subState === "FrameworkCompleted" && last <= now;
  const length = Math.max(last - first, MINUTE);
  // What is over long ago is not drawn for ever; of what is to come not more than twice what was, or half a day.
  const farthest = now + Math.max(2 * (now - first), MOST_TO_COME);
  const end = over ? Math.max(last + length * 0.12, Math.min(now, last + length * 0.3)) : Math.min(Math.max(last + length * 0.12, now + Math.max((now - first) * 0.06, MINUTE / 2)), farthest);
  const stops = even ? [...new Set([...instants, end])].filter((stop) => stop <= end).sort((one, other) => one - other) : [first, end];
  const step = (right - left) / (stops.length - 1);
  function x(instant) {
    const at = Math.min(Math.max(instant, first), end);
    let index = stops.findIndex((stop) => stop > at);
    index = index === -1 ? stops.length - 2 : Math.max(0, index - 1);
    const share = (at - stops[index]) / (stops[index + 1] - stops[index] || 1);
    return left + (index + share) * step;
  }
  return { x, first, end, stops };
}

function ticksOf(scale, even, width) {
  if (even) return scale.stops.slice(0, -1);
  const most = Math.max(2, Math.floor(width / 90));
  const step = TICKS.find((each) => (scale.end - scale.first) / each <= most) ?? TICKS.at(-1);
  const ticks = [];
  for (let at = Math.ceil(scale.first / step) * step; at <= scale.end; at += step) ticks.push(at);
  return ticks;
}

// The longest of some texts that fits.
function fitting(texts, width) {
  return texts.find((text) => text.length * LETTER + 10 <= width) ?? "";
}

function bar(scale, y, height, span, kind, texts, title) {
  if (span.from >= scale.end) return "";
  const [from, to] = [scale.x(span.from), scale.x(span.to ?? Infinity)];
  const width = Math.max(2, to - from - 1);
  const text = fitting(texts, width);
  return s("g", { class: `span ${kind}` },
    s("title", {}, title),
    s("rect", { x: from, y, width, height, rx: Math.min(3, width / 3) }),
    text ? s("text", { x: from + 6, y: y + height / 2, "dominant-baseline": "central" }, text) : null,
  );
}

function told(span, what) {
  const lasting = span.to === null || span.to - span.from > 3e10 ? "and stays so" : `until ${timeOf(span.to)}, ${lengthOf(span.to - span.from)}`;
  return `${what}\nfrom ${timeOf(span.from)} ${lasting}`;
}

export function drawn(life, now, width, even) {
  const narrow = width < 560;
  const left = narrow ? 8 : 96;
  const right = width - 10;
  const scale = scaleOf(life, now, even, left, right);
  const parts = [];
  let y = 34;
  const label = (text, at, height) => {
    if (narrow) {
      parts.push(s("text", { class: "label", x: left, y: at + 9 }, text));
      return at + 15;
    }
    parts.push(s("text", { class: "label", x: left - 10, y: at + height / 2, "text-anchor": "end", "dominant-baseline": "central" }, text));
    return at;
  };

  const versions = new Set(life.states.map((state) => state.version)).size > 1;
  y = label("state", y, 30);
  for (const state of life.states) {
    const over = state.subState === "FrameworkCompleted";
    const kind = state.subState === "ApplicationCompleted" ? "BACKOFF" : state.state;
    const texts = over ? [state.state.toLowerCase()] : WORDS[state.subState];
    parts.push(bar(scale, y, 30, state, kind, texts, told(state, `${state.subState}, attempt ${state.attemptId}${versions ? `, version ${state.version}` : ""}`)));
  }
  y += 38;

  y = label("attempts", y, 22);
  for (const attempt of life.attempts) {
    const ended = attempt.exitCode !== null;
    const kind = !ended ? "plain" : attempt.exitCode === 0 ? "plain good" : "plain bad";
    const number = `${versions ? `v${attempt.version} ` : ""}#${attempt.attemptId}`;
    const to = (attempt.to ?? Infinity) > now && !OVER.has(life.states.findLast((state) => state.from <= now)?.subState) ? " to come" : "";
    const texts = ended ? [`${number}, exit code ${attempt.exitCode}${to}`, `${number}, exit ${attempt.exitCode}${to}`, ...(to ? [] : [`${number}: ${attempt.exitCode}`]), number] : [`attempt ${number}`, number];
    parts.push(bar(scale, y, 22, attempt, kind, texts, told(attempt, `attempt ${attempt.attemptId} of version ${attempt.version}${ended ? `\nexit code ${attempt.exitCode}, ${attempt.exitType}: ${attempt.exitDescription ?? ""}` : ""}`)));
  }
  y += 32;

  const dense = life.tasks.length > 12;
  const height = dense ? 7 : 16;
  let role = null;
  for (const task of life.tasks) {
    const name = dense ? (task.role === role ? null : task.role) : `${task.role} ${task.index}`;
    if (dense && task.role !== role && role !== null) y += 8;
    role = task.role;
    if (name !== null) y = label(name.length > 13 && !narrow ? `${name.slice(0, 12)}…` : name, y, height);
    for (const span of task.spans) {
      const texts = dense ? [] : span.exitCode !== null ? [`exit ${span.exitCode}`, String(span.exitCode)] : [span.host ?? "", span.state.toLowerCase()].filter(Boolean);
      const where = span.host ? `\non ${span.host}` : "";
      const code = span.exitCode !== null ? `\nexit code ${span.exitCode}` : "";
      parts.push(bar(scale, y, height, span, span.state, texts, told(span, `${task.role} ${task.index}: ${span.subState}, attempt ${span.attemptId}${where}${code}`)));
    }
    y += height + (dense ? 2 : 6);
  }
  if (life.taskCount > life.tasks.length) {
    parts.push(s("text", { class: "label", x: left, y: y + 12 }, `and ${life.taskCount - life.tasks.length} tasks more`));
    y += 18;
  }

  return s("svg", { class: "timeline", width, height: y + 8, viewBox: `0 0 ${width} ${y + 8}`, role: "img", "aria-label": inWords(life, now), "data-scale": "" },
    s("defs", {}, s("pattern", { id: "hatch", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      s("rect", { class: "hatch-ground", width: 7, height: 7 }), s("rect", { class: "hatch-line", width: 3, height: 7 }))),
    axis(scale, even, right - left, y),
    ...parts,
    ...life.operations.filter((operation) => operation.at >= scale.first && operation.at <= scale.end).map((operation) => mark(scale, operation)),
    nowLine(scale, now, y, right),
  );
}

function axis(scale, even, width, bottom) {
  const lines = [];
  let free = -Infinity;
  let day = null;
  for (const tick of ticksOf(scale, even, width)) {
    const x = scale.x(tick);
    const text = (day !== null && dayOf(tick) !== day ? `${dayOf(tick)} ` : "") + timeOf(tick, even || (scale.end - scale.first) / width < 300);
    lines.push(s("line", { class: "grid", x1: x, x2: x, y1: 26, y2: bottom }));
    if (x >= free && x + text.length * LETTER < scale.x(scale.end) + 12) {
      lines.push(s("text", { class: "tick", x, y: 12 }, text));
      free = x + text.length * LETTER + 14;
      day = dayOf(tick);
    }
  }
  return s("g", {}, ...lines);
}

function mark(scale, operation) {
  const x = scale.x(operation.at);
  return s("g", { class: "mark" }, s("title", {}, `${operation.do.replaceAll("_", " ")} at ${timeOf(operation.at)}`),
    s("path", { d: `M${x - 5} 19h10l-5 8z` }));
}

const scales = new WeakMap();

function nowLine(scale, now, bottom, right) {
  const group = s("g", { class: "now" },
    s("rect", { class: "to-come", y: 27, height: bottom - 25 }),
    s("line", { y1: 19, y2: bottom + 2 }),
    s("text", { y: 24 }, "now"));
  scales.set(group, { scale, right });
  place(group, now);
  return group;
}

function place(group, now) {
  const { scale, right } = scales.get(group);
  const [come, line, text] = group.children;
  const x = scale.x(now);
  come.setAttribute("x", x);
  come.setAttribute("width", Math.max(0, right + 2 - x));
  line.setAttribute("x1", x);
  line.setAttribute("x2", x);
  const past = now > scale.end ? `now, ${lengthOf(now - scale.end)} later` : "now";
  const leftOf = x > right - past.length * LETTER - 8;
  text.textContent = past;
  text.setAttribute("x", leftOf ? x - 5 : x + 5);
  text.setAttribute("text-anchor", leftOf ? "end" : "start");
}

// Time goes on; nothing else changes.
export function moveNow(container, now) {
  const group = container.querySelector(".now");
  if (group !== null) place(group, now);
}

function inWords(life, now) {
  const state = life.states.findLast((span) => span.from <= now);
  const attempts = life.attempts.filter((attempt) => attempt.from <= now).length;
  const next = life.nextChange === null ? "" : ` The next change comes at ${timeOf(life.nextChange)}.`;
  return `The life of ${life.name}: ${state ? state.subState : "not yet there"}, ${attempts} ${attempts === 1 ? "attempt" : "attempts"} up to now.${next} All changes are listed below.`;
}
