// The section of DETAD's diagnosis, from the content of detad.json.
const KIND_OF = new Map(KINDS.map(([key, name, meaning], kind) =>
  [key, { paint: `k${kind}`, name, meaning }]));

function kindCalled(key) {
  return KIND_OF.get(key) ?? { paint: "k5", name: words(key), meaning: "" };
}

function fillDiagnosis(section, data) {
  const { detad } = data;
  if (!detad) return false;
  section.append(note(`DETAD on ${plural(detad.num_instances, "action")}: average mAP_N `
    + `${percent(detad.average_mAP_N)} % at tIoU ${spanOf(detad.tiou_thresholds)}, where every `
    + "class counts as if it had as many actions as the mean class."));
  const silent = detad.videos_without_detections ?? [];
  if (silent.length) {
    section.append(note(`${plural(silent.length, "video")} of the ground truth `
      + `${silent.length === 1 ? "has" : "have"} no detections: ${listed(silent)}.`));
  }
  section.append(element("div", { class: "grid" },
    falsePositives(detad.false_positives), impact(detad.false_positives)));
  const names = Object.keys(detad.buckets ?? {});
  for (const line of detad.bucket_notes ?? []) section.append(note(line));
  if (names.length) section.append(sensitivity(detad, names), misses(detad, names));
  const pairsOf = Object.entries(detad.false_negative_pairs ?? {});
  if (pairsOf.length) section.append(missedPairs(detad, pairsOf));
  return true;
}

function spanOf(values) {
  return values.length > 1 ? `${short(values[0])} to ${short(values.at(-1))}` : short(values[0]);
}

// ---- false positives ----------------------------------------------------------------------------

function falsePositives(part) {
  const kinds = Object.keys(part.counts);
  const columns = part.top_kG.filter(group => Object.values(group.counts).some(Boolean))
    .map(({ group, counts, fraction }) => ({ name: `${group}G`, parts: kinds.map(kind => ({
      share: fraction[kind], paint: kindCalled(kind).paint,
      tip: [`${kindCalled(kind).name}: ${percent(fraction[kind])} %`,
            `${count(Math.round(counts[kind]))} detections of the ${group}G`,
            kindCalled(kind).meaning] })) }));
  return card("What the best detections are", stackedBars(
    "Kinds of detections by rank", columns, { label: "Rank (G: the actions of a class)" },
    { label: "Share (%)", format: value => percent(value, 0) },
    { height: 430, legend: kinds.map(
      kind => [kindCalled(kind).name, kindCalled(kind).paint]) }));
}

function impact(part) {
  const rows = Object.entries(part.impact).map(([kind, value]) =>
    ({ name: kindCalled(kind).name, value: 100 * value, paint: kindCalled(kind).paint }));
  return card("What the score would gain without an error",
    sideBars("Gain in average mAP_N without each kind of error", rows,
      value => (value >= 0 ? "+" : "") + value.toFixed(1)),
    note("Points of average mAP_N if all false positives of a kind were gone."),
    scroller({}, table(["Kind", "Detections", "Share (%)", "Meaning"],
      Object.keys(part.counts).map(kind => [kindCalled(kind).name,
        count(Math.round(part.counts[kind])), percent(part.fraction[kind]),
        kindCalled(kind).meaning]), "last-words")));
}

// ---- characteristics ----------------------------------------------------------------------------

function bucketGroups(detad, names, valueOf, tipOf) {
  return names.map((name, i) => ({ name: withUnit(detad, name), bars: Object.entries(detad.buckets[name]).map(
    ([label, bucket]) => ({ label: `${label}\n${bucket.limits}`, value: valueOf(name, label),
      paint: `c${i % 6}`, tip: [`${name} ${label} (${bucket.limits} ${bucket.unit})`,
            plural(bucket.num_instances, "action"), ...tipOf(name, label)] })) }));
}

// The name of a characteristic with the unit of its limits.
function withUnit(detad, name) {
  const [{ unit }] = Object.values(detad.buckets[name]);
  return unit ? `${name} (${unit})` : name;
}

function sensitivity(detad, names) {
  const valueOf = (name, label) => detad.sensitivity[name]?.[label] ?? null;
  const groups = bucketGroups(detad, names, valueOf,
    (name, label) => [`average mAP_N ${percent(valueOf(name, label))} %`]);
  const base = detad.average_mAP_N;
  const top = Math.max(topOf(groups), topOf([{ bars: [{ value: base }] }]));
  return card("How the score depends on the kind of action",
    barChart("Average mAP_N of each kind of action", groups,
      { ...FRACTION, label: "mAP_N (%)", range: [0, top] },
      { base: { value: base, name: `all\n${percent(base)}` }, slotWidth: 44 }),
    numbers(["Kind", "Interval", "Actions", "mAP_N (%)", "Relative to all"],
      bucketRows(detad, names, (name, label) => {
        const value = valueOf(name, label);
        return [percent(value), isNumber(value) && base ? (value / base).toFixed(2) : NONE];
      })));
}

function misses(detad, names) {
  const entry = (name, label) => detad.false_negatives[name]?.[label] ?? {};
  const groups = bucketGroups(detad, names, (name, label) => entry(name, label).miss_rate ?? null,
    (name, label) => [`${percent(entry(name, label).miss_rate)} % missed`,
                      `${percent(entry(name, label).share)} % of all actions`]);
  const missed = detad.num_missed.reduce((sum, value) => sum + value, 0)
                 / Math.max(1, detad.num_missed.length * detad.num_instances);
  return card("Which actions are missed",
    barChart("Share of missed actions of each kind", groups,
      { ...FRACTION, label: "Missed (%)",
        range: [0, Math.max(topOf(groups), topOf([{ bars: [{ value: missed }] }]))] },
      { base: { value: missed, name: `all\n${percent(missed)}` }, slotWidth: 44 }),
    numbers(["Kind", "Interval", "Actions", "Share (%)", "Missed (%)"],
      bucketRows(detad, names, (name, label) =>
        [percent(entry(name, label).share), percent(entry(name, label).miss_rate)])));
}

function bucketRows(detad, names, rest) {
  return names.flatMap(name => Object.entries(detad.buckets[name]).map(([label, bucket]) =>
    [`${name} ${label}`, `${bucket.limits} ${bucket.unit}`, count(bucket.num_instances),
     ...rest(name, label)]));
}

function missedPairs(detad, pairsOf) {
  const maps = pairsOf.map(([pair, cells]) => {
    const [down, across] = pair.split("|");
    const columns = Object.keys(detad.buckets[across]);
    return scroller({}, element("table", { class: "heat" },
      element("caption", {}, `${down} (down) and ${across}`),
      element("thead", {}, element("tr", {}, element("td"),
        columns.map(name => element("th", { scope: "col" }, name)))),
      element("tbody", {}, Object.keys(detad.buckets[down]).map(name => element("tr", {},
        element("th", { scope: "row" }, name),
        columns.map(other => heatCell(cells[`${name}|${other}`], detad.num_instances)))))));
  });
  return card("Missed actions by two characteristics",
    element("div", { class: "grid small" }, maps),
    note("Percent of the actions that are missed; below it the number of actions."));
}

function heatCell(cell, total) {
  if (!cell) return element("td", { class: "empty" }, NONE);
  return element("td", { class: `h${Math.round(cell.miss_rate * 9)}` }, percent(cell.miss_rate, 0),
    element("small", {}, count(Math.round(cell.share * total))));
}
