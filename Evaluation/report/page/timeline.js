// The card of one video: a timeline per run (they zoom and move together), the video next to them
// if there is one, and a table. What is out of view is removed from the page.
const WATCHER = new IntersectionObserver(entries => {
  for (const { target, isIntersecting } of entries) target.timeline.see(isIntersecting);
}, { rootMargin: "300px" });
const WAITING = new Set();      // timelines to draw, one per frame, so that no frame takes long
const MOST_RUNNING = 8;         // items below the video
let usualWidth = 900;           // width of a timeline, until one has been measured

function drawSoon(timeline) {
  if (!WAITING.size) requestAnimationFrame(drawNext);
  WAITING.add(timeline);
}

function drawNext() {
  const [timeline] = WAITING;
  WAITING.delete(timeline);
  timeline?.draw();      // the last one may have been taken away
  if (WAITING.size) requestAnimationFrame(drawNext);
}

class Timeline {
  constructor(video, state) {
    Object.assign(this, { video, state, view: [0, video.duration], isVisible: false, tracks: [],
      showAll: false, chosen: null, player: null, height: 0 });
    this.facts = element("p", { class: "facts" });
    const zoom = (label, what, act) => button(label, act, { "aria-label": what, title: what });
    this.body = element("div", { class: "video-body" });
    this.spoken = element("p", { class: "unseen", "aria-live": "polite" });
    this.node = element("article", { class: "card video", "aria-label": `video ${video.name}` },
      element("header", {}, element("h3", {}, video.name), this.facts,
        element("div", { class: "zoom", role: "group", "aria-label": "Zoom" },
          zoom("\u2212", "zoom out", () => this.zoom(2)),
          zoom("+", "zoom in", () => this.zoom(0.5)),
          zoom("Whole", "show the whole video", () => this.look([0, video.duration])))),
      this.body, this.spoken);
    this.node.timeline = this;
    this.sizes = new ResizeObserver(entries => entries.forEach(entry => this.resized(entry)));
    this.sizes.observe(this.body);
    this.refresh();
    WATCHER.observe(this.node);
  }

  remove() {
    WATCHER.unobserve(this.node);
    WAITING.delete(this);
    this.sizes.disconnect();
    this.node.remove();
  }

  get isWaiting() { return WAITING.has(this); }

  // Sizes only come from here: querying them would trigger a new layout each time.
  resized({ target, contentRect: { width, height } }) {
    if (target === this.body) { this.height = height; return; }
    const track = this.tracks.find(({ holder }) => holder === target);
    if (!track || track.width === width || width <= 0) return;
    track.width = usualWidth = width;
    drawSoon(this);
  }

  // Lay out the current selection again, and draw it once it is in view.
  refresh() {
    const { video, state } = this;
    this.plans = plansOf(video, state, this.showAll);
    this.facts.replaceChildren(...factsOf(video, state, this.plans));
    this.chosen = null;
    this.isNew = true;
    if (this.isVisible) drawSoon(this); else this.empty();
  }

  see(isVisible) {
    if (isVisible === this.isVisible) return;
    this.isVisible = isVisible;
    if (isVisible) drawSoon(this);
    else if (!this.isInUse()) this.empty();
  }

  // A playing video, or a node that has the focus, stays.
  isInUse() {
    return this.node.contains(document.activeElement)
      || (this.player && !this.player.screen.paused);
  }

  empty() {
    const height = this.plans.reduce((sum, { lanes }) => sum + stack(lanes, usualWidth), 30);
    this.body.style.minHeight = `${this.tracks.length && this.height || height}px`;
    this.body.replaceChildren();
    for (const { holder } of this.tracks) this.sizes.unobserve(holder);
    this.tracks = [];
    this.player = null;
  }

  // Everything around the drawings.
  fill() {
    const { state } = this;
    const hidden = this.plans.reduce((sum, plan) => ({
      classes: Math.max(sum.classes, plan.hidden.classes),
      detections: sum.detections + plan.hidden.detections }), { classes: 0, detections: 0 });
    this.more.hidden = !hidden.classes && !this.showAll;
    this.more.textContent = this.showAll ? "Show fewer classes"
      : `Show ${plural(hidden.detections, "detection")} of ${hidden.classes} more `
        + (hidden.classes > 1 ? "classes" : "class");
    this.tracks.forEach(({ holder }, r) => holder.setAttribute("aria-label",
      `Timeline of ${this.video.name}${state.runs.length > 1 ? `, ${state.runs[r].name}` : ""}: `
      + `${this.facts.textContent}. Arrow keys move, + and - zoom, N and P go from item to item.`));
    this.fillList();
    this.isNew = false;
  }

