// Tag a photo: drop, paste or choose photos; each is embedded once, and from then on only its embedding is sent.
import { Latest, Refused, get, post, postForm } from "../api.js";
import { copies } from "../clipboard.js";
import { Combobox } from "../combobox.js";
import { byId, coded, debounced, empty, focusNear, h, icon, into, loading, note } from "../dom.js";
import { cards, picture } from "../photos.js";
import { Recommended } from "../recommended.js";
import { session as started } from "../shell.js";
import { announce, say, sayError } from "../toast.js";
import { count, folded, percent, share, size } from "../words.js";

const AT_ONCE = 2; // photos that are embedded at the same time
const SLIDERS = ["top", "diversity", "popularity_discount"];

const session = await started;
const photos = []; // see add()
let current = null;
const waiting = [];
let working = 0;
const asked = new Latest();

const has = (list, hashtag) => list.some((one) => folded(one) === folded(hashtag));
const without = (list, hashtag) => list.filter((one) => folded(one) !== folded(hashtag));

// ---- photos come in ----

function add(files) {
  const found = [...files].filter((file) => file.type.startsWith("image/") || !file.type || /\.(heic|heif|avif|jxl|tiff?|dng|cr[23]|nef|arw|raf|orf|rw2)$/i.test(file.name));
  if (!found.length) return say(files.length ? "That is not a photo." : "There was no photo in that.", { kind: "bad" });
  const first = photos.length;
  for (const file of found) {
    photos.push({
      file, name: file.name || "pasted photo", url: URL.createObjectURL(file),
      state: "waiting", error: "", sha: null, embedding: null,
      chosen: [], accepted: [], rejected: [], recommended: [], similar: null, stored: null,
      checked: Promise.resolve(), storing: null, // typed hashtags being checked; the photo being stored
    });
    waiting.push(photos.at(-1));
  }
  choose(photos[first]);
  work();
}

async function work() {
  while (working < AT_ONCE && waiting.length) {
    // what is looked at comes first
    const photo = waiting.splice(Math.max(0, waiting.indexOf(current)), 1)[0];
    working += 1;
    embed(photo).finally(() => ((working -= 1), work()));
  }
}

async function embed(photo) {
  photo.state = "working";
  drawStrip();
  try {
    const form = new FormData();
    form.append("photo", photo.file, photo.name);
    const answer = (await postForm("/v1/embed", form)).photos[0];
    if (answer.error) throw new Refused(answer.error, 422);
    Object.assign(photo, { embedding: answer.embedding, sha: answer.content_sha256, state: "ready" });
    await findStored(photo);
  } catch (error) {
    Object.assign(photo, { state: "failed", error: error.message });
  }
  drawStrip();
  if (photo === current) draw();
  else if (current) drawStore();
}

async function findStored(photo) {
  const [image] = (await get("/v1/images", { content_sha256: photo.sha, limit: 1 })).images;
  if (!image) return;
  photo.stored = await get(`/v1/images/${image.image_id}`);
  for (const { hashtag } of photo.stored.hashtags) if (!has(photo.chosen, hashtag)) photo.chosen.push(hashtag);
}

function putAway(photo) {
  URL.revokeObjectURL(photo.url);
  const index = photos.indexOf(photo);
  photos.splice(index, 1);
  if (waiting.includes(photo)) waiting.splice(waiting.indexOf(photo), 1);
  announce(`${photo.name} put away`);
  choose(photos[Math.min(index, photos.length - 1)] ?? null);
  if (!current) byId("files").focus();
}

// ---- what is shown ----

function choose(photo) {
  current = photo;
  asked.drop();
  byId("drop").classList.toggle("compact", photos.length > 0);
  byId("work").hidden = !photo;
  drawStrip();
  if (photo) draw();
}

function drawStrip() {
  const strip = byId("strip");
  strip.hidden = photos.length < 2;
  if (strip.hidden) return void strip.replaceChildren();
  const focused = [...strip.querySelectorAll("button")].indexOf(document.activeElement);
  strip.replaceChildren(...photos.map((photo, index) =>
    h("li", {},
      h("button", { type: "button", class: `strip-photo ${photo.state}`, "aria-current": photo === current ? "true" : null,
        "aria-label": `Photo ${index + 1} of ${photos.length}: ${photo.name}${photo.stored ? ", stored" : ""}${photo.state === "failed" ? ", cannot be read" : ""}`,
        onclick: () => choose(photo) },
        picture(photo.url, "", { draggable: "false" }),
        photo.chosen.length ? h("span", { class: "badge" }, String(photo.chosen.length)) : null))));
  if (focused >= 0) strip.querySelectorAll("button")[focused]?.focus();
}

