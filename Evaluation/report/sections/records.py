"""The sections on training and settings."""

from collections.abc import Sequence

from Evaluation.report.sections.in_words import is_number, percent, short, words
from Evaluation.report.sections.parts import axis, card, facts, grid, lines, note, table

LOSS_NAMES = {
    "total": "total loss", "loss_cls_dec": "classification", "loss_reg_dec": "box regression",
    "loss_bd_adjust": "boundary adjustment", "loss_action": "actionness",
    "loss_start": "startness", "loss_end": "endness",
    "mAP": "average mAP of the validation videos"}
PARTS = (("train", "training", "c0"), ("val", "validation", "c1"))
FEW_EPOCHS = 40         # a dot for each
OWN_SECTIONS = ("settings", "versions", "notes")     # of the provenance


# ---- training -----------------------------------------------------------------------------------

def training_parts(history: list, epoch: int | None) -> list:
    """The curves of a training and their table.

    history: [{"epoch", "train": {loss: x}, "val": {...}}]. epoch: of the checkpoint used.
    """
    epochs = [entry.get("epoch") or i + 1 for i, entry in enumerate(history)]
    names = dict.fromkeys(name for entry in history for part, _, _ in PARTS
                          for name in entry.get(part) or {} if name != "threshold")
    names = sorted(names, key=lambda name: name != "total")
    curves = [curve for name in names if (curve := _curve(name, history, epochs, epoch))]
    if not curves:
        return []
    header = ["Epoch", *(f"{_loss_name(name)}, {word}" for name in names for _, word, _ in PARTS)]
    rows = [[short(epochs[i]), *(short(_value(entry, part, name)) for name in names
                                 for part, _, _ in PARTS)] for i, entry in enumerate(history)]
    used = note(f"The detections are those of the checkpoint after epoch {short(epoch)}, "
                "which a dashed line marks in the curves.") if is_number(epoch) else None
    return [part for part in (used, _best_epoch(history, epochs), grid(*curves, kind="small"),
                              table(header, rows, folded=True)) if part]


def _loss_name(name):
    return LOSS_NAMES.get(name) or words(name)


def _value(entry, part, name):
    return (entry.get(part) or {}).get(name)


def _best_epoch(history, epochs):
    """A note about the best epochs on the validation videos."""
    losses = [(value, epoch) for entry, epoch in zip(history, epochs, strict=True)
              if is_number(value := _value(entry, "val", "total"))]
    if not losses:
        return None
    scores = [(value, -epoch) for entry, epoch in zip(history, epochs, strict=True)
              if is_number(value := _value(entry, "val", "mAP"))]
    lowest, first = min(losses)
    text = (f"Lowest validation loss: {short(lowest)}, after epoch {short(first)} of "
            f"{short(epochs[-1])}.")
    if scores:
        highest, first = max(scores)
        text += (f" Highest mAP of the validation videos: {percent(highest)} %, after epoch "
                 f"{short(-first)}.")
    return note(text)


def _curve(name, history, epochs, epoch):
    """The card of one loss, or None without numbers."""
    series = []
    for part, word, paint in PARTS:
        points = [[at, value] for at, entry in zip(epochs, history, strict=True)
                  if is_number(value := _value(entry, part, name))]
        if points:
            series.append({"name": word, "paint": paint, "points": points,
                           "dashed": part == "val", "dots": len(history) < FEW_EPOCHS})
    if not series:
        return None
    values = [value for one in series for _, value in one["points"]]
    top, lowest = max(values), min(0, *values)
    return card(_loss_name(name), lines(
        f"{_loss_name(name)} over the epochs", series,
        axis("Epoch", epochs[0], max(epochs[-1], epochs[0] + 1), whole=True),
        axis("", lowest, top * 1.05 if top > lowest else lowest + 1), 220, epoch))


# ---- settings -----------------------------------------------------------------------------------

def settings_parts(provenance: dict, own: Sequence[str]) -> list:
    """What was scored, and with which settings.

    own: names of the settings to show first.
    """
    settings = provenance.get("settings") or {}
    first = {name: value for name, value in settings.items() if name in own}
    rest = {name: value for name, value in settings.items() if name not in own}
    sources = {name: value for name, value in provenance.items() if name not in OWN_SECTIONS}
    cards = [_facts_card("Settings that differ from the preset", first, "many"),
             _facts_card("Other settings" if first else "Settings", rest, "many")]
    below = [_facts_card("What was scored", sources),
             _facts_card("Versions", provenance.get("versions") or {})]
    return [part for part in (*cards, grid(*below) if any(below) else None) if part]


def run_parts(folders: Sequence[tuple[str, str]]) -> list:
    """Which runs are compared: (name, folder) of each."""
    return [grid(card("What was scored", facts(folders)))]


def _facts_card(title, entries, kind=""):
    if not entries:
        return None
    named = [(words(name), shown(value)) for name, value in entries.items()]
    return card(title, facts(named, kind))


def shown(value: object) -> str:
    """The value of a setting as text."""
    if value is None or isinstance(value, bool):
        return {None: "\u2013", True: "yes", False: "no"}[value]
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) if value else "none"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {shown(part)}" for name, part in value.items())
    return str(value)
