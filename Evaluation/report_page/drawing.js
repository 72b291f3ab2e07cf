// Lanes of a timeline, one for each class: its actions above, its detections below them, the best
// in the first row in which it fits. Laid out in seconds and rows, then drawn on a canvas.
const LANE = { action: 13, gap: 3, pad: 7, row: 8, tall: 110, axis: 24, least: 2 };
const FEW_CLASSES = 3;      // without an action in the video, shown at first

// The lanes of a video as chosen. -> { lanes, height, hidden: { classes, detections } }.
function layOut(video, state, showAll) {
  const shown = admitted(video.scores, state.score), lanes = new Map();
  const laneOf = label => {
    if (!lanes.has(label)) lanes.set(label, { label, actions: [], found: [], rows: [] });
    return lanes.get(label);
  };
  const wanted = label => state.label < 0 || label === state.label;
  const taken = video.taken[state.tiou], right = new Set(taken.filter(i => i >= 0 && i < shown));
  for (let i = 0; i < video.actions.length; i++) {
    if (!wanted(video.actions.label[i])) continue;
    laneOf(video.actions.label[i]).actions.push(
      { kind: "action", index: i, right: taken[i] >= 0 && taken[i] < shown });
  }
  for (let i = 0; i < shown; i++) {
    if (wanted(video.found.label[i])) {
      pack(laneOf(video.found.label[i]), video.found, i, right.has(i));
    }
  }
  const most = [...lanes.values()].sort((a, b) => (b.actions.length > 0) - (a.actions.length > 0));
  const few = most.filter((lane, i) => showAll || lane.actions.length || i < FEW_CLASSES);
  const hidden = most.filter(lane => !few.includes(lane));
  return { lanes: few, height: stack(few), hidden: { classes: hidden.length,
    detections: hidden.reduce((sum, lane) => sum + lane.found.length, 0) } };
}

// Put detection i into the first row of the lane where it overlaps none.
function pack(lane, found, i, right) {
  const free = row => row.every(j => found.end[j] <= found.start[i]
                                     || found.start[j] >= found.end[i]);
  let place = lane.rows.findIndex(free);
  if (place < 0) place = lane.rows.push([]) - 1;
  lane.rows[place].push(i);
  lane.found.push({ kind: "found", index: i, right, row: place });
}

// Give every lane its y and row height; returns the height of all, with the axis.
function stack(lanes) {
  let y = 4;
  for (const lane of lanes) {
    const rows = Math.max(1, lane.rows.length);
    lane.y = y;
    lane.below = y + LANE.pad + LANE.action + LANE.gap;
    lane.row = Math.max(LANE.least, Math.min(LANE.row, LANE.tall / rows));
    lane.height = LANE.pad * 2 + LANE.action + LANE.gap + rows * lane.row;
    y += lane.height;
  }
  return Math.max(y, 30) + LANE.axis;
}

// ---- drawing ------------------------------------------------------------------------------------

// view: [first, last] second. -> boxes on the canvas, { item, x, y, width, height }, top one last.
function draw(canvas, width, video, state, plan, view, chosen) {
  const ratio = devicePixelRatio || 1, context = canvas.getContext("2d");
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(plan.height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, plan.height);
  const area = { left: gutter(width), right: width - 8, bottom: plan.height - LANE.axis };
  const paint = palette(), place = scale(view, area.left, area.right);
  drawAxis(context, area, view, place, paint);
  drawNames(context, area, state, plan, paint, width);
  context.save();
  context.beginPath();
  context.rect(area.left, 0, area.right - area.left, area.bottom);
  context.clip();
  const boxes = plan.lanes.flatMap(lane => boxesOf(lane, video, place, area));
  for (const box of boxes) drawBox(context, box, paint);
  if (chosen) outline(context, boxes.find(({ item }) => same(item, chosen)), paint);
  context.restore();
  return boxes;
}

function gutter(width) { return Math.round(Math.min(170, Math.max(86, width * 0.18))); }

function same(a, b) { return a.kind === b.kind && a.index === b.index; }

function palette() {
  return Object.fromEntries(["ink", "muted", "line", "lane", "found", "missed", "right", "wrong",
    "accent", "card"].map(name => [name, colour(name)]));
}

