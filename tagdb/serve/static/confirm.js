// A question before something that cannot be undone.
import { h } from "./dom.js";

/** Ask; resolves to whether it was confirmed. Focus starts at the harmless answer and returns to where it was. */
export function confirmed({ title, words, yes }) {
  return new Promise((resolve) => {
    const no = h("button", { type: "submit", value: "no", autofocus: true }, "Cancel");
    const dialog = h("dialog", { class: "dialog", "aria-labelledby": "dialog-title", "aria-describedby": "dialog-words" },
      h("form", { method: "dialog" },
        h("h2", { id: "dialog-title" }, title), h("p", { id: "dialog-words" }, words),
        h("div", { class: "row end" }, no, h("button", { type: "submit", value: "yes", class: "danger" }, yes))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
