// The section of videos: what to show, what it adds up to, and the timelines, a page at a time.
const HELP = "Drag a timeline to move it; double click, or Ctrl and the wheel, to zoom. With the "
  + "keyboard: Tab to a timeline, arrows move, + and \u2212 zoom, 0 shows all, N and P go from "
  + "item to item, Enter plays the item.";
const OTHER_PROTOCOL = "What is found is judged here by ActivityNet's protocol, not by THUMOS14's.";
const A_PAGE = 20, SLIDER_STEPS = 1000, MOST_PRINTED = 300;

const ORDERS = {
  differ: ["most different first", one => one.differ],
  file: ["as in the file", null],
  name: ["by name", null],
  missed: ["most missed first", one => one.missed],
  wrong: ["most wrong first", one => one.wrong],
  actions: ["most actions first", one => one.actions],
};

function round(score) { return Number(score.toPrecision(5)); }

class VideoList {
  constructor(section, state) {
    Object.assign(this, { section, state, timelines: [] });
    this.build(section);
    state.onChange(() => this.refresh());
    this.refresh();
  }

  build(section) {
    const { state } = this, { data } = state;
    this.summary = element("div", { id: "summary", role: "status" });
    this.legend = element("div", { class: "legend kinds", role: "group",
      "aria-label": "Kinds that are shown" });
    this.cell = element("p", { class: "note", id: "cell", hidden: true });
    this.holder = element("div", { id: "timelines" });
    this.pages = element("nav", { class: "pages", "aria-label": "Pages of videos" });
    const orders = Object.entries(ORDERS).filter(
      ([key]) => key !== "differ" || data.runs.length > 1);
    section.append(
      element("div", { class: "card controls" }, element("div", { class: "fields" },
        this.scoreField(),
        this.classField = chooser("class-filter", "Class", [[-1, "All classes"], ...this.classes()],
          state.label, value => state.chooseClass(Number(value))),
        this.tiouField = chooser("tiou", "Found at tIoU", data.thresholds.map((t, i) =>
          [i, short(t)]), state.tiou, value => state.set({ tiou: Number(value) })),
        this.orderField = chooser("order", "Order", orders.map(([key, [name]]) => [key, name]),
          state.order, value => state.set({ order: value, page: 0 })),
        element("label", { class: "field" }, element("span", {}, "Find a video"),
          this.search = element("input", { type: "search", id: "search", value: state.query,
            placeholder: "part of a name",
            oninput: () => state.set({ query: this.search.value, page: 0 }) }))),
      this.summary, this.legend, this.cell, this.thresholdNote = note(""), this.tools(),
      element("p", { class: "note help" }, HELP),
      data.scores.protocol === "thumos14" ? note(OTHER_PROTOCOL) : null),
      this.holder, this.pages);
  }

  // Downloads, and the videos themselves.
  tools() {
    const { state } = this, taken = element("span", { class: "taken", role: "status",
      "aria-label": "files that were added" });
    const take = files => {
      const number = takeFiles(files, state.videos);
      taken.textContent = `${number} of ${plural(files.length, "file")} `
        + `${number === 1 ? "has" : "have"} the name of a video here.`;
      for (const timeline of this.timelines) timeline.empty();
      this.refresh();
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
      button("CSV", () => saveCsv(state, this.ordered()), { id: "save-csv" }),
      button("JSON", () => saveJson(state, this.ordered()), { id: "save-json" }),
      element("label", { class: "file", for: "files" }, "Add video files\u2026"), input,
      element("span", { class: "note" }, "or drop them here; they stay on your machine."), taken);
  }

  classes() {
    const named = this.state.data.classes.map(({ label }) => [label, this.state.classes[label]]);
    return named.sort((a, b) => byName(a[1], b[1]));
  }

