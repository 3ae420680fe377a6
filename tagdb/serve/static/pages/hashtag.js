// One hashtag: how much it is used and when, what goes with it, photos that carry it.
import { get } from "../api.js";
import { bars, line } from "../charts.js";
import { Combobox } from "../combobox.js";
import { byId, empty, h, into, note } from "../dom.js";
import { edit } from "../edits.js";
import { cards } from "../photos.js";
import { session as started } from "../shell.js";
import { day, month, number, percent, placeOf, score, share, split } from "../words.js";

const session = await started;
const name = byId("hashtag").dataset.hashtag;

const chip = (hashtag, more) =>
  h("li", { class: "chip" }, h("a", { href: placeOf(hashtag) }, `#${hashtag}`, more ? h("span", { class: "chip-score" }, more) : null));

async function load() {
  let one;
  try {
    one = await get(`/v1/hashtags/${encodeURIComponent(name)}`);
  } catch (error) {
    byId("said").replaceChildren(error.status === 404 ? empty("This hashtag is on no photo", error.message, " ", h("a", { href: "/hashtags" }, "See those that are")) : note(error.message, "bad"));
    return;
  }
  const shown = one.spelling ?? one.hashtag;
  byId("title").textContent = `#${shown}`;
  document.title = `#${shown} · tagdb`;
  byId("about").hidden = false;
  byId("decided").hidden = !one.banned && !one.alias_of;
  byId("decided").replaceChildren(...(one.banned ? ["It is banned: neither recommended nor counted. Undo that under Hashtags."] : one.alias_of ? ["It is an alias and counts as ", h("a", { href: placeOf(one.alias_of) }, `#${one.alias_of}`), "."] : []));
  const figure = (title, value, more) => h("div", {}, h("dt", {}, title), h("dd", {}, value, more ? h("small", {}, more) : null));
  byId("figures").replaceChildren(
    figure("Photos", number(one.images), `${share(one.image_share)} of all`),
    figure("First", day(one.first_seen)), figure("Last", day(one.last_seen)),
    one.banned ? figure("Recommended", "no", "it is banned")
      : figure("Recommended", one.in_active_run ? "yes" : "not yet", one.in_active_run ? "the factors know it" : "the factors do not know it"));
  drawTrend(one.trend, shown);
  byId("related").replaceChildren(one.related.length ? h("ul", { class: "chips" }, one.related.map((other) => chip(other.hashtag, score(other.score))))
    : empty("Nothing related", "The active factors do not know it."));
  byId("pairs").replaceChildren(one.pairs.length
    ? bars(one.pairs.map((pair) => ({ value: pair.images, words: h("a", { href: placeOf(pair.with_hashtag) }, `#${pair.with_hashtag}`), more: `${number(pair.images)} (${percent(pair.confidence)}), ${pair.lift.toFixed(1)} × chance` })))
    : empty("No pairs", "Too few photos carry it together with another."));
  const names = [
    ["Aliases", one.aliases?.length ? one.aliases.map((alias) => `#${alias}`).join(", ") : "none"],
    ["Collections", one.collection_names?.length ? one.collection_names.flatMap((each, index) => [index ? ", " : "", h("a", { href: `/browse?${new URLSearchParams({ collection: each, hashtag: one.hashtag })}` }, each)]) : "none"],
    ["Compared as", `#${one.hashtag}`],
  ];
  byId("names").replaceChildren(...names.flatMap(([title, value]) => [h("dt", {}, title), h("dd", {}, value)]));
  byId("all").href = `/browse?${new URLSearchParams({ hashtag: one.hashtag })}`;
  byId("acts").hidden = !session.writes || one.banned;
  byId("alias-form").hidden = !session.writes || one.banned || Boolean(one.alias_of);
}

function drawTrend(trend, shown) {
  if (!trend.length) return byId("trend").replaceChildren(empty("No months to show", "It is counted on no photo."));
  const months = filled(trend);
  const most = months.reduce((best, one) => (one.value > best.value ? one : best));
  byId("trend").replaceChildren(
    h("p", { class: "soft small-words" }, months.length > 1 ? `Most in ${most.label}, with ${number(most.value)} photos.` : "All its photos are of one month."),
    line(months, { title: `Photos with #${shown} by month`, format: number, whole: true }));
  return undefined;
}

/** Months without a photo are 0, not a straight line between their neighbours. */
function filled(trend) {
  const counts = new Map(trend.map((one) => [one.starts_on.slice(0, 7), one.images]));
  const keys = [...counts.keys()].sort();
  const points = [];
  let [year, which] = keys[0].split("-").map(Number);
  for (;;) {
    const key = `${String(year).padStart(4, "0")}-${String(which).padStart(2, "0")}`;
    points.push({ label: month(`${key}-01T00:00:00Z`), value: counts.get(key) ?? 0 });
    if (key >= keys.at(-1) || points.length > 600) return points;
    which += 1;
    if (which > 12) [year, which] = [year + 1, 1];
  }
}

into(byId("examples"), async () => {
  const { images } = await get("/v1/images", { hashtag: name, limit: 12 });
  byId("all").hidden = !images.length;
  return images.length ? cards(images, () => session) : empty("No photos", "No photo carries it.");
});

byId("ban").addEventListener("click", () => edit({ kind: "ban", hashtags: [name] }, load));
if (session.writes) {
  new Combobox(byId("alias-into"), { keeps: true, take: () => {} });
  byId("alias-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await edit({ kind: "alias", hashtags: [name], into: split(byId("alias-into").value)[0] }, load)) byId("alias-form").reset();
  });
}

load();
