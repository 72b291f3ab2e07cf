// The section of errors: which class is mistaken for which, at the chosen tIoU and score.
const MOST_CLASSES = 24;    // in the matrix at first: the most confused ones
const MOST_PAIRS = 12;

function className(state, label, otherwise) {
  return label === NOTHING ? otherwise : state.classes[label];
}

// A cell of the matrix in words.
function cellWords(state, [truth, predicted]) {
  if (predicted === NOTHING) return `missed actions of ${state.classes[truth]}`;
  if (truth === NOTHING) return `detections of ${state.classes[predicted]} without an action`;
  return truth === predicted ? `actions of ${state.classes[truth]} that were recognized`
    : `actions of ${state.classes[truth]} mistaken for ${state.classes[predicted]}`;
}

function fillErrors(section, data, state) {
  if (!data.isScored) return false;
  const holder = element("div", { class: "matrices" });
  const choose = cell => {
    state.set({ cell, label: -1, page: 0 });
    byId("videos").scrollIntoView();
  };
  let most = MOST_CLASSES;
  const resize = number => { most = number; show(); };
  const show = () => holder.replaceChildren(...state.runs.map((run, r) =>
    matrixCard(state, r, { choose, most, resize })));
  section.append(note("Here detections are matched to actions of any class, to show "
    + "confusions. Click a cell to see its actions and detections on the timelines."), holder);
  let timer = 0;
  const later = () => { clearTimeout(timer); timer = setTimeout(show, 150); };
  state.onChange(changes => {
    if (["tiou", "isBest", "label"].some(name => name in changes)) later();
  });
  show();
  return true;
}

// most: number of classes in the matrix; resize: called with another number.
function matrixCard(state, r, { choose, most, resize }) {
  const { at, cells } = confusionOf(state, r), run = state.runs[r];
  const mixed = cells.filter(([truth, predicted]) =>
    truth !== predicted && truth !== NOTHING && predicted !== NOTHING);
  const labels = confusedMost(state, cells, mixed), shown = labels.slice(0, most);
  shown.sort((a, b) => byName(state.classes[a], state.classes[b]));
  return card(state.runs.length > 1 ? run.name : "Which class is mistaken for which",
    note(`At tIoU ${short(state.data.thresholds[state.tiou])}, score at least `
      + `${short(run.score)}. Rows: true class; columns: detected class.`),
    leftOut(labels.length, most, resize),
    scroller({ tabindex: 0, role: "region", "aria-label": "Confusion matrix" },
             matrix(state, at, shown, choose)),
    mostConfused(state, mixed, choose));
}

// The classes in the cells, most confused first.
function confusedMost(state, cells, mixed) {
  const wrong = new Map();
  for (const [truth, predicted] of cells) {
    for (const label of [truth, predicted]) if (label !== NOTHING) wrong.set(label, 0);
  }
  for (const [truth, predicted, number] of mixed) {
    for (const label of [truth, predicted]) wrong.set(label, wrong.get(label) + number);
  }
  return [...wrong].sort((a, b) => b[1] - a[1]).map(([label]) => label);
}

// What the matrix does not show, and how to see it.
function leftOut(number, most, resize) {
  if (number <= MOST_CLASSES) return null;
  if (most >= number) {
    return note(button(`Show the ${MOST_CLASSES} most confused classes`,
      () => resize(MOST_CLASSES), { class: "link" }));
  }
  return note([`The ${most} most confused of ${count(number)} classes. `,
    button(`Show all ${count(number)} classes`, () => resize(number), { class: "link" })]);
}

function matrix(state, at, labels, choose) {
  const all = [...labels, NOTHING];
  const cellOf = (truth, predicted, total) => {
    const number = at(truth, predicted), cell = [truth, predicted];
    if (!number) return { kind: "empty", text: "\u00b7" };
    const share = Math.round(number / total * 9);
    return { kind: `${truth === predicted ? "g" : "h"}${share}`,
      text: button(count(number), () => choose(cell), { class: "cell",
        title: `${number} ${cellWords(state, cell)}`, "data-cell": JSON.stringify(cell) }) };
  };
  const header = all.map(label => element("span", {}, className(state, label, "missed")));
  return table(["", ...header], all.map(truth => {
    const total = all.reduce((sum, predicted) => sum + at(truth, predicted), 0);
    const name = className(state, truth, "background");
    return [name, ...all.map(predicted => cellOf(truth, predicted, total))];
  }), "heat matrix");
}

function mostConfused(state, found, choose) {
  found.sort((a, b) => b[2] - a[2]);
  if (!found.length) return note("No action is mistaken for one of another class.");
  return scroller({}, table(["Most often confused", "Times"], found.slice(0, MOST_PAIRS).map(
    ([truth, predicted, number]) => [button(
      `${state.classes[truth]} mistaken for ${state.classes[predicted]}`,
      () => choose([truth, predicted]), { class: "link" }), count(number)])));
}
