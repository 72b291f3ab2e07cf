// The card of one video: a timeline for each run, which zoom and move together, the video beside
// them where there is one, and the same as a table. What is out of sight is taken off the page.
const WATCHER = new IntersectionObserver(entries => {
  for (const { target, isIntersecting } of entries) target.timeline.see(isIntersecting);
}, { rootMargin: "300px" });
const A_CLICK = 4;      // pixels that the pointer may move between down and up

class Timeline {
  constructor(video, state) {
    Object.assign(this, { video, state, view: [0, video.duration], isVisible: false, tracks: [],
      showAll: false, chosen: null, pending: false, player: null });
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
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.node);
    this.refresh();
    WATCHER.observe(this.node);
  }

  remove() {
    WATCHER.unobserve(this.node);
    this.sizes.disconnect();
    this.node.remove();
  }

  // Lay out anew what the reader has chosen, and draw it when it is in sight.
  refresh() {
    const { video, state } = this;
    this.plans = state.runs.map((_, r) => {
      const chosen = chosenOf(video, state, r);
      return { ...layOut(video, chosen, this.showAll), numbers: numbersOf(chosen.counts) };
    });
    this.facts.replaceChildren(...this.words());
    this.chosen = null;
    if (this.isVisible) this.fill(); else this.empty();
  }

  words() {
    const { video, state } = this, facts = [clock(video.duration, 0)];
    if (!video.known) facts.push("not in the ground truth");
    this.plans.forEach(({ numbers }, r) => facts.push(
      (state.runs.length > 1 ? `${state.runs[r].name}: ` : "")
      + `${numbers.found} of ${plural(numbers.actions, "action")} found`,
      `${plural(numbers.detections, "detection")}, ${count(numbers.wrong)} wrong`));
    return facts.map(fact => element("span", {}, `${fact} `));
  }

  see(isVisible) {
    if (isVisible === this.isVisible) return;
    this.isVisible = isVisible;
    if (isVisible) this.fill();
    else if (!this.isInUse()) this.empty();
  }

  // A video that plays and a node that has the focus stay.
  isInUse() {
    return this.node.contains(document.activeElement) || (this.player && !this.player.screen.paused);
  }

  empty() {
    const width = this.body.clientWidth || 900;
    const height = this.plans.reduce((sum, { lanes }) => sum + stack(lanes, width), 0);
    this.body.style.minHeight = `${this.body.clientHeight || height + 30}px`;
    this.body.replaceChildren();
    this.tracks = [];
    this.player = null;
  }

  fill() {
    const { state } = this, isNew = !this.tracks.length;
    if (isNew) this.build();
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
    this.draw();
  }

  build() {
    const { video, state } = this, source = sourceOf(video.name);
    this.tracks = state.runs.map((run, r) => {
      const holder = element("div", { tabindex: 0, role: "img", class: "timeline" });
      const head = element("div", { class: "playhead", hidden: true });
      const track = { holder, head, r, boxes: [], node: element("div", { class: "track" },
        state.runs.length > 1 ? element("h4", {}, run.name) : null, holder, head) };
      this.listen(track);
      return track;
    });
    this.player = source && new Player(source, video, second => this.runningAt(second),
                                       second => this.showHead(second));
    this.more = button("", () => { this.showAll = !this.showAll; this.refresh(); },
                       { class: "link more" });
    this.list = element("div");
    this.details = element("details", { class: "numbers", ontoggle: () => this.fillList() },
      element("summary", {}, "As a table"), this.list);
    this.body.style.minHeight = "";
    this.body.replaceChildren(
      element("div", { class: source ? "beside" : "" }, this.player?.node ?? null,
        element("div", { class: "tracks" }, this.tracks.map(({ node }) => node))),
      element("div", { class: "below" }, this.details, this.more,
        button("SVG", () => saveFigure(this.tracks[0].holder.firstChild, this.video.name,
          this.tracks.map(({ holder }) => holder.firstChild)),
          { class: "link save", title: "Save the timeline as a figure" })));
  }

  draw() {
    if (this.pending || !this.isVisible || !this.tracks.length) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      for (const track of this.tracks) this.drawTrack(track);
      if (this.player) this.showHead(this.player.screen.currentTime);
    });
  }

  drawTrack(track) {
    const width = track.holder.clientWidth;
    if (width <= 0) return;
    track.width = width;
    const { image, boxes } = drawTimeline(width, this.video, this.state, this.plans[track.r],
                                          this.view, this.chosen);
    track.boxes = boxes;
    track.holder.replaceChildren(image);
  }

  // ---- the video --------------------------------------------------------------------------------

  runningAt(second) {
    const { video, state } = this, lines = [];
    this.plans.forEach(({ lanes }, r) => {
      for (const item of lanes.flatMap(lane => [...(r ? [] : lane.actions), ...lane.found])) {
        const rows = rowsOf(video, item), name = state.classes[rows.label[item.index]];
        if (rows.start[item.index] > second || rows.end[item.index] <= second) continue;
        lines.push([item.isAction ? `${name} (action)`
          : `${name} ${short(video.runs[r].scores[item.index])}`
            + (state.runs.length > 1 ? `, ${state.runs[r].name}` : ""), item.kind]);
      }
    });
    return lines.slice(0, 8);
  }

  showHead(second) {
    for (const { head, width } of this.tracks) {
      const { left, right } = areaOfTimeline(width ?? 0), [start, end] = this.view;
      head.hidden = second < start || second > end || !width
        || (this.player.screen.paused && second === 0);
      head.style.left = `${scale(this.view, left, right)(second)}px`;
    }
  }

  play(item, second) {
    if (!this.player) return;
    const rows = item && rowsOf(this.video, item);
    this.player.play(item ? rows.start[item.index] : second, item ? rows.end[item.index] : null);
  }

  // ---- moving -----------------------------------------------------------------------------------

  look([start, end]) {
    const { duration } = this.video, least = Math.min(duration, 0.5);
    const size = Math.min(duration, Math.max(least, end - start));
    const from = Math.min(Math.max(0, start + (end - start - size) / 2), duration - size);
    this.view = [from, from + size];
    this.draw();
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

  secondsAt(x, width) {
    const { left, right } = areaOfTimeline(width);
    return this.view[0] + (x - left) / (right - left) * (this.view[1] - this.view[0]);
  }

  listen(track) {
    const { holder } = track;
    const at = event => {
      const frame = holder.getBoundingClientRect();
      return [event.clientX - frame.left, event.clientY - frame.top];
    };
    const listeners = {
      keydown: event => this.key(event),
      blur: () => { this.chosen = null; hideTip(); this.draw(); },
      dblclick: event => this.zoom(0.4, this.secondsAt(at(event)[0], track.width)),
      pointerdown: event => {
        this.held = { x: event.clientX, view: this.view, moved: false };
        holder.setPointerCapture(event.pointerId);
      },
      pointercancel: () => { this.held = null; },
      pointerup: event => {
        const wasClick = this.held && !this.held.moved, [x, y] = at(event);
        this.held = null;
        if (wasClick) this.play(this.boxAt(track, x, y)?.item, this.secondsAt(x, track.width));
      },
      pointermove: event => this.point(event, track, ...at(event)),
      pointerleave: hideTip,
    };
    for (const [name, act] of Object.entries(listeners)) holder.addEventListener(name, act);
    holder.addEventListener("wheel", event => {
      // Without a key held the wheel scrolls the page.
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoom(Math.exp(event.deltaY * 0.004), this.secondsAt(at(event)[0], track.width));
    }, { passive: false });
  }

  point(event, track, x, y) {
    if (this.held) {
      const by = this.held.x - event.clientX;
      this.held.moved ||= Math.abs(by) > A_CLICK;
      if (!this.held.moved) return;
      const { left, right } = areaOfTimeline(track.width), [start, end] = this.held.view;
      const seconds = by / (right - left) * (end - start);
      this.look([start + seconds, end + seconds]);
      return hideTip();
    }
    const box = this.boxAt(track, x, y);
    track.holder.classList.toggle("over", Boolean(box));
    if (!box) return hideTip();
    showTip(describe(this.video, box.item, this.state), event.clientX, event.clientY);
  }

  // The box under a point, or the nearest one a few pixels beside it.
  boxAt({ boxes }, x, y) {
    const near = by => boxes.findLast(box => x >= box.x - by && x <= box.x + box.width + by
      && y >= box.y - by && y <= box.y + box.height + by);
    return near(0) ?? near(3);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const whole = () => this.look([0, this.video.duration]);
    const acts = { ArrowLeft: () => this.move(-0.2), ArrowRight: () => this.move(0.2),
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      Home: whole, "0": whole, n: () => this.step(1), p: () => this.step(-1),
      Enter: () => { if (this.chosen) this.play(this.chosen); },
      Escape: () => { this.chosen = null; hideTip(); } };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
    this.draw();
  }

  // From one action or detection to the next in time, in sight, with its tooltip, read aloud.
  step(by) {
    const items = this.itemsInTime(), { video } = this;
    if (!items.length) return;
    const now = this.chosen ? items.findIndex(item => same(item, this.chosen)) : by > 0 ? -1 : 0;
    this.chosen = items[(now + by + items.length) % items.length];
    const rows = rowsOf(video, this.chosen), i = this.chosen.index, track
      = this.tracks[this.chosen.r];
    const middle = (rows.start[i] + rows.end[i]) / 2, [start, end] = this.view;
    if (middle < start || middle > end) {
      this.look([middle - (end - start) / 2, middle + (end - start) / 2]);
    }
    const lines = describe(video, this.chosen, this.state);
    this.spoken.textContent = lines.join(", ");
    const frame = track.holder.getBoundingClientRect();
    const { left, right } = areaOfTimeline(track.width);
    const lane = this.plans[track.r].lanes.find(({ label }) => label === rows.label[i]);
    showTip(lines, frame.left + scale(this.view, left, right)(middle),
            frame.top + lane.y + lane.height / 2);
  }

  itemsInTime() {
    const start = item => rowsOf(this.video, item).start[item.index];
    return this.plans.flatMap(({ lanes }) => lanes)
      .flatMap(lane => [...lane.actions, ...lane.found])
      .sort((a, b) => start(a) - start(b) || b.isAction - a.isAction);
  }

  fillList() {
    if (!this.details?.open) return;
    const { video, state } = this, several = state.runs.length > 1;
    const header = ["Class", "What", "Start", "End", "Score", "State", ...(several ? ["Run"] : [])];
    this.list.replaceChildren(scroller({ class: "tall" }, table(header,
      this.itemsInTime().map(item => {
        const rows = rowsOf(video, item), i = item.index;
        return [state.classes[rows.label[i]], item.isAction ? "action" : "detection",
          clock(rows.start[i], 2), clock(rows.end[i], 2),
          item.isAction ? "" : short(video.runs[item.r].scores[i]),
          item.isAction ? (item.kind === FOUND ? "found" : "missed") : KINDS[item.kind][1],
          ...(several ? [state.runs[item.r].name] : [])];
      }))));
  }
}
