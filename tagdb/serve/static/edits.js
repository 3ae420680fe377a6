// Corrections of hashtags, aliases and bans, and undoing them.
import { get, post } from "./api.js";
import { empty, h, icon } from "./dom.js";
import { say, sayError } from "./toast.js";
import { moment } from "./words.js";

const listed = (hashtags) => hashtags.map((one) => `#${one}`).join(", ");

export const told = (edit) =>
  edit.kind === "ban" ? `${listed(edit.hashtags)} banned` : `${listed(edit.hashtags)} ${edit.hashtags.length === 1 ? "counts" : "count"} as #${edit.into_hashtag}`;

/** Make an edit, say so with an undo, and call `then` after either. */
export async function edit(what, then) {
  try {
    const made = await post("/v1/edits", what);
    say(`${told(made)}.`, { undo: () => undo(made.edit_id, then) });
    await then();
    return true;
  } catch (error) {
    sayError(error);
    return false;
  }
}

export async function undo(id, then) {
  try {
    say(`Undone: ${told(await post(`/v1/edits/${id}/undo`, {}))}.`);
    await then();
  } catch (error) {
    sayError(error);
  }
}

/** The list of all edits, the newest first. */
export async function list({ writes }, changed) {
  const { edits } = await get("/v1/edits");
  if (!edits.length) return empty("No corrections yet", writes ? "Aliases and bans apply at once and can be undone." : "");
  return h("ul", { class: "edits" }, edits.map((one) =>
    h("li", { class: one.undone_at ? "undone" : "" }, h("span", {}, told(one)),
      h("span", { class: "row" }, h("span", { class: "soft small-words" }, one.undone_at ? `undone ${moment(one.undone_at)}` : `${moment(one.made_at)}${one.made_by ? ` by ${one.made_by}` : ""}`),
        writes && !one.undone_at ? h("button", { type: "button", class: "small", "aria-label": `Undo: ${told(one)}`, onclick: () => undo(one.edit_id, changed) }, icon("undo"), "Undo") : null))));
}
