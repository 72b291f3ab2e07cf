// The timeline of one run on the card of a video: its drawing, the pointer on it, the playhead.
const A_CLICK = 4;      // pixels that the pointer may move between down and up

class Track {
  constructor(card, r) {
    Object.assign(this, { card, r, boxes: [], width: 0, held: null });
    this.holder = element("div", { tabindex: 0, role: "img", class: "timeline",
      onkeydown: event => card.key(event), onblur: () => card.leave(), onpointerleave: hideTip,
      ondblclick: event => card.zoom(0.4, this.secondsAt(this.pointOf(event)[0])),
      onpointerdown: event => this.take(event), onpointermove: event => this.point(event),
      onpointercancel: () => { this.held = null; }, onpointerup: event => this.release(event) });
    // Without a key held the wheel scrolls the page.
    this.holder.addEventListener("wheel", event => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      card.zoom(Math.exp(event.deltaY * 0.004), this.secondsAt(this.pointOf(event)[0]));
    }, { passive: false });
    this.head = element("div", { class: "playhead", hidden: true });
    this.node = element("div", { class: "track" }, headOf(card.state, r), this.holder, this.head);
  }

  get image() { return this.holder.firstChild; }

  draw() {
    if (!this.width) return;
    const { state, plans, view, chosen } = this.card;
    const { image, boxes } = drawTimeline(this.width, state, plans[this.r], view, chosen);
    this.boxes = boxes;
    this.holder.replaceChildren(image);
  }

  // ---- where a second is ------------------------------------------------------------------------

  get place() {
    const { left, right } = areaOfTimeline(this.width);
    return scale(this.card.view, left, right);
  }

  secondsAt(x) {
    const { left, right } = areaOfTimeline(this.width);
    return scale([left, right], ...this.card.view)(x);
  }

  showHead(second, isAtRest) {
    const [start, end] = this.card.view;
    this.head.hidden = isAtRest || second < start || second > end || !this.width;
    this.head.style.left = `${this.place(second)}px`;
  }

  // Show the tooltip of an item as if the pointer were on it.
  showTipOf(item, lines) {
    const frame = this.holder.getBoundingClientRect();
    const lane = this.card.plans[this.r].lanes.find(({ label }) => label === item.label);
    showTip(lines, frame.left + this.place((item.start + item.end) / 2),
            frame.top + lane.y + lane.height / 2);
  }

  // ---- the pointer ------------------------------------------------------------------------------

  pointOf(event) {
    const frame = this.holder.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  take(event) {
    this.held = { x: event.clientX, view: this.card.view, moved: false };
    this.holder.setPointerCapture(event.pointerId);
  }

  release(event) {
    const wasClick = this.held && !this.held.moved, [x, y] = this.pointOf(event);
    this.held = null;
    if (wasClick) this.card.play(this.boxAt(x, y)?.item, this.secondsAt(x));
  }

  point(event) {
    if (this.held) return this.drag(event);
    const box = this.boxAt(...this.pointOf(event)), { video, state } = this.card;
    this.holder.classList.toggle("over", Boolean(box));
    if (!box) return hideTip();
    showTip(describe(video, box.item, state), event.clientX, event.clientY);
  }

  drag(event) {
    const by = this.held.x - event.clientX, { left, right } = areaOfTimeline(this.width);
    this.held.moved ||= Math.abs(by) > A_CLICK;
    if (!this.held.moved) return;
    const [start, end] = this.held.view, seconds = by / (right - left) * (end - start);
    this.card.look([start + seconds, end + seconds]);
    hideTip();
  }

  // The box under a point, or the nearest one within a few pixels.
  boxAt(x, y) {
    const near = by => this.boxes.findLast(box => x >= box.x - by && x <= box.x + box.width + by
      && y >= box.y - by && y <= box.y + box.height + by);
    return near(0) ?? near(3);
  }
}
