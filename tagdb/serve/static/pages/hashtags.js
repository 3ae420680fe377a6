// Hashtags: what is used, what grows, what goes together; corrections for writers.
import { get } from "../api.js";
import { bars } from "../charts.js";
import { Combobox } from "../combobox.js";
import { byId, coded, empty, h, into, loading, note } from "../dom.js";
import { edit, list as listEdits } from "../edits.js";
import { session as started } from "../shell.js";
import { number, placeOf, split } from "../words.js";

const PAGE = 50;
const NOTES = { growing: "How many times as large their share of the last three months' photos is as before." };

const session = await started;
const shown = { order: "images", rows: [] };

function marks(one) {
  if (one.banned) return h("span", { class: "mark bad" }, "banned");
  if (one.alias_of) return h("span", { class: "mark" }, `counts as #${one.alias_of}`);
  return null;
}

function row(one, order) {
  const grows = order === "growing" && one.growth !== null && one.growth !== undefined;
  return {
    value: grows ? one.growth : one.images,
    words: h("span", { class: "row" }, h("a", { href: placeOf(one.hashtag) }, `#${one.spelling ?? one.hashtag}`), marks(one)),
    more: grows ? `× ${one.growth.toFixed(1)} · ${number(one.images)}` : number(one.images),
  };
}

async function load(first) {
  const more = byId("more");
  byId("more-note").replaceChildren(loading());
  more.disabled = true;
  try {
    const { hashtags } = await get("/v1/hashtags", { order: shown.order, limit: PAGE, offset: shown.rows.length });
    const before = shown.rows.length;
    shown.rows.push(...hashtags);
    byId("list").replaceChildren(shown.rows.length ? bars(shown.rows.map((one) => row(one, shown.order)))
      : shown.order === "growing" ? empty("Nothing grows", "It takes photos of several months to tell.") : empty("No hashtags yet", coded("They come with photos: `tagdb ingest photos/`")));
    byId("more-note").replaceChildren();
    more.hidden = hashtags.length < PAGE;
    if (!first) byId("list").querySelectorAll("a")[before]?.focus();
  } catch (error) {
    byId("more-note").replaceChildren(note(error.message, "bad"));
    more.hidden = false;
  }
  more.disabled = false;
}

function fromAddress() {
  const asked = new URLSearchParams(location.search).get("order");
  shown.order = ["growing", "hashtag"].includes(asked) ? asked : "images";
  shown.rows = [];
  for (const tab of document.querySelectorAll("[data-order]")) {
    if (tab.dataset.order === shown.order) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
  byId("list-note").textContent = NOTES[shown.order] ?? "";
  byId("list-note").hidden = !NOTES[shown.order];
  byId("more").hidden = true;
  load(true);
}

for (const tab of document.querySelectorAll("[data-order]")) {
  tab.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    history.pushState(null, "", tab.href);
    fromAddress();
  });
}
addEventListener("popstate", fromAddress);
fromAddress();
byId("more").addEventListener("click", () => load(false));

const go = ([hashtag]) => hashtag && location.assign(placeOf(hashtag));
new Combobox(byId("find"), { keeps: true, take: go });
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  go(split(byId("find").value));
});

into(byId("pairs"), async () => {
  const { pairs } = await get("/v1/pairs", { limit: 20 });
  if (!pairs.length) return empty("No pairs yet", "Pairs are counted when several photos carry the same two hashtags.");
  return bars(pairs.map((one) => ({
    value: one.images,
    words: h("span", {}, h("a", { href: placeOf(one.hashtag) }, `#${one.hashtag}`), " ", h("a", { href: placeOf(one.with_hashtag) }, `#${one.with_hashtag}`)),
    more: h("span", { title: `${one.lift.toFixed(1)} times as often as by chance` }, number(one.images)),
  })));
});

// ---- corrections ----

const drawEdits = () => into(byId("edits"), () => listEdits(session, changed));
const changed = async () => {
  await drawEdits();
  shown.rows = [];
  await load(true);
};
drawEdits();

byId("edit-part").hidden = !session.writes;
if (session.writes) {
  new Combobox(byId("alias-into"), { keeps: true, take: () => {} });
  byId("alias-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const done = await edit({ kind: "alias", hashtags: split(byId("alias-these").value), into: split(byId("alias-into").value)[0] }, changed);
    if (done) byId("alias-form").reset();
  });
  byId("ban-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await edit({ kind: "ban", hashtags: split(byId("ban-these").value) }, changed)) byId("ban-form").reset();
  });
}
