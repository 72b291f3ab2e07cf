// Charts as SVG, redrawn for each width. Colours are CSS classes, so that they follow the theme.

// A figure that calls draw(width) -> svg whenever its width changes. legend: see `legendOf`.
function chart(label, draw, { legend = [], least = 0 } = {}) {
  const holder = scroller({}), inside = holder.firstChild;
  let drawn = 0;
  // paper: a width that it must fit, however narrow.
  const show = (width, paper = false) => {
    const wide = paper ? width : Math.max(least, Math.floor(width));
    if (wide < 40 || wide === drawn) return;
    drawn = wide;
    inside.replaceChildren(filled(draw(wide), { role: "img", "aria-label": label }, []));
    holder.look();
  };
  const resized = () => { if (!isPrinting) show(inside.clientWidth); };
  new ResizeObserver(resized).observe(inside);
  const save = button("SVG", () => saveFigure([inside.firstChild], label),
    { class: "link save", title: `Save the figure: ${label}` });
  const figure = element("figure", { class: "chart" },
    element("figcaption", {}, legend.length ? legendOf(legend) : null, save), holder);
  figure.drawAt = width => width ? show(width, true) : show(inside.clientWidth);
  return figure;
}

// entries: [name, colour class, "line" | "line dashed" | nothing].
function legendOf(entries) {
  return element("div", { class: "legend" }, entries.map(([name, paint, mark]) =>
    element("span", {}, swatch(paint, mark), name)));
}

function canvasOf(width, height) {
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
}

function text(x, y, content, attributes) {
  return svg("text", { x, y, ...attributes }, content);
}

const CENTRED = { "text-anchor": "middle" }, AT_END = { "text-anchor": "end" };

// ---- axes ---------------------------------------------------------------------------------------
// An axis: { label, range, digits of exact values or null, whole }.

function exact({ digits, whole }, value) {
  if (!isNumber(value)) return NONE;
  if (whole) return short(Math.round(value));
  return digits === null ? short(value) : value.toFixed(digits);
}

// Round values in a range, `about` as many.
function steps([low, high], about) {
  const raw = (high - low) / about || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= raw * 0.999);
  return multiples(step, [low, high]);
}

