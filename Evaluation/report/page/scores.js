// The sections of scores, classes and curves.
const FRACTION = { range: [0, 1], format: value => percent(value, 0),
  exact: value => percent(value) };

function fillTitle({ title, scores }) {
  const { run, dataset, subset, facts } = title;
  byId("title").append(
    element("h1", {}, run || dataset, [run ? dataset : null, subset].filter(Boolean)
      .map(word => element("span", {}, ` ${word}`))),
    element("p", { class: "subtitle" }, [...facts,
      `${plural(scores.num_detections, "detection")} against `
      + `${plural(scores.num_ground_truth, "action")} in ${plural(scores.num_videos, "video")}`]
      .join(" \u00b7 ")));
}

// ---- scores -------------------------------------------------------------------------------------

function fillScores(section, data) {
  const { scores } = data, fewer = data.short;
  if (data.comparison) return false;
  section.append(element("div", { class: "tiles" }, tilesOf(scores, fewer)));
  if (data.provenance.notes.length) section.append(warnings(data.provenance.notes));
  section.append(filesBeside(data.files));
  if (!scores.mAP) {
    section.append(note("These are proposals without classes: they have average recall, no mAP."));
    return true;
  }
  const bars = (values, paint, what) => data.thresholds.map((tiou, i) => ({
    label: short(tiou), value: values[i], paint,
    tip: [what, `tIoU ${short(tiou)}`, `mAP ${percent(values[i], 2)} %`] }));
  const groups = [{ name: "all actions", bars: bars(scores.mAP, "c0", "all actions") }];
  if (fewer?.mAP) {
    const name = `up to ${short(fewer.max_seconds)} s`;
    groups.push({ name, bars: bars(fewer.mAP, "c1", `actions ${name}`) });
  }
  const y = { ...FRACTION, label: "mAP (%)", range: [0, topOf(groups)] };
  section.append(card("Mean average precision at each tIoU",
    barChart("Mean average precision at each temporal IoU threshold", groups, y),
    note(`${scores.protocol === "thumos14" ? "The official THUMOS14" : "ActivityNet's"} protocol. `
         + sourceLine(data.provenance.facts))));
  return true;
}

function filesBeside(files) {
  if (!files.length) {
    return note("Each figure can be saved as SVG; Eval.py --figures pdf (or png, both) writes "
                + "figures for papers.", "note files");
  }
  return element("p", { class: "note files" }, "Files beside this page: ", files.map(name =>
    [element("a", { href: encodeURIComponent(name) }, name), " "]));
}

// Where the numbers come from, in a sentence.
function sourceLine(facts) {
  const known = new Map(facts), commit = known.get("git_commit");
  const code = commit && `commit ${String(commit).slice(0, 10)}`
                         + (known.get("git_modified") ? ", modified" : "");
  const truth = known.get("ground_truth") && `ground truth ${known.get("ground_truth")}`;
  return [truth, known.get("ties"), code].filter(Boolean).map(String)
    .map(part => `${part[0].toUpperCase()}${part.slice(1)}.`).join(" ");
}

// A round top a little above the highest bar.
function topOf(groups) {
  const highest = Math.max(0, ...groups.flatMap(group => group.bars.map(bar => bar.value ?? 0)));
  return Math.min(1, Math.ceil((highest * 1.12 + 0.001) * 20) / 20);
}

function spread(span) { return span.replace(":", " to "); }

function tilesOf(scores, fewer) {
  const tiles = Object.entries(scores.average_mAP ?? {}).reverse()
    .map(([span, value]) => [percent(value, 2), "average mAP", `tIoU ${spread(span)}`]);
  const half = (scores.tiou_thresholds ?? []).findIndex(value => Math.abs(value - 0.5) < 1e-9);
  if (scores.mAP && half >= 0) tiles.push([percent(scores.mAP[half], 2), "mAP", "at tIoU 0.5"]);
  if (fewer?.mAP) {
    const [[span, value]] = Object.entries(fewer.average_mAP).reverse();
    tiles.push([percent(value, 2), "average mAP, short",
      `up to ${short(fewer.max_seconds)} s: ${plural(fewer.num_ground_truth, "action")},`
      + ` tIoU ${spread(span)}`]);
  }
  const recall = scores["AR@AN"] ?? {};
  if (isNumber(recall["100"])) {
    tiles.push([percent(recall["100"], 2), "AR@100", "average recall, 100 proposals per video"],
      [percent(scores.AUC, 2), "AUC", "area under average recall"]);
  }
  return tiles.map(([value, name, detail], i) => element("div",
    { class: i ? "tile" : "tile main" },
    element("div", { class: "tile-name" }, name),
    element("div", { class: "tile-value" }, value, element("small", {}, " %")),
    element("div", { class: "tile-detail" }, detail)));
}

function warnings(notes) {
  return element("div", { class: "card warning" }, element("h3", {}, "Mind when comparing"),
    element("ul", {}, notes.map(line => element("li", {}, line))));
}

// ---- classes ------------------------------------------------------------------------------------

