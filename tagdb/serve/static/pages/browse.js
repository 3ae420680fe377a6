// Browse: the filters live in the address, so that going back, bookmarks and links work.
import { get } from "../api.js";
import { Combobox } from "../combobox.js";
import { byId, h } from "../dom.js";
import { Gallery } from "../gallery.js";
import { session as started } from "../shell.js";
import { sayError } from "../toast.js";
import { number } from "../words.js";

const LEFT = "tagdb-gallery"; // in the session's storage: what was shown when the page was left
const NAMES = ["collection", "hashtag", "taken_from", "taken_to", "order"];

const session = await started;
const gallery = new Gallery({ place: byId("gallery"), more: byId("more"), note: byId("more-note"), told: byId("told"), session });

function fromAddress(kept = null) {
  const given = new URLSearchParams(location.search);
  for (const name of NAMES) {
    const value = given.get(name) ?? "";
    if (name === "collection" && value && ![...byId(name).options].some((one) => one.value === value)) byId(name).append(new Option(value, value));
    byId(name).value = value;
  }
  show(kept);
}

const filters = () => Object.fromEntries(NAMES.map((name) => [name, byId(name).value.trim()]).filter(([, value]) => value));

/** The filters as the API wants them: days begin and end at midnight, UTC. */
function asked(chosen) {
  const midnight = (day, later) => (day ? new Date(Date.parse(`${day}T00:00:00Z`) + later * 86400e3).toISOString() : "");
  return { ...chosen, taken_from: midnight(chosen.taken_from, 0), taken_to: midnight(chosen.taken_to, 1) };
}

function show(kept = null) {
  const chosen = filters();
  byId("clear").hidden = !Object.keys(chosen).length;
  document.title = `${["Browse", chosen.hashtag && `#${chosen.hashtag}`, chosen.collection].filter(Boolean).join(" · ")} · tagdb`;
  if (!kept) return void gallery.show(asked(chosen));
  gallery.restore(asked(chosen), kept.shown);
  scrollTo(0, kept.top);
}

function changed() {
  const query = new URLSearchParams(filters()).toString();
  const address = query ? `/browse?${query}` : "/browse";
  if (address === location.pathname + location.search) return;
  history.pushState(null, "", address);
  show();
}

for (const name of NAMES) byId(name).addEventListener("change", changed);
byId("filters").addEventListener("submit", (event) => {
  event.preventDefault();
  changed();
});
byId("clear").addEventListener("click", () => {
  for (const name of NAMES) byId(name).value = "";
  changed();
  byId("collection").focus();
});
addEventListener("popstate", () => fromAddress());
new Combobox(byId("hashtag"), { keeps: true, take: changed });

const collections = get("/v1/collections").then((answer) => {
  const chosen = byId("collection").value;
  const named = answer.collections.filter((one) => one.collection);
  byId("collection").append(...named.filter((one) => one.collection !== chosen).map((one) => h("option", { value: one.collection }, `${one.collection} (${number(one.images)})`)));
});
collections.catch(sayError);

// ---- coming back: from a photo's page to where it was ----

const place = () => location.pathname + location.search;

function left() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(LEFT));
    return performance.getEntriesByType("navigation")[0]?.type === "back_forward" && kept?.place === place() && kept.shown ? kept : null;
  } catch {
    return null; // storage is switched off
  }
}

addEventListener("pagehide", () => {
  try {
    sessionStorage.setItem(LEFT, JSON.stringify({ place: place(), top: scrollY, shown: gallery.shown }));
  } catch {
    // it begins at the top then
  }
});

fromAddress(left());
