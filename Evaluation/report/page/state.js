// The current selection, and what it shows of each video. A run holds the detections of a video by
// descending score, so a score limit always selects the first few of them.

// Kinds of detections and, after them, of actions: key, name and meaning; the first is right.
const KINDS = [];
const FOUND = 6, MISSED = 7;      // of actions
const UNJUDGED = 8;               // of detections without a ground truth
const NOTHING = -1;               // in a cell of the confusion matrix: no action, no detection

function makeState(data) {
  KINDS.push(...data.kinds, ["found", "found", ""], ["missed", "missed", ""],
    ["", "detection", ""]);
  const videos = videosOf(data.videos), listeners = [];
  const state = {
    data, videos, classes: data.labels, label: -1, tiou: nearest(data.thresholds, 0.5),
    runs: data.runs.map((name, r) => (
      { name, score: 0, all: descending(videos, r), best: data.videos.runs[r].best })),
    isBest: data.isJudged, hidden: new Set(), cell: null, query: "", page: 0,
    order: data.runs.length > 1 ? "differ" : "file",
    onChange: listener => listeners.push(listener),
    // isBest: each run uses its score with the best F1 at this tIoU, until a score is chosen.
    set(changes) {
      Object.assign(state, changes);
      if (state.isBest && ("isBest" in changes || "tiou" in changes)) chooseBest();
      listeners.forEach(listener => listener(changes));
    },
    chooseClass(label) { state.set({ label, cell: null, page: 0 }); },
  };
  const chooseBest = () => state.runs.forEach(run => { run.score = run.best[state.tiou]; });
  if (data.isJudged) chooseBest();
  else state.runs.forEach(run => { run.score = data.least ?? run.all.at(-1) ?? 0; });
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

// How many of some descending scores are at least `score`.
function admitted(scores, score) {
  let low = 0, high = scores.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (scores[middle] >= score) low = middle + 1; else high = middle;
  }
  return low;
}

// For each of the first detections: the number of the action matched to it, from 1, or 0.
function holders(taken, shown) {
  const held = new Int32Array(shown);
  taken.forEach((place, i) => { if (place && place <= shown) held[place - 1] = i + 1; });
  return held;
}

function kindOf(level, isRight, { data, tiou }) {
  if (!data.isJudged) return UNJUDGED;
  if (isRight) return 0;
  const isSame = level & 1;
  if ((level >> 2) > tiou) return isSame ? 1 : 2;
  if (level & 2) return isSame ? 3 : 4;
  return 5;
}

// What the actions of a video are detected as by the first `shown` detections of run r, and which
// class those stand on; classes do not count for the match.
function pairsOf(video, { tiou }, r, shown) {
  const { found, takenAny } = video.runs[r], places = takenAny[tiou] ?? [];
  const held = holders(places, shown);
  return {
    detected: i => places[i] && places[i] <= shown ? found.label[places[i] - 1] : NOTHING,
    actual: i => held[i] ? video.actions.label[held[i] - 1] : NOTHING,
  };
}

// Calls visit(isAction, index, kind, isShown) for all items of a video in run r with the selected
// class and score: its actions, then its detections. isShown: not hidden by the legend or a cell.
function visitChosen(video, state, r, visit) {
  const { label, tiou, hidden, cell } = state, { found, scores, level, taken } = video.runs[r];
  const shown = admitted(scores, state.runs[r].score), held = holders(taken[tiou] ?? [], shown);
  const pairs = cell && pairsOf(video, state, r, shown);
  const isCell = (actual, detected) => cell[0] === actual && cell[1] === detected;
  for (let i = 0; i < video.actions.length; i++) {
    const own = video.actions.label[i], place = taken[tiou][i];
    if (label >= 0 && own !== label) continue;
    const kind = place && place <= shown ? FOUND : MISSED;
    visit(true, i, kind, !hidden.has(kind) && (!cell || isCell(own, pairs.detected(i))));
  }
  for (let i = 0; i < shown; i++) {
    const own = found.label[i];
    if (label >= 0 && own !== label) continue;
    const kind = kindOf(level[i], held[i] > 0, state);
    visit(false, i, kind, !hidden.has(kind) && (!cell || isCell(pairs.actual(i), own)));
  }
}

