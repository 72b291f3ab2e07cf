"""The options of one run: defaults, presets, the command line and stored settings, combined.

`parse_config(script, argv)` returns a `Config`. In rising order of precedence, a value
comes from the default, the preset of the dataset, that of the recipe, a checkpoint
(`adopt`), or the user.
"""

import dataclasses

from Utils.config.checks import check_options, check_stored
from Utils.config.command_line import read_words
from Utils.config.options import NETWORK_NAMES, OPTIONS, SETTLED, STORED_NAMES, Config, shown
from Utils.config.presets import PRESETS, RECIPES, SET_BY_RECIPES
from Utils.config.run_file import read_run_file
from Utils.files import UserError


def parse_config(script, argv=None):
    """The options of one script from its command line and --config. Touches no data.

    script: one of fields.SCRIPTS. argv: list of words, None for those of the process.
    Raises UserError for an unknown, contradictory or impossible option.
    """
    words = read_words(script, argv)
    file = read_run_file(words["config"]) if words.get("config") else {}
    if words.get("recipe", file.get("recipe")) != file.get("recipe"):
        file = without_recipe(file)
    config = resolve({**file, **words})
    config = dataclasses.replace(
        config, from_file=frozenset(file.keys() - words.keys()),
        home=file.get("output_path") or f"output_{config.dataset}")
    return check_options(config, script, is_complete=script not in SETTLED)


def without_recipe(stored, kept=()):
    """Stored options without those that a recipe sets, so that another recipe can set them.

    kept: options to keep all the same.
    """
    return {name: value for name, value in stored.items()
            if name in kept or name not in (*SET_BY_RECIPES, "deltas")}


def resolve(given):
    """The Config made of defaults, presets and `given` values (by name)."""
    for name, presets in (("dataset", PRESETS), ("recipe", RECIPES)):
        if given.get(name) is not None and given[name] not in presets:
            raise UserError(f"--{name} {given[name]} is not one of {', '.join(presets)}")
    dataset = given.get("dataset") or ("custom" if given.get("detections") else
                                       Config.dataset)
    recipe = given.get("recipe") or PRESETS[dataset].get("recipe", Config.recipe)
    values = {"dataset": dataset, **PRESETS[dataset], **RECIPES[recipe], **given}
    for name, folder in (("checkpoint_path", "checkpoint_{}"), ("output_path", "output_{}"),
                         ("window_path", "windows/{}")):
        values.setdefault(name, folder.format(dataset))
    if dataset == "demo":
        values.setdefault("feature_path", "data/demo")
    if recipe == "paper" and values.get("bb_hidden_dim", 0) is None:
        values["bb_hidden_dim"] = Config.bb_hidden_dim
    if values.get("val_split", Config.val_split) is None:
        values["val_split"] = choose_val_split(values.get("checkpoint", Config.checkpoint))
    return Config(**values, given=dict(given))


def choose_val_split(checkpoint):
    """Hold out training videos only if they choose a checkpoint."""
    return "heldout" if checkpoint == "best" else "none"


def adopt(config, stored, source, settled=NETWORK_NAMES, places=None):
    """Adopt the options stored with a checkpoint or result, unless the user gave them.

    stored: dict from `settings`. source: where it was read, for the message. settled: the options
    that must not differ from it (SETTLED of a script). places: paths to adopt too.
    Raises UserError if a given option contradicts a settled one.
    """
    stored = {name: stored[name] for name in STORED_NAMES if name in stored}
    check_stored(stored, source)
    stored = {name: _revived(value) for name, value in stored.items()}
    stored.setdefault("recipe", "paper")       # before there were recipes
    # The training has decided about deltas where that was left to the data.
    given = {name: value for name, value in config.given.items()
             if (name, value) != ("deltas", "auto")}
    made_with = {**stored, "deltas": "on" if stored.get("deltas") == "on" else "off"}
    for name in settled:
        if name in given and name in made_with and given[name] != made_with[name]:
            remedy = "infer" if OPTIONS[name].shapes == "proposals" else "train"
            where = f" of {config.config}" if name in config.from_file else ""
            raise UserError(f"--{name} {shown(given[name])}{where} contradicts {source}, "
                            f"made with {shown(made_with[name])}; leave the option out, or "
                            f"{remedy} again with it")
    if config.given.get("recipe", stored.get("recipe")) != stored.get("recipe"):
        # Another recipe decodes with its own options, not with those of the training.
        stored = without_recipe(stored, settled)
    adopted = resolve({**stored, **(places or {}), **given})
    return dataclasses.replace(adopted, given=config.given, from_file=config.from_file,
                               home=config.home)


def settings(config, names=STORED_NAMES):
    """The options `names` as a JSON-able dict, to be stored with what they produced."""
    return {name: list(value) if isinstance(value := getattr(config, name), tuple) else value
            for name in names}


def _revived(value):
    """A stored value in its original form: JSON turns tuples into lists."""
    return tuple(value) if isinstance(value, list) else value
