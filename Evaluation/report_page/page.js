// The page: reads the data, fills the sections, and drops those without anything to show.
const data = JSON.parse(byId("data").textContent);
const state = makeState(data);

const FILL = {
  scores: section => fillScores(section, data),
  videos: section => { new VideoList(section, state); return data.videos.length > 0; },
  classes: section => fillClasses(section, data, label => {
    state.chooseClass(label);
    byId("videos").scrollIntoView();
  }),
  curves: section => fillCurves(section, data, state),
  diagnosis: section => fillDiagnosis(section, data),
  training: section => fillTraining(section, data),
  provenance: section => fillProvenance(section, data),
};

fillTitle(data);
for (const section of document.querySelectorAll("main > section")) {
  const heading = section.querySelector("h2");
  if (!FILL[section.id](section)) { section.remove(); continue; }
  byId("navigation").append(element("a", { href: `#${section.id}` }, heading.textContent));
}

const themeButton = byId("theme");
function isDark() { return document.documentElement.dataset.theme === "dark"; }
function themeShown() {
  themeButton.setAttribute("aria-pressed", isDark());
  state.set({});
}
themeButton.addEventListener("click", () => document.dispatchEvent(
  new CustomEvent("choose-theme", { detail: isDark() ? "light" : "dark" })));
document.addEventListener("theme", themeShown);
themeShown();
document.addEventListener("keydown", event => { if (event.key === "Escape") hideTip(); });
document.addEventListener("scroll", hideTip, { passive: true });
