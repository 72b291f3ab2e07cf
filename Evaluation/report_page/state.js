// What the reader has chosen on the timelines, and what follows from it. Each video holds its
// detections by falling score, so what a score admits is always the first few of them.
const TICKS = 100;      // times in the data are whole hundredths of a second

function makeState(data) {
  const videos = data.videos.map(videoOf), classes = data.labels;
  const listeners = [], labelListeners = [];
  const state = {
    data, videos, classes, label: -1, score: -Infinity,
    tiou: nearest(data.thresholds, 0.5), all: descending(videos),
    onChange: listener => listeners.push(listener),
    onLabel: listener => labelListeners.push(listener),
    set(changes) { Object.assign(state, changes); listeners.forEach(listener => listener()); },
    chooseClass(label) {
      state.label = label;
      labelListeners.forEach(listener => listener());
      state.set({});
    },
  };
  state.score = bestScore(state);
  return state;
}

function videoOf({ name, known, duration, actions, found, scores, taken }, index) {
  return { index, name, known, duration, actions: rowsOf(actions), found: rowsOf(found),
    scores: Float64Array.from(scores), taken };
}

// Flat [start, end, label, ...] as { start, end, label } arrays, times in seconds.
function rowsOf(flat) {
  const pick = (offset, unit) => Float64Array.from({ length: flat.length / 3 },
    (_, i) => flat[3 * i + offset] / unit);
  return { length: flat.length / 3, start: pick(0, TICKS), end: pick(1, TICKS), label: pick(2, 1) };
}

function nearest(values, wanted) {
  return values.reduce((best, value, i) =>
    Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? i : best, 0);
}

// All scores, highest first.
function descending(videos) {
  const all = new Float64Array(videos.reduce((sum, video) => sum + video.scores.length, 0));
  let at = 0;
  for (const video of videos) { all.set(video.scores, at); at += video.scores.length; }
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

// Actions, those found, detections and false ones of a video, as chosen.
function tally(video, { score, label, tiou }) {
  const shown = admitted(video.scores, score), taken = video.taken[tiou];
  let actions = 0, found = 0, detections = label < 0 ? shown : 0;
  for (let i = 0; i < video.actions.length; i++) {
    if (label >= 0 && video.actions.label[i] !== label) continue;
    actions++;
    if (taken[i] >= 0 && taken[i] < shown) found++;
  }
  for (let i = 0; label >= 0 && i < shown; i++) detections += video.found.label[i] === label;
  return { actions, found, missed: actions - found, detections,
    wrong: Math.max(0, detections - found) };
}

function totals(state) {
  const sum = { actions: 0, found: 0, missed: 0, detections: 0, wrong: 0 };
  const each = state.videos.map(video => tally(video, state));
  for (const one of each) for (const key of Object.keys(sum)) sum[key] += one[key];
  return { sum, each };
}

// The score at which F1 = 2 found / (detections + actions) is highest, as chosen.
function bestScore({ videos, label, tiou }) {
  const right = [], every = [];
  let actions = 0;
  for (const video of videos) {
    const wanted = rows => i => label < 0 || rows.label[i] === label;
    const isAction = wanted(video.actions), isDetection = wanted(video.found);
    for (let i = 0; i < video.actions.length; i++) {
      if (!isAction(i)) continue;
      actions++;
      if (video.taken[tiou][i] >= 0) right.push(video.scores[video.taken[tiou][i]]);
    }
    for (let i = 0; i < video.scores.length; i++) if (isDetection(i)) every.push(video.scores[i]);
  }
  const rightScores = Float64Array.from(right).sort().reverse();
  const scores = Float64Array.from(every).sort().reverse();
  let best = scores.length ? scores.at(-1) : 0, highest = -1;
  // F1 can only be highest at the score of a right one.
  rightScores.forEach((score, i) => {
    if (rightScores[i + 1] === score) return;
    const f1 = 2 * (i + 1) / (admitted(scores, score) + actions);
    if (f1 > highest) [best, highest] = [score, f1];
  });
  return best;
}

// ---- what one detection or action is ------------------------------------------------------------

function overlapOf(a, i, b, j) {
  const both = Math.max(0, Math.min(a.end[i], b.end[j]) - Math.max(a.start[i], b.start[j]));
  const union = a.end[i] - a.start[i] + b.end[j] - b.start[j] - both;
  return union > 0 ? both / union : 0;
}

// The highest tIoU of a detection with an action of its class (of any, for a class of proposals).
function closeness(video, i, isProposal) {
  let best = 0;
  for (let j = 0; j < video.actions.length; j++) {
    if (isProposal || video.actions.label[j] === video.found.label[i]) {
      best = Math.max(best, overlapOf(video.found, i, video.actions, j));
    }
  }
  return best;
}

// Words about an item { kind: "action" | "found", index, right }.
function describe(video, item, state) {
  const rows = item.kind === "action" ? video.actions : video.found, i = item.index;
  const start = rows.start[i], end = rows.end[i];
  const seconds = short(Math.round((end - start) * TICKS) / TICKS);
  const place = `${clock(start)} to ${clock(end)} (${seconds} s)`;
  const name = state.classes[rows.label[i]];
  const tiou = short(state.data.thresholds[state.tiou]);
  if (item.kind === "action") {
    return [name, `action ${place}`, `${item.right ? "found" : "missed"} at tIoU ${tiou}`];
  }
  const isProposal = !video.actions.label.includes(rows.label[i]) && !state.data.scores.mAP;
  return [name, `detection ${place}`, `score ${short(video.scores[i])}`,
    `${item.right ? "right" : "wrong"} at tIoU ${tiou}; closest action: `
    + `tIoU ${closeness(video, i, isProposal).toFixed(2)}`];
}