function multiples(step, [low, high]) {
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 },
    (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function scale([low, high], from, to) {
  const ratio = (to - from) / (high - low || 1);
  return value => from + (value - low) * ratio;
}

// The edges of the area within the axes, in pixels.
function areaOf(width, height, { below = 44, beside = 16 } = {}) {
  return { left: 52, right: width - beside, top: 16, bottom: height - below };
}

// Lines, ticks and name of the vertical axis. -> its scale.
function uprightAxis(image, area, y) {
  const place = scale(y.range, area.bottom, area.top), { left: x1, right: x2 } = area;
  for (const tick of steps(y.range, 5)) {
    const at = place(tick), isAxis = tick === 0 || tick === y.range[0];
    image.append(
      svg("line", { x1, x2, y1: at, y2: at, class: isAxis ? "axis" : "grid" }),
      text(x1 - 8, at + 4, short(tick), { class: "tick", ...AT_END }));
  }
  image.append(text(0, 0, y.label, { class: "axis-name", ...CENTRED,
    transform: `translate(13 ${(area.top + area.bottom) / 2}) rotate(-90)` }));
  return place;
}

// Ticks and name of the horizontal axis. -> its scale.
function levelAxis(image, { left, right, bottom }, x) {
  const place = scale(x.range, left, right), most = Math.max(3, (right - left) / 90);
  const about = x.whole ? Math.min(most, x.range[1] - x.range[0]) : most;
  for (const tick of steps(x.range, about)) {
    const at = place(tick);
    image.append(
      text(at, bottom + 17, short(tick), { class: "tick", ...CENTRED }),
      svg("line", { x1: at, x2: at, y1: bottom, y2: bottom + 4, class: "axis" }));
  }
  image.append(text((left + right) / 2, bottom + 37, x.label, { class: "axis-name", ...CENTRED }));
  return place;
}

// ---- lines --------------------------------------------------------------------------------------

// series: { name, paint, points: [[x, y]], stepped, dashed, dots }. A stepped one holds the y of a
// point from the x before on, and falls to 0 behind its last. mark: an x to point out.
function lineChart({ label, series, x, y, height, mark }) {
  const draw = width => {
    const image = canvasOf(width, height), area = areaOf(width, height);
    const sy = uprightAxis(image, area, y), sx = levelAxis(image, area, x);
    if (isNumber(mark)) {
      const at = sx(mark);
      image.append(svg("line", { x1: at, x2: at, y1: area.top, y2: area.bottom, class: "mark" }));
    }
    for (const one of series) image.append(...drawLine(one, sx, sy));
    makeReadable(image, series, x, y, sx, area);
    return image;
  };
  const legend = series.map(({ name, paint, dashed }) =>
    [name, paint, dashed ? "line dashed" : "line"]);
  return chart(label, draw, { legend });
}

function drawLine({ paint, points, stepped, dashed, dots }, sx, sy) {
  const place = ([a, b]) => `${sx(a).toFixed(1)},${sy(b).toFixed(1)}`;
  const path = (stepped ? staircase(points) : points).map(place).join(" ");
  const line = svg("polyline", { class: `line ${paint}${dashed ? " dashed" : ""}`, points: path });
  const marks = dots ? points : [];
  return [line, ...marks.map(([a, b]) =>
    svg("circle", { cx: sx(a), cy: sy(b), r: 3, class: paint }))];
}

function staircase(corners) {
  const path = [];
  let before = 0;
  for (const [at, height] of corners) {
    path.push([before, height], [at, height]);
    before = at;
  }
  return path.length ? [...path, [before, 0]] : path;
}

function heightAt({ points, stepped }, x) {
  if (stepped) return points.find(([at]) => at >= x - 1e-9)?.[1] ?? 0;
  return points.reduce((best, point) =>
    Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best, points[0] ?? [0, NaN])[1];
}

// A line under the pointer, and the heights of all series there in the tooltip.
function makeReadable(image, series, x, y, sx, { left, right, top, bottom }) {
  const line = svg("line", { y1: top, y2: bottom, class: "pointer", visibility: "hidden" });
  const leave = () => { line.setAttribute("visibility", "hidden"); hideTip(); };
  image.append(line);
  image.addEventListener("pointerleave", leave);
  image.addEventListener("pointermove", event => {
    const at = event.clientX - image.getBoundingClientRect().left;
    if (at < left || at > right) return leave();
    const under = scale([left, right], ...x.range)(at), value = x.whole ? Math.round(under) : under;
    filled(line, { x1: sx(value), x2: sx(value), visibility: "visible" }, []);
    const heights = series.map(one => `${one.name}: ${exact(y, heightAt(one, value))}`);
    showTip([`${x.label} ${exact(x, value)}`, ...heights], event.clientX, event.clientY);
  });
}

// ---- bars ---------------------------------------------------------------------------------------

const ROOMY = 52;      // pixels per bar; below, limits such as 1.2-3.3 take two lines

// groups: { name, bars: [{ label, low, value, paint, tip, text }] }; bars of one label stand upon
// each other. base: a level to compare with, as a dashed line, { value, name }.
function barChart({ label, groups, y, base, height, legend, slot: least }) {
  const stacks = groups.map(({ name, bars }) => ({ name, columns: stacked(bars) }));
  const slots = stacks.reduce((sum, { columns }) => sum + columns.length + 1, -1);
  const labels = stacks.flatMap(({ columns }) => columns.map(([{ label }]) => label));
  const lines = Math.max(1, ...labels.map(label => linesOf(label, 0).length));
  const draw = width => {
    const image = canvasOf(width, height), above = [];
    const area = areaOf(width, height, { below: 35 + 13 * lines, beside: base ? 50 : 16 });
    const sy = uprightAxis(image, area, y), slot = (area.right - area.left) / (slots + 0.6);
    let at = area.left + 0.3 * slot;
    for (const { name, columns } of stacks) {
      image.append(text(at + columns.length * slot / 2, area.bottom + 25 + 13 * lines, name,
        { class: "axis-name", ...CENTRED }));
      for (const column of columns) {
        const place = { middle: at + slot / 2, width: Math.min(46, slot * 0.78), area };
        image.append(...column.map(bar => drawBar(bar, place, sy)),
                     ...drawLabel(linesOf(column[0].label, slot), place));
        above.push(...column.map(bar => drawText(bar, place, sy)).filter(Boolean));
        at += slot;
      }
      at += slot;
    }
    if (base) image.append(...drawBase(base, area, sy(base.value)));
    // Texts last, so that nothing is drawn over them.
    image.append(...above);
    return image;
  };
  return chart(label, draw, { legend, least: least * slots + 70 });
}

// Bars of one label after another, as columns of them; those without a label stand alone.
function stacked(bars) {
  const columns = [];
  for (const bar of bars) {
    const last = columns.at(-1);
    if (bar.label && last?.[0].label === bar.label) last.push(bar);
    else columns.push([bar]);
  }
  return columns;
}

function linesOf(label, slot) {
  return (slot < ROOMY ? label.replace("-", "-\n") : label).split("\n");
}

function drawBar({ low, value, paint, tip }, { middle, width, area }, sy) {
  const top = Math.min(sy(low), sy(value ?? low)), floor = Math.max(sy(low), sy(value ?? low));
  const x = middle - width / 2;
  // The whole space above it on the axis responds to the pointer.
  const room = low ? [] : [svg("rect", { x, width, y: area.top, class: "clear",
    height: Math.max(0, floor - area.top) })];
  const bar = svg("rect", { x, width, y: top, height: floor - top, class: `column ${paint}` });
  return withTip(svg("g", {}, ...room, bar), tip);
}

function drawLabel(lines, { middle, area }) {
  return lines.map((line, i) => text(middle, area.bottom + 16 + 13 * i, line,
    { class: "tick", ...CENTRED }));
}

function drawText({ low, value, text: words }, { middle }, sy) {
  const at = value ?? low, by = at < low ? 13 : -5;
  return words && text(middle, sy(at) + by, words, { class: "bar-value halo", ...CENTRED });
}

function drawBase({ name }, { left, right }, y) {
  return [svg("line", { x1: left, x2: right, y1: y, y2: y, class: "base" }),
    ...name.split("\n").map((line, i) => text(right + 5, y - 2 + 13 * i, line,
      { class: "tick" }))];
}
