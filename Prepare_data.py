"""Check or convert the data of THUMOS14 and ActivityNet-1.3 (docs/data.md); import the
annotations of other tools and export detections to them (docs/annotation_tools.md)."""

import os
import sys

# -P, -I and PYTHONSAFEPATH leave the folder of a script out.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (says so if one is missing)

# isort: split
import argparse
from collections import Counter
from pathlib import Path

from Evaluation.results import read_results, rows_by_video
from Utils.files import UserError, write_json
from Utils.prepare.compare import check_annotations, check_features, exit_code
from Utils.prepare.convert import convert, write_annotations, write_durations
from Utils.prepare.formats.after_import import look_and_go_on, without_features
from Utils.prepare.formats.arguments import add_export, add_import, export_choices, import_options
from Utils.prepare.formats.export import export
from Utils.prepare.formats.importing import import_files
from Utils.prepare.known_files import KNOWN_FILES
from Utils.run import script_main
from Utils.streams import check_said

ANNOTATIONS = "Evaluation/{}/annot"


@script_main
def main(argv=None):
    words = vars(parser().parse_args(argv))
    return words.pop("verb")(**words)


def check(dataset, folder, feature_path):
    """Print what is there, what differs and what is missing; 0 all right, 1 differs, 2 missing."""
    folder = Path(folder or ANNOTATIONS.format(dataset))
    print(f"annotations in {folder}")
    findings = check_annotations(dataset, folder)
    _show(findings)
    if feature_path is None:
        print("features: not looked at; name their folder with --feature_path")
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
    """Write thumos_gt.json, and the .mat files where `source` brings durations."""
    target = Path(to) / "thumos_gt.json"
    if target.exists() and not overwrite:
        raise UserError(f"{target} is there already; --overwrite replaces it")
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
            print(f"still missing: {known.name}; {known.purpose}, comes from {known.source}")
    return 0


def import_annotations(**words):
    """Write annotations of the files of other tools; say what --check would, and what is next."""
    files, to, format, overwrite, feature_path, options = import_options(words)
    if to.is_dir():
        raise UserError(f"--to {to} is a folder; name a file in it, such as "
                        f"{to / 'annotations.json'}")
    if to.exists() and not overwrite:
        raise UserError(f"{to} is there already; --overwrite replaces it")
    found = import_files(files, options, format)
    database = found.annotations.database
    lines = [*found.summary(), *without_features(database, feature_path)]
    write_json(to, {"database": database})
    print(*lines, f"wrote {to}", *look_and_go_on(database, to, feature_path), sep="\n")
    return 0


def export_detections(detections, formats, to, overwrite, **words):
    """Write detections as files of other tools."""
    choices = export_choices(**words)
    found, warnings = read_results(detections)
    print(*warnings, *export(rows_by_video(found), formats, to, choices, overwrite).lines(),
          sep="\n")
    return 0


def _show(findings):
    for finding in findings:
        print(f"  {finding.name}: {finding.state}" + (f"; {finding.detail}" * bool(finding.detail)))


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UserError(f"{message}; {self.prog} --help says more")


def parser():
    """The verbs and their options."""
    root = _Parser(prog="Prepare_data.py", description=__doc__, allow_abbrev=False)
    verbs = root.add_subparsers(title="verbs", required=True, metavar="VERB", parser_class=_Parser)
    sets = {"required": True, "choices": tuple(KNOWN_FILES), "help": "whose files"}

    words = verbs.add_parser("check", help=(text := "compare your files with known checksums and "
                             "counts; changes nothing, uses no network"), description=text)
    words.add_argument("--dataset", **sets)
    words.add_argument("--folder", help="of the annotations (Evaluation/<dataset>/annot)")
    words.add_argument("--feature_path", help="folder of the feature files")
    words.set_defaults(verb=check)

    words = verbs.add_parser("convert", help=(text := "make thumos_gt.json of the challenge's text "
                             "files, or of ActionFormer's or OpenTAD's JSON"), description=text)
    words.add_argument("source", help="folder of the text files, or the JSON")
    words.add_argument("--to", default=ANNOTATIONS.format("thumos"), help="folder (%(default)s)")
    words.add_argument("--all_videos", action="store_true",
                       help="keep the two mislabelled test videos")
    words.add_argument("--overwrite", action="store_true", help="replace thumos_gt.json")
    words.set_defaults(verb=convert_annotations)

    words = verbs.add_parser("import", help=(text := "make annotations.json of the files of other "
                             "tools"), description=text)
    add_import(words)
    words.set_defaults(verb=import_annotations)

    words = verbs.add_parser("export", help=(text := "write detections as files of other tools"),
                             description=text)
    add_export(words)
    words.set_defaults(verb=export_detections)
    return root


if __name__ == "__main__":
    raise SystemExit(main())
