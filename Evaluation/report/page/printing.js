// On paper: charts are drawn at its width, and the timelines of all videos that are listed.
const PAPER = 680;      // pixels across A4 or letter, margins taken off
let isPrinting = false;

function preparePrinting(list) {
  const charts = () => document.querySelectorAll("figure.chart");
  let theme = "light";
  addEventListener("beforeprint", () => {
    if (isPrinting) return;
    isPrinting = true;
    theme = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    for (const figure of charts()) figure.drawAt(PAPER - 40);
    list?.holder.after(list.printed(PAPER - 40));
  });
  addEventListener("afterprint", () => {
    isPrinting = false;
    document.documentElement.dataset.theme = theme;
    byId("printed")?.remove();
    for (const figure of charts()) figure.drawAt(null);
  });
}
