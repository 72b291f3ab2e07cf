// Printing: charts are drawn at the width of the paper, and the timelines of all listed videos.
const PAPER = 680;      // pixels across A4 or letter, without margins
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
    if (list) list.mostPrinted = MOST_PRINTED;
    document.documentElement.dataset.theme = theme;
    byId("printed")?.remove();
    for (const figure of charts()) figure.drawAt(null);
  });
}
