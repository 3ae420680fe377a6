// Copying text, also where a page was not loaded over a connection that browsers call secure.
import { h } from "./dom.js";

export async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) {
    try {
      return await navigator.clipboard.writeText(text);
    } catch {
      // refused: the old way
    }
  }
  const focused = document.activeElement;
  const field = h("textarea", { class: "seen-by-ear", "aria-hidden": "true", readonly: true });
  field.value = text;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus();
  if (!done) throw new Error("The browser did not let the page copy: select the text and copy it yourself.");
}

/** A button that copies what `textOf` gives, and says that it did. */
export function copies(button, textOf, words = "Copied") {
  let timer = 0;
  button.addEventListener("click", async () => {
    const label = button.querySelector(".button-words") ?? button;
    const before = button.dataset.words ?? label.textContent;
    button.dataset.words = before;
    try {
      await copy(textOf());
      label.textContent = words;
    } catch (error) {
      label.textContent = error.message;
    }
    clearTimeout(timer);
    timer = setTimeout(() => ((label.textContent = button.dataset.words), delete button.dataset.words), 2000);
  });
}