function draw() {
  const photo = current;
  const frame = byId("photo");
  if (frame.dataset.url !== photo.url) {
    frame.dataset.url = photo.url;
    frame.replaceChildren(picture(photo.url, photo.name));
  }
  byId("photo-name").textContent = photo.name;
  byId("photo-note").replaceChildren(size(photo.file.size), photo.stored ? " · " : "", photo.stored ? h("a", { href: `/images/${photo.stored.image_id}` }, "Stored: its page") : "");
  drawStore();
  drawChoices();
  if (photo.state === "failed") {
    recommended.says(note(photo.error, "bad"));
    byId("similar").replaceChildren(empty("Nothing to compare", "This photo could not be read."));
  } else if (photo.state === "ready") {
    recommended.show(photo.recommended);
    recommend();
    drawSimilar(photo);
  } else {
    recommended.says(loading("Looking at the photo…"));
    byId("similar").replaceChildren();
  }
}

const MARKS = {
  chosen: { words: (name) => `Remove #${name}`, icon: "cross", undo: unchoose },
  rejected: { words: (name) => `Do not reject #${name}`, icon: "undo", undo: unreject },
};

function drawMarked(kind) {
  const { words, icon: drawing, undo } = MARKS[kind];
  byId(kind).replaceChildren(...current[kind].map((name, index) =>
    h("li", { class: `chip ${kind}` }, h("span", { class: "chip-name" }, `#${name}`),
      h("button", { type: "button", class: "chip-side", "aria-label": words(name), onclick: () => {
        undo(name);
        focusNear([...byId(kind).querySelectorAll("button")], index, byId("add"));
      } }, icon(drawing)))));
}

function drawChoices() {
  drawMarked("chosen");
  drawMarked("rejected");
  byId("rejected-part").hidden = !current.rejected.length;
  const copied = toCopy();
  byId("line").textContent = copied.map((one) => `#${one}`).join(" ") || "Accept a recommended hashtag, or type one.";
  byId("line").classList.toggle("faint", !current.chosen.length);
  byId("copy").disabled = !copied.length;
  const label = byId("copy").querySelector(".button-words");
  const words = current.chosen.length ? `Copy ${copied.length}` : `Copy all ${copied.length}`;
  if (byId("copy").dataset.words) byId("copy").dataset.words = words;
  else label.textContent = words;
}

/** The chosen hashtags; while there are none, the recommended ones. */
const toCopy = () => (current.chosen.length ? current.chosen : current.recommended.map((one) => one.hashtag));

function drawSimilar(photo) {
  const place = byId("similar");
  const show = (images) => images.length
    ? cards(images, (image) => ({ ...session, below: `${percent(image.similarity)} similar` }))
    : empty("No similar photo", "Nothing is stored yet.");
  if (photo.similar) return void place.replaceChildren(show(photo.similar));
  into(place, async () => {
    photo.similar = (await post("/v1/similar_to_embedding", { embedding: photo.embedding, top: 12 })).images;
    return photo === current ? show(photo.similar) : [];
  }).then(() => photo !== current && current?.similar && place.replaceChildren(show(current.similar)));
}

// ---- recommending ----

const steering = () => Object.fromEntries(SLIDERS.map((name) => [name, Number(byId(name).value)]).filter(([name, value]) => name === "top" || value > 0));

async function recommend() {
  const photo = current;
  if (photo?.state !== "ready") return;
  recommended.waits("Recommending…");
  try {
    const answer = await asked.ask((signal) => post("/v1/recommend_for_embedding",
      { embedding: photo.embedding, content_sha256: photo.sha, known: photo.chosen, exclude: photo.rejected, ...steering() }, { signal }));
    photo.recommended = answer.hashtags.filter((one) => !has(photo.chosen, one.hashtag) && !has(photo.rejected, one.hashtag));
    if (photo !== current) return;
    recommended.show(photo.recommended);
    drawChoices();
  } catch (error) {
    if (error.name !== "AbortError" && photo === current) recommended.says(note(error.message, "bad"));
  }
}
const askSoon = debounced(recommend, 150);

