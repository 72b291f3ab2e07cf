// The page: reads the data, fills the sections, and drops those without anything to show.
const data = JSON.parse(byId("data").textContent);
const state = makeState(data);
state.firstOrder = state.order;
for (const [stem, address] of data.links) SOURCES.set(stem, address);

let list = null;
const FILL = {
  videos: section => {
    list = new VideoList(section, state);
    return state.videos.length > 0;
  },
  errors: section => fillErrors(section, data, state),
};

// Whether there is something to show in a section.
function fill(section) {
  if (FILL[section.id]) return FILL[section.id](section);
  const parts = made(data.sections[section.id] ?? []);
  section.append(...parts);
  return parts.length > 0;
}

fillTitle(data.title);
const navigation = byId("navigation"), menu = byId("menu");
for (const section of document.querySelectorAll("main > section")) {
  const heading = section.querySelector("h2");
  if (!fill(section)) { section.remove(); continue; }
  navigation.append(element("a", { href: `#${section.id}`, onclick: event => {
    // Without the fragment, which holds the reader's selection.
    event.preventDefault();
    menu.setAttribute("aria-expanded", "false");
    section.scrollIntoView();
  } }, heading.textContent));
}
menu.addEventListener("click", () => menu.setAttribute("aria-expanded",
  menu.getAttribute("aria-expanded") !== "true"));

const themeButton = byId("theme");
function isDark() { return document.documentElement.dataset.theme === "dark"; }
function themeShown() { themeButton.setAttribute("aria-pressed", isDark()); }
themeButton.addEventListener("click", () => document.dispatchEvent(
  new CustomEvent("choose-theme", { detail: isDark() ? "light" : "dark" })));
document.addEventListener("theme", themeShown);
themeShown();
document.addEventListener("keydown", event => { if (event.key === "Escape") hideTip(); });
document.addEventListener("scroll", hideTip, { passive: true });
keepFragment(state, list);
preparePrinting(list);
