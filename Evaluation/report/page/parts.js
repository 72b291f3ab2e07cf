// The parts of sections, as described in Evaluation/report/sections: one function per type.
const PARTS = {
  note: ({ text, kind }) => note(text, kind),
  card: ({ title, kind, parts }) => element("div", { class: `card ${kind}` },
    title && element("h3", {}, title), made(parts)),
  grid: ({ kind, parts }) => element("div", { class: `grid ${kind}` }, made(parts)),
  list: ({ items }) => element("ul", {}, items.map(item => element("li", {}, item))),
  facts: ({ kind, entries }) => element("dl", { class: kind }, entries.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value)))),
  files: ({ groups }) => element("p", { class: "note files" }, "Files next to this page: ",
    groups.map(({ stem, endings }) => element("span", {}, `${stem} `, endings.map(
      ending => element("a", { href: encodeURIComponent(stem + ending) }, ending.slice(1)))))),
  tiles: ({ tiles }) => element("div", { class: "tiles" }, tiles.map(tile)),
  table: plainTable,
  classes: classTable,
  bars: barChart,
  lines: lineChart,
  curves: precisionRecall,
};

function made(parts) { return parts.map(part => PARTS[part.type](part)); }

function tile([value, name, detail], i) {
  return element("div", { class: i ? "tile" : "tile main" },
    element("div", { class: "tile-name" }, name),
    element("div", { class: "tile-value" }, value, element("small", {}, " %")),
    element("div", { class: "tile-detail" }, detail));
}

function fillTitle({ run, dataset, subset, facts }) {
  const rest = [run ? dataset : null, subset].filter(Boolean);
  byId("title").append(
    element("h1", {}, run || dataset, rest.map(word => element("span", {}, ` ${word}`))),
    element("p", { class: "subtitle" }, facts.join(" \u00b7 ")));
}

// ---- tables -------------------------------------------------------------------------------------

function plainTable({ header, rows, kind, name, caption, folded }) {
  const inside = table(header, rows, kind, caption);
  const scrolls = scroller(name ? { tabindex: 0, role: "region", "aria-label": name } : {}, inside);
  if (!folded) return scrolls;
  return element("details", { class: "numbers" }, element("summary", {}, "Numbers"), scrolls);
}

// A row leads to the timelines of its class.
function classTable({ header, rows, name }) {
  const body = element("tbody"), last = header.length - 1;
  const show = (column, down) => {
    const ordered = sorted(rows, column, down);
    body.replaceChildren(...ordered.map(({ label, cells: [first, ...rest] }) => {
      const choose = () => { state.chooseClass(label); byId("videos").scrollIntoView(); };
      return tableRow([button(first, choose, { class: "link" }), ...rest]);
    }));
  };
  show(last, true);
  return scroller({ class: "tall", tabindex: 0, role: "region", "aria-label": name },
    element("table", { class: "classes" }, sortableHead(header, last, show), body));
}

// Rows sorted by the key of a column; rows without one come last.
function sorted(rows, column, down) {
  const compare = (a, b) => typeof a === "string" ? byName(a, b) : a - b;
  return [...rows].sort((one, other) => {
    const a = one.keys[column], b = other.keys[column];
    if (a === null || b === null) return (a === null) - (b === null);
    return down ? compare(b, a) : compare(a, b);
  });
}

function sortableHead(header, first, show) {
  const heads = header.map((name, i) => element("th",
    { scope: "col", "aria-sort": i === first ? "descending" : "none" },
    button(name, () => sort(i))));
  function sort(i) {
    const now = heads[i].getAttribute("aria-sort");
    // Words are sorted from A, numbers from the highest.
    const down = now === "none" ? i > 0 : now === "ascending";
    heads.forEach(head => head.setAttribute("aria-sort", "none"));
    heads[i].setAttribute("aria-sort", down ? "descending" : "ascending");
    show(i, down);
  }
  return element("thead", {}, element("tr", {}, heads));
}

// ---- precision and recall -----------------------------------------------------------------------

// The curves of the selected class; at first, the mean over classes.
function precisionRecall({ thresholds, mean, classes }) {
  const holder = element("div"), percent = { range: [0, 100], digits: 1 };
  const names = classes.map(({ label }) => [label, state.classes[label]]);
  names.sort((a, b) => byName(a[1], b[1]));
  const choice = chooser("curve-class", "Class", [[-1, "Mean over the classes"], ...names], -1,
    value => state.chooseClass(Number(value)));
  const draw = () => {
    const one = classes.find(({ label }) => label === state.label);
    choice.querySelector("select").value = one ? state.label : -1;
    const points = i => one
      ? one.corners[i][0].map((recall, j) => [recall, one.corners[i][1][j]])
      : mean[i].map((precision, recall) => [recall, precision]);
    const what = one ? state.classes[state.label] : "all classes (mean)";
    holder.replaceChildren(lineChart({ label: `Precision against recall for ${what}`, height: 340,
      x: { ...percent, label: "Recall (%)" }, y: { ...percent, label: "Precision (%)" },
      series: thresholds.map((tiou, i) => ({ name: `tIoU ${short(tiou)}`, points: points(i),
        paint: ordered(i, thresholds.length), stepped: Boolean(one) })) }));
  };
  state.onChange(({ label }) => { if (label !== undefined) draw(); });
  draw();
  return element("div", {}, choice, holder);
}
