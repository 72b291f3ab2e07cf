// Charts as SVG, drawn anew at each width. Colours are classes, so that they follow the theme.

// A figure that calls draw(width) -> svg whenever its width changes. legend: see `legendOf`.
function chart(label, draw, { legend = [], least = 0 } = {}) {
  const holder = scroller({}), inside = holder.firstChild;
  let drawn = 0;
  // paper: a width that it has to fit, however narrow.
  const show = (width, paper = false) => {
    const wide = paper ? width : Math.max(least, Math.floor(width));
    if (wide < 40 || wide === drawn) return;
    drawn = wide;
    inside.replaceChildren(filled(draw(wide), { role: "img", "aria-label": label }, []));
    holder.look();
  };
  new ResizeObserver(() => { if (!isPrinting) show(inside.clientWidth); }).observe(inside);
  const figure = element("figure", { class: "chart" },
    element("figcaption", {}, legend.length ? legendOf(legend) : null,
      button("SVG", () => saveFigure(inside.firstChild, label),
             { class: "link save", title: `Save the figure: ${label}` })), holder);
  figure.drawAt = width => width ? show(width, true) : show(inside.clientWidth);
  return figure;
}

// entries: [name, colour class, "line" | "dashed" | nothing].
function legendOf(entries) {
  return element("div", { class: "legend" }, entries.map(([name, paint, mark]) =>
    element("span", {}, element("i", { class: `swatch ${paint} ${mark ?? ""}` }), name)));
}

// Kinds of detections have a class of their own, other colours one for areas.
function paintOf(paint) { return paint.startsWith("k") ? paint : `fill-${paint}`; }

function canvasOf(width, height) {
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
}

// The edges of the area within the axes, in pixels.
function areaOf(width, height, below = 44) {
  return { left: 52, right: width - 16, top: 16, bottom: height - below };
}

