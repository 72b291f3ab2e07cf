// The data of the page as arrays: packed columns are unpacked, and cut into videos.
const TICKS = 100;      // times in the data are whole hundredths of a second
const ARRAYS = { u1: Uint8Array, u2: Uint16Array, i4: Int32Array, f8: Float64Array };

function unpacked({ type, bytes }) {
  const text = atob(bytes), raw = new Uint8Array(text.length);
  for (let i = 0; i < raw.length; i++) raw[i] = text.charCodeAt(i);
  return new ARRAYS[type](raw.buffer);
}

// Videos of `data.videos`: { index, name, known, duration, actions, runs: [{ found, ... }] }.
// actions, found: { length, start, end, label }, times in seconds.
function videosOf({ names, known, durations, actions, runs }) {
  const seconds = unpacked(durations), cutActions = cutter(actions);
  const cutRuns = runs.map(runCutter);
  return names.map((name, index) => ({ index, name, known: index < known,
    duration: seconds[index], actions: cutActions(index),
    runs: cutRuns.map(cut => cut(index, cutActions.edges)) }));
}

function cutter(table) {
  const edges = unpacked(table.edges), label = unpacked(table.label);
  const [start, end] = [table.start, table.end].map(
    column => Float64Array.from(unpacked(column), tick => tick / TICKS));
  const cut = video => {
    const [from, to] = [edges[video], edges[video + 1]];
    return { length: to - from, start: start.subarray(from, to), end: end.subarray(from, to),
      label: label.subarray(from, to) };
  };
  return Object.assign(cut, { edges });
}

// taken, takenAny: for each tIoU, the number of the detection matched to each action, from 1.
function runCutter(table) {
  const cut = cutter(table), [score, closest, level, taken, takenAny] = [
    "score", "closest", "level", "taken", "taken_any"].map(name => unpacked(table[name]));
  return (video, actions) => {
    const all = actions.at(-1), rows = all ? taken.length / all : 0;
    const ofActions = column => Array.from({ length: rows }, (_, t) =>
      column.subarray(t * all + actions[video], t * all + actions[video + 1]));
    const own = column => column.subarray(cut.edges[video], cut.edges[video + 1]);
    return { found: cut(video), scores: own(score), closest: own(closest), level: own(level),
      taken: ofActions(taken), takenAny: ofActions(takenAny) };
  };
}
