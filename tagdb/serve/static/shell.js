// The frame of every page: signing in and out, the switch of colours, the line at the foot.
import { Refused, get, post, remove } from "./api.js";
import { byId, note } from "./dom.js";
import { count } from "./words.js";

const RANKS = ["reader", "analyst", "writer"];

/** What this browser may do, once it may do anything; until then a page waits, and the form is shown. */
export const session = start();

async function start() {
  let found;
  try {
    found = await get("/v1/session");
  } catch (error) {
    if (error.status !== 401) {
      byId("page").hidden = false;
      byId("page").replaceChildren(note(error.message, "bad"));
      return new Promise(() => {});
    }
    found = { needs_token: true, role: null }; // the token of this browser was revoked
  }
  if (!found.role) {
    showForm();
    return new Promise(() => {}); // signing in loads the page anew
  }
  if (found.name) {
    byId("who").textContent = found.name;
    byId("who").hidden = false;
  }
  byId("sign-out").hidden = !(found.name && found.needs_token);
  document.documentElement.dataset.role = found.role;
  byId("page").hidden = false;
  foot();
  const may = (role) => RANKS.indexOf(found.role) >= RANKS.indexOf(role);
  return { ...found, writes: may("writer"), seesPhotos: may("analyst") };
}

function showForm() {
  const form = byId("sign-in");
  form.hidden = false;
  byId("token").focus();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    byId("sign-in-error").textContent = "";
    try {
      await post("/v1/session", { token: byId("token").value.trim() });
      location.reload();
    } catch (error) {
      byId("token").setAttribute("aria-invalid", "true");
      byId("sign-in-error").textContent = error instanceof Refused ? error.message : String(error);
      byId("token").select();
    }
  });
}

byId("sign-out").addEventListener("click", async () => {
  await remove("/v1/session").catch(() => {});
  location.reload();
});

async function foot() {
  try {
    const status = await get("/v1/status");
    byId("foot-status").textContent = `· ${count(status.images, "photo")} · ${count(status.hashtags, "hashtag")}`;
  } catch {
    // the page says itself what is wrong
  }
}

// ---- colours ----

const dark = matchMedia("(prefers-color-scheme: dark)");
const button = byId("theme");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
const showPressed = () => button.setAttribute("aria-pressed", String(isDark()));

button.addEventListener("click", () => {
  const next = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try {
    localStorage.setItem("tagdb-theme", next);
  } catch {
    // storage is switched off: chosen for this page only
  }
  showPressed();
});
dark.addEventListener("change", showPressed);
showPressed();