  build() {
    const { video, state } = this, source = sourceOf(video.name);
    this.tracks = state.runs.map((_, r) => new Track(this, r));
    this.player = source && new Player(source, video, second => this.runningAt(second),
                                       second => this.showHead(second));
    this.more = button("", () => { this.showAll = !this.showAll; this.refresh(); },
                       { class: "link more" });
    this.list = element("div");
    this.details = element("details", { class: "numbers", ontoggle: () => this.fillList() },
      element("summary", {}, "As a table"), this.list);
    this.isNew = true;
    this.tracks.forEach(({ holder }) => this.sizes.observe(holder));
    this.body.replaceChildren(
      element("div", { class: source ? "beside" : "" }, this.player?.node ?? null,
        element("div", { class: "tracks" }, this.tracks.map(({ node }) => node))),
      element("div", { class: "below" }, this.details, this.more,
        button("SVG", () => saveFigure(this.tracks.map(({ image }) => image), video.name),
          { class: "link save", title: "Save the timeline as a figure" })));
  }

  // See `drawSoon`. What has just been built is drawn once its size is known.
  draw() {
    if (!this.isVisible) return;
    if (!this.tracks.length) this.build();
    if (this.isNew) this.fill();
    this.tracks.forEach(track => track.draw());
    if (this.player) this.showHead(this.player.screen.currentTime);
  }

  // ---- the video --------------------------------------------------------------------------------

  // [words, kind] of the items at a second; the actions are the same in every run.
  runningAt(second) {
    const { state } = this, several = state.runs.length > 1;
    const running = this.plans.flatMap(({ lanes }, r) => lanes.flatMap(
      lane => [...(r ? [] : lane.actions), ...lane.found]))
      .filter(({ start, end }) => start <= second && second < end);
    return running.slice(0, MOST_RUNNING).map(({ isAction, label, score, kind, r }) => {
      const name = state.classes[label], run = several ? `, ${state.runs[r].name}` : "";
      return [isAction ? `${name} (action)` : `${name} ${short(score)}${run}`, kind];
    });
  }

  showHead(second) {
    const isAtRest = this.player.screen.paused && second === 0;
    this.tracks.forEach(track => track.showHead(second, isAtRest));
  }

  // Play an item to its end, or from a second on.
  play(item, second) {
    this.player?.play(item ? item.start : second, item ? item.end : null);
  }

  // ---- moving -----------------------------------------------------------------------------------

  look([start, end]) {
    const { duration } = this.video, least = Math.min(duration, 0.5);
    const size = Math.min(duration, Math.max(least, end - start));
    const from = Math.min(Math.max(0, start + (end - start - size) / 2), duration - size);
    this.view = [from, from + size];
    drawSoon(this);
    this.state.looked?.(this);
  }

  zoom(factor, at = (this.view[0] + this.view[1]) / 2) {
    const [start, end] = this.view;
    this.look([at - (at - start) * factor, at + (end - at) * factor]);
  }

  move(share) {
    const size = this.view[1] - this.view[0];
    this.look([this.view[0] + share * size, this.view[1] + share * size]);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const whole = () => this.look([0, this.video.duration]);
    const acts = { ArrowLeft: () => this.move(-0.2), ArrowRight: () => this.move(0.2),
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      Home: whole, "0": whole, n: () => this.step(1), p: () => this.step(-1),
      Enter: () => { if (this.chosen) this.play(this.chosen); }, Escape: () => this.leave() };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
    drawSoon(this);
  }

  leave() {
    this.chosen = null;
    hideTip();
    drawSoon(this);
  }

  // Move to the next action or detection in time; show it with its tooltip, and announce it.
  step(by) {
    const items = this.itemsInTime();
    if (!items.length) return;
    const now = this.chosen ? items.findIndex(item => same(item, this.chosen)) : by > 0 ? -1 : 0;
    const item = this.chosen = items[(now + by + items.length) % items.length];
    const middle = (item.start + item.end) / 2, [start, end] = this.view;
    if (middle < start || middle > end) {
      this.look([middle - (end - start) / 2, middle + (end - start) / 2]);
    }
    const lines = describe(this.video, item, this.state);
    this.spoken.textContent = lines.join(", ");
    this.tracks[item.r].showTipOf(item, lines);
  }

  itemsInTime() {
    return this.plans.flatMap(({ lanes }) => lanes)
      .flatMap(lane => [...lane.actions, ...lane.found])
      .sort((a, b) => a.start - b.start || b.isAction - a.isAction);
  }

  fillList() {
    if (!this.details?.open) return;
    const { state } = this, several = state.runs.length > 1;
    const header = ["Class", "What", "Start", "End", "Score", "State", ...(several ? ["Run"] : [])];
    const rows = this.itemsInTime().map(({ isAction, label, start, end, score, kind, r }) =>
      [state.classes[label], isAction ? "action" : "detection", clock(start, 2), clock(end, 2),
        isAction ? "" : short(score), KINDS[kind][1], ...(several ? [state.runs[r].name] : [])]);
    this.list.replaceChildren(scroller({ class: "tall" }, table(header, rows)));
  }
}
