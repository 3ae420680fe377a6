// Runs before the page is drawn, so that it never flashes in the other colours. What was chosen wins over the system.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("tagdb-theme");
  } catch {
    // storage is switched off: the system's colours
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
