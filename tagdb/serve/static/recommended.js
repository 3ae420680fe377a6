// Recommended hashtags as chips: take, reject, ask why. What these do is the page's business.
import { Latest } from "./api.js";
import { empty, h, icon, into, loading } from "./dom.js";
import { folded, score } from "./words.js";
import { why } from "./why.js";

let made = 0;

export class Recommended {
  /**
   * @param {HTMLElement} place
   * @param {object} how
   *   `accept`, `reject` and `undo` are given the hashtag as it is shown and its place; `stateOf` says "accepted", "rejected" or "" of it;
   *   `explain` asks the API.
   */
  constructor(place, { accept, reject, undo, explain, stateOf, session }) {
    Object.assign(this, { place, accept, reject, undo, explain, stateOf, session, open: null, hashtags: [] });
    this.latest = new Latest();
    this.panel = h("section", { id: `why-${++made}`, class: "why-panel", hidden: true, "aria-label": "Why" });
    this.list = h("ul", { class: "chips", "aria-label": "Recommended hashtags" });
    place.append(this.list, this.panel);
    place.addEventListener("keydown", (event) => event.key === "Escape" && this.open && this.#close());
  }

  /** Shut the panel, and focus the button that opened it. */
  #close() {
    const chip = [...this.list.querySelectorAll(".chip")].find((one) => one.dataset.hashtag === this.open);
    this.#shut();
    chip?.children[2].focus();
  }

  waits(words) {
    if (!this.list.children.length) this.list.replaceChildren(h("li", { class: "chips-note" }, loading(words)));
    this.list.setAttribute("aria-busy", "true");
  }

  says(element) {
    this.#shut();
    this.list.removeAttribute("aria-busy");
    this.list.replaceChildren(h("li", { class: "chips-note" }, element));
  }

  show(hashtags) {
    this.hashtags = hashtags;
    this.list.removeAttribute("aria-busy");
    if (!hashtags.length) return this.says(empty("Nothing to recommend", "No similar photo carries a hashtag that is not here already."));
    const focused = document.activeElement?.closest?.(".chip");
    const kept = focused && this.list.contains(focused) ? [focused.dataset.hashtag, [...focused.children].indexOf(document.activeElement)] : null;
    const most = Math.max(...hashtags.map((one) => one.score), 1e-9);
    this.list.replaceChildren(...hashtags.map((one) => this.#chip(one, most)));
    if (kept) this.list.querySelector(`[data-hashtag="${CSS.escape(kept[0])}"]`)?.children[kept[1]]?.focus();
    if (hashtags.some((one) => one.hashtag === this.open)) this.#mark();
    else this.#shut();
  }

  /** Draw the states anew, without touching anything else. */
  restate() {
    for (const chip of this.list.querySelectorAll(".chip")) this.#restate(chip);
  }

  #restate(chip) {
    const state = this.stateOf(folded(chip.dataset.hashtag));
    chip.dataset.state = state;
    chip.children[0].setAttribute("aria-pressed", String(state === "accepted"));
    chip.children[1].setAttribute("aria-pressed", String(state === "rejected"));
  }

  #chip(one, most) {
    const name = one.hashtag;
    const press = (state, run) => () => {
      const index = this.hashtags.findIndex((other) => other.hashtag === name);
      (this.stateOf(folded(name)) === state ? this.undo : run)(name, index);
    };
    const chip = h("li", { class: "chip", "data-hashtag": name },
      h("button", { type: "button", class: "chip-take", onclick: press("accepted", this.accept) },
        h("span", { class: "seen-by-ear" }, "Accept "), h("span", { class: "chip-name" }, `#${name}`),
        h("span", { class: "seen-by-ear" }, "score "), h("span", { class: "chip-score" }, score(one.score)),
        h("span", { class: "chip-bar", "aria-hidden": "true", vars: { "--share": Math.max(0, one.score / most) } })),
      h("button", { type: "button", class: "chip-side chip-reject", "aria-label": `Reject #${name}`, title: "Reject", onclick: press("rejected", this.reject) }, icon("cross")),
      h("button", { type: "button", class: "chip-side chip-why", "aria-label": `Why #${name}`, title: "Why", "aria-expanded": "false", "aria-controls": this.panel.id,
        onclick: () => (this.open === name ? this.#shut() : this.#explain(one)) }, icon("why")));
    this.#restate(chip);
    return chip;
  }

  #mark() {
    for (const chip of this.list.querySelectorAll(".chip")) chip.children[2].setAttribute("aria-expanded", String(chip.dataset.hashtag === this.open));
  }

  #shut() {
    this.open = null;
    this.latest.drop();
    this.panel.hidden = true;
    this.#mark();
  }

  #explain(one) {
    this.open = one.hashtag;
    this.#mark();
    const body = h("div", { class: "why-body" });
    this.panel.replaceChildren(
      h("div", { class: "why-head" }, h("h3", {}, `Why #${one.hashtag}?`),
        h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => this.#close() }, icon("cross"))),
      body);
    this.panel.hidden = false;
    into(body, async () => why(await this.latest.ask((signal) => this.explain(one.hashtag, signal)), one.score, this.session), "Looking at the neighbours…");
  }
}
