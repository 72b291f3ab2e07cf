// Lanes of a timeline, one per class: its actions on top, its detections below, best first, each in
// the first row in which it fits. Laid out in seconds and rows, then drawn as SVG.
const LANE = { action: 16, gap: 3, row: 8, tall: 110, least: 2, pad: 7, low: 28, axis: 24, name: 17,
  names: [170, 260] };
const FEW_CLASSES = 3;      // classes without an action in the video to show at first
const FILLED = [0, FOUND, UNJUDGED];      // kinds that are drawn without a gap inside
const NARROW = 560;         // pixels; below, names are above their lanes

// What is selected of a video, laid out: [{ lanes, hidden, numbers }], one per run.
function plansOf(video, state, showAll = false) {
  return state.runs.map((_, r) => {
    const chosen = chosenOf(video, state, r);
    return { ...layOut(chosen, showAll), numbers: numbersOf(chosen.counts) };
  });
}

// The lanes of what is chosen. -> { lanes, hidden: { classes, detections } }.
function layOut({ actions, found }, showAll) {
  const lanes = new Map();
  const laneOf = ({ label }) => {
    if (!lanes.has(label)) {
      lanes.set(label, { label, actions: [], found: [], actionRows: [], foundRows: [] });
    }
    return lanes.get(label);
  };
  for (const item of actions) put(item, laneOf(item).actions, laneOf(item).actionRows);
  for (const item of found) put(item, laneOf(item).found, laneOf(item).foundRows);
  const most = [...lanes.values()].sort((a, b) => (b.actions.length > 0) - (a.actions.length > 0));
  const few = most.filter((lane, i) => showAll || lane.actions.length || i < FEW_CLASSES);
  const hidden = most.filter(lane => !few.includes(lane));
  return { lanes: few, hidden: { classes: hidden.length,
    detections: hidden.reduce((sum, lane) => sum + lane.found.length, 0) } };
}

// Add an item to those of a lane, in the first row where it overlaps none.
function put(item, items, rows) {
  const free = row => row.every(({ start, end }) => end <= item.start || start >= item.end);
  item.row = rows.findIndex(free);
  if (item.row < 0) item.row = rows.push([]) - 1;
  rows[item.row].push(item);
  items.push(item);
}

// Give every lane its y and row height; returns the height of all, with the axis.
function stack(lanes, width) {
  const above = isBeside(width) ? 0 : LANE.name;
  let y = 4;
  for (const lane of lanes) {
    const rows = lane.foundRows.length;
    lane.y = y;
    lane.top = y + LANE.pad + above;
    lane.below = lane.top + lane.actionRows.length * LANE.action;
    lane.row = Math.max(LANE.least, Math.min(LANE.row, LANE.tall / Math.max(1, rows)));
    lane.height = Math.max(LANE.low, lane.below - y + rows * lane.row + LANE.pad);
    y += lane.height;
  }
  return Math.max(y, 30) + LANE.axis;
}

let widestName = 0;       // in pixels

function makeRoom(names) { widestName = Math.max(0, ...names.map(name => widthOf(name))); }

// Whether every name has room beside its lane; else they are above their lanes.
function isBeside(width) {
  return width >= NARROW && widestName + LANE.pad * 2 <= Math.min(LANE.names[1], width * 0.3);
}

function areaOfTimeline(width) {
  const room = Math.max(LANE.names[0], widestName + LANE.pad * 2 + 4);
  return { left: isBeside(width) ? Math.round(Math.min(room, width * 0.3)) : 8, right: width - 8 };
}

// A video in words: its length, and what every run finds in it.
function factsOf(video, { data, runs }, plans) {
  const facts = [clock(video.duration, 0)];
  if (!video.known) facts.push("not in the ground truth");
  plans.forEach(({ numbers: { found, actions, detections, wrong } }, r) => {
    const whose = runs[r].name && `${runs[r].name}: `;
    if (!data.isJudged) facts.push(whose + plural(detections, "detection"));
    else {
      facts.push(`${whose}${found} of ${plural(actions, "action")} found`,
                 `${plural(detections, "detection")}, ${count(wrong)} wrong`);
    }
  });
  return facts.map(fact => element("span", {}, `${fact} `));
}

function headOf({ runs }, r) { return runs.length > 1 ? element("h4", {}, runs[r].name) : null; }

// ---- drawing ------------------------------------------------------------------------------------

