// A stored photo: its hashtags, what is recommended for it, what is like it, where it came from.
import { get, post, remove } from "../api.js";
import { Combobox } from "../combobox.js";
import { confirmed } from "../confirm.js";
import { byId, empty, focusNear, h, icon, into, note } from "../dom.js";
import { cards, picture, placeholder, thumbnailOf } from "../photos.js";
import { Recommended } from "../recommended.js";
import { session as started } from "../shell.js";
import { announce, say, sayError } from "../toast.js";
import { folded, moment, nameOf, number, percent, placeOf, size } from "../words.js";

const SHOWN = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "image/bmp"]; // what browsers show
const SOURCES = { ingest: "From its source", photo: "Written in the photo", feedback: "Accepted", tag: "Given by hand" };

const KNOWN = 50; // of its hashtags are sent, so that others are recommended

const session = await started;
const id = Number(byId("image").dataset.imageId);
const path = `/v1/images/${id}`;
const states = new Map(); // folded hashtag -> accepted | rejected
let image = null;

async function load() {
  try {
    image = await get(path);
  } catch (error) {
    byId("said").replaceChildren(error.status === 404 ? empty("There is no such photo", error.message, " ", h("a", { href: "/browse" }, "Browse the others")) : note(error.message, "bad"));
    return;
  }
  byId("work").hidden = false;
  drawPhoto();
  drawFacts();
  drawHashtags();
  loadRecommended();
  into(byId("similar"), async () => {
    const { images } = await get(`${path}/similar`, { top: 12 });
    return images.length ? cards(images, (one) => ({ ...session, below: `${percent(one.similarity)} similar` })) : empty("No similar photo", image.has_embedding ? "It is the only one." : "This photo has no embedding by the active backbone.");
  });
}

function drawPhoto() {
  const name = image.name || nameOf(image.uri);
  byId("name").textContent = name;
  document.title = `${name} · tagdb`;
  byId("remove").hidden = !session.writes;
  if (!session.seesPhotos) return byId("photo").replaceChildren(placeholder(name));
  const whole = image.original && SHOWN.includes(image.media_type);
  byId("photo").replaceChildren(picture(whole ? `${path}/original` : thumbnailOf(id), name));
  byId("photo-note").replaceChildren(...(whole ? [] : [image.original ? "Browsers cannot show its format, so this is its thumbnail. " : "This is its thumbnail."]),
    ...(image.original ? [h("a", { href: `${path}/original`, download: name }, "Download the original")] : []));
  return undefined;
}

const link = (text) => (/^https?:\/\//.test(text) ? h("a", { href: text, rel: "noreferrer noopener" }, text) : text);

function drawFacts() {
  const facts = [
    ["Place", image.uri], ["Collection", image.collection && h("a", { href: `/browse?${new URLSearchParams({ collection: image.collection })}` }, image.collection)],
    ["From", image.source_ref && link(image.source_ref)], ["Taken", image.taken_at && moment(image.taken_at)], ["Stored", moment(image.ingested_at)],
    ["Ingest", image.ingest_run_id && `number ${image.ingest_run_id}`], ["Format", image.media_type],
    ["Size", image.width && `${number(image.width)} × ${number(image.height)} pixels, ${size(image.bytes)}`],
    ["Used as neighbour", image.has_factors ? "yes" : "no, it has no factors"],
  ];
  byId("facts").replaceChildren(...facts.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  const metadata = Object.entries(image.metadata ?? {});
  byId("metadata-part").hidden = !metadata.length;
  byId("metadata").replaceChildren(...metadata.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, typeof value === "string" ? link(value) : JSON.stringify(value))]));
}

// ---- its hashtags ----

function drawHashtags() {
  const groups = Map.groupBy(image.hashtags, (one) => SOURCES[one.source] ?? one.source);
  byId("hashtags").replaceChildren(...[...groups].map(([source, found]) =>
    h("div", {}, h("h3", {}, source), h("ul", { class: "chips" }, found.map(({ hashtag }) => ownChip(hashtag))))));
  byId("no-hashtags").hidden = image.hashtags.length > 0;
  byId("no-hashtags").replaceChildren(empty("No hashtags yet", session.writes ? "Accept a recommended one, or type one." : ""));
  byId("add-part").hidden = !session.writes;
}

