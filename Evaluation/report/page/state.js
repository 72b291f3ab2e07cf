// What the reader has chosen, and what of each video it admits. A run holds the detections of
// a video by falling score, so what a score admits is always the first few of them.

// What a detection is, as DETAD has it; the first is right.
const KINDS = [
  ["true_positive", "right", "right"],
  ["double_detection", "double", "its action has a detection of higher score"],
  ["wrong_label", "wrong label", "right place, another class"],
  ["localization", "localization", "right class, place not close enough"],
  ["confusion", "confusion", "another class and place not close enough"],
  ["background", "background", "no action there"],
];
const FOUND = 6, MISSED = 7;      // of actions; the kinds of detections are 0 to 5
const NOTHING = -1;               // in a cell of the confusion matrix: no action, no detection

function makeState(data) {
  const videos = videosOf(data.videos), listeners = [];
  const state = {
    data, videos, classes: data.labels, label: -1, tiou: nearest(data.thresholds, 0.5),
    runs: data.runs.map((name, r) => ({ name, score: 0, all: descending(videos, r) })),
    isBest: true, hidden: new Set(), cell: null, order: data.runs.length > 1 ? "differ" : "file",
    query: "", page: 0,
    onChange: listener => listeners.push(listener),
    // isBest: each run shows what is best by F1 at this tIoU, until a score is chosen.
    set(changes) {
      Object.assign(state, changes);
      if (state.isBest && ("isBest" in changes || "tiou" in changes)) chooseBest();
      listeners.forEach(listener => listener(changes));
    },
    chooseClass(label) { state.set({ label, cell: null, page: 0 }); },
  };
  const chooseBest = () => state.runs.forEach((run, r) => { run.score = bestScore(state, r); });
  chooseBest();
  return state;
}

function nearest(values, wanted) {
  return values.reduce((best, value, i) =>
    Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? i : best, 0);
}

// All scores of a run, highest first.
function descending(videos, r) {
  const all = new Float64Array(videos.reduce((sum, { runs }) => sum + runs[r].scores.length, 0));
  let at = 0;
  for (const { runs } of videos) { all.set(runs[r].scores, at); at += runs[r].scores.length; }
  return all.sort().reverse();
}

// How many of falling scores are at least `score`.
function admitted(scores, score) {
  let low = 0, high = scores.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scores[middle] >= score) low = middle + 1; else high = middle;
  }
  return low;
}

// For each of the first detections the place of the action that it holds, from 1, or 0.
function holders(taken, shown) {
  const held = new Int32Array(shown);
  taken.forEach((place, i) => { if (place && place <= shown) held[place - 1] = i + 1; });
  return held;
}

function kindOf(level, isRight, tiou) {
  if (isRight) return 0;
  const isSame = level & 1;
  if ((level >> 2) > tiou) return isSame ? 1 : 2;
  if (level & 2) return isSame ? 3 : 4;
  return 5;
}

// What a video has of what is chosen, in run r: { actions, found: items to show, counts: how many
// of each kind there are, shown or not }. An item: { isAction, index, kind, r }.
function chosenOf(video, state, r) {
  const { label, tiou, hidden, cell } = state, { found, scores, level, taken, takenAny }
    = video.runs[r];
  const shown = admitted(scores, state.runs[r].score), held = holders(taken[tiou] ?? [], shown);
  const any = cell && holders(takenAny[tiou] ?? [], shown);
  const counts = new Float64Array(8), actions = [], detections = [];
  const isWanted = (kind, truth, predicted) => !hidden.has(kind)
    && (!cell || (cell[0] === truth && cell[1] === predicted));
  for (let i = 0; i < video.actions.length; i++) {
    if (label >= 0 && video.actions.label[i] !== label) continue;
    const place = taken[tiou][i], other = takenAny[tiou][i];
    const kind = place && place <= shown ? FOUND : MISSED;
    counts[kind]++;
    if (isWanted(kind, video.actions.label[i],
                 other && other <= shown ? found.label[other - 1] : NOTHING)) {
      actions.push({ isAction: true, index: i, kind, r });
    }
  }
  for (let i = 0; i < shown; i++) {
    if (label >= 0 && found.label[i] !== label) continue;
    const kind = kindOf(level[i], held[i] > 0, tiou);
    counts[kind]++;
    if (isWanted(kind, cell && any[i] ? video.actions.label[any[i] - 1] : NOTHING,
                 found.label[i])) {
      detections.push({ isAction: false, index: i, kind, r });
    }
  }
  return { actions, found: detections, counts };
}

