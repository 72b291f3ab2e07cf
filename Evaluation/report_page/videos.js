// The section of videos: what to show, what it adds up to, and the timelines, a page at a time.
const HELP = "Drag a timeline to move it; double click, or Ctrl and the wheel, to zoom. With the "
  + "keyboard: Tab to a timeline, arrows move, + and \u2212 zoom, 0 shows all, N and P go from "
  + "item to item.";
const OTHER_PROTOCOL = "What is found is judged here by ActivityNet's protocol, not by THUMOS14's.";
const A_PAGE = 20, SLIDER_STEPS = 1000;

const ORDERS = {
  file: ["as in the file", null],
  name: ["by name", null],
  missed: ["most missed first", one => one.missed],
  wrong: ["most wrong first", one => one.wrong],
  actions: ["most actions first", one => one.actions],
};

function round(score) { return Number(score.toPrecision(5)); }

class VideoList {
  constructor(section, state) {
    Object.assign(this, { state, order: "file", query: "", page: 0, timelines: [] });
    this.build(section);
    state.onChange(() => this.refresh());
    this.refresh(true);
  }

  build(section) {
    const { state } = this;
    this.summary = element("p", { class: "summary", id: "summary", role: "status" });
    this.holder = element("div", { id: "timelines" });
    this.pages = element("nav", { class: "pages", "aria-label": "Pages of videos" });
    section.append(
      element("div", { class: "card controls" }, element("div", { class: "fields" },
        this.scoreField(),
        this.classField = chooser("class-filter", "Class", [[-1, "All classes"], ...this.classes()],
          -1, value => state.chooseClass(Number(value))),
        chooser("tiou", "Found at tIoU", state.data.thresholds.map((t, i) => [i, short(t)]),
          state.tiou, value => state.set({ tiou: Number(value) })),
        chooser("order", "Order", Object.entries(ORDERS).map(([key, [name]]) => [key, name]),
          this.order, value => { this.order = value; this.refresh(true); }),
        element("label", { class: "field" }, element("span", {}, "Find a video"),
          element("input", { type: "search", id: "search", placeholder: "part of a name",
            oninput: event => this.find(event.target.value) }))),
      this.summary, keyOfColours(), note(HELP),
      state.data.scores.protocol === "thumos14" ? note(OTHER_PROTOCOL) : null),
      this.holder, this.pages);
  }

  find(query) {
    this.query = query.toLowerCase();
    this.refresh(true);
  }

  classes() {
    const named = this.state.data.classes.map(({ label }) => [label, this.state.classes[label]]);
    return named.sort((a, b) => a[1].localeCompare(b[1], "en", { numeric: true }));
  }

  // A slider over the rank of detections (scores crowd near 0), and the score itself as a number.
  scoreField() {
    const { state } = this;
    this.slider = element("input", { type: "range", id: "score", min: 0, max: SLIDER_STEPS, step: 1,
      "aria-label": "Least score", disabled: !state.all.length,
      oninput: () => state.set({ score: this.scoreAt(Number(this.slider.value)) }) });
    this.number = element("input", { type: "number", id: "score-number", step: "any",
      "aria-label": "Least score as a number", onchange: () => {
        if (this.number.value !== "") state.set({ score: Number(this.number.value) });
      } });
    const jump = (name, title, score) => element("button", { type: "button", title,
      onclick: () => state.set({ score: score() }) }, name);
    return element("div", { class: "field wide" },
      element("label", { for: "score" }, "Score at least"),
      element("div", { class: "slider" }, this.slider, this.number,
        jump("Best F1", "the score at which F1 is highest", () => bestScore(state)),
        jump("All", "every detection", () => state.all.at(-1) ?? 0)));
  }

  // Slider position -> score: from all detections on the left to the best one on the right, on a
  // scale of ratios.
  scoreAt(position) {
    const kept = Math.round(this.state.all.length ** (1 - position / SLIDER_STEPS));
    return this.state.all[Math.max(1, kept) - 1] ?? 0;
  }

  positionOf(score) {
    const { all } = this.state, kept = admitted(all, score);
    if (kept === 0) return SLIDER_STEPS;
    return Math.round((1 - Math.log(kept) / Math.log(Math.max(2, all.length))) * SLIDER_STEPS);
  }

  // again: the list of videos may differ, so go to its first page.
  refresh(again = false) {
    const { sum, each } = totals(this.state);
    this.showControls(sum);
    const videos = this.ordered(each);
    if (again) this.page = 0;
    const pages = Math.max(1, Math.ceil(videos.length / A_PAGE));
    this.page = Math.min(this.page, pages - 1);
    const wanted = videos.slice(this.page * A_PAGE, (this.page + 1) * A_PAGE);
    this.showTimelines(wanted);
    this.showPages(pages, videos.length);
  }

  showControls({ actions, found, detections }) {
    const { state } = this, precision = detections ? found / detections : NaN;
    const recall = actions ? found / actions : NaN, f1 = 2 * found / (actions + detections);
    const position = this.positionOf(state.score), score = short(state.score);
    // The reader's own move of the slider stays where it is.
    if (this.scoreAt(Number(this.slider.value)) !== state.score) this.slider.value = position;
    this.slider.setAttribute("aria-valuetext", `${score}: ${plural(detections, "detection")}`);
    if (document.activeElement !== this.number) this.number.value = round(state.score);
    this.classField.querySelector("select").value = state.label;
    this.summary.replaceChildren(...[
      [count(detections), detections === 1 ? "detection" : "detections"],
      [`${count(found)} of ${count(actions)}`, "actions found"], [percent(recall), "% recall"],
      [percent(precision), "% precision"], [percent(f1), "% F1"],
    ].map(([value, name]) => element("span", {}, element("b", {}, value), ` ${name} `)));
  }

  ordered(each) {
    const { videos } = this.state, key = ORDERS[this.order][1];
    const rows = videos.filter(({ name }) => name.toLowerCase().includes(this.query));
    if (this.order === "name") {
      rows.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    } else if (key) {
      rows.sort((a, b) => key(each[b.index]) - key(each[a.index]) || a.index - b.index);
    }
    if (this.state.label < 0) return rows;
    return rows.filter(({ index }) => each[index].actions || each[index].detections);
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
    const first = this.page * A_PAGE, to = page => {
      this.page = page;
      this.refresh();
      byId("videos").scrollIntoView();
    };
    const button = (label, page, disabled) => element("button", { type: "button", disabled,
      onclick: () => to(page) }, label);
    this.pages.hidden = pages < 2;
    this.pages.replaceChildren(button("First", 0, this.page === 0),
      button("Previous", this.page - 1, this.page === 0),
      element("span", {}, `${first + 1} to ${Math.min(first + A_PAGE, total)} of ${count(total)}`),
      button("Next", this.page + 1, this.page >= pages - 1),
      button("Last", pages - 1, this.page >= pages - 1));
  }
}

function keyOfColours() {
  return legendOf([["action, found", "box-found"], ["action, missed", "box-missed"],
    ["detection, right", "box-right"], ["detection, wrong", "box-wrong"]]);
}