const ownChip = (hashtag) =>
  h("li", { class: "chip" }, h("a", { href: placeOf(hashtag) }, `#${hashtag}`),
    session.writes ? h("button", { type: "button", class: "chip-side", "aria-label": `Remove #${hashtag}`, onclick: (event) => takeAway(hashtag, event.currentTarget) }, icon("cross")) : null);

let reloads = 0;

async function reload() {
  const asked = ++reloads;
  const answer = await get(path);
  if (asked !== reloads) return; // a later change has asked since
  image = answer;
  drawHashtags();
}

async function change(added, removed) {
  const answer = await post(`${path}/hashtags`, { add: added, remove: removed });
  await reload();
  return answer;
}

async function takeAway(hashtag, button) {
  const index = [...byId("hashtags").querySelectorAll("button")].indexOf(button);
  try {
    await change([], [hashtag]);
    focusNear([...byId("hashtags").querySelectorAll("button")], index, byId("add"));
    say(`#${hashtag} removed.`, { undo: () => change([hashtag], []).catch(sayError) });
  } catch (error) {
    sayError(error);
  }
}

if (session.writes) {
  new Combobox(byId("add"), {
    known: () => image?.hashtags.map((one) => one.hashtag) ?? [],
    take: async (hashtags) => {
      try {
        const { added } = await change(hashtags, []);
        announce(added.length ? `${added.map((one) => `#${one}`).join(" ")} added` : "It has them already");
      } catch (error) {
        byId("add").value = [...hashtags, byId("add").value].join(" ").trim(); // nothing that was typed is lost
        sayError(error);
      }
    },
  });
}

// ---- recommended ----

async function loadRecommended() {
  recommended.waits("Recommending…");
  try {
    recommended.show((await get(`${path}/recommend`, { top: 15, known: image.hashtags.map((one) => one.hashtag).slice(0, KNOWN) })).hashtags);
  } catch (error) {
    recommended.says(note(error.message, "bad"));
  }
}

const recommended = new Recommended(byId("recommended"), {
  session,
  stateOf: (hashtag) => states.get(hashtag) ?? "",
  accept: (name) => tell(name, "accepted"),
  reject: (name) => tell(name, "rejected"),
  undo: withdraw,
  explain: (hashtag, signal) => get(`${path}/explain`, { hashtag }, { signal }),
});
byId("recommended").classList.toggle("read-only", !session.writes);

async function tell(name, state) {
  if (!session.writes) return say("Only a writer may accept or reject. Sign in with a writer's token.", { kind: "bad" });
  const before = states.get(folded(name));
  states.set(folded(name), state);
  recommended.restate();
  try {
    await post(`${path}/feedback`, { accepted: state === "accepted" ? [name] : [], rejected: state === "rejected" ? [name] : [], factor_run_id: null });
    await reload();
    return say(state === "accepted" ? `#${name} accepted: it is on the photo now.` : `#${name} rejected: it will not be recommended for this photo again.`, { undo: () => withdraw(name) });
  } catch (error) {
    if (before) states.set(folded(name), before);
    else states.delete(folded(name));
    recommended.restate();
    return sayError(error);
  }
}

async function withdraw(name) {
  try {
    await post(`${path}/feedback/withdraw`, { hashtags: [name] });
    states.delete(folded(name));
    recommended.restate();
    await reload();
    announce(`Undone: nothing is said about #${name}`);
  } catch (error) {
    sayError(error);
  }
}

// ---- removing ----

byId("remove").addEventListener("click", async () => {
  const yes = await confirmed({ title: "Remove this photo?", words: `${byId("name").textContent}, its hashtags and its embedding are removed from the database. The file where it came from stays.`, yes: "Remove" });
  if (!yes) return;
  try {
    await remove(path);
    location.assign("/browse");
  } catch (error) {
    sayError(error);
  }
});

load();
