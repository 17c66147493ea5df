// The faults there are, and making one. Which kinds there are, and what each can be told, the server says.

import { Poll, ask, tell } from "./asking.js";
import { $, h, say, show } from "./dom.js";

const WITHIN = "It is within the contract: every answer still is one that the schemas allow.";
const OUTSIDE = "It is outside the contract: answers may be such as the schemas do not allow.";
let kinds = null;
let drawn = null;
const COMMON = new Set(["id", "kind", "side", "operation", "name", "probability", "seed", "until", "contract"]);

const poll = new Poll(3, async () => {
  const told = await ask("/faults");
  if (kinds === null) {
    kinds = new Map(told.kinds.map((kind) => [kind.kind, kind]));
    $("kind").append(...[...kinds.keys()].map((name) => new Option(name)));
    kind();
  }
  if (told === drawn) return;
  drawn = told;
  $("heal").hidden = told.faults.length === 0;
  show($("fault-list"), ...(told.faults.length ? told.faults.map(card) : [h("li", { class: "soft" }, "None: everything works.")]));
});

function card(fault) {
  const more = Object.entries(fault).filter(([key]) => !COMMON.has(key));
  const whom = `${fault.operation ?? "every operation"}, ${fault.name ?? "every name"}${fault.probability < 1 ? `, ${Math.round(fault.probability * 100)} % of them` : ""}`;
  return h("li", {},
    h("div", { class: "head" },
      h("strong", {}, fault.kind, " ", h("span", { class: "badge" }, fault.side), " ", h("span", { class: `badge ${fault.contract}` }, `${fault.contract} the contract`)),
      h("button", { "data-key": `remove ${fault.id}`, "aria-label": `Remove fault ${fault.id}, ${fault.kind}`, onclick: () => act("DELETE", `/faults/${fault.id}`, "It works again.") }, "Remove")),
    h("p", { class: "soft" }, `${whom}; ${fault.until === null ? "does not heal by itself" : `heals at ${fault.until}`}`),
    more.length ? h("p", { class: "small" }, h("code", {}, JSON.stringify(Object.fromEntries(more)))) : null,
  );
}

async function act(method, path, done) {
  try {
    await tell(method, path);
    say(done);
  } catch (error) {
    say(error.message, true);
  }
}
$("heal").onclick = () => act("DELETE", "/faults", "Everything works again.");

function kind() {
  const told = kinds.get($("kind").value);
  show($("side"), ...told.sides.map((side) => new Option(side, side)));
  show($("keys"), ...told.keys.map((key) => h("label", {}, h("span", {}, key), h("input", { name: key, spellcheck: "false", autocomplete: "off", placeholder: key === "delayDistribution" ? '{"type": "uniform", "lower": 0, "upper": 2000}' : "as usual" }))));
  side();
}

function side() {
  const within = kinds.get($("kind").value).within.includes($("side").value);
  const question = $("side").value === "api" ? "What does the page make of it?" : "What does the server make of it?";
  $("within").textContent = `${question} ${within ? WITHIN : OUTSIDE}`;
  $("within").className = within ? "small soft" : "small warn";
}
$("kind").onchange = kind;
$("side").onchange = side;

// Numbers and objects as they are written; anything else is a text.
function valueOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

$("break").onsubmit = async (event) => {
  event.preventDefault();
  $("break-said").textContent = "";
  const told = { kind: $("kind").value, side: $("side").value, probability: Number($("probability").value) };
  for (const [key, id] of [["operation", "operation"], ["name", "pattern"]]) if ($(id).value.trim()) told[key] = $(id).value.trim();
  if ($("ttl").value.trim()) told.ttl = valueOf($("ttl").value.trim());
  for (const input of $("keys").querySelectorAll("input")) if (input.value.trim()) told[input.name] = valueOf(input.value.trim());
  try {
    const made = await tell("POST", "/faults", told);
    say(`Fault ${made.id} is there.`);
  } catch (error) {
    $("break-said").textContent = error.message;
  }
};

export const faults = {
  show() {
    document.title = "Faults · simulated";
    poll.start();
  },
  hide: () => poll.stop(),
};
