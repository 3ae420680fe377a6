// A gallery that stays quick however many photos there are: it asks for pages by cursor as they come near, and takes
// the thumbnails of pages that are far away out of the document, leaving a box of the same height.
import { Latest, get } from "./api.js";
import { coded, empty, h, loading, note } from "./dom.js";
import { card } from "./photos.js";
import { count, nameOf } from "./words.js";

const PAGE = 60;
const NEAR = "1200px 0px"; // begins to load before the end is seen
const KEPT = "3000px 0px"; // further away, pages are emptied
const RESTORED = 6000; // photos that are kept for whoever comes back

export class Gallery {
  constructor({ place, more, note: noteBox, told, session }) {
    Object.assign(this, { place, more, noteBox, told, session, pages: [], next: null, filters: {}, total: 0, busy: false });
    this.latest = new Latest();
    this.end = new IntersectionObserver((entries) => (this.atEnd = entries.at(-1).isIntersecting) && this.#load(), { rootMargin: NEAR });
    this.end.observe(more.parentElement);
    this.far = new IntersectionObserver((entries) => entries.forEach((entry) => this.#keep(entry)), { rootMargin: KEPT });
    more.addEventListener("click", () => this.#load(true));
    addEventListener("resize", () => this.pages.forEach((page) => page.filled || this.#size(page)));
  }

  /** Show the photos that the filters leave, from the first. */
  async show(filters) {
    this.#begin(filters);
    await this.#load(false, true);
  }

  /** What is shown, to be restored when somebody comes back; null if that is too much to keep. */
  get shown() {
    return this.total && this.total <= RESTORED ? { pages: this.pages.map((page) => page.items), next: this.next } : null;
  }

  restore(filters, { pages, next }) {
    this.#begin(filters);
    this.next = next;
    for (const items of pages) this.#append(items, false);
    this.more.hidden = !next;
  }

  #begin(filters) {
    this.latest.drop();
    this.far.disconnect();
    Object.assign(this, { filters, pages: [], next: null, total: 0, busy: false, failed: false, asked: false });
    this.place.replaceChildren();
    this.more.hidden = true;
    this.told.textContent = "";
  }

  /** Ask for the next page; `asked` if somebody did, whose focus then goes on with its first photo. */
  async #load(asked = false, first = false) {
    if (asked) this.asked = true; // also while a page comes that was asked for by scrolling
    if (this.busy || (!first && !this.next) || (this.failed && !asked)) return;
    this.busy = true;
    const waiting = setTimeout(() => this.noteBox.replaceChildren(loading("Loading photos…")), 150);
    try {
      const answer = await this.latest.ask((signal) => get("/v1/images", { ...this.filters, limit: PAGE, cursor: this.next }, { signal }));
      this.next = answer.next;
      this.failed = false;
      this.noteBox.replaceChildren();
      this.#append(answer.images, this.asked);
      this.asked = false;
      if (first && !answer.images.length) this.noteBox.replaceChildren(this.#nothing());
    } catch (error) {
      if (error.name === "AbortError") return void clearTimeout(waiting);
      this.failed = true;
      this.noteBox.replaceChildren(note(error.message, "bad"));
    }
    clearTimeout(waiting);
    this.busy = false;
    this.more.hidden = !this.next && !this.failed;
    this.more.textContent = this.failed ? "Try again" : "Load more";
    if (this.failed && !this.pages.length) this.more.hidden = true;
    if (this.next && this.atEnd && !this.failed) requestAnimationFrame(() => this.#load()); // the page may not fill the window yet
  }

  #nothing() {
    return Object.values(this.filters).some(Boolean)
      ? empty("No photo fits these filters", "Take one of them away to see more.")
      : empty("No photos yet", coded("Store some on the page Tag, or run `tagdb ingest photos/`"));
  }

  #append(images, focus) {
    if (!images.length) return;
    const page = { items: images.map((one) => ({ image_id: one.image_id, name: one.name ?? nameOf(one.uri) })), filled: false };
    page.element = h("section", { class: "gallery-page", "aria-label": `Photos ${this.total + 1} to ${this.total + images.length}` });
    page.element.galleryPage = page;
    this.pages.push(page);
    this.total += images.length;
    this.place.append(page.element);
    this.#fill(page);
    this.far.observe(page.element);
    this.told.textContent = this.next ? `The first ${count(this.total, "photo")}` : count(this.total, "photo");
    if (focus) page.element.querySelector("a")?.focus();
  }

  #fill(page) {
    page.filled = true;
    page.element.style.height = "";
    page.element.replaceChildren(h("ul", { class: "photos" }, page.items.map((item) => card(item, this.session))));
  }

  #keep({ target, isIntersecting, boundingClientRect }) {
    const page = target.galleryPage;
    if (isIntersecting && !page.filled) this.#fill(page);
    else if (!isIntersecting && page.filled && !target.contains(document.activeElement)) {
      page.filled = false;
      page.element.style.height = `${boundingClientRect.height}px`;
      page.element.replaceChildren();
    }
  }

  /** The height of an emptied page after the window has changed: that of one with as many rows. */
  #size(page) {
    const model = this.pages.find((other) => other.filled)?.element.firstElementChild;
    if (!model) return;
    const style = getComputedStyle(model);
    const columns = style.gridTemplateColumns.split(" ").length;
    const row = model.firstElementChild.offsetHeight + parseFloat(style.rowGap);
    page.element.style.height = `${Math.ceil(page.items.length / columns) * row}px`;
  }
}
