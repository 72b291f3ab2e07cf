// The card of one video: its timeline, which zooms and moves, and the same as a table.
const WATCHER = new IntersectionObserver(entries => {
  for (const { target, isIntersecting } of entries) {
    target.timeline.visible = isIntersecting;
    if (isIntersecting) target.timeline.draw();
  }
}, { rootMargin: "200px" });

class Timeline {
  constructor(video, state) {
    Object.assign(this, { video, state, view: [0, video.duration], visible: false, boxes: [],
      showAll: false, chosen: null, pending: false });
    this.build();
    this.listen();
    this.refresh();
    WATCHER.observe(this.node);
  }

  build() {
    const { video } = this;
    const button = (label, what, act) => element("button", { type: "button", "aria-label": what,
      title: what, onclick: act }, label);
    this.facts = element("p", { class: "facts" });
    this.canvas = element("canvas", { tabindex: 0, role: "img", class: "timeline" });
    this.spoken = element("p", { class: "unseen", "aria-live": "polite" });
    this.more = element("button", { type: "button", class: "link more", onclick: () => {
      this.showAll = !this.showAll;
      this.refresh();
    } });
    this.list = element("div", { class: "scroll tall" });
    this.details = element("details", { class: "numbers", ontoggle: () => this.fillList() },
      element("summary", {}, "As a table"), this.list);
    this.node = element("article", { class: "card video", "aria-label": `video ${video.name}` },
      element("header", {}, element("h3", {}, video.name), this.facts,
        element("div", { class: "zoom", role: "group", "aria-label": "Zoom" },
          button("\u2212", "zoom out", () => this.zoom(2)),
          button("+", "zoom in", () => this.zoom(0.5)),
          button("Whole", "show the whole video", () => this.look([0, video.duration])))),
      this.canvas, this.spoken, element("div", { class: "below" }, this.details, this.more));
    this.node.timeline = this;
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.node);
  }

  remove() {
    WATCHER.unobserve(this.node);
    this.sizes.disconnect();
    this.node.remove();
  }

  // Lay out anew what the reader has chosen, and draw it when it is in sight.
  refresh() {
    const { video, state } = this, sums = tally(video, state);
    this.plan = layOut(video, state, this.showAll);
    this.canvas.style.height = `${this.plan.height}px`;
    this.facts.replaceChildren(...this.words(sums));
    this.canvas.setAttribute("aria-label", `Timeline of ${video.name}: `
      + `${this.facts.textContent}. Arrow keys move, + and - zoom, N and P go from item to item.`);
    const { classes, detections } = this.plan.hidden;
    this.more.hidden = !classes && !this.showAll;
    this.more.textContent = this.showAll ? "Show fewer classes"
      : `Show ${plural(detections, "detection")} of ${classes} more `
        + (classes > 1 ? "classes" : "class");
    this.chosen = null;
    this.fillList();
    this.draw();
  }

  words({ actions, found, detections, wrong }) {
    const { video } = this;
    return [clock(video.duration, 0), video.known ? null : "not in the ground truth",
      `${found} of ${plural(actions, "action")} found`,
      `${plural(detections, "detection")}, ${count(wrong)} wrong`].filter(Boolean)
      .map(fact => element("span", {}, `${fact} `));
  }

  draw() {
    if (this.pending || !this.visible) return;
    this.pending = true;
    requestAnimationFrame(() => {
      this.pending = false;
      const width = this.canvas.clientWidth;
      if (width > 0) {
        this.boxes = draw(this.canvas, width, this.video, this.state, this.plan, this.view,
                          this.chosen);
      }
    });
  }

  // ---- moving -----------------------------------------------------------------------------------

  look([start, end]) {
    const { duration } = this.video, least = Math.min(duration, 0.5);
    const size = Math.min(duration, Math.max(least, end - start));
    const from = Math.min(Math.max(0, start + (end - start - size) / 2), duration - size);
    this.view = [from, from + size];
    this.draw();
  }

  zoom(factor, at = (this.view[0] + this.view[1]) / 2) {
    const [start, end] = this.view;
    this.look([at - (at - start) * factor, at + (end - at) * factor]);
  }

  move(share) {
    const size = this.view[1] - this.view[0];
    this.look([this.view[0] + share * size, this.view[1] + share * size]);
  }

  secondsAt(x) {
    const width = this.canvas.clientWidth, left = gutter(width);
    return this.view[0] + (x - left) / (width - 8 - left) * (this.view[1] - this.view[0]);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("keydown", event => this.key(event));
    canvas.addEventListener("blur", () => { this.chosen = null; hideTip(); this.draw(); });
    canvas.addEventListener("dblclick", event => this.zoom(0.4, this.secondsAt(event.offsetX)));
    canvas.addEventListener("wheel", event => {
      // Without a key held the wheel scrolls the page.
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoom(Math.exp(event.deltaY * 0.004), this.secondsAt(event.offsetX));
    }, { passive: false });
    canvas.addEventListener("pointerdown", event => {
      this.held = { x: event.clientX, view: this.view };
      canvas.setPointerCapture(event.pointerId);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, () => { this.held = null; });
    }
    canvas.addEventListener("pointermove", event => this.point(event));
    canvas.addEventListener("pointerleave", hideTip);
  }

  point(event) {
    if (this.held) {
      const width = this.canvas.clientWidth, across = width - 8 - gutter(width);
      const [start, end] = this.held.view;
      const by = (this.held.x - event.clientX) / across * (end - start);
      this.look([start + by, end + by]);
      return hideTip();
    }
    const box = this.boxAt(event.offsetX, event.offsetY);
    this.canvas.classList.toggle("over", Boolean(box));
    if (!box) return hideTip();
    showTip(describe(this.video, box.item, this.state), event.clientX, event.clientY);
  }

  // The box under a point, or the nearest one a few pixels beside it.
  boxAt(x, y) {
    const near = by => this.boxes.findLast(box => x >= box.x - by && x <= box.x + box.width + by
      && y >= box.y - by && y <= box.y + box.height + by);
    return near(0) ?? near(3);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const whole = () => this.look([0, this.video.duration]);
    const acts = { ArrowLeft: () => this.move(-0.2), ArrowRight: () => this.move(0.2),
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      Home: whole, "0": whole, n: () => this.step(1), p: () => this.step(-1),
      Escape: () => { this.chosen = null; hideTip(); } };
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act) return;
    event.preventDefault();
    act();
    this.draw();
  }

  // From one action or detection to the next in time, in sight, with its tooltip, read aloud.
  step(by) {
    const items = this.itemsInTime();
    if (!items.length) return;
    const now = this.chosen ? items.findIndex(item => same(item, this.chosen)) : by > 0 ? -1 : 0;
    this.chosen = items[(now + by + items.length) % items.length];
    const rows = this.chosen.kind === "action" ? this.video.actions : this.video.found;
    const middle = (rows.start[this.chosen.index] + rows.end[this.chosen.index]) / 2;
    const [start, end] = this.view;
    if (middle < start || middle > end) {
      this.look([middle - (end - start) / 2, middle + (end - start) / 2]);
    }
    const lines = describe(this.video, this.chosen, this.state);
    this.spoken.textContent = lines.join(", ");
    const frame = this.canvas.getBoundingClientRect(), width = this.canvas.clientWidth;
    const lane = this.plan.lanes.find(({ label }) => label === rows.label[this.chosen.index]);
    showTip(lines, frame.left + scale(this.view, gutter(width), width - 8)(middle),
            frame.top + lane.y + lane.height / 2);
  }

  itemsInTime() {
    const start = item => (item.kind === "action" ? this.video.actions : this.video.found)
      .start[item.index];
    return this.plan.lanes.flatMap(lane => [...lane.actions, ...lane.found])
      .sort((a, b) => start(a) - start(b) || (a.kind === "found") - (b.kind === "found"));
  }

  fillList() {
    if (!this.details.open) return;
    const { video, state } = this;
    this.list.replaceChildren(table(["Class", "What", "Start", "End", "Score", "State"],
      this.itemsInTime().map(item => {
        const isAction = item.kind === "action", rows = isAction ? video.actions : video.found;
        return [state.classes[rows.label[item.index]], isAction ? "action" : "detection",
          clock(rows.start[item.index], 2), clock(rows.end[item.index], 2),
          isAction ? "" : short(video.scores[item.index]),
          isAction ? (item.right ? "found" : "missed") : (item.right ? "right" : "wrong")];
      })));
  }
}
