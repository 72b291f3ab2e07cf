// Files that the reader takes away: detections as chosen, and figures.
function save(content, name, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = element("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

// Every detection that is shown, of all videos that are listed: [{ video, run, label, ... }].
function chosenDetections(state, videos) {
  return videos.flatMap(video => state.runs.flatMap((run, r) =>
    chosenOf(video, state, r).found.map(({ index, kind }) => {
      const { found, scores, closest } = video.runs[r], near = closest[index] - 1;
      return { video: video.name, run: run.name, label: state.classes[found.label[index]],
        start: found.start[index], end: found.end[index], score: scores[index],
        kind: KINDS[kind][0],
        closest: near < 0 ? "" : state.classes[video.actions.label[near]],
        tiou: near < 0 ? 0 : Number(overlapOf(found, index, video.actions, near).toFixed(4)) };
    })));
}

function saveCsv(state, videos) {
  const rows = chosenDetections(state, videos);
  const names = ["video", "run", "label", "start", "end", "score", "kind", "closest", "tiou"]
    .filter(name => name !== "run" || state.runs.length > 1);
  const cell = value => /[",\n\r]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value;
  save([names, ...rows.map(row => names.map(name => row[name]))]
    .map(row => row.map(cell).join(",")).join("\r\n") + "\r\n", "detections.csv", "text/csv");
}

// In the layout of a detection file, which Eval.py --detections reads; of several runs an object
// of such files, by the name of the run.
function saveJson(state, videos) {
  const files = new Map(state.runs.map(({ name }) => [name, new Map()]));
  for (const { video, run, label, start, end, score, kind } of chosenDetections(state, videos)) {
    const results = files.get(run);
    if (!results.has(video)) results.set(video, []);
    results.get(video).push({ label, score, segment: [start, end], kind });
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

// A drawing with its colours written into it; several are put below each other.
function saveFigure(image, name, images = [image]) {
  const width = Math.max(...images.map(one => Number(one.getAttribute("width"))));
  let height = 0;
  const whole = svg("svg", { xmlns: SVG });
  for (const one of images) {
    const copy = withStyles(one);
    whole.append(filled(copy, { y: height }, []));
    height += Number(one.getAttribute("height"));
  }
  filled(whole, { width, height, viewBox: `0 0 ${width} ${height}` }, []);
  const back = getComputedStyle(document.querySelector(".card")).backgroundColor;
  whole.prepend(svg("rect", { width, height, fill: back }));
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
