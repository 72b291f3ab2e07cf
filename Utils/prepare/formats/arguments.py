"""The command lines of `Prepare_data.py import` and `export`."""

import argparse
from pathlib import Path

from Utils.data.annotation_files import read_records
from Utils.files import UserError
from Utils.prepare.formats.export import TARGETS
from Utils.prepare.formats.found import Options
from Utils.prepare.formats.kept_rows import Choices
from Utils.prepare.formats.recognize import READERS
from Utils.prepare.formats.side_files import read_durations, read_names
from Utils.prepare.formats.table import ALIASES
from Utils.words import at_least_one, finite, positive, share

SEED = 21


def add_import(parser):
    """Add the options of `import`."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE|FOLDER",
                        help="files of any tool, or a folder of frame labels")
    parser.add_argument("--to", required=True, type=Path, metavar="FILE",
                        help="annotation file to write, such as annotations.json")
    parser.add_argument("--from", dest="format", choices=tuple(READERS),
                        help="format of all files, if it is not recognized")
    parser.add_argument("--overwrite", action="store_true",
                        help="replace the file of --to")
    parser.add_argument("--feature_path", metavar="DIR",
                        help="folder of features, to report videos that have none")
    _add_times(parser)
    _add_choice(parser)
    _add_tables(parser)


def _add_times(parser):
    group = parser.add_argument_group("times and lengths")
    group.add_argument("--fps", type=positive, metavar="N",
                       help="frames per second, if times are in frames")
    group.add_argument("--durations", type=Path, metavar="CSV",
                       help="table video,seconds of durations that the files lack")
    group.add_argument("--point", type=positive, metavar="S",
                       help="turn point events into actions of S seconds (default: leave out)")
    group.add_argument("--unclosed", choices=("error", "drop", "end"), default="error",
                       help="what to do with a state that never stops (%(default)s)")
    group.add_argument("--overlaps", choices=("keep", "merge"), default="keep",
                       help="what to do with overlapping actions of one label (%(default)s)")
    group.add_argument("--timeseries", choices=("seconds",),
                       help="Label Studio: the axis of time series is in seconds")


def _add_choice(parser):
    group = parser.add_argument_group("which videos, actions and names")
    group.add_argument("--split", type=Path, metavar="PATH",
                       help="subsets: a table or JSON of video and subset, or a folder "
                            "of lists train*, val*, test*")
    group.add_argument("--test_share", type=share, metavar="F",
                       help="share of the videos for testing, chosen at random")
    group.add_argument("--seed", type=int, default=SEED, metavar="N",
                       help="seed for --test_share (%(default)s)")
    group.add_argument("--names", type=Path, metavar="CSV",
                       help="table from,to to rename videos")
    group.add_argument("--video_name", choices=("media", "observation"), default="media",
                       help="BORIS: name videos after this (%(default)s)")
    group.add_argument("--subjects", nargs="+", metavar="NAME", default=("ignore",),
                       help="ignore (default), join them to the label, or keep the named ones")
    group.add_argument("--background", nargs="*", metavar="NAME",
                       help="labels to ignore; without a name, none (default for frame "
                            "labels: background SIL action_start action_end)")
    group.add_argument("--tiers", nargs="+", metavar="NAME", default=(),
                       help="ELAN: only these tiers")
    group.add_argument("--skip_bad", action="store_true",
                       help="leave out rows that cannot be read, and count them")


def _add_tables(parser):
    group = parser.add_argument_group("columns and encoding")
    group.add_argument("--label", metavar="COLUMN", help="the column with the labels")
    group.add_argument("--labels", nargs="+", metavar="COLUMN", default=(),
                       help="the columns of 0 and 1 that hold behaviours")
    group.add_argument("--columns", nargs="+", type=_column, metavar="KEY=HEADER", default=(),
                       help=f"columns of a table; keys: {', '.join(ALIASES)}")
    group.add_argument("--mapping", type=Path, metavar="FILE",
                       help="file of lines `id label` for frame labels")
    group.add_argument("--encoding", metavar="NAME",
                       help="encoding of the text (default: utf-8, or else cp1252)")


def import_options(words):
    """From the options of `import`: files, --to, --from, --overwrite, --feature_path, Options."""
    own = [words.pop(name)
           for name in ("files", "to", "format", "overwrite", "feature_path")]
    encoding, background = words["encoding"], words["background"]
    subjects = tuple(words["subjects"])
    words |= {"durations": read_durations(words["durations"], encoding)
              if words["durations"] else {},
              "names": read_names(words["names"], encoding) if words["names"] else {},
              "subjects": () if subjects == ("ignore",) else subjects,
              "background": None if background is None else tuple(background),
              "columns": dict(words["columns"]), "tiers": tuple(words["tiers"]),
              "labels": tuple(words["labels"])}
    return *own, Options(**words)


def add_export(parser):
    """Add the options of `export`."""
    parser.add_argument("detections", type=Path, help="a detection file from any method, such as "
                                                      "detections_postNMS.json")
    parser.add_argument("--as", dest="formats", nargs="+", required=True, choices=tuple(TARGETS),
                        metavar="FORMAT", help=f"one or more of {', '.join(TARGETS)}")
    parser.add_argument("--to", required=True, type=Path, metavar="DIR",
                        help="folder to write to")
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    parser.add_argument("--min_score", type=finite, metavar="X",
                        help="leave out lower scores (csv 0, else 0.3)")
    parser.add_argument("--top", type=at_least_one, metavar="N",
                        help="only the best N per video")
    parser.add_argument("--media", default=Choices.media, metavar="TEMPLATE",
                        help="path or address of a video (%(default)s)")
    parser.add_argument("--fps", type=positive, metavar="N",
                        help="frames per second of the videos, for Label Studio")
    parser.add_argument("--durations", type=Path, metavar="CSV",
                        help="table video,seconds of durations, for BORIS")
    parser.add_argument("--video_anno", type=Path, metavar="FILE",
                        help="annotations with the durations that --durations lacks")
    parser.add_argument("--ls_names", default=",".join(Choices.ls_names), metavar="A,B",
                        help="names in Label Studio's configuration (%(default)s)")


def export_choices(min_score, top, media, fps, durations, video_anno, ls_names):
    """The Choices from the options of `export`."""
    if "{video}" not in media:
        raise UserError(f"--media {media}: the name of the video stands for {{video}} in it, as in "
                        f"{Choices.media}")
    names = tuple(ls_names.split(","))
    if len(names) != 2 or not all(names):
        raise UserError(f"--ls_names {ls_names}: expected the names of the control and "
                        f"of the video, as in {','.join(Choices.ls_names)}")
    known = {} if video_anno is None else {
        record.name: record.duration for record in read_records(video_anno) if record.duration}
    known |= {} if durations is None else read_durations(durations)
    return Choices(min_score, top, media, fps, known, names)


def _column(text):
    key, _, header = text.partition("=")
    if key not in ALIASES or not header:
        raise argparse.ArgumentTypeError(f"{text} is not KEY=HEADER; keys are {', '.join(ALIASES)}")
    return key, header
