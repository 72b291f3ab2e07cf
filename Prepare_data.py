"""Check and convert benchmark data, import annotations, export detections.

The data are those of THUMOS14 and ActivityNet-1.3 (docs/data.md); annotations come from
other tools, and detections go to them (docs/annotation_tools.md).
"""

import os
import sys

# With -P, -I or PYTHONSAFEPATH, sys.path lacks the folder of the script.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (reports missing packages)

# isort: split
from collections import Counter
from pathlib import Path

from Evaluation.detection_file import read_detections, rows_by_video
from Utils.files import UserError, write_json
from Utils.prepare.convert import convert, write_annotations, write_durations
from Utils.prepare.formats.after_import import look_and_go_on, without_features
from Utils.prepare.formats.arguments import (
    add_export,
    add_import,
    export_choices,
    import_options,
)
from Utils.prepare.formats.export import export
from Utils.prepare.formats.importing import import_files
from Utils.prepare.known_files import KNOWN_FILES
from Utils.prepare.verify import check_annotations, check_features, exit_code
from Utils.run import script_main
from Utils.streams import check_said
from Utils.words import Parser

ANNOTATIONS = "Evaluation/{}/annot"


@script_main
def main(argv=None):
    """Run the script. argv: its words, None for those of the process. -> exit code."""
    words = vars(parser().parse_args(argv))
    return words.pop("verb")(**words)


def compare_with_published(dataset, folder, feature_path):
    """Print what is there, what differs and what is missing.

    -> 0 if all is right, 1 if something differs, 2 if something is missing.
    """
    folder = Path(folder or ANNOTATIONS.format(dataset))
    print(f"annotations in {folder}")
    findings = check_annotations(dataset, folder)
    _show(findings)
    if feature_path is None:
        print("features: not checked; name their folder with --feature_path")
    else:
        print(f"features in {feature_path}")
        seen = check_features(dataset, folder, feature_path)
        _show(seen)
        findings += seen
    states = Counter(finding.state for finding in findings)
    print(", ".join(f"{count} {state}" for state, count in states.items()))
    check_said()
    return exit_code(findings)


def convert_annotations(source, to, all_videos, overwrite):
    """Write thumos_gt.json, and the .mat files if `source` has durations."""
    target = Path(to) / "thumos_gt.json"
    if target.exists() and not overwrite:
        raise UserError(f"{target} already exists; --overwrite replaces it")
    made = convert(source, all_videos)
    write_annotations(made, target)
    written = [target, *write_durations(made, to)]
    for what, count in made.left_out.items():
        print(f"left out: {count} {what}")
    expected = KNOWN_FILES["thumos"][0].counts
    for what, count in made.counts().items():
        print(f"{count} {what}" + (f" ({expected[what]} in the usual thumos_gt.json)"
                                   if expected[what] != count else ""))
    print(f"wrote {', '.join(map(str, written))}")
    for known in KNOWN_FILES["thumos"]:
        if known.needed and not known.find(to):
            print(f"still missing: {known.name} ({known.purpose}); get it from {known.source}")
    return 0


def import_annotations(**words):
    """Write annotations from the files of other tools.

    Then print what --check would say, and the next step.
    """
    files, to, format, overwrite, feature_path, options = import_options(words)
    if to.is_dir():
        raise UserError(f"--to {to} is a folder; name a file in it, such as "
                        f"{to / 'annotations.json'}")
    if to.exists() and not overwrite:
        raise UserError(f"{to} already exists; --overwrite replaces it")
    found = import_files(files, options, format)
    database = found.annotations.database
    lines = [*found.summary(), *without_features(database, feature_path)]
    write_json(to, {"database": database})
    print(*lines, f"wrote {to}", *look_and_go_on(database, to, feature_path), sep="\n")
    return 0


def export_detections(detections, formats, to, overwrite, **words):
    """Write detections as files of other tools."""
    choices = export_choices(**words)
    found, warnings = read_detections(detections)
    print(*warnings, *export(rows_by_video(found), formats, to, choices, overwrite).lines(),
          sep="\n")
    return 0


def _show(findings):
    for finding in findings:
        print(f"  {finding.name}: {finding.state}" + (f"; {finding.detail}" * bool(finding.detail)))


def parser():
    """The verbs and their options."""
    root = Parser(prog="Prepare_data.py", description=__doc__)
    verbs = root.add_subparsers(title="verbs", required=True, metavar="VERB",
                                parser_class=Parser)
    sets = {"required": True, "choices": tuple(KNOWN_FILES), "help": "dataset to check"}

    words = verbs.add_parser("check", help=(text := "compare your files with known checksums and "
                             "counts; changes nothing, works offline"), description=text)
    words.add_argument("--dataset", **sets)
    words.add_argument("--folder",
                       help="folder of the annotations (Evaluation/<dataset>/annot)")
    words.add_argument("--feature_path", help="folder of the feature files")
    words.set_defaults(verb=compare_with_published)

    words = verbs.add_parser("convert", help=(text := "make thumos_gt.json from the challenge's "
                             "text files, or from ActionFormer's or OpenTAD's JSON"),
                             description=text)
    words.add_argument("source", help="folder of the text files, or the JSON file")
    words.add_argument("--to", default=ANNOTATIONS.format("thumos"),
                       help="folder to write to (%(default)s)")
    words.add_argument("--all_videos", action="store_true",
                       help="keep the two mislabelled test videos")
    words.add_argument("--overwrite", action="store_true", help="replace thumos_gt.json")
    words.set_defaults(verb=convert_annotations)

    words = verbs.add_parser("import", help=(text := "make annotations.json from the files of "
                             "other tools"), description=text)
    add_import(words)
    words.set_defaults(verb=import_annotations)

    words = verbs.add_parser("export", help=(text := "write detections to files of other tools"),
                             description=text)
    add_export(words)
    words.set_defaults(verb=export_detections)
    return root


if __name__ == "__main__":
    raise SystemExit(main())
