// Elements, and text in them. Text never becomes markup: names and messages of jobs are anybody's words.

export const $ = (id) => document.getElementById(id);

const SVG = "http://www.w3.org/2000/svg";

export function h(tag, facts = {}, ...children) {
  return filled(document.createElement(tag), facts, children);
}

export function s(tag, facts = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), facts, children);
}

function filled(element, facts, children) {
  for (const [key, value] of Object.entries(facts)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Shows other children, but lets whoever works with the keyboard stay where they are: elements with a data-key are known again.
export function show(container, ...children) {
  const active = container.contains(document.activeElement) ? document.activeElement : null;
  const key = active?.closest("[data-key]")?.dataset.key;
  const kept = children.filter((child) => child !== null && child !== undefined && child !== false);
  container.replaceChildren(...kept);
  if (key !== undefined) container.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

export function badge(state) {
  return h("span", { class: `badge state ${state}` }, state.toLowerCase());
}

let quiet = 0;
export function say(text, bad = false) {
  const said = $("said");
  said.textContent = text;
  said.className = bad ? "shown bad" : "shown";
  clearTimeout(quiet);
  quiet = setTimeout(() => (said.className = ""), bad ? 8000 : 3500);
}

// A question before what cannot be undone; true if the answer is yes.
export function sure(title, text) {
  const dialog = $("sure-dialog");
  $("sure-title").textContent = title;
  $("sure-text").textContent = text;
  dialog.returnValue = "";
  dialog.showModal();
  $("sure-yes").onclick = () => dialog.close("yes");
  $("sure-no").onclick = () => dialog.close("");
  $("sure-no").focus();
  return new Promise((answer) => dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true }));
}
