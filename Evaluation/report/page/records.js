// The sections of training and provenance.
const LOSS_NAMES = { total: "total loss", loss_cls_dec: "classification",
  loss_reg_dec: "box regression", loss_bd_adjust: "boundary adjustment",
  loss_action: "actionness", mAP: "average mAP of the validation videos", loss_start: "startness", loss_end: "endness" };

function lossName(name) {
  return Object.hasOwn(LOSS_NAMES, name) ? LOSS_NAMES[name] : words(name);
}

function fillTraining(section, data) {
  const { history, epoch } = data;
  if (!history.length) return false;
  const epochs = history.map((entry, i) => entry.epoch ?? i + 1);
  const names = [...new Set(history.flatMap(entry =>
    [...Object.keys(entry.train ?? {}), ...Object.keys(entry.val ?? {})]))]
    .filter(name => name !== "threshold");
  names.sort((a, b) => (b === "total") - (a === "total"));
  const curves = names.map(name => trainingCurve(name, history, epochs, epoch)).filter(Boolean);
  const best = bestEpoch(history, epochs);
  if (isNumber(epoch)) {
    section.append(note(`The detections are those of the checkpoint after epoch ${short(epoch)}, `
                        + "the dashed line in the curves."));
  }
  const parts = [["train", "training"], ["val", "validation"]];
  section.append(...(best ? [best] : []), element("div", { class: "grid small" }, curves), numbers(
    ["Epoch", ...names.flatMap(name => parts.map(([, word]) => `${lossName(name)}, ${word}`))],
    history.map((entry, i) => [short(epochs[i]), ...names.flatMap(name =>
      parts.map(([part]) => short(entry[part]?.[name])))])));
  return curves.length > 0;
}

function bestEpoch(history, epochs) {
  const losses = history.map(({ val }) => isNumber(val?.total) ? val.total : Infinity);
  const lowest = Math.min(...losses);
  if (!Number.isFinite(lowest)) return null;
  const scores = history.map(({ val }) => isNumber(val?.mAP) ? val.mAP : -1);
  const highest = Math.max(...scores), best = highest < 0 ? "" : ` Highest mAP of the validation `
    + `videos: ${percent(highest)} %, after epoch ${short(epochs[scores.indexOf(highest)])}.`;
  return note(`Lowest validation loss: ${short(lowest)}, after epoch `
              + `${short(epochs[losses.indexOf(lowest)])} of ${short(epochs.at(-1))}.${best}`);
}

function trainingCurve(name, history, epochs, epoch) {
  const series = [["train", "training", "c0"], ["val", "validation", "c1"]].map(
    ([part, label, paint]) => ({ name: label, paint, dashed: part === "val",
      dots: history.length < 40, points: history.map((entry, i) => [epochs[i], entry[part]?.[name]])
        .filter(point => isNumber(point[1])) })).filter(one => one.points.length);
  if (!series.length) return null;
  const values = series.flatMap(one => one.points.map(point => point[1]));
  const top = Math.max(...values), lowest = Math.min(0, ...values);
  return card(lossName(name), lineChart(`${lossName(name)} over the epochs`, series,
    { label: "Epoch", range: [epochs[0], Math.max(epochs.at(-1), epochs[0] + 1)], whole: true,
      format: value => short(Math.round(value)) },
    { label: "", range: [lowest, top > lowest ? top * 1.05 : lowest + 1], format: short },
    { height: 220, mark: epoch }));
}

function fillProvenance(section, data) {
  const { facts, settings, versions, own } = data.provenance;
  const known = (name, entries, kind) => entries.length ? card(name, element("dl", { class: kind },
    entries.map(([key, value]) => element("div", {}, element("dt", {}, words(key)),
      element("dd", {}, shown(value)))))) : null;
  const cards = [known("What was scored", facts), known("Versions", versions)].filter(Boolean);
  const differing = new Set(own), first = settings.filter(([name]) => differing.has(name));
  const all = [known("Settings that differ from the preset", first, "many"),
    known(first.length ? "Other settings" : "Settings",
          settings.filter(([name]) => !differing.has(name)), "many")].filter(Boolean);
  section.append(...all);
  if (cards.length) section.append(element("div", { class: "grid" }, cards));
  return cards.length + all.length > 0;
}

function shown(value) {
  if (value === null || value === undefined) return NONE;
  if (value === true) return "yes";
  if (value === false) return "no";
  if (Array.isArray(value)) return value.length ? value.map(shown).join(", ") : "none";
  if (typeof value === "object") {
    return Object.entries(value).map(([key, part]) => `${key}: ${shown(part)}`).join("; ");
  }
  return String(value);
}
