// Files to save: the selected detections, and figures.
function save(content, name, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = element("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// Every detection shown in any listed video: [{ video, run, label, ... }].
function chosenDetections(state, videos) {
  return videos.flatMap(video => state.runs.flatMap((run, r) =>
    chosenOf(video, state, r).found.map(item => {
      const { label, start, end, score, kind } = item, near = closestTo(video, item);
      return { video: video.name, run: run.name, label: state.classes[label], start, end, score,
        kind: KINDS[kind][0], closest: near ? state.classes[near.label] : "",
        tiou: near ? Number(near.tiou.toFixed(4)) : 0 };
    })));
}

function saveCsv(state, videos) {
  const rows = chosenDetections(state, videos);
  const names = ["video", "run", "label", "start", "end", "score", "kind", "closest", "tiou"]
    .filter(name => name !== "run" || state.runs.length > 1)
    .filter(name => state.data.isJudged || !["kind", "closest", "tiou"].includes(name));
  const cell = value => /[",\n\r]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value;
  save([names, ...rows.map(row => names.map(name => row[name]))]
    .map(row => row.map(cell).join(",")).join("\r\n") + "\r\n", "detections.csv", "text/csv");
}

// In the layout of a detection file, which Eval.py --detections reads; for several runs, an object
// of such files by name of the run.
function saveJson(state, videos) {
  const files = new Map(state.runs.map(({ name }) => [name, new Map()]));
  for (const { video, run, label, start, end, score, kind } of chosenDetections(state, videos)) {
    const results = files.get(run);
    if (!results.has(video)) results.set(video, []);
    results.get(video).push({ label, score, segment: [start, end], ...(kind ? { kind } : {}) });
  }
  // As text, since a name may be __proto__.
  const object = (entries, text) => `{${[...entries].map(([name, value]) =>
    `${JSON.stringify(name)}: ${text(value)}`).join(",\n")}}`;
  const file = results => `{"results": ${object(results, JSON.stringify)}}`;
  save(state.runs.length > 1 ? object(files, file) : file(files.values().next().value),
       "detections.json", "application/json");
}

const SAVED_STYLES = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray",
  "stroke-linejoin", "paint-order", "font-size", "font-weight", "font-family", "text-anchor"];

// Drawings below each other, with their colours written into them.
function saveFigure(images, name) {
  const sizeOf = image => ["width", "height"].map(side => Number(image.getAttribute(side)));
  const width = Math.max(...images.map(image => sizeOf(image)[0]));
  let height = 0;
  const parts = images.map(image => {
    const part = filled(withStyles(image), { y: height }, []);
    height += sizeOf(image)[1];
    return part;
  });
  const back = getComputedStyle(document.querySelector(".card")).backgroundColor;
  const whole = filled(canvasOf(width, height), { xmlns: SVG },
    [svg("rect", { width, height, fill: back }), ...parts]);
  const stem = name.replace(/[^\p{L}\p{N}.-]+/gu, "_").slice(0, 80) || "figure";
  save(new XMLSerializer().serializeToString(whole), `${stem}.svg`, "image/svg+xml");
}

function withStyles(node) {
  const copy = node.cloneNode(true), from = [node, ...node.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((part, i) => {
    const style = getComputedStyle(from[i]);
    for (const name of SAVED_STYLES) part.setAttribute(name, style.getPropertyValue(name));
    if (style.visibility === "hidden") part.setAttribute("visibility", "hidden");
    part.removeAttribute("class");
  });
  return copy;
}