function drawAxis(context, area, view, place, paint) {
  const about = Math.max(2, (area.right - area.left) / 95);
  const step = timeStep((view[1] - view[0]) / about);
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "top";
  for (let tick = Math.ceil(view[0] / step - 1e-9) * step; tick <= view[1] + 1e-9; tick += step) {
    const x = Math.round(place(tick)) + 0.5;
    context.fillStyle = paint.line;
    context.fillRect(x - 0.5, 0, 1, area.bottom);
    context.fillStyle = paint.muted;
    context.textAlign = x > area.right - 20 ? "right" : "center";
    context.fillText(clock(tick, step < 1 ? (step < 0.1 ? 2 : 1) : 0), Math.min(x, area.right),
                     area.bottom + 7);
  }
  context.fillStyle = paint.line;
  context.fillRect(area.left, area.bottom, area.right - area.left, 1);
}

function timeStep(least) {
  const sizes = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
                 3600, 7200, 18000, 36000];
  return sizes.find(size => size >= least) ?? 36000 * Math.ceil(least / 36000);
}

function drawNames(context, area, state, plan, paint, width) {
  context.textAlign = "left";
  context.textBaseline = "middle";
  plan.lanes.forEach((lane, i) => {
    if (i % 2) {
      context.fillStyle = paint.lane;
      context.fillRect(0, lane.y, width, lane.height);
    }
    context.fillStyle = lane.actions.length ? paint.ink : paint.muted;
    context.font = `${lane.actions.length ? "600 " : ""}12px system-ui, sans-serif`;
    const name = fitted(context, state.classes[lane.label], area.left - 14);
    context.fillText(name, 4, lane.y + LANE.pad + LANE.action / 2);
    if (lane.height < 44) return;
    context.fillStyle = paint.muted;
    context.font = "11px system-ui, sans-serif";
    context.fillText(fitted(context, plural(lane.found.length, "detection"), area.left - 14), 4,
                     lane.y + LANE.pad + LANE.action + 12);
  });
}

function fitted(context, name, width) {
  let letters = [...String(name).slice(0, 200)];
  if (context.measureText(letters.join("")).width <= width) return letters.join("");
  while (letters.length && context.measureText(`${letters.join("")}\u2026`).width > width) {
    letters = letters.slice(0, -1);
  }
  return `${letters.join("")}\u2026`;
}

function boxesOf(lane, video, place, area) {
  const box = (item, rows, y, height) => {
    const from = place(rows.start[item.index]), to = place(rows.end[item.index]);
    return { item, y, height, x: from, width: Math.max(LANE.least, to - from) };
  };
  const gap = lane.row > 4 ? 2 : lane.row > 2 ? 1 : 0;
  return [
    ...lane.actions.map(item => box(item, video.actions, lane.y + LANE.pad, LANE.action)),
    ...[...lane.found].reverse().map(item => box(item, video.found,
      lane.below + item.row * lane.row, lane.row - gap)),
  ].filter(({ x, width }) => x + width >= area.left && x <= area.right);
}

// Right and wrong differ in more than colour: what is missed or wrong is hollow.
function drawBox(context, { item, x, y, width, height }, paint) {
  const solid = item.kind === "action" ? paint.found : paint.right;
  const hollow = item.kind === "action" ? paint.missed : paint.wrong;
  if (item.right) {
    context.fillStyle = solid;
    context.fillRect(x, y, width, height);
    return;
  }
  // What has no room for an outline is filled, else it could not be seen.
  const hasRoom = width >= 4 && height >= 4;
  context.fillStyle = hollow;
  context.globalAlpha = hasRoom ? 0.22 : item.kind === "action" ? 0.9 : 0.55;
  context.fillRect(x, y, width, height);
  context.globalAlpha = 1;
  if (hasRoom) {
    context.strokeStyle = hollow;
    context.lineWidth = item.kind === "action" ? 1.5 : 1;
    context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  }
}

function outline(context, box, paint) {
  if (!box) return;
  context.strokeStyle = paint.ink;
  context.lineWidth = 2;
  context.strokeRect(box.x - 2, box.y - 2, box.width + 4, box.height + 4);
}