// The selected items of a video in run r: { actions, found: items to show, counts: number of items
// of each kind, shown or not }.
function chosenOf(video, state, r) {
  const counts = new Float64Array(9), actions = [], found = [];
  visitChosen(video, state, r, (isAction, index, kind, isShown) => {
    counts[kind]++;
    if (isShown) (isAction ? actions : found).push(itemOf(video, r, isAction, index, kind));
  });
  return { actions, found, counts };
}

// closest: the place of the action that a detection overlaps most, or -1.
function itemOf(video, r, isAction, index, kind) {
  const run = video.runs[r], { label, start, end } = isAction ? video.actions : run.found;
  return { r, isAction, index, kind, label: label[index], start: start[index], end: end[index],
    score: isAction ? NaN : run.scores[index], closest: isAction ? -1 : run.closest[index] - 1 };
}

function numbersOf(counts) {
  const judged = counts[0] + counts[1] + counts[2] + counts[3] + counts[4] + counts[5];
  return { actions: counts[FOUND] + counts[MISSED], found: counts[FOUND], missed: counts[MISSED],
    detections: judged + counts[UNJUDGED], wrong: Math.max(0, judged - counts[FOUND]) };
}

// The selection in a sentence, for paper, where no controls are.
function selectionOf({ runs, data, tiou, label, classes, query }) {
  const words = [`Score at least ${runs.map(({ score }) => short(score)).join(" and ")}`];
  if (data.isJudged) words.push(`found at tIoU ${short(data.thresholds[tiou])}`);
  if (label >= 0) words.push(`class ${classes[label]}`);
  if (query) words.push(`names with \u201c${query}\u201d`);
  return `${words.join(", ")}.`;
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
  for (const video of state.videos) {
    const { actions, runs } = video, { found, scores } = runs[r];
    const shown = admitted(scores, state.runs[r].score), pairs = pairsOf(video, state, r, shown);
    for (let i = 0; i < actions.length; i++) add(actions.label[i], pairs.detected(i));
    for (let i = 0; i < shown; i++) {
      if (pairs.actual(i) === NOTHING) add(NOTHING, found.label[i]);
    }
  }
  return { at: (truth, predicted) => numbers.get(keyOf(truth, predicted)) ?? 0,
    cells: [...numbers].map(([key, number]) =>
      [Math.floor(key / size) - 1, key % size - 1, number]) };
}

// ---- what one detection or action is ------------------------------------------------------------

// The action closest to a detection: { label, tiou }, or null.
function closestTo({ actions }, { start, end, closest }) {
  if (closest < 0) return null;
  const [from, to] = [actions.start[closest], actions.end[closest]];
  const both = Math.max(0, Math.min(end, to) - Math.max(start, from));
  const union = end - start + to - from - both;
  return { label: actions.label[closest], tiou: union > 0 ? both / union : 0 };
}

// Words about an item of `chosenOf`.
function describe(video, item, { classes, data, tiou }) {
  const { label, kind, start, end, isAction } = item, near = closestTo(video, item);
  const seconds = short(Math.round((end - start) * TICKS) / TICKS);
  const place = `${clock(start)} to ${clock(end)} (${seconds} s)`;
  const [, name, meaning] = KINDS[kind], judged = `${name} at tIoU ${short(data.thresholds[tiou])}`;
  if (isAction) return [classes[label], `action ${place}`, judged];
  const lines = [classes[label], `detection ${place}`, `score ${short(item.score)}`];
  if (kind === UNJUDGED) return lines;
  lines.push(kind ? `${judged}: ${meaning}` : judged);
  if (near) {
    const isSame = near.label === label || data.isProposals;
    lines.push(`closest action: ${isSame ? "" : `${classes[near.label]}, `}tIoU `
      + near.tiou.toFixed(2));
  }
  return lines;
}
