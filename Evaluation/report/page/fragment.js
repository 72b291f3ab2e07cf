// The fragment of the address stores the current selection, so that a link shows the same again.
// Classes and videos are stored by name, since their numbers change from run to run.
const OF_CELL = ["actual", "detected"];

function fragmentOf(state, looked) {
  const words = new URLSearchParams(), { data } = state;
  if (state.tiou !== nearest(data.thresholds, 0.5)) words.set("tiou", data.thresholds[state.tiou]);
  if (!state.isBest) words.set("score", state.runs.map(({ score }) => round(score)).join(","));
  if (state.label >= 0) words.set("class", state.classes[state.label]);
  if (state.hidden.size) words.set("hide", [...state.hidden].map(kind => KINDS[kind][0]).join(","));
  state.cell?.forEach((label, i) => words.set(OF_CELL[i], className(state, label, "")));
  if (state.order !== state.firstOrder) words.set("order", state.order);
  if (state.query) words.set("find", state.query);
  if (state.page) words.set("page", state.page + 1);
  if (looked && looked.view[1] - looked.view[0] < looked.video.duration * 0.999) {
    words.set("video", looked.video.name);
    words.set("from", round(looked.view[0]));
    words.set("to", round(looked.view[1]));
  }
  return words.toString();
}

// The selection in a fragment; what it does not name keeps its default.
function changesOf(fragment, state) {
  const words = new URLSearchParams(fragment), { data, classes, runs } = state;
  const number = (name, otherwise) => {
    const value = words.has(name) ? Number(words.get(name)) : NaN;
    return Number.isFinite(value) ? value : otherwise;
  };
  const scores = (words.get("score") ?? "").split(",").map(Number);
  const isBest = !words.has("score") || scores.length !== runs.length
                 || !scores.every(Number.isFinite);
  if (!isBest) runs.forEach((run, r) => { run.score = shownScore(run.all, scores[r]); });
  const hidden = (words.get("hide") ?? "").split(",");
  const kinds = [...Array(UNJUDGED).keys()].filter(kind => hidden.includes(KINDS[kind][0]));
  const cell = OF_CELL.every(name => words.has(name))
    ? OF_CELL.map(name => words.get(name) === "" ? NOTHING : classes.indexOf(words.get(name)))
    : null;
  const isCell = cell?.every((label, i) => label >= 0 || words.get(OF_CELL[i]) === "");
  return { tiou: nearest(data.thresholds, number("tiou", 0.5)), isBest,
    label: words.has("class") ? classes.indexOf(words.get("class")) : -1,
    hidden: new Set(kinds), cell: isCell ? cell : null,
    order: Object.hasOwn(ORDERS, words.get("order") ?? "") ? words.get("order") : state.firstOrder,
    query: words.get("find") ?? "", page: Math.max(0, Math.round(number("page", 1)) - 1),
    video: words.get("video"), from: number("from", 0), to: number("to", 0) };
}

// The score of the detection that a rounded score refers to, or else the rounded score.
function shownScore(all, rounded) {
  const at = admitted(all, rounded);
  for (const score of [all[at], all[at - 1]]) {
    if (score !== undefined && round(score) === rounded) return score;
  }
  return rounded;
}

function keepFragment(state, list) {
  const sections = new Set([...document.querySelectorAll("main > section")].map(({ id }) => id));
  let looked = null, last = "", timer = 0;
  const write = () => {
    const now = fragmentOf(state, looked);
    if (now === last) return;
    last = now;
    history.replaceState(null, "", now ? `#${now}` : location.href.split("#")[0]);
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(write, 120); };
  const read = () => {
    const fragment = location.hash.slice(1);
    if (fragment === last || sections.has(fragment) || fragment === "main") return;
    const { video, from, to, ...changes } = changesOf(fragment, state);
    last = fragment;
    state.set(changes);
    if (!fragment) return;
    const timeline = video && list.find(video);
    (timeline?.node ?? byId("videos")).scrollIntoView();
    if (timeline && to > from) timeline.look([from, to]);
  };
  state.onChange(soon);
  state.looked = timeline => { looked = timeline; soon(); };
  addEventListener("hashchange", read);
  read();
}
