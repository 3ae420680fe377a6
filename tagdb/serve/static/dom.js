// Making elements. Text is only ever set as text, so that no name from the data can become HTML.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "vars") for (const [key, given] of Object.entries(value)) element.style.setProperty(key, given);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An element with attributes, listeners (`onclick`), CSS variables (`vars`), and children: elements or text. */
export const h = (name, properties = {}, ...children) => fill(document.createElement(name), properties, children);

/** The same for SVG. */
export const s = (name, properties = {}, ...children) =>
  fill(document.createElementNS(SVG, name), properties, children);

export const byId = (id) => document.getElementById(id);

const PATHS = {
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  why: "M9 9.2a3 3 0 1 1 4.6 2.5c-1 .7-1.6 1.3-1.6 2.5M12 17.6v.1",
  copy: "M9 9h10v11H9zM5 15V4h10",
  photo: "M4 5h16v14H4zM4 16l4.5-4.5 4 4 3-3L20 16M15.5 9v.1",
  undo: "M8 6 4 10l4 4M4 10h10a5 5 0 0 1 0 10h-3",
};

/** A line drawing that says nothing to a screen reader: its button has words. */
export const icon = (name) =>
  s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" }, s("path", { d: PATHS[name] }));

/** Text of our own, in which `what is typed` is code. */
export const coded = (text) => text.split(/`+([^`]+)`+/).map((part, index) => (index % 2 ? h("code", {}, part) : part));

/** What stands where nothing is, with what to do about it. */
export const empty = (title, ...more) =>
  h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), more.length ? h("p", {}, ...more) : null);

/** A message in the page: an error's own sentence, advice, or a note. */
export const note = (words, kind = "") =>
  h("p", { class: `note ${kind}`, role: kind === "bad" ? "alert" : null }, words);

export const loading = (words = "Loading…") => h("p", { class: "loading", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), words);

/** Run `load` and put what it returns into a place, which shows that it waits, and then the answer or the error. */
export async function into(place, load, words) {
  const waiting = setTimeout(() => place.replaceChildren(loading(words)), 150); // no flicker where answers are quick
  place.setAttribute("aria-busy", "true");
  try {
    const made = await load();
    clearTimeout(waiting);
    place.replaceChildren(...[made].flat(Infinity).filter(Boolean));
  } catch (error) {
    clearTimeout(waiting);
    if (error.name === "AbortError") return;
    place.replaceChildren(note(error.message, "bad"));
  } finally {
    place.removeAttribute("aria-busy");
  }
}

/** Call `run` once things have been quiet for `wait` milliseconds. */
export function debounced(run, wait = 180) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...given), wait);
  };
}

/** Where focus goes when what had it is taken away: the next of its kind, or else `otherwise`. */
export function focusNear(elements, index, otherwise) {
  const next = elements[Math.min(index, elements.length - 1)] ?? otherwise;
  next?.focus();
}
