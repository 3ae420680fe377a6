// A field for one hashtag with completion, after the combobox pattern of the ARIA Authoring Practices: the list belongs to the
// field, arrows walk through it, Enter takes what is marked (or what was typed), Escape closes.
import { Latest, get } from "./api.js";
import { debounced, h } from "./dom.js";
import { number, split } from "./words.js";

let made = 0;

export class Combobox {
  /**
   * @param {HTMLInputElement} input
   * @param {{known?: () => string[], take: (hashtags: string[]) => void, keeps?: boolean}} how
   *   `take` is given what was chosen or typed; `keeps` leaves it in the field (filters), or else the field empties.
   */
  constructor(input, { known = () => [], take, keeps = false }) {
    Object.assign(this, { input, known, take, keeps, options: [], active: -1 });
    this.latest = new Latest();
    const id = `completion-${++made}`;
    this.list = h("ul", { id, role: "listbox", class: "completion", "aria-label": "Suggestions", hidden: true });
    input.after(this.list);
    input.parentElement.classList.add("has-completion");
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id,
      autocomplete: "off", autocapitalize: "none", spellcheck: "false",
    })) input.setAttribute(name, value);
    const complete = debounced(() => this.done || this.#complete(), 120);
    input.addEventListener("input", () => ((this.done = false), complete()));
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("blur", () => setTimeout(() => this.close(), 120)); // a click on an option comes first
  }

  #typed() {
    return this.keeps ? this.input.value.trim().replace(/^[#＃]/u, "") : (split(this.input.value).pop() ?? "");
  }

  async #complete() {
    const prefix = this.#typed();
    if (!this.keeps && /[\s,;]$/.test(this.input.value) && split(this.input.value).length) return this.#finish(split(this.input.value));
    if (!prefix) return this.close();
    try {
      const found = await this.latest.ask((signal) => get("/v1/hashtags", { prefix, known: this.known(), limit: 8 }, { signal }));
      if (document.activeElement === this.input) this.#show(found.hashtags);
    } catch {
      this.close(); // completion is a help: whoever types goes on without
    }
  }

  #show(hashtags) {
    this.options = hashtags.map((one, index) =>
      h("li", { role: "option", id: `${this.list.id}-${index}`, "aria-selected": "false",
        onpointerdown: (event) => event.preventDefault(), // keeps focus in the field
        onclick: () => this.#finish([one.spelling ?? one.hashtag]) },
        h("span", { class: "completion-name" }, `#${one.spelling ?? one.hashtag}`), h("span", { class: "completion-count" }, number(one.images))),
    );
    this.values = hashtags.map((one) => one.spelling ?? one.hashtag);
    this.list.replaceChildren(...this.options);
    this.#mark(-1);
    this.list.hidden = !this.options.length;
    this.input.setAttribute("aria-expanded", String(this.options.length > 0));
  }

  #mark(index) {
    this.options[this.active]?.setAttribute("aria-selected", "false");
    this.active = index;
    const option = this.options[index];
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    const open = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) return void this.#complete();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const places = this.options.length + 1; // one of them is the field itself
      this.#mark(((this.active + 1 + step + places) % places) - 1);
    } else if (event.key === "Enter") {
      const chosen = open && this.active >= 0 ? [this.values[this.active]] : this.keeps ? [this.#typed()] : split(this.input.value);
      if (!chosen.length && !this.keeps) return;
      event.preventDefault();
      this.#finish(chosen);
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      this.close();
    }
  }

  /** Take what was typed and not yet entered, if there is anything: whoever presses a form's button means that too. */
  finish() {
    const typed = split(this.input.value);
    if (typed.length) this.#finish(typed);
    return typed.length > 0;
  }

  #finish(hashtags) {
    this.input.value = this.keeps ? (hashtags[0] ?? "") : "";
    this.done = true; // a completion that is still waited for comes too late
    this.latest.drop();
    this.close();
    this.take(hashtags);
  }

  close() {
    this.list.hidden = true;
    this.options = [];
    this.list.replaceChildren();
    this.#mark(-1);
    this.input.setAttribute("aria-expanded", "false");
  }
}
