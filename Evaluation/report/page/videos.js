// The section of videos: the controls and the timelines, one page at a time.
const A_PAGE = 20;
const MOST_PRINTED = 300;       // videos, unless all are requested
const OF_THE_LIST = ["page", "order", "query"];     // changes that affect no single video

// key: of a video, the highest first. isFor: the data that it is offered for.
const ORDERS = {
  differ: { name: "most different first", key: one => one.differ,
    isFor: ({ runs }) => runs.length > 1 },
  file: { name: "as in the file" },
  name: { name: "by name" },
  missed: { name: "most missed first", key: one => one.missed, isFor: ({ isJudged }) => isJudged },
  wrong: { name: "most wrong first", key: one => one.wrong, isFor: ({ isJudged }) => isJudged },
  actions: { name: "most actions first", key: one => one.actions,
    isFor: ({ isJudged }) => isJudged },
  found: { name: "most detections first", key: one => one.detections },
};

class VideoList {
  constructor(section, state) {
    Object.assign(this, { state, timelines: [], mostPrinted: MOST_PRINTED });
    makeRoom(state.data.usedLabels.map(label => state.classes[label]));
    this.controls = new Controls(state, this);
    this.holder = element("div", { id: "timelines" });
    this.pages = element("nav", { class: "pages", "aria-label": "Pages of videos" });
    section.append(this.controls.node, this.holder, this.pages);
    state.onChange(changes => this.refresh(Object.keys(changes)));
    this.refresh();
  }

  // changed: names of the changed settings.
  refresh(changed = ["score"]) {
    const { state } = this;
    if (changed.some(name => !OF_THE_LIST.includes(name))) this.measure();
    this.controls.show(this.sums);
    const videos = this.ordered(), pages = Math.max(1, Math.ceil(videos.length / A_PAGE));
    state.page = Math.max(0, Math.min(state.page, pages - 1));
    this.showTimelines(videos.slice(state.page * A_PAGE, (state.page + 1) * A_PAGE));
    this.showPages(pages, videos.length);
  }

  // Totals per video (over all runs), and per run (over all videos).
  measure() {
    const { state } = this;
    this.sums = state.runs.map(() => new Float64Array(9));
    this.each = state.videos.map(video => {
      const runs = state.runs.map((_, r) => {
        const counts = new Float64Array(9);
        let shown = 0;
        visitChosen(video, state, r, (isAction, index, kind, isShown) => {
          counts[kind]++;
          if (isShown) shown++;
        });
        counts.forEach((number, kind) => { this.sums[r][kind] += number; });
        return { ...numbersOf(counts), shown };
      });
      const most = key => Math.max(...runs.map(run => run[key]));
      const least = key => Math.min(...runs.map(run => run[key]));
      return { actions: most("actions"), detections: most("detections"), missed: most("missed"),
        wrong: most("wrong"), shown: most("shown"),
        // Actions count before wrong detections.
        differ: most("found") - least("found") + (most("wrong") - least("wrong")) / 1e6 };
    });
  }

  ordered() {
    const { videos, order, query, hidden, cell, label } = this.state, { key } = ORDERS[order];
    const wanted = query.toLowerCase(), { each } = this;
    const rows = videos.filter(({ name }) => name.toLowerCase().includes(wanted));
    if (order === "name") rows.sort((a, b) => byName(a.name, b.name));
    else if (key) rows.sort((a, b) => key(each[b.index]) - key(each[a.index]) || a.index - b.index);
    if (label < 0 && !hidden.size && !cell) return rows;
    return rows.filter(({ index }) => each[index].shown);
  }

  // Build the timelines anew, for videos that have come.
  rebuild() {
    for (const timeline of this.timelines) timeline.empty();
    this.refresh([]);
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
    if (!nodes.length) nodes.push(note("No video matches."));
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

  // The timeline of a video by name, after turning to its page.
  find(name) {
    const place = this.ordered().findIndex(video => video.name === name);
    if (place < 0) return null;
    this.state.set({ page: Math.floor(place / A_PAGE) });
    return this.timelines[place % A_PAGE];
  }

  // The listed videos, drawn for paper, with notes about the selection and those left out.
  printed(width) {
    const { state } = this, videos = this.ordered(), few = videos.slice(0, this.mostPrinted);
    const rest = videos.length - few.length;
    const words = rest && note(`These are the first ${count(few.length)} of `
      + `${plural(videos.length, "video")}; ${count(rest)} are left out. To print those, open the `
      + "page and choose Print all videos, or a class, an order or part of a name.");
    return element("div", { id: "printed" }, note(selectionOf(state)), words || null,
      few.map(video => printedVideo(width, video, state)));
  }

  printAll() {
    this.mostPrinted = Infinity;      // until it has been printed
    print();
  }
}

function printedVideo(width, video, state) {
  const plans = plansOf(video, state), whole = [0, video.duration];
  return element("article", { class: "card" }, element("h3", {}, video.name),
    element("p", { class: "facts" }, factsOf(video, state, plans)),
    plans.map((plan, r) => element("div", { class: "run" }, headOf(state, r),
      drawTimeline(width, state, plan, whole, null).image)));
}
