"""Every option of every script: its name, default, limit and meaning, in groups.

An option is a field of a group. The group says which scripts read its options, what they
shape, and whether they are stored; a field can override this.
`Config` joins all groups, and the command line is built from its fields. The groups that
all scripts share are defined here.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from Utils.config.fields import (
    CUT,
    EVAL,
    FROM_0,
    INFER,
    SCRIPTS,
    TRAIN,
    option,
    options_of,
)
from Utils.config.result_options import (
    AgnosticOptions,
    DecodeOptions,
    DetectionOptions,
    EvalOptions,
    VideoOptions,
)
from Utils.config.training_options import (
    DataOptions,
    NetworkOptions,
    RandomOptions,
    TrainOptions,
    WindowOptions,
)


@dataclass(frozen=True)
class PresetOptions:
    """where the defaults come from"""
    scripts: ClassVar = SCRIPTS
    dataset: Literal["thumos", "activitynet", "custom", "demo"] = option(
        "activitynet", "selects preset and readers; custom is for your own data",
        shapes="training")
    recipe: Literal["paper", "strong"] = option(
        "paper", "how to train and decode: as in the paper, or better (docs/strong_recipe.md)")
    config: str | None = option(
        None, "read options from this file, such as the config.json in the folder of a "
              "run; options on the "
              "command line override it", is_stored=False, metavar="PATH")


@dataclass(frozen=True)
class PathOptions:
    """files and folders"""
    scripts: ClassVar = SCRIPTS
    is_stored: ClassVar = False
    metavar: ClassVar = "PATH"
    feature_path: str | None = option(None, "folder of the feature files")
    video_anno: str | None = option(None, "annotation file; in Eval, the ground truth")
    window_path: str | None = option(
        None, "folder of the window lists (default windows/<dataset>)",
        scripts=(CUT, TRAIN, INFER))
    checkpoint_path: str | None = option(
        None, "folder of the checkpoints (default checkpoint_<dataset>)", scripts=(TRAIN, INFER))
    output_path: str | None = option(
        None, "folder of the results (default output_<dataset>)", scripts=(INFER, EVAL))
    video_info: str | None = option(
        None, "video durations and subsets: ActivityNet's csv file; "
              "for THUMOS14, the folder of the two .mat files")
    class_index: str | None = option(
        None, "JSON of class name -> id, background 0", scripts=(CUT, TRAIN, INFER),
        is_rare=True)


@dataclass(frozen=True)
class RunOptions:
    """running"""
    scripts: ClassVar = (TRAIN, INFER)
    is_stored: ClassVar = False
    device: Literal["auto", "cpu", "cuda", "mps"] = option("auto", "where to compute")
    precision: Literal["fp32", "tf32", "bf16"] = option(
        "fp32", "arithmetic of the convolutions on a GPU; bf16 also on a CPU", is_rare=True)
    num_workers: int = option(0, "processes that prepare inputs", FROM_0)
    cache: Literal["auto", "none", "ram", "gpu"] = option(
        "auto", "keep features in memory: wherever they fit, nowhere, in RAM, or on the GPU")
    check: bool = option(False, "only check the data, and list what is wrong", scripts=(CUT,),
                         is_doing=True)
    resume: bool = option(False, "continue from the checkpoint in checkpoint_path",
                          scripts=(TRAIN,))
    verbose: bool = option(False, "print every option, not only those that differ from the preset",
                           scripts=SCRIPTS)
    overwrite: bool = option(False, "replace an earlier result", scripts=SCRIPTS)
    is_train: Literal["true", "false"] | None = option(
        None, "accepted for the original's commands; must agree with the script",
        scripts=SCRIPTS, is_rare=True)


@dataclass(frozen=True)
class Config(RunOptions, VideoOptions, EvalOptions, AgnosticOptions, DetectionOptions,
             DecodeOptions, TrainOptions, NetworkOptions, RandomOptions, WindowOptions,
             DataOptions, PathOptions, PresetOptions):
    """All options of a run, frozen; `given` holds those the user set, by name."""
    given: dict = field(default_factory=dict, repr=False)
    # Those that came from --config, and the output_path to use if none is given.
    from_file: frozenset = field(default=frozenset(), repr=False)
    home: str = field(default="", repr=False, compare=False)

    @property
    def num_channels(self):
        """Channels of the network's input: those of the features, and of their deltas if used."""
        return self.input_feat_dim * (2 if self.deltas == "on" else 1)

    @property
    def num_scores(self):
        """Scores per anchor: one if class-agnostic, else one per class."""
        return 1 if self.class_agnostic else self.decoder_num_classes


GROUPS = Config.__bases__[::-1]     # as --help shows them
OPTIONS = {spec.name: spec for group in GROUPS for spec in options_of(group)}


def names_of(*groups):
    """The option names of some groups, in order."""
    return tuple(spec.name for group in groups for spec in options_of(group))


# These shape the network, so they must be the same in training and inference.
NETWORK_NAMES = (*names_of(WindowOptions, NetworkOptions), "deltas")
# These are stored with a run and adopted by later scripts: all but paths and how to run.
STORED_NAMES = tuple(name for name, spec in OPTIONS.items() if spec.is_stored)
# These decide how detections are scored; only Eval.py reads them.
SCORING_NAMES = ("tiou", "protocol", "short_seconds", "detad_length_bins")
# Per script: options fixed by the file that it reads, which therefore cannot be changed.
SETTLED = {script: tuple(name for name, spec in OPTIONS.items() if spec.shapes in shapes)
           for script, shapes in (("Infer", ("training",)), ("Eval", ("training", "proposals")))}


def shown(value):
    """A value as the user would write it."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return " ".join(map(shown, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
