// Lanes of a timeline, one for each class: its actions above, its detections below them, the best
// in the first row in which it fits. Laid out in seconds and rows, then drawn as SVG.
const LANE = { action: 13, gap: 3, pad: 7, row: 8, tall: 110, axis: 24, least: 2, name: 17 };
const FEW_CLASSES = 3;      // without an action in the video, shown at first
const NARROW = 560;         // pixels; below it names stand above their lanes, not beside them

// The lanes of what is chosen. -> { lanes, hidden: { classes, detections } }.
function layOut(video, { actions, found }, showAll) {
  const lanes = new Map();
  const laneOf = item => {
    const label = rowsOf(video, item).label[item.index];
    if (!lanes.has(label)) lanes.set(label, { label, actions: [], found: [], rows: [] });
    return lanes.get(label);
  };
  for (const item of actions) laneOf(item).actions.push(item);
  for (const item of found) pack(laneOf(item), rowsOf(video, item), item);
  const most = [...lanes.values()].sort((a, b) => (b.actions.length > 0) - (a.actions.length > 0));
  const few = most.filter((lane, i) => showAll || lane.actions.length || i < FEW_CLASSES);
  const hidden = most.filter(lane => !few.includes(lane));
  return { lanes: few, hidden: { classes: hidden.length,
    detections: hidden.reduce((sum, lane) => sum + lane.found.length, 0) } };
}

// Put a detection into the first row of the lane where it overlaps none.
function pack(lane, found, item) {
  const i = item.index;
  const free = row => row.every(j => found.end[j] <= found.start[i]
                                     || found.start[j] >= found.end[i]);
  let place = lane.rows.findIndex(free);
  if (place < 0) place = lane.rows.push([]) - 1;
  lane.rows[place].push(i);
  item.row = place;
  lane.found.push(item);
}

// Give every lane its y and row height; returns the height of all, with the axis.
function stack(lanes, width) {
  const above = width < NARROW ? LANE.name : 0;
  let y = 4;
  for (const lane of lanes) {
    const rows = Math.max(1, lane.rows.length);
    lane.y = y;
    lane.top = y + LANE.pad + above;
    lane.below = lane.top + LANE.action + LANE.gap;
    lane.row = Math.max(LANE.least, Math.min(LANE.row, LANE.tall / rows));
    lane.height = LANE.pad * 2 + above + LANE.action + LANE.gap + rows * lane.row;
    y += lane.height;
  }
  return Math.max(y, 30) + LANE.axis;
}

function areaOfTimeline(width) {
  return { left: width < NARROW ? 8 : Math.round(Math.min(170, width * 0.18)), right: width - 8 };
}

// ---- drawing ------------------------------------------------------------------------------------

// view: [first, last] second. -> { image, boxes: [{ item, x, y, width, height }], top one last }.
function drawTimeline(width, video, state, plan, view, chosen) {
  const height = stack(plan.lanes, width), image = canvasOf(width, height);
  const area = { ...areaOfTimeline(width), bottom: height - LANE.axis };
  const place = scale(view, area.left, area.right);
  plan.lanes.forEach((lane, i) => {
    if (i % 2) image.append(svg("rect", { y: lane.y, width, height: lane.height, class: "lane" }));
  });
  drawTimes(image, area, view, place);
  const boxes = plan.lanes.flatMap(lane => boxesOf(lane, video, place, area));
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
  const step = timeStep((view[1] - view[0]) / about);
  for (let tick = Math.ceil(view[0] / step - 1e-9) * step; tick <= view[1] + 1e-9; tick += step) {
    const x = Math.round(place(tick)) + 0.5;
    const anchor = x > area.right - 20 ? "end" : x < area.left + 14 ? "start" : "middle";
    image.append(svg("line", { x1: x, x2: x, y1: 0, y2: area.bottom, class: "grid" }),
      text(anchor === "middle" ? x : Math.min(Math.max(x, area.left), area.right),
           area.bottom + 16, clock(tick, step < 1 ? (step < 0.1 ? 2 : 1) : 0),
           { class: "tick", "text-anchor": anchor }));
  }
  image.append(svg("line", { x1: area.left, x2: area.right, y1: area.bottom + 0.5,
    y2: area.bottom + 0.5, class: "axis" }));
}

function timeStep(least) {
  const sizes = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
                 3600, 7200, 18000, 36000];
  return sizes.find(size => size >= least) ?? 36000 * Math.ceil(least / 36000);
}

function drawName(image, area, state, lane, width) {
  const isBeside = width >= NARROW, room = (isBeside ? area.left : width) - 14;
  const y = lane.y + LANE.pad + (isBeside ? LANE.action - 2 : 11);
  image.append(text(4, y, fitted(state.classes[lane.label], room, true),
    { class: lane.actions.length ? "lane-name" : "lane-name quiet" }));
  if (isBeside && lane.height >= 44) {
    image.append(text(4, y + 16, plural(lane.found.length, "detection"), { class: "tick" }));
  }
}

const MEASURE = document.createElement("canvas").getContext("2d");

function fitted(name, width, isBold) {
  MEASURE.font = `${isBold ? "600 " : ""}12px system-ui, sans-serif`;
  let letters = [...String(name).slice(0, 200)];
  if (MEASURE.measureText(letters.join("")).width <= width) return letters.join("");
  while (letters.length && MEASURE.measureText(`${letters.join("")}\u2026`).width > width) {
    letters = letters.slice(0, -1);
  }
  return `${letters.join("")}\u2026`;
}

// The boxes of a lane, cut at the edges of the area.
function boxesOf(lane, video, place, area) {
  const box = (item, y, height) => {
    const rows = rowsOf(video, item), from = place(rows.start[item.index]);
    const to = Math.max(from + LANE.least, place(rows.end[item.index]));
    const x = Math.max(from, area.left);
    return { item, x, y, width: Math.min(to, area.right) - x, height };
  };
  const gap = lane.row > 4 ? 2 : lane.row > 2 ? 1 : 0;
  return [
    ...lane.actions.map(item => box(item, lane.top, LANE.action)),
    ...[...lane.found].reverse().map(item => box(item, lane.below + item.row * lane.row,
                                                 lane.row - gap)),
  ].filter(({ width }) => width > 0);
}

// Right and wrong differ in more than colour: what is missed or wrong is hollow, where there is
// room for an outline.
function boxNode({ item, x, y, width, height }) {
  const isHollow = item.kind !== 0 && item.kind !== FOUND && width >= 4 && height >= 4;
  const by = isHollow ? 0.5 : 0;
  return svg("rect", { x: (x + by).toFixed(1), y: y + by, width: (width - 2 * by).toFixed(1),
    height: height - 2 * by, class: `k${item.kind}${isHollow ? " hollow" : ""}` });
}
