// Videos next to their timelines: linked by the report or added by the reader, and matched by file
// name without extension. Added files stay on the machine: the page reads them locally.
const SOURCES = new Map();      // stem -> address

function stemOf(name) { return String(name).split(/[\\/]/).at(-1).replace(/\.[^.]+$/, ""); }

function sourceOf(name) {
  const last = String(name).split(/[\\/]/).at(-1);
  return SOURCES.get(last) ?? SOURCES.get(stemOf(name)) ?? null;
}

// Add files from the reader; returns how many of them have the name of a video.
function takeFiles(files, videos) {
  for (const file of files) {
    const stem = stemOf(file.name), old = SOURCES.get(stem);
    if (old?.startsWith("blob:")) URL.revokeObjectURL(old);
    SOURCES.set(stem, URL.createObjectURL(file));
  }
  const names = new Set(videos.flatMap(({ name }) => [name.split(/[\\/]/).at(-1), stemOf(name)]));
  return [...files].filter(file => names.has(stemOf(file.name))).length;
}

// The <video> of a timeline. moved: called with the second that is shown.
class Player {
  constructor(source, video, running, moved) {
    Object.assign(this, { running, moved, until: null });
    this.screen = element("video", { controls: true, playsinline: true, preload: "metadata",
      src: source, "aria-label": `Video ${video.name}`,
      ontimeupdate: () => this.follow(), onseeked: () => this.follow(),
      onplay: () => this.tick(),
      onerror: () => { this.now.textContent = "This browser cannot play the file."; } });
    this.now = element("p", { class: "now" }, "Click the timeline to play from there.");
    this.node = element("div", { class: "player" }, this.screen, this.now);
  }

  // Play from a second on; an item to its end.
  play(from, until = null) {
    this.until = until;
    this.screen.currentTime = Math.max(0, from);
    this.screen.play().catch(() => {});      // a newer call may have come in between
  }

  tick() {
    this.follow();
    if (!this.screen.paused && this.screen.isConnected) requestAnimationFrame(() => this.tick());
  }

  follow() {
    const second = this.screen.currentTime;
    if (this.until !== null && second >= this.until) {
      this.until = null;
      this.screen.pause();
    }
    this.moved(second);
    this.now.replaceChildren(element("b", {}, clock(second)), ...this.running(second).map(
      ([words, kind]) => element("span", {}, swatch(`k${kind}`), words)));
  }
}