function steps([low, high], about) {
  const raw = (high - low) / about || 1, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 },
    (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function scale([low, high], from, to) {
  const ratio = (to - from) / (high - low || 1);
  return value => from + (value - low) * ratio;
}

function text(x, y, content, attributes) { return svg("text", { x, y, ...attributes }, content); }

const CENTRED = { "text-anchor": "middle" }, AT_END = { "text-anchor": "end" };

// Lines, ticks and name of the upright axis. y: { label, range, format }. -> its scale.
function uprightAxis(image, area, y) {
  const place = scale(y.range, area.bottom, area.top);
  for (const tick of steps(y.range, 5)) {
    image.append(svg("line", { x1: area.left, x2: area.right, y1: place(tick), y2: place(tick),
      class: tick === y.range[0] ? "axis" : "grid" }),
      text(area.left - 8, place(tick) + 4, y.format(tick), { class: "tick", ...AT_END }));
  }
  image.append(text(0, 0, y.label, { class: "axis-name", ...CENTRED,
    transform: `translate(13 ${(area.top + area.bottom) / 2}) rotate(-90)` }));
  return place;
}

// Ticks and name of the level axis. x: { label, range, format, whole }. -> its scale.
function levelAxis(image, area, x) {
  const place = scale(x.range, area.left, area.right);
  const most = Math.max(3, (area.right - area.left) / 90);
  for (const tick of steps(x.range, x.whole ? Math.min(most, x.range[1] - x.range[0]) : most)) {
    image.append(text(place(tick), area.bottom + 17, x.format(tick), { class: "tick", ...CENTRED }),
      svg("line", { x1: place(tick), x2: place(tick), y1: area.bottom, y2: area.bottom + 4,
        class: "axis" }));
  }
  image.append(levelName(area, x.label));
  return place;
}

function levelName(area, label) {
  return text((area.left + area.right) / 2, area.bottom + 37, label,
    { class: "axis-name", ...CENTRED });
}

// ---- lines --------------------------------------------------------------------------------------

// series: { name, paint, points: [[x, y]], stepped, dashed, dots }. A stepped one holds the y of a
// point from the x before on, and falls to 0 behind its last. mark: an x to point out.
function lineChart(label, series, x, y, { height = 300, legend = true, mark = null } = {}) {
  const draw = width => {
    const image = canvasOf(width, height), area = areaOf(width, height);
    const sy = uprightAxis(image, area, y), sx = levelAxis(image, area, x);
    if (isNumber(mark)) {
      image.append(svg("line", { x1: sx(mark), x2: sx(mark), y1: area.top, y2: area.bottom,
        class: "mark" }));
    }
    for (const { paint, points, stepped, dashed, dots } of series) {
      const place = ([a, b]) => `${sx(a).toFixed(1)},${sy(b).toFixed(1)}`;
      image.append(svg("polyline", { class: `line stroke-${paint}${dashed ? " dashed" : ""}`,
        points: (stepped ? staircase(points) : points).map(place).join(" ") }));
      if (dots) {
        image.append(...points.map(([a, b]) =>
          svg("circle", { cx: sx(a), cy: sy(b), r: 3, class: `fill-${paint}` })));
      }
    }
    return readable(image, series, x, y, sx, area);
  };
  return chart(label, draw, { legend: legend ? series.map(
    ({ name, paint, dashed }) => [name, `stroke-${paint}`, dashed ? "dashed" : "line"]) : [] });
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
function readable(image, series, x, y, sx, { left, right, top, bottom }) {
  const line = svg("line", { y1: top, y2: bottom, class: "pointer", visibility: "hidden" });
  const leave = () => { line.setAttribute("visibility", "hidden"); hideTip(); };
  image.append(line);
  image.addEventListener("pointerleave", leave);
  image.addEventListener("pointermove", event => {
    const at = event.clientX - image.getBoundingClientRect().left;
    if (at < left || at > right) return leave();
    const exact = x.range[0] + (at - left) / (right - left) * (x.range[1] - x.range[0]);
    const value = x.whole ? Math.round(exact) : exact;
    filled(line, { x1: sx(value), x2: sx(value), visibility: "visible" }, []);
    const lines = series.map(one => `${one.name}: ${(y.exact ?? y.format)(heightAt(one, value))}`);
    showTip([`${x.label} ${(x.exact ?? x.format)(value)}`, ...lines], event.clientX, event.clientY);
  });
  return image;
}

// ---- bars ---------------------------------------------------------------------------------------

const ROOMY = 52;      // pixels of a bar; below them limits such as 1.2-3.3 take two lines

// groups: { name, bars: [{ label, value, paint, tip }] }; base: a level to compare with, as
// a dashed line, { value, name }; y: { label, range, format, exact }.
function barChart(label, groups, y, { base = null, height = 300, legend = [], slotWidth = 30 } = {}) {
  const slots = groups.reduce((sum, group) => sum + group.bars.length + 1, -1);
  const linesOf = (label, slot) => (slot < ROOMY ? label.replace("-", "-\n") : label).split("\n");
  const lines = Math.max(1, ...groups.flatMap(({ bars }) =>
    bars.map(bar => linesOf(bar.label, 0).length)));
  const draw = width => {
    const image = canvasOf(width, height), columns = [];
    const area = areaOf(width, height, 35 + 13 * lines);
    if (base) area.right -= 34;
    const sy = uprightAxis(image, area, y);
    const slot = (area.right - area.left) / (slots + 0.6);
    let at = area.left + 0.3 * slot;
    for (const { name, bars } of groups) {
      image.append(text(at + bars.length * slot / 2, area.bottom + 25 + 13 * lines, name,
        { class: "axis-name", ...CENTRED }));
      for (const bar of bars) {
        columns.push(column({ ...bar, lines: linesOf(bar.label, slot) }, at + slot / 2,
                            Math.min(46, slot * 0.78), sy, y));
        at += slot;
      }
      at += slot;
    }
    image.append(...columns.map(({ bar }) => bar));
    if (base) image.append(...baseLine(base, area, sy(base.value)));
    // The words last, so that nothing is drawn over them.
    image.append(...columns.map(({ words: above }) => above));
    return image;
  };
  return chart(label, draw, { legend, least: slotWidth * slots + 70 });
}

function column({ lines, value, paint, tip }, middle, width, sy, y) {
  const top = sy(isNumber(value) ? value : 0), floor = sy(0);
  const bar = svg("g", {},
    // As tall as the area, so that a low bar can be pointed at too.
    svg("rect", { x: middle - width / 2, width, y: 0, height: floor, class: "clear" }),
    svg("rect", { x: middle - width / 2, width, y: top, height: Math.max(0, floor - top), rx: 2,
      class: paintOf(paint) }),
    ...lines.map((line, i) =>
      text(middle, floor + 16 + 13 * i, line, { class: "tick", ...CENTRED })));
  const above = text(middle, top - 5, isNumber(value) ? y.exact(value) : NONE,
    { class: "bar-value halo", ...CENTRED });
  return { bar: tip ? withTip(bar, tip) : bar, words: above };
}

function baseLine({ name }, area, y) {
  return [svg("line", { x1: area.left, x2: area.right, y1: y, y2: y, class: "base" }),
    ...name.split("\n").map((line, i) => text(area.right + 5, y - 2 + 13 * i, line,
      { class: "tick" }))];
}

// rows: { name, value, paint }: bars to the right (or left of 0), with their values.
function sideBars(label, rows, format, { left = 150 } = {}) {
  const values = rows.map(row => row.value);
  const range = [Math.min(0, ...values), Math.max(1e-9, ...values)];
  return chart(label, width => {
    const image = canvasOf(width, 30 * rows.length + 12);
    const sx = scale(range, range[0] < 0 ? left + 10 : left, width - 62);
    rows.forEach(({ name, value, paint }, i) => {
      const y = 8 + 30 * i, x = Math.min(sx(0), sx(value)), end = Math.max(sx(0), sx(value));
      image.append(text(left - 10, y + 15, name, { class: "tick", ...AT_END }),
        svg("rect", { x, y, width: Math.max(1, end - x), height: 21, rx: 2,
          class: paintOf(paint) }),
        text(end + 7, y + 15, format(value), { class: "bar-value" }));
    });
    return image;
  });
}

// columns: { name, parts: [{ share, paint, tip }] }; shares of 1, stacked from below.
function stackedBars(label, columns, x, y, { height, legend }) {
  return chart(label, width => {
    const image = canvasOf(width, height), area = areaOf(width, height);
    const sy = uprightAxis(image, area, { ...y, range: [0, 1] });
    const slot = (area.right - area.left) / columns.length;
    columns.forEach(({ name, parts }, i) => {
      let below = 0;
      for (const { share, paint, tip } of parts) {
        const top = sy(below + share), height = Math.max(0, sy(below) - top);
        image.append(withTip(svg("rect", { x: area.left + slot * (i + 0.08), width: slot * 0.84,
          y: top, height, class: `part ${paintOf(paint)}` }), tip));
        below += share;
      }
      image.append(text(area.left + slot * (i + 0.5), area.bottom + 17, name,
        { class: "tick", ...CENTRED }));
    });
    image.append(levelName(area, x.label));
    return image;
  }, { legend });
}
