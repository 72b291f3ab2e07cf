// The theme: the reader's choice, else the system's.
const system = matchMedia("(prefers-color-scheme: dark)");

function chosenTheme() {
  // Storage may be forbidden, for files for instance.
  try { return localStorage.getItem("report-theme"); } catch { return null; }
}

function showTheme(theme) {
  document.documentElement.dataset.theme = theme === "dark" ? "dark" : "light";
  document.dispatchEvent(new Event("theme"));
}

document.addEventListener("choose-theme", event => {
  try { localStorage.setItem("report-theme", event.detail); } catch { /* holds for this visit */ }
  showTheme(event.detail);
});
system.addEventListener("change", () => {
  if (!chosenTheme()) showTheme(system.matches ? "dark" : "light");
});
showTheme(chosenTheme() ?? (system.matches ? "dark" : "light"));
