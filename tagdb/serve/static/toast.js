// Short messages at the edge, read out by screen readers; with an undo where there is one.
import { byId, h, icon } from "./dom.js";

const STAYS = 6000;

/** Say that something was done. `undo`, if given, is called once by its button. */
export function say(words, { undo = null, kind = "" } = {}) {
  const place = byId("toasts");
  const toast = h("div", { class: `toast ${kind}` }, h("span", {}, words));
  let timer = 0;
  const go = () => toast.remove();
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(go, undo || kind === "bad" ? STAYS * 2 : STAYS);
  };
  if (undo) {
    toast.append(
      h("button", { type: "button", class: "small", onclick: () => (go(), undo()) }, icon("undo"), "Undo"),
    );
  }
  toast.append(h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", onclick: go }, icon("cross")));
  toast.addEventListener("pointerenter", () => clearTimeout(timer));
  toast.addEventListener("pointerleave", wait);
  toast.addEventListener("focusin", () => clearTimeout(timer));
  toast.addEventListener("focusout", wait);
  while (place.children.length >= 3) place.firstChild.remove();
  place.append(toast);
  wait();
}

export const sayError = (error) => error.name === "AbortError" || say(error.message, { kind: "bad" });

/** Read something out without showing it. */
export function announce(words) {
  let place = byId("announcer");
  if (!place) {
    place = h("div", { id: "announcer", class: "seen-by-ear", role: "status", "aria-live": "polite" });
    document.body.append(place);
  }
  place.textContent = "";
  setTimeout(() => (place.textContent = words), 50); // or else the same words twice are read once
}