function recommendSoon() {
  if (current?.state !== "ready") return;
  recommended.waits("Recommending…");
  askSoon();
}

const recommended = new Recommended(byId("recommended"), {
  session,
  stateOf: () => "", // what is accepted or rejected moves to a list of its own
  accept: (name, index) => take(name, index, "chosen"),
  reject: (name, index) => take(name, index, "rejected"),
  undo: () => {},
  explain: (hashtag, signal) => post("/v1/explain_embedding", { embedding: current.embedding, hashtag }, { signal }),
});

// ---- choices ----

const tells = (photo) => session.writes && (photo.stored || photo.storing);

/** Tell the database of a choice; one that is made while the photo is being stored waits for that. */
async function tell(photo, what, body) {
  await photo.storing?.catch(() => {}); // a photo that could not be stored takes its choices along the next time
  if (photo.stored) await post(`/v1/images/${photo.stored.image_id}/${what}`, body);
}

/** Accept or reject a recommended hashtag: it leaves the list, and focus goes to the one that takes its place. */
function take(name, index, kind) {
  const photo = current;
  photo.recommended = photo.recommended.filter((one) => one.hashtag !== name);
  if (kind === "chosen") {
    photo.chosen.push(name);
    photo.accepted.push(name);
  } else photo.rejected.push(name);
  const column = document.activeElement?.classList.contains("chip-reject") ? 1 : 0;
  recommended.show(photo.recommended);
  focusNear([...byId("recommended").querySelectorAll(".chip")].map((chip) => chip.children[column]), index, byId("add"));
  changed(photo);
  announce(kind === "chosen" ? `#${name} accepted` : `#${name} rejected`);
  if (!tells(photo)) return;
  tell(photo, "feedback", kind === "chosen" ? { accepted: [name], rejected: [] } : { accepted: [], rejected: [name] })
    .then(() => say(kind === "chosen" ? `#${name} is on the photo now.` : `#${name} will not be recommended for it again.`, {
      undo: () => inPhoto(photo, () => (kind === "chosen" ? unchoose(name) : unreject(name))),
    }))
    .catch((error) => {
      photo[kind] = without(photo[kind], name);
      photo.accepted = without(photo.accepted, name);
      changed(photo);
      sayError(error);
    });
}

function inPhoto(photo, run) {
  if (photos.includes(photo) && photo !== current) choose(photo);
  if (photo === current) run();
}

function typed(hashtags) {
  const photo = current;
  photo.checked = photo.checked.then(() => addTyped(photo, hashtags));
}