function fillClasses(section, data, chooseClass) {
  if (!data.scores.mAP) return false;
  const rows = data.classes.map(row => ({ ...row, name: data.labels[row.label],
    mean: row.ap ? row.ap.reduce((sum, value) => sum + value, 0) / row.ap.length : null }));
  const columns = [
    { name: "Class", key: row => row.name }, { name: "Actions", key: row => row.actions },
    { name: "Detections", key: row => row.detections },
    ...data.thresholds.map((tiou, i) => ({ name: short(tiou), key: row => row.ap?.[i] ?? null,
      heat: true })),
    { name: "Mean", key: row => row.mean, heat: true }];
  const highest = Math.max(1e-9, ...rows.flatMap(row => row.ap ?? []));
  const body = element("tbody");
  const show = (column, down) => body.replaceChildren(...sorted(rows, column.key, down)
    .map(row => classRow(row, columns, highest, chooseClass)));
  const head = sortableHead(columns, columns.length - 1, show);
  section.append(element("div", { class: "card" },
    note("Average precision in percent at each tIoU. Choose a class to see it on the timelines "
         + "and its curves."),
    scroller({ class: "tall", tabindex: 0, role: "region",
      "aria-label": "Average precision of each class" },
      element("table", { class: "classes" }, head, body))));
  show(columns.at(-1), true);
  return true;
}

// Rows by a key; what has none stands last.
function sorted(rows, key, down) {
  const compare = (a, b) => typeof a === "string" ? byName(a, b) : a - b;
  return [...rows].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === null || b === null) return (a === null) - (b === null);
    return down ? compare(b, a) : compare(a, b);
  });
}

function sortableHead(columns, first, show) {
  const heads = columns.map((column, i) => element("th", { scope: "col",
    "aria-sort": i === first ? "descending" : "none" },
    button(column.name, () => sort(i))));
  function sort(i) {
    const now = heads[i].getAttribute("aria-sort");
    // Words start from A, numbers from the highest.
    const down = now === "none" ? i > 0 : now === "ascending";
    heads.forEach(head => head.setAttribute("aria-sort", "none"));
    heads[i].setAttribute("aria-sort", down ? "descending" : "ascending");
    show(columns[i], down);
  }
  return element("thead", {}, element("tr", {}, heads));
}

function classRow(row, columns, highest, chooseClass) {
  const [, ...rest] = columns;
  const name = button(row.name, () => chooseClass(row.label), { class: "link" });
  return element("tr", {}, element("th", { scope: "row" }, name), rest.map(column => {
    const value = column.key(row);
    const cell = element("td", {}, column.heat ? percent(value) : count(value));
    if (column.heat && value !== null) cell.className = `h${Math.round(value / highest * 9)}`;
    return cell;
  }));
}

// ---- curves -------------------------------------------------------------------------------------

function fillCurves(section, data, state) {
  const { curves, recall } = data;
  const grid = element("div", { class: "grid" });
  if (curves) grid.append(precisionRecall(data, curves, state));
  if (recall) grid.append(averageRecall(data, recall));
  section.append(grid);
  return Boolean(curves || recall);
}

function precisionRecall(data, curves, state) {
  const holder = element("div"), x = { ...FRACTION, label: "Recall (%)" };
  const y = { ...FRACTION, label: "Precision (%)" };
  const names = curves.classes.map(({ label }) => [label, data.labels[label]])
    .sort((a, b) => byName(a[1], b[1]));
  const choice = chooser("curve-class", "Class", [[-1, "Mean over the classes"], ...names], -1,
    value => state.chooseClass(Number(value)));
  const draw = () => {
    const one = curves.classes.find(({ label }) => label === state.label);
    choice.querySelector("select").value = one ? state.label : -1;
    const series = curves.thresholds.map((tiou, i) => ({ name: `tIoU ${short(tiou)}`,
      paint: ordered(i, curves.thresholds.length), stepped: Boolean(one),
      points: one ? one.corners[i][0].map((at, j) => [at, one.corners[i][1][j]])
                  : curves.mean[i].map((value, j) => [j / 100, value]) }));
    const what = one ? data.labels[state.label] : "all classes, in the mean";
    holder.replaceChildren(lineChart(`Precision over recall of ${what}`, series, x, y,
      { height: 340 }));
  };
  let shown = null;
  const follow = () => {
    if (shown !== state.label) draw();
    shown = state.label;
  };
  state.onChange(follow);
  follow();
  return card("Precision and recall", choice, holder,
    note("Interpolated, matched by ActivityNet's protocol: the area under a curve is the average "
         + "precision."));
}

function averageRecall(data, recall) {
  const points = recall.proposals.map((number, i) => [number, recall.mean[i]]);
  return card("Average recall",
    lineChart("Average recall over the number of proposals per video",
      [{ name: "mean over tIoU 0.5 to 0.95", paint: "c0", points }],
      { label: "Proposals per video", range: [0, Math.max(...recall.proposals)],
        format: value => short(Math.round(value)) },
      { ...FRACTION, label: "Recall (%)" }, { height: 340 }),
    scroller({}, table(
      ["Proposals", ...Object.keys(data.scores["AR@AN"] ?? {}), "AUC"],
      [["Recall (%)", ...Object.values(data.scores["AR@AN"] ?? {}).map(v => percent(v, 2)),
        percent(data.scores.AUC, 2)]])));
}
