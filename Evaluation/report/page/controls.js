// The controls above the timelines: what to show, what that is in numbers, files to save and add.
const HELP = "Drag a timeline to move it; double-click, or hold Ctrl and scroll, to zoom. With the "
  + "keyboard: Tab to a timeline, arrows move, + and \u2212 zoom, 0 shows all, N and P go from "
  + "item to item, Enter plays the item.";
const OTHER_PROTOCOL = "Here detections are judged by ActivityNet's protocol, not by THUMOS14's.";
const SLIDER_STEPS = 1000;

function round(score) { return Number(score.toPrecision(5)); }

class Controls {
  constructor(state, list) {
    const { data } = state;
    Object.assign(this, { state, list });
    this.summary = element("div", { id: "summary", role: "status" });
    this.legend = element("div", { class: "legend kinds", role: "group",
      "aria-label": "Kinds to show", hidden: !data.isJudged });
    this.cell = element("p", { class: "note", id: "cell", hidden: true });
    this.flattering = note("");
    this.node = element("div", { class: "card controls" },
      element("div", { class: "fields" }, this.scoreField(), this.choosers(), this.searchField()),
      this.summary, this.legend, this.cell, this.flattering, this.tools(),
      element("p", { class: "note help" }, HELP),
      data.protocol === "thumos14" ? note(OTHER_PROTOCOL) : null);
  }

  // ---- what to show -----------------------------------------------------------------------------

  choosers() {
    const { state } = this, { data, classes } = state;
    const named = data.usedLabels.map(label => [label, classes[label]]);
    named.sort((a, b) => byName(a[1], b[1]));
    const orders = Object.entries(ORDERS).filter(([, { isFor }]) => isFor?.(data) ?? true);
    this.fields = {
      label: chooser("class-filter", "Class", [[-1, "All classes"], ...named], state.label,
        value => state.chooseClass(Number(value))),
      tiou: chooser("tiou", "Found at tIoU", data.thresholds.map((t, i) => [i, short(t)]),
        state.tiou, value => state.set({ tiou: Number(value) })),
      order: chooser("order", "Order", orders.map(([key, { name }]) => [key, name]), state.order,
        value => state.set({ order: value, page: 0 })),
    };
    this.fields.tiou.hidden = !data.isJudged;
    return Object.values(this.fields);
  }

  searchField() {
    this.search = element("input", { type: "search", id: "search", placeholder: "part of a name",
      oninput: () => this.state.set({ query: this.search.value, page: 0 }) });
    return element("label", { class: "field" }, element("span", {}, "Find a video"), this.search);
  }

  // A slider over the rank of detections (scores crowd near 0), and the score itself as a number.
  scoreField() {
    const { state } = this, { isJudged, validated } = state.data;
    const choose = scores => {
      state.runs.forEach((run, r) => { run.score = scores(run, r); });
      state.set({ isBest: false });
    };
    this.slider = element("input", { type: "range", id: "score", min: 0, max: SLIDER_STEPS, step: 1,
      "aria-label": "Least score", disabled: !state.runs.some(({ all }) => all.length),
      oninput: () => choose(run => this.scoreAt(run, Number(this.slider.value))) });
    this.number = element("input", { type: "number", id: "score-number", step: "any",
      "aria-label": "Lowest score as a number", onchange: () => {
        if (this.number.value !== "") choose(() => Number(this.number.value));
      } });
    const best = button("Best F1", () => state.set({ isBest: true }),
      { title: "the score with the highest F1 on the videos here" });
    const validation = button("Validation", () => choose((run, r) => validated[r] ?? run.score),
      { title: "the score with the highest F1 on the validation videos" });
    return element("div", { class: "field wide" },
      element("label", { for: "score" }, "Score at least"),
      element("div", { class: "slider" }, this.slider, this.number, isJudged ? best : null,
        validated.some(isNumber) ? validation : null,
        button("All", () => choose(({ all }) => all.at(-1) ?? 0), { title: "every detection" })));
  }

  // Slider position -> score: from all detections on the left to the best one on the right, on a
  // scale of ratios.
  scoreAt({ all }, position) {
    const kept = Math.round(all.length ** (1 - position / SLIDER_STEPS));
    return all[Math.max(1, kept) - 1] ?? 0;
  }

  positionOf({ all, score }) {
    const kept = admitted(all, score);
    if (kept === 0) return SLIDER_STEPS;
    return Math.round((1 - Math.log(kept) / Math.log(Math.max(2, all.length))) * SLIDER_STEPS);
  }

  // ---- files ------------------------------------------------------------------------------------