/** Add hashtags that the server agrees are hashtags; false if one of them is not. */
async function addTyped(photo, hashtags) {
  const fresh = hashtags.filter((one) => one && !has(photo.chosen, one));
  if (!fresh.length) return true;
  try {
    await get("/v1/hashtags", { known: fresh, limit: 1 }); // which says why one of them is no hashtag
  } catch (error) {
    if (photo === current) byId("add").value = [...hashtags, byId("add").value].join(" ").trim(); // nothing that was typed is lost
    sayError(error);
    return false;
  }
  photo.chosen.push(...fresh);
  for (const one of fresh) photo.rejected = without(photo.rejected, one);
  changed(photo);
  announce(`${fresh.map((one) => `#${one}`).join(" ")} added`);
  if (tells(photo)) {
    tell(photo, "hashtags", { add: fresh, remove: [] }).catch((error) => {
      for (const one of fresh) photo.chosen = without(photo.chosen, one);
      changed(photo);
      sayError(error);
    });
  }
  return true;
}

function unchoose(name) {
  const photo = current;
  const by = has(photo.accepted, name);
  photo.chosen = without(photo.chosen, name);
  photo.accepted = without(photo.accepted, name);
  changed(photo);
  announce(`#${name} removed`);
  if (!tells(photo)) return;
  (by ? tell(photo, "feedback/withdraw", { hashtags: [name] }) : tell(photo, "hashtags", { add: [], remove: [name] })).catch(sayError);
}

function unreject(name) {
  const photo = current;
  photo.rejected = without(photo.rejected, name);
  changed(photo);
  announce(`#${name} is no longer rejected`);
  if (tells(photo)) tell(photo, "feedback/withdraw", { hashtags: [name] }).catch(sayError);
}

function changed(photo) {
  drawStrip();
  if (photo !== current) return;
  drawChoices();
  recommendSoon();
}

// ---- storing ----

function drawStore() {
  const unstored = photos.filter((photo) => photo.state === "ready" && !photo.stored);
  byId("store").hidden = !session.writes || !photos.some((photo) => !photo.stored && photo.state !== "failed");
  byId("store-one").hidden = Boolean(current.stored);
  byId("store-one").disabled = current.state !== "ready";
  byId("store-all").hidden = unstored.length < 2;
  byId("store-all").textContent = `Store all ${unstored.length}`;
}

async function store(photo) {
  const [accepted, rejected] = [[...photo.accepted], [...photo.rejected]]; // what is chosen from here on is told afterwards
  const form = new FormData();
  form.append("photo", photo.file, photo.name);
  for (const one of photo.chosen) form.append("hashtags", one);
  if (byId("collection").value.trim()) form.append("collection", byId("collection").value.trim());
  const answer = (await postForm("/v1/images", form)).photos[0];
  if (answer.error) throw new Refused(answer.error, 422);
  if (accepted.length || rejected.length) await post(`/v1/images/${answer.image_id}/feedback`, { accepted, rejected });
  photo.stored = { image_id: answer.image_id };
  if (photo === current) draw();
  drawStrip();
}

async function storeThese(chosen) {
  const buttons = [byId("store-one"), byId("store-all")];
  for (const button of buttons) button.disabled = true;
  let done = 0;
  try {
    for (const photo of chosen) {
      await photo.checked;
      if (photo === current && adding.finish() && !(await photo.checked)) break; // what is typed is no hashtag, as has been said
      photo.storing = store(photo).finally(() => (photo.storing = null));
      await photo.storing;
      done += 1;
    }
    if (!done) return;
    say(done === 1 ? `${chosen[0].name} is stored.` : `${count(done, "photo")} are stored.`);
  } catch (error) {
    sayError(error);
  } finally {
    for (const button of buttons) button.disabled = false;
    if (current) drawStore();
  }
}

byId("store").addEventListener("submit", (event) => {
  event.preventDefault();
  storeThese([current]);
});
byId("store-all").addEventListener("click", () => storeThese(photos.filter((photo) => photo.state === "ready" && !photo.stored)));

// ---- the ways in ----

byId("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = ""; // the same file can be chosen again
});
byId("put-away").addEventListener("click", () => putAway(current));
document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (files.length) {
    event.preventDefault();
    add(files);
  }
});

let inside = 0; // dragenter and dragleave come for every element that is crossed
const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
const veil = (shown) => byId("drop-veil").classList.toggle("shown", shown);
addEventListener("dragenter", (event) => carriesFiles(event) && veil(++inside > 0));
addEventListener("dragleave", (event) => carriesFiles(event) && veil(--inside > 0));
addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return;
  event.preventDefault();
  inside = 0;
  veil(false);
  add(event.dataTransfer.files);
});

if (/Mac|iPhone|iPad/.test(navigator.platform)) document.querySelector("#drop kbd").textContent = "⌘";
const adding = new Combobox(byId("add"), { known: () => current?.chosen ?? [], take: typed });
copies(byId("copy"), () => toCopy().map((one) => `#${one}`).join(" "));
for (const name of SLIDERS) {
  const show = () => (byId(`${name}-value`).textContent = name === "top" ? byId(name).value : share(Number(byId(name).value)));
  byId(name).addEventListener("input", () => (show(), recommendSoon()));
  show();
}
if (session.writes) {
  get("/v1/collections").then(({ collections }) =>
    byId("collections").append(...collections.filter((one) => one.collection).map((one) => h("option", { value: one.collection })))).catch(() => {});
}

get("/v1/status").then((status) => {
  if (!status.images) byId("ready").append(note(coded("Nothing is stored yet, so nothing can be recommended. Store photos with hashtags first: `tagdb ingest photos/`"), "advice"));
  else if (!status.factor_run) byId("ready").append(note(coded("There are photos, but no factors yet: compute them on the page Health, or run `tagdb factors compute`."), "advice"));
}).catch((error) => byId("ready").append(note(error.message, "bad")));
