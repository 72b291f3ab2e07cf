"""Score and diagnose detections: those of Infer.py's proposals, or any method's file.

    python Eval.py --dataset thumos --output_path RUN
    python Eval.py --detections results.json --video_anno ground_truth.json
    python Eval.py --compare output_a output_b --output_path comparison
"""

import os
import sys

# With -P, -I or PYTHONSAFEPATH, sys.path lacks the folder of the script.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (says so if one is missing)

# isort: split
import statistics
from pathlib import Path

from Engine.evaluation.from_proposals import read_results
from Engine.evaluation.inputs import read_inputs, results_folder
from Engine.evaluation.origin import check_earlier_scores
from Engine.evaluation.outputs import (
    check_export,
    export_detections,
    write_report_page,
    write_scores,
)
from Engine.evaluation.scoring import evaluated
from Engine.evaluation.sweep import sweep
from Evaluation.postprocessing.detections import NOT_RECOMMENDED
from Evaluation.report.compare import compare, format_comparison
from Evaluation.report.report import linked_videos
from Evaluation.runs import shown_runs
from Evaluation.scores import format_table
from Utils.config.describe import opening, unread_by
from Utils.config.resolve import parse_config
from Utils.files import counted
from Utils.run import Stopwatch, locked, script_main
from Utils.run_log import RunLog

# DETAD's lengths of actions, in words.
SIZES = {"XS": "the shortest", "S": "short", "M": "middle-length", "L": "long",
         "XL": "the longest"}


@script_main
def main(argv=None):
    """Run the script. argv: its words, None for those of the process. -> exit code."""
    watch = Stopwatch()
    config = parse_config("Eval", argv)
    if config.list is not None:
        print(*unread_by(config, "list"), shown_runs(config.list or (".",)), sep="\n")
        return 0
    if config.compare:
        return compare_runs(config, watch)
    with locked(results_folder(config)) as folder, RunLog() as log:
        check_export(config, folder)
        inputs = read_inputs(config, folder)
        print(*opening(inputs.config, "Eval", f" of {inputs.source}"), sep="\n")
        if config.sweep:
            return sweep(inputs)
        check_earlier_scores(inputs)
        outcome = evaluated(inputs, read_results(inputs))
        log.open(folder)
        write_scores(inputs, outcome)
        write_report_page(inputs, outcome)
        report(outcome.scores, outcome.diagnosis, inputs.annotations.notes,
               outcome.warnings)
        if config.export:
            print(*export_detections(inputs, outcome), sep="\n")
        print(watch.summary("evaluated"), f"report: {folder / 'report.html'}", sep="\n")
    return 0


def compare_runs(config, watch):
    """Compare the runs that --compare names: write a page and print a table."""
    folder = Path(config.output_path if "output_path" in config.given else "comparison")
    with locked(folder):
        content = compare(config.compare, folder / "report.html",
                          linked_videos(config.video_folder, folder))
        print(*unread_by(config, "compare"), format_comparison(content), sep="\n")
        print(watch.summary(f"report: {folder / 'report.html'}"))
    return 0


def finding(diagnosis):
    """What DETAD's analysis says first: the error that costs most, and what is missed most."""
    said = []
    impact = diagnosis["false_positives"]["impact"]
    worst = max(impact, key=impact.get)
    if impact[worst] > 0:
        said.append(f"{worst.replace('_', ' ')} errors cost most: {100 * impact[worst]:.1f} points")
    if any(diagnosis["num_missed"]):
        said.append(missed_most(diagnosis))
    score = f"average mAP_N {100 * diagnosis['average_mAP_N']:.2f} %"
    return "; ".join([score, *(said or ["no kind of error costs anything"])])


def missed_most(diagnosis):
    """The length of actions that is missed most, else the share of all actions missed.

    In whole percent: lengths that look alike are not a finding.
    """
    rates = {size: round(100 * found["miss_rate"])
             for size, found in diagnosis["false_negatives"].get("length", {}).items()}
    highest = max(rates.values(), default=0)
    worst = [size for size, rate in rates.items() if rate == highest]
    if len(worst) == 1 < len(rates):
        return f"{SIZES[worst[0]]} actions are missed most: {highest} %"
    share = statistics.fmean(diagnosis["num_missed"]) / diagnosis["num_instances"]
    return f"{100 * share:.0f} % of all actions are missed"


def report(scores, diagnosis, notes, warnings):
    """Print the scores, what they were computed on, and what is odd about it."""
    print("\n".join([*notes, *(f"warning: {text}" for text in warnings)]))
    if scores.get("recommended_score", 0) is None:
        print(NOT_RECOMMENDED)
    what = "detection" if "mAP" in scores else "proposal"
    print(f"{counted(scores['num_detections'], what)} against "
          f"{counted(scores['num_ground_truth'], 'action')} of "
          f"{counted(scores['num_classes'], 'class', 'classes')} in "
          f"{counted(scores['num_videos'], 'video')}"
          + (f", protocol {scores['protocol']}" if "protocol" in scores else ""))
    print(format_table(scores))
    if diagnosis is not None:
        print(f"DETAD: {finding(diagnosis)}")


if __name__ == "__main__":
    sys.exit(main())
