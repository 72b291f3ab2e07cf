// Elements, words for numbers, and the one tooltip. Text from data is only ever set as text.
const SVG = "http://www.w3.org/2000/svg";
const NONE = "\u2013";

function element(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

// on...: a listener; false and null leave an attribute out.
function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined));
  return node;
}

function byId(id) { return document.getElementById(id); }

function isNumber(value) { return typeof value === "number" && Number.isFinite(value); }

function percent(value, digits = 1) {
  return isNumber(value) ? (100 * value).toFixed(digits) : NONE;
}

const GROUPED = new Intl.NumberFormat("en-US");

function count(value) { return isNumber(value) ? GROUPED.format(value) : NONE; }

function plural(number, word) { return `${count(number)} ${word}${number === 1 ? "" : "s"}`; }

// Few digits, but enough to distinguish neighbours.
function short(value) {
  if (!isNumber(value)) return NONE;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-4) return value.toExponential(2);
  return String(Number(value.toPrecision(4)));
}

// Seconds as 1:02.3 or, from an hour on, 1:02:03.4
function clock(seconds, digits = 1) {
  const unit = 10 ** digits, total = Math.round(Math.abs(seconds) * unit);
  const whole = Math.floor(total / unit);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = number => String(number).padStart(2, "0");
  const text = parts[0] ? `${parts[0]}:${two(parts[1])}:${two(parts[2])}`
                        : `${parts[1]}:${two(parts[2])}`;
  const fraction = digits ? "." + String(total % unit).padStart(digits, "0") : "";
  return (seconds < 0 && total ? "-" : "") + text + fraction;
}

// The i-th of n ordered colours.
function ordered(i, n) { return `q${n < 2 ? 4 : Math.round(i / (n - 1) * 9)}`; }

// ---- tooltip ------------------------------------------------------------------------------------

function showTip(lines, x, y) {
  const tip = byId("tip");
  tip.replaceChildren(...lines.map(line => element("div", {}, line)));
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const room = document.documentElement.clientWidth - width - 8;
  const left = Math.min(Math.max(8, x + 14), room);
  const top = y + 18 + height > innerHeight ? y - height - 12 : y + 18;
  tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(Math.max(8, top))}px)`;
}

function hideTip() {
  const tip = byId("tip");
  if (!tip.hidden) tip.hidden = true;
}

// Shows `lines` while the pointer is over a node.
function withTip(node, lines) {
  node.addEventListener("pointermove", event => showTip(lines, event.clientX, event.clientY));
  node.addEventListener("pointerleave", hideTip);
  return node;
}

// ---- parts of the page --------------------------------------------------------------------------

function card(title, ...children) {
  return element("div", { class: "card" }, title ? element("h3", {}, title) : null, ...children);
}

function swatch(paint, mark = "") { return element("i", { class: `swatch ${paint} ${mark}` }); }

function note(text, className = "note") { return element("p", { class: className }, text); }

// A labelled <select>. options: [[value, text]]; change gets the value.
function chooser(id, label, options, value, change) {
  const select = element("select", { id, onchange: event => change(event.target.value) },
    options.map(([option, text]) => element("option", { value: option }, text)));
  select.value = value;
  return element("label", { class: "field" }, element("span", {}, label), select);
}

// A table whose first column heads its rows. header: texts; rows: arrays, see `tableRow`.
function table(header, rows, className = "", caption = null) {
  const heads = header.map(text => element("th", { scope: "col" }, text));
  return element("table", { class: className }, caption && element("caption", {}, caption),
    element("thead", {}, element("tr", {}, heads)), element("tbody", {}, rows.map(tableRow)));
}

// Cells are texts, nodes, or { text, small: words after it, kind: its class }.
function tableRow([first, ...rest]) {
  return element("tr", {}, element("th", { scope: "row" }, first), rest.map(cell =>
    cell?.kind === undefined ? element("td", {}, cell)
      : element("td", { class: cell.kind }, cell.text,
                cell.small && element("small", {}, ` ${cell.small}`))));
}

// A box that scrolls if its content is too large, and shows on which side there is more.
function scroller(attributes, ...children) {
  const inner = element("div", { ...attributes, class: `scroll ${attributes.class ?? ""}` },
    children);
  const outer = element("div", { class: "scroller" }, inner);
  const look = () => {
    const { scrollLeft, scrollWidth, clientWidth } = inner;
    outer.classList.toggle("more-left", scrollLeft > 2);
    outer.classList.toggle("more-right", scrollLeft + clientWidth < scrollWidth - 2);
  };
  inner.addEventListener("scroll", look, { passive: true });
  new ResizeObserver(look).observe(inner);
  return Object.assign(outer, { look });
}

function button(label, act, attributes = {}) {
  return element("button", { type: "button", ...attributes, onclick: act }, label);
}

// Names in natural order: 2 before 10.
function byName(a, b) { return String(a).localeCompare(String(b), "en", { numeric: true }); }
