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
  const cells = confusionOf(state, r), wrong = new Map(), add = (label, number) =>
    wrong.set(label, (wrong.get(label) ?? 0) + number);
  const pairsFound = [];
  for (const [key, number] of cells) {
    const [truth, predicted] = key.split(",").map(Number);
    for (const label of [truth, predicted]) {
      if (label !== NOTHING) add(label, truth === predicted || truth === NOTHING
                                 || predicted === NOTHING ? 0 : number);
    }
    if (truth !== predicted && truth !== NOTHING && predicted !== NOTHING) {
      pairsFound.push({ cell: [truth, predicted], number });
    }
  }
  const most = [...wrong].sort((a, b) => b[1] - a[1]).slice(0, MOST_CLASSES).map(([label]) => label);
  most.sort((a, b) => byName(state.classes[a], state.classes[b]));
  const rest = wrong.size - most.length;
  return card(name ?? "Which class is taken for which",
    note(`At tIoU ${short(state.data.thresholds[state.tiou])}, score at least `
      + `${short(state.runs[r].score)}. Rows: what it is; columns: what it was detected as.`
      + (rest ? ` ${rest} classes that are confused less are left out.` : "")),
    scroller({ tabindex: 0, role: "region", "aria-label": "Confusion matrix" },
             matrix(state, cells, most, choose)),
    mostConfused(state, pairsFound, choose));
}

function matrix(state, cells, labels, choose) {
  const at = (truth, predicted) => cells.get(`${truth},${predicted}`) ?? 0;
  const rows = [...labels, NOTHING], head = [...labels, NOTHING];
  const total = truth => head.reduce((sum, predicted) => sum + at(truth, predicted), 0);
  return element("table", { class: "heat matrix" },
    element("thead", {}, element("tr", {}, element("td"), head.map(label => element("th",
      { scope: "col" }, element("span", {}, className(state, label, "missed")))))),
    element("tbody", {}, rows.map(truth => {
      const all = total(truth);
      return element("tr", {}, element("th", { scope: "row" },
        className(state, truth, "background")), head.map(predicted => {
        if (truth === NOTHING && predicted === NOTHING) return element("td");
        const number = at(truth, predicted), cell = [truth, predicted];
        const share = Math.round(number / all * 9);
        if (!number) return element("td", { class: "empty" }, "\u00b7");
        return element("td", { class: `${truth === predicted ? "g" : "h"}${share}` },
          button(count(number), () => choose(cell), { class: "cell",
            title: `${number} ${cellWords(state, cell)}`,
            "data-cell": JSON.stringify(cell) }));
      }));
    })));
}

function mostConfused(state, found, choose) {
  found.sort((a, b) => b.number - a.number);
  if (!found.length) return note("No action is taken for one of another class.");
  return scroller({}, table(["Most often confused", "Times"], found.slice(0, MOST_PAIRS).map(
    ({ cell, number }) => [button(`${state.classes[cell[0]]} taken for ${state.classes[cell[1]]}`,
      () => choose(cell), { class: "link" }), count(number)])));
}