function numbersOf(counts) {
  const detections = counts[0] + counts[1] + counts[2] + counts[3] + counts[4] + counts[5];
  return { actions: counts[FOUND] + counts[MISSED], found: counts[FOUND], missed: counts[MISSED],
    detections, wrong: Math.max(0, detections - counts[FOUND]) };
}

// The score at which F1 = 2 found / (detections + actions) of run r is highest at a tIoU.
function bestScore({ videos, tiou, runs }, r) {
  const right = [], scores = runs[r].all;
  let actions = 0;
  for (const video of videos) {
    const taken = video.runs[r].taken[tiou] ?? [];
    actions += video.actions.length;
    for (const place of taken) if (place) right.push(video.runs[r].scores[place - 1]);
  }
  const rightScores = Float64Array.from(right).sort().reverse();
  let best = scores.length ? scores.at(-1) : 0, highest = -1;
  // F1 can only be highest at the score of a right one.
  rightScores.forEach((score, i) => {
    if (rightScores[i + 1] === score) return;
    const f1 = 2 * (i + 1) / (admitted(scores, score) + actions);
    if (f1 > highest) [best, highest] = [score, f1];
  });
  return best;
}

// The confusion matrix over all videos: { at(truth, predicted) -> number, cells: [[truth,
// predicted, number]] of those above 0 }.
function confusionOf(state, r) {
  const size = state.classes.length + 1, numbers = new Map();
  const keyOf = (truth, predicted) => (truth + 1) * size + predicted + 1;
  const add = (truth, predicted) => {
    const key = keyOf(truth, predicted);
    numbers.set(key, (numbers.get(key) ?? 0) + 1);
  };
  for (const { actions, runs } of state.videos) {
    const { found, scores, takenAny } = runs[r];
    const shown = admitted(scores, state.runs[r].score);
    const held = holders(takenAny[state.tiou] ?? [], shown);
    for (let i = 0; i < actions.length; i++) {
      const place = takenAny[state.tiou][i];
      add(actions.label[i], place && place <= shown ? found.label[place - 1] : NOTHING);
    }
    for (let i = 0; i < shown; i++) if (!held[i]) add(NOTHING, found.label[i]);
  }
  return { at: (truth, predicted) => numbers.get(keyOf(truth, predicted)) ?? 0,
    cells: [...numbers].map(([key, number]) =>
      [Math.floor(key / size) - 1, key % size - 1, number]) };
}

// ---- what one detection or action is ------------------------------------------------------------

function rowsOf(video, item) { return item.isAction ? video.actions : video.runs[item.r].found; }

function overlapOf(a, i, b, j) {
  const both = Math.max(0, Math.min(a.end[i], b.end[j]) - Math.max(a.start[i], b.start[j]));
  const union = a.end[i] - a.start[i] + b.end[j] - b.start[j] - both;
  return union > 0 ? both / union : 0;
}

// Words about an item of `chosenOf`.
function describe(video, item, state) {
  const rows = rowsOf(video, item), i = item.index, run = video.runs[item.r];
  const seconds = short(Math.round((rows.end[i] - rows.start[i]) * TICKS) / TICKS);
  const place = `${clock(rows.start[i])} to ${clock(rows.end[i])} (${seconds} s)`;
  const name = state.classes[rows.label[i]], tiou = short(state.data.thresholds[state.tiou]);
  if (item.isAction) {
    return [name, `action ${place}`, `${item.kind === FOUND ? "found" : "missed"} at tIoU ${tiou}`];
  }
  const [, kind, meaning] = KINDS[item.kind], closest = run.closest[i] - 1;
  const lines = [name, `detection ${place}`, `score ${short(run.scores[i])}`,
    item.kind ? `${kind} at tIoU ${tiou}: ${meaning}` : `right at tIoU ${tiou}`];
  if (closest >= 0) {
    const other = state.classes[video.actions.label[closest]];
    const overlap = overlapOf(rows, i, video.actions, closest).toFixed(2);
    lines.push(other === name || state.data.isProposals
      ? `closest action: tIoU ${overlap}` : `closest action: ${other}, tIoU ${overlap}`);
  }
  return lines;
}
