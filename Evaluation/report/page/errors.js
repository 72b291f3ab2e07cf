// The section of errors: which class is taken for which, at the chosen tIoU and score.
const MOST_CLASSES = 24;    // in the matrix; of more classes those that are confused most
const MOST_PAIRS = 12;

function className(state, label, otherwise) {
  return label === NOTHING ? otherwise : state.classes[label];
}

// A cell of the matrix in words.
function cellWords(state, [truth, predicted]) {
  if (predicted === NOTHING) return `missed actions of ${state.classes[truth]}`;
  if (truth === NOTHING) return `detections of ${state.classes[predicted]} without an action`;
  return truth === predicted ? `actions of ${state.classes[truth]} that were recognized`
    : `actions of ${state.classes[truth]} taken for ${state.classes[predicted]}`;
}

function fillErrors(section, data, state) {
  if (!data.scores.mAP && !data.comparison) return false;
  const holder = element("div", { class: "matrices" });
  const choose = cell => {
    state.set({ cell, label: -1, page: 0 });
    byId("videos").scrollIntoView();
  };
  const show = () => holder.replaceChildren(...state.runs.map((run, r) =>
    matrixCard(state, r, choose, state.runs.length > 1 ? run.name : null)));
  section.append(note("Detections are matched to actions of any class here, so that "
    + "confusions show. Choose a cell to see its actions and detections on the timelines."), holder);
  let timer = 0;
  const later = () => { clearTimeout(timer); timer = setTimeout(show, 150); };
  state.onChange(changes => {
    if (["tiou", "isBest", "label"].some(name => name in changes)) later();
  });
  show();
  return true;
}

function matrixCard(state, r, choose, name) {
  const { at, cells } = confusionOf(state, r), wrong = new Map();
  const mixed = cells.filter(([truth, predicted]) =>
    truth !== predicted && truth !== NOTHING && predicted !== NOTHING);
  for (const [truth, predicted] of cells) {
    for (const label of [truth, predicted]) if (label !== NOTHING) wrong.set(label, 0);
  }
  for (const [truth, predicted, number] of mixed) {
    for (const label of [truth, predicted]) wrong.set(label, wrong.get(label) + number);
  }
  const most = [...wrong].sort((a, b) => b[1] - a[1]).slice(0, MOST_CLASSES).map(([label]) => label);
  most.sort((a, b) => byName(state.classes[a], state.classes[b]));
  const rest = wrong.size - most.length;
  return card(name ?? "Which class is taken for which",
    note(`At tIoU ${short(state.data.thresholds[state.tiou])}, score at least `
      + `${short(state.runs[r].score)}. Rows: what it is; columns: what it was detected as.`
      + (rest ? ` ${rest} classes that are confused less are left out.` : "")),
    scroller({ tabindex: 0, role: "region", "aria-label": "Confusion matrix" },
             matrix(state, at, most, choose)),
    mostConfused(state, mixed, choose));
}

function matrix(state, at, labels, choose) {
  const all = [...labels, NOTHING];
  const cellOf = (truth, predicted, total) => {
    const number = at(truth, predicted);
    if (!number) return element("td", { class: "empty" }, "\u00b7");
    const share = Math.round(number / total * 9), cell = [truth, predicted];
    return element("td", { class: `${truth === predicted ? "g" : "h"}${share}` },
      button(count(number), () => choose(cell), { class: "cell",
        title: `${number} ${cellWords(state, cell)}`, "data-cell": JSON.stringify(cell) }));
  };
  return element("table", { class: "heat matrix" },
    element("thead", {}, element("tr", {}, element("td"), all.map(label =>
      element("th", { scope: "col" }, element("span", {}, className(state, label, "missed")))))),
    element("tbody", {}, all.map(truth => {
      const total = all.reduce((sum, predicted) => sum + at(truth, predicted), 0);
      return element("tr", {},
        element("th", { scope: "row" }, className(state, truth, "background")),
        all.map(predicted => cellOf(truth, predicted, total)));
    })));
}

function mostConfused(state, found, choose) {
  found.sort((a, b) => b[2] - a[2]);
  if (!found.length) return note("No action is taken for one of another class.");
  return scroller({}, table(["Most often confused", "Times"], found.slice(0, MOST_PAIRS).map(
    ([truth, predicted, number]) => [button(
      `${state.classes[truth]} taken for ${state.classes[predicted]}`,
      () => choose([truth, predicted]), { class: "link" }), count(number)])));
}
