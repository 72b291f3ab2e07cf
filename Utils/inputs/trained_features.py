"""Features as a training uses them: with deltas, standardized; and the same in its checkpoint."""

import dataclasses

from Utils.data.annotations import frames_per_second
from Utils.data.sidecars import check_identities
from Utils.data.standard import Standard, check_streams, is_uneven
from Utils.files import counted

SAME_RATE = 1.05    # largest ratio of feature rates of videos that count as equal
# With deltas, channels say more about each other; docs/strong_recipe.md has the measurements.
DROPOUT_WITH_DELTAS = 0.3


def prepare_features(config, source):
    """Decide whether training adds deltas to the features and standardizes them.

    Measures what that takes. -> Config, with what the data decide about deltas and
    channel dropout.
    """
    store, names = source.features, [video.name for video in source.videos["train"]]
    decides = "auto" in (config.standardize, config.deltas) and config.recipe == "strong"
    # Channels of an extractor have one unit.
    uneven = decides and not source.extractors and is_uneven(store, names)
    is_on = {"on": True, "off": False}
    store.deltas = is_on.get(config.deltas, uneven and config.standardize != "off")
    if is_on.get(config.standardize, uneven or store.deltas or bool(source.extractors)):
        store.standard = Standard.measured(store, names)
    if not store.deltas:
        return config
    dropout = (config.feature_dropout if config.recipe == "paper" or "feature_dropout" in
               config.given else DROPOUT_WITH_DELTAS)
    return dataclasses.replace(config, deltas="on", feature_dropout=dropout)


def standard_lines(source):
    """Lines about features that are not used as they are in the files."""
    standard, lines = source.features.standard, []
    if source.features.deltas:
        lines.append("deltas are added to the feature channels: their changes from frame to frame")
    if standard is not None:
        constant = standard.num_constant
        lines.append("features are standardized per channel over the training videos" + (
            f"; {counted(constant, 'constant channel')} set to zero" if constant else ""))
    return lines


def feature_state(source):
    """What a checkpoint stores about the features: standardization, extractors and rate."""
    standard, rate = source.features.standard, usual_rate(source)
    return ({"standard": standard.state()} if standard else {}) | (
        {"extractors": source.extractors} if source.extractors else {}) | (
        {"feature_rate": rate} if rate else {})


def usual_rate(source):
    """Features per second of the videos; None if they differ."""
    rates = sorted(frames_per_second(video, source.frames(video)) for video in source.all_videos)
    return rates[len(rates) // 2] if rates and rates[-1] <= SAME_RATE * rates[0] else None


def use_features_of(checkpoint, store, extractors, path):
    """Add deltas and standardize as a checkpoint says; refuse features of another extractor.

    extractors: {stream: identity} of the features, if sidecars say. path: for messages.
    """
    check_identities(extractors, checkpoint.get("extractors"), path)
    store.deltas = checkpoint.get("settings", {}).get("deltas") == "on"
    store.standard = Standard.of(checkpoint.get("standard"))
    if store.standard:
        store.standard = store.standard.fitting(store)
        check_streams(store.standard, store)