  // A slider over the rank of detections (scores crowd near 0), and the score itself as a number.
  scoreField() {
    const { state } = this;
    const choose = scores => {
      state.runs.forEach((run, r) => { run.score = scores(run, r); });
      state.set({ isBest: false });
    };
    this.slider = element("input", { type: "range", id: "score", min: 0, max: SLIDER_STEPS, step: 1,
      "aria-label": "Least score", disabled: !state.runs.some(({ all }) => all.length),
      oninput: () => choose(run => this.scoreAt(run, Number(this.slider.value))) });
    this.number = element("input", { type: "number", id: "score-number", step: "any",
      "aria-label": "Least score as a number", onchange: () => {
        if (this.number.value !== "") choose(() => Number(this.number.value));
      } });
    const validated = state.data.validated ?? [];
    return element("div", { class: "field wide" },
      element("label", { for: "score" }, "Score at least"),
      element("div", { class: "slider" }, this.slider, this.number,
        button("Best F1", () => state.set({ isBest: true }),
               { title: "the score at which F1 is highest on the videos here" }),
        validated.some(isNumber) ? button("Validation", () => choose(
          (run, r) => validated[r] ?? run.score),
          { title: "the score at which F1 was highest on the validation videos" }) : null,
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

  refresh() {
    const { state } = this;
    this.measure();
    this.showControls();
    const videos = this.ordered(), pages = Math.max(1, Math.ceil(videos.length / A_PAGE));
    state.page = Math.max(0, Math.min(state.page, pages - 1));
    this.showTimelines(videos.slice(state.page * A_PAGE, (state.page + 1) * A_PAGE));
    this.showPages(pages, videos.length);
  }

  // Numbers of each video (of all runs together), and of each run over the videos.
  measure() {
    const { state } = this;
    this.sums = state.runs.map(() => new Float64Array(8));
    this.each = state.videos.map(video => {
      const runs = state.runs.map((_, r) => {
        const chosen = chosenOf(video, state, r);
        chosen.counts.forEach((number, kind) => { this.sums[r][kind] += number; });
        return { ...numbersOf(chosen.counts), shown: chosen.actions.length + chosen.found.length };
      });
      const most = key => Math.max(...runs.map(run => run[key]));
      const least = key => Math.min(...runs.map(run => run[key]));
      return { actions: most("actions"), missed: most("missed"), wrong: most("wrong"),
        shown: most("shown"),
        // Actions count before wrong detections.
        differ: most("found") - least("found") + (most("wrong") - least("wrong")) / 1e6 };
    });
  }

  showControls() {
    const { state } = this, [{ score }] = state.runs, several = state.runs.length > 1;
    // The reader's own move of the slider stays where it is.
    if (this.scoreAt(state.runs[0], Number(this.slider.value)) !== score) {
      this.slider.value = this.positionOf(state.runs[0]);
    }
    this.slider.setAttribute("aria-valuetext", `${short(score)}: `
      + plural(numbersOf(this.sums[0]).detections, "detection"));
    if (document.activeElement !== this.number) this.number.value = round(score);
    for (const [field, value] of [[this.classField, state.label], [this.tiouField, state.tiou],
                                  [this.orderField, state.order]]) {
      field.querySelector("select").value = value;
    }
    if (document.activeElement !== this.search) this.search.value = state.query;
    this.summary.replaceChildren(...state.runs.map((run, r) => {
      const { actions, found, detections } = numbersOf(this.sums[r]);
      return element("p", { class: "summary" },
        several ? element("span", {}, `${run.name}, score at least ${short(run.score)}: `) : null,
        [[count(detections), detections === 1 ? "detection" : "detections"],
          [`${count(found)} of ${count(actions)}`, "actions found"],
          [percent(actions ? found / actions : NaN), "% recall"],
          [percent(detections ? found / detections : NaN), "% precision"],
          [percent(2 * found / (actions + detections)), "% F1"],
        ].map(([value, name]) => element("span", {}, element("b", {}, value), ` ${name} `)));
    }));
    this.showLegend();
    this.thresholdNote.textContent = state.isBest ? "Shown from the score on at which F1 is "
      + `highest on these same videos${several ? ", for each run its own" : ""}: it flatters F1, `
      + "precision and recall. Choose a score on other videos before you report them." : "";
  }

  showLegend() {
    const { state } = this, focused = document.activeElement?.dataset?.kind;
    const names = [...KINDS.map(([, name], kind) => [kind, kind ? name : "right"]),
                   [FOUND, "action, found"], [MISSED, "action, missed"]];
    // Actions first, as on a timeline.
    const shown = [...names.slice(6), ...names.slice(0, 6)];
    this.legend.replaceChildren(...shown.map(([kind, name]) => {
      const number = Math.max(...this.sums.map(sum => sum[kind]));
      const toggle = () => {
        const hidden = new Set(state.hidden);
        if (!hidden.delete(kind)) hidden.add(kind);
        state.set({ hidden, page: 0 });
      };
      const several = this.sums.map(sum => count(sum[kind])).join(" / ");
      return button([element("i", { class: `swatch k${kind}` }), `${name} `,
        element("small", {}, this.sums.length > 1 ? several : count(number))], toggle,
        { "aria-pressed": String(!state.hidden.has(kind)), "data-kind": kind,
          title: kind < 6 ? KINDS[kind][2] : null });
    }));
    if (focused) this.legend.querySelector(`[data-kind="${focused}"]`)?.focus();
    this.cell.hidden = !state.cell;
    if (state.cell) {
      this.cell.replaceChildren(`Only ${cellWords(state, state.cell)}. `,
        button("Show everything", () => state.set({ cell: null, page: 0 }), { class: "link" }));
    }
  }

  ordered() {
    const { videos, order, query, hidden, cell, label } = this.state, key = ORDERS[order][1];
    const wanted = query.toLowerCase(), { each } = this;
    const rows = videos.filter(({ name }) => name.toLowerCase().includes(wanted));
    if (order === "name") rows.sort((a, b) => byName(a.name, b.name));
    else if (key) rows.sort((a, b) => key(each[b.index]) - key(each[a.index]) || a.index - b.index);
    if (label < 0 && !hidden.size && !cell) return rows;
    return rows.filter(({ index }) => each[index].shown);
  }

  // Timelines that stay keep their zoom.
  showTimelines(wanted) {
    const kept = new Map(this.timelines.map(timeline => [timeline.video, timeline]));
    this.timelines = wanted.map(video => {
      const old = kept.get(video);
      kept.delete(video);
      if (old) old.refresh();
      return old ?? new Timeline(video, this.state);
    });
    for (const gone of kept.values()) gone.remove();
    const nodes = this.timelines.map(({ node }) => node), there = this.holder.children;
    if (!nodes.length) nodes.push(note("No video is like that."));
    // Moving a node would take the focus from it.
    if (nodes.length !== there.length || nodes.some((node, i) => there[i] !== node)) {
      this.holder.replaceChildren(...nodes);
    }
  }

  showPages(pages, total) {
    const { state } = this, first = state.page * A_PAGE, to = page => {
      state.set({ page });
      byId("videos").scrollIntoView();
    };
    const turn = (label, page, disabled) => button(label, () => to(page), { disabled });
    this.pages.hidden = pages < 2;
    this.pages.replaceChildren(turn("First", 0, state.page === 0),
      turn("Previous", state.page - 1, state.page === 0),
      element("span", {}, `${first + 1} to ${Math.min(first + A_PAGE, total)} of ${count(total)}`),
      turn("Next", state.page + 1, state.page >= pages - 1),
      turn("Last", pages - 1, state.page >= pages - 1));
  }

  // The timeline of a video by its name, with its page turned to.
  find(name) {
    const place = this.ordered().findIndex(video => video.name === name);
    if (place < 0) return null;
    this.state.set({ page: Math.floor(place / A_PAGE) });
    return this.timelines[place % A_PAGE];
  }

  // Every video that is listed, drawn for paper.
  printed(width) {
    const { state } = this, videos = this.ordered();
    const cards = videos.slice(0, MOST_PRINTED).map(video => element("article", { class: "card" },
      element("h3", {}, video.name), state.runs.map((run, r) => {
        const chosen = chosenOf(video, state, r), plan = layOut(video, chosen, false);
        const { found, actions, detections, wrong } = numbersOf(chosen.counts);
        const name = state.runs.length > 1 ? `${run.name}: ` : "";
        return element("div", { class: "run" },
          element("p", { class: "facts" }, `${name}${clock(video.duration, 0)}, `
            + `${found} of ${plural(actions, "action")} found, `
            + `${plural(detections, "detection")}, ${count(wrong)} wrong`),
          drawTimeline(width, video, state, plan, [0, video.duration], null).image);
      })));
    if (videos.length > MOST_PRINTED) {
      cards.push(note(`The first ${MOST_PRINTED} of ${count(videos.length)} videos are printed; `
                      + "choose others above."));
    }
    return element("div", { id: "printed" }, cards);
  }
}
