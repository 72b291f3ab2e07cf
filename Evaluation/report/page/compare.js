// The section of a comparison: what differs between runs, and whether it is more than chance.
function fillComparison(section, data, state) {
  const { comparison } = data;
  if (!comparison) return false;
  const { runs, verdicts, settings, resamples } = comparison;
  section.append(
    element("div", { class: "card" }, element("h3", {}, "Is the difference real?"),
      verdicts.map(line => element("p", { class: "verdict" }, line)),
      note(`Intervals hold 95 % of ${count(resamples)} draws of the videos, with repetition. They `
        + "say what other videos would change; what another seed of the training would change, "
        + "only more trainings say.")),
    card("Mean average precision (%)", runsTable(data, runs),
      barChart("Mean average precision of each run at each tIoU", data.thresholds.map((tiou, t) =>
        ({ name: short(tiou), bars: runs.map((run, r) => ({ label: "", value: run.mAP[t],
          paint: `c${r % 6}`, tip: [run.name, `tIoU ${short(tiou)}`,
                                         `mAP ${percent(run.mAP[t], 2)} %`] })) })),
        { ...FRACTION, label: "mAP (%)", range: [0, topOf(runs.map(run => ({ bars: run.mAP.map(
          value => ({ value })) })))] },
        { legend: runs.map((run, r) => [run.name, `fill-c${r % 6}`]) })),
    card("Settings that differ", settings.length
      ? scroller({}, table(["Setting", ...runs.map(run => run.name)],
        settings.map(([name, values]) => [words(name), ...values.map(shown)]), "differing"))
      : note("None.")),
    classTable(data, state));
  return true;
}

function interval(difference, digits = 1) {
  if (!difference) return NONE;
  const points = value => `${value > 0 ? "+" : ""}${(100 * value).toFixed(digits)}`;
  const [middle, low, high] = difference;
  return element("span", { class: low > 0 ? "better" : high < 0 ? "worse" : "" },
    points(middle), element("small", {}, ` ${points(low)} to ${points(high)}`));
}

function runsTable({ thresholds, comparison }, runs) {
  const header = ["Run", ...thresholds.map(short), "Average"], rows = [];
  const isShort = runs.some(run => run.short);
  if (isShort) header.push(`Up to ${short(comparison.short_seconds)} s`);
  runs.forEach((run, r) => {
    rows.push([run.name, ...run.mAP.map(value => percent(value)), percent(run.average),
               ...(isShort ? [percent(run.short)] : [])]);
    const { difference } = run;
    if (difference) {
      rows.push([`${run.name} \u2212 ${runs[0].name}`, ...difference.mAP.map(one => interval(one)),
        interval(difference.average), ...(isShort ? [interval(difference.short)] : [])]);
    }
  });
  return scroller({ tabindex: 0, role: "region", "aria-label": "Scores of the runs" },
                  table(header, rows, "runs"));
}

function classTable(data, state) {
  const { runs, classes } = data.comparison;
  const rows = classes.map(row => ({ ...row, name: data.labels[row.label] }));
  const columns = [{ name: "Class", key: row => row.name }, { name: "Actions",
    key: row => row.actions, show: row => count(row.actions) },
    ...runs.map((run, r) => ({ name: run.name, key: row => row.ap[r],
      show: row => percent(row.ap[r]) })),
    ...runs.slice(1).map((run, i) => ({ name: `${run.name} \u2212 ${runs[0].name}`,
      key: row => row.differences[i]?.[0] ?? null, show: row => interval(row.differences[i]) }))];
  const body = element("tbody"), last = columns.length - 1;
  const show = (column, down) => body.replaceChildren(...sorted(rows, column.key, down).map(row =>
    element("tr", {}, element("th", { scope: "row" },
      button(row.name, () => { state.chooseClass(row.label); byId("videos").scrollIntoView(); },
             { class: "link" })),
    columns.slice(1).map(one => element("td", {}, one.show(row))))));
  const head = sortableHead(columns, last, show);
  show(columns[last], true);
  return element("div", { class: "card" }, element("h3", {}, "Classes"),
    note("Average precision in percent, mean over the tIoU. Of many classes some intervals miss "
         + "zero by chance: 1 in 20."),
    scroller({ class: "tall", tabindex: 0, role: "region", "aria-label": "Classes of the runs" },
             element("table", { class: "classes" }, head, body)));
}