  tools() {
    const { state, list } = this, taken = element("span", { class: "taken", role: "status",
      "aria-label": "added files" });
    const take = files => {
      const number = takeFiles(files, state.videos);
      taken.textContent = `${number} of ${plural(files.length, "file")} `
        + `${number === 1 ? "has" : "have"} the name of a video here.`;
      list.rebuild();
    };
    const input = element("input", { type: "file", id: "files", multiple: true,
      accept: "video/*,.mkv", class: "unseen", onchange: () => take(input.files) });
    document.addEventListener("dragover", event => event.preventDefault());
    document.addEventListener("drop", event => {
      event.preventDefault();
      if (event.dataTransfer?.files.length) take(event.dataTransfer.files);
    });
    return element("div", { class: "tools" },
      element("span", {}, "Shown detections: "),
      button("CSV", () => saveCsv(state, list.ordered()), { id: "save-csv" }),
      button("JSON", () => saveJson(state, list.ordered()), { id: "save-json" }),
      state.videos.length > MOST_PRINTED
        ? button("Print all videos", () => list.printAll(), { id: "print-all" }) : null,
      element("label", { class: "file", for: "files" }, "Add video files\u2026"), input,
      element("span", { class: "note" }, "or drop them here; they stay on your machine."), taken);
  }

  // ---- what is shown ----------------------------------------------------------------------------

  // sums: the number of items of each kind, per run.
  show(sums) {
    const { state } = this;
    this.showFields(sums);
    this.showSummary(sums);
    if (state.data.isJudged) this.showLegend(sums);
    this.cell.hidden = !state.cell;
    if (state.cell) {
      this.cell.replaceChildren(`Only ${cellWords(state, state.cell)}. `,
        button("Show everything", () => state.set({ cell: null, page: 0 }), { class: "link" }));
    }
    this.flattering.textContent = state.isBest ? "The lowest score shown is the one with the "
      + `highest F1 on these same videos${state.runs.length > 1 ? ", per run" : ""}, which `
      + "flatters F1, precision and recall. Choose a score on other videos before you report "
      + "them." : "";
  }

  showFields(sums) {
    const { state } = this, [run] = state.runs;
    // The reader's own move of the slider stays where it is.
    if (this.scoreAt(run, Number(this.slider.value)) !== run.score) {
      this.slider.value = this.positionOf(run);
    }
    this.slider.setAttribute("aria-valuetext",
      `${short(run.score)}: ${plural(numbersOf(sums[0]).detections, "detection")}`);
    if (document.activeElement !== this.number) this.number.value = round(run.score);
    if (document.activeElement !== this.search) this.search.value = state.query;
    for (const [name, field] of Object.entries(this.fields)) {
      field.querySelector("select").value = state[name];
    }
  }

  showSummary(sums) {
    const { runs, data } = this.state;
    this.summary.replaceChildren(...runs.map(({ name, score }, r) => {
      const whose = runs.length > 1 ? `${name}, score at least ${short(score)}: ` : null;
      return element("p", { class: "summary" }, whose && element("span", {}, whose),
        inSum(sums[r], data).map(([value, word]) =>
          element("span", {}, element("b", {}, value), ` ${word} `)));
    }));
  }

  // One button per kind; actions first, as on a timeline.
  showLegend(sums) {
    const focused = document.activeElement?.dataset?.kind;
    this.legend.replaceChildren(...[FOUND, MISSED, 0, 1, 2, 3, 4, 5].map(kind =>
      this.kindButton(kind, sums.map(sum => count(sum[kind])).join(" / "))));
    if (focused) this.legend.querySelector(`[data-kind="${focused}"]`)?.focus();
  }

  kindButton(kind, number) {
    const { state } = this, [, name, meaning] = KINDS[kind];
    const toggle = () => {
      const hidden = new Set(state.hidden);
      if (!hidden.delete(kind)) hidden.add(kind);
      state.set({ hidden, page: 0 });
    };
    const words = kind >= FOUND ? `action, ${name} ` : `${name} `;
    return button([swatch(`k${kind}`), words, element("small", {}, number)], toggle,
      { "aria-pressed": String(!state.hidden.has(kind)), "data-kind": kind,
        title: meaning || null });
  }
}

// [number, what] of a run over the videos.
function inSum(sum, { isJudged }) {
  const { actions, found, detections } = numbersOf(sum);
  const all = [count(detections), detections === 1 ? "detection" : "detections"];
  if (!isJudged) return [all];
  return [all, [`${count(found)} of ${count(actions)}`, "actions found"],
    [percent(actions ? found / actions : NaN), "% recall"],
    [percent(detections ? found / detections : NaN), "% precision"],
    [percent(2 * found / (actions + detections)), "% F1"]];
}