// view: [first, last] second. -> { image, boxes: [{ item, x, y, width, height }], top one last }.
function drawTimeline(width, state, plan, view, chosen) {
  const height = stack(plan.lanes, width), image = canvasOf(width, height);
  const area = { ...areaOfTimeline(width), bottom: height - LANE.axis };
  const place = scale(view, area.left, area.right);
  plan.lanes.forEach((lane, i) => {
    if (i % 2) image.append(svg("rect", { y: lane.y, width, height: lane.height, class: "lane" }));
  });
  drawTimes(image, area, view, place);
  const boxes = plan.lanes.flatMap(lane => boxesOf(lane, place, area));
  image.append(...boxes.map(boxNode));
  plan.lanes.forEach(lane => drawName(image, area, state, lane, width));
  const box = chosen && boxes.find(({ item }) => same(item, chosen));
  if (box) {
    image.append(svg("rect", { x: box.x - 2, y: box.y - 2, width: box.width + 4,
      height: box.height + 4, class: "chosen" }));
  }
  return { image, boxes };
}

function same(a, b) { return a.isAction === b.isAction && a.index === b.index && a.r === b.r; }

function drawTimes(image, area, view, place) {
  const about = Math.max(2, (area.right - area.left) / 95);
  const step = timeStep((view[1] - view[0]) / about), digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  for (const tick of multiples(step, view)) {
    const x = Math.round(place(tick)) + 0.5;
    const anchor = x > area.right - 20 ? "end" : x < area.left + 14 ? "start" : "middle";
    image.append(svg("line", { x1: x, x2: x, y1: 0, y2: area.bottom, class: "grid" }),
      text(Math.min(Math.max(x, area.left), area.right), area.bottom + 16, clock(tick, digits),
           { class: "tick", "text-anchor": anchor }));
  }
  image.append(svg("line", { x1: area.left, x2: area.right, y1: area.bottom + 0.5,
    y2: area.bottom + 0.5, class: "axis" }));
}

const TIME_STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900,
                    1800, 3600, 7200, 18000, 36000];

function timeStep(least) {
  return TIME_STEPS.find(size => size >= least) ?? 36000 * Math.ceil(least / 36000);
}

function drawName(image, area, { classes, data }, lane, width) {
  const beside = isBeside(width), room = (beside ? area.left : width) - LANE.pad * 2;
  const y = lane.y + LANE.pad + 11, name = classes[lane.label];
  const isQuiet = data.isJudged && !lane.actions.length;
  image.append(text(4, y, fitted(name, room), { class: `lane-name${isQuiet ? " quiet" : ""}` }));
  if (beside && lane.height >= 42) {
    image.append(text(4, y + 16, plural(lane.found.length, "detection"), { class: "tick" }));
  }
}

const MEASURE = document.createElement("canvas").getContext("2d");
const MOST_LETTERS = 200;       // of a name

function widthOf(name) {
  MEASURE.font = "600 12px system-ui, sans-serif";
  return MEASURE.measureText(name.slice(0, MOST_LETTERS)).width;
}

// A name, cut where the room ends.
function fitted(name, room) {
  if (widthOf(name) <= room) return name.slice(0, MOST_LETTERS);
  const letters = [...name.slice(0, MOST_LETTERS)];
  while (letters.length && widthOf(`${letters.join("")}\u2026`) > room) letters.pop();
  return `${letters.join("")}\u2026`;
}

// The boxes of a lane, cut at the edges of the area.
function boxesOf(lane, place, area) {
  const box = (item, y, height) => {
    const from = place(item.start), x = Math.max(from, area.left);
    const to = Math.max(from + LANE.least, place(item.end));
    return { item, x, y, width: Math.min(to, area.right) - x, height };
  };
  const gap = lane.row > 4 ? 2 : lane.row > 2 ? 1 : 0;
  return [
    ...lane.actions.map(item => box(item, lane.top + item.row * LANE.action,
                                    LANE.action - LANE.gap)),
    ...[...lane.found].reverse().map(item => box(item, lane.below + item.row * lane.row,
                                                 lane.row - gap)),
  ].filter(({ width }) => width > 0);
}

// Right and wrong differ not only in colour: missed and wrong items are hollow if there is room for
// an outline.
function boxNode({ item, x, y, width, height }) {
  const isHollow = !FILLED.includes(item.kind) && width >= 4 && height >= 4;
  const by = isHollow ? 0.5 : 0;
  return svg("rect", { x: (x + by).toFixed(1), y: y + by, width: (width - 2 * by).toFixed(1),
    height: height - 2 * by, class: `k${item.kind}${isHollow ? " hollow" : ""}` });
}
