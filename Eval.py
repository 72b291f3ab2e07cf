"""Score and diagnose detections: of Infer.py's proposals, or of any method's detection file.

    python Eval.py --dataset thumos --output_path RUN
    python Eval.py --detections results.json --video_anno ground_truth.json
    python Eval.py --compare output_a output_b --output_path comparison
"""

import os
import sys

# -P, -I and PYTHONSAFEPATH leave the folder of a script out.
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import Utils.packages  # noqa: F401  (says so if one is missing)

# isort: split
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from DETAD import diagnose
from DETAD.characteristics import (
    bucket_table,
    compute_characteristics,
    notes_on,
    read_characteristics,
)
from Evaluation.average_recall import THRESHOLDS, average_recall
from Evaluation.curves import precision_recall
from Evaluation.metrics import action_table, align, detection_table
from Evaluation.postprocessing.detections import (
    best_rows,
    detection_rows,
    least_score,
    write_detections,
)
from Evaluation.postprocessing.per_video import Results, proposal_table, read_video, results_of
from Evaluation.postprocessing.proposal_file import ProposalFile, read_proposals
from Evaluation.postprocessing.video_scores import check_covered, read_video_scores
from Evaluation.report.compare import TRUTH_FILE, compare, format_comparison, truth_content
from Evaluation.report.provenance import provenance
from Evaluation.report.report import linked_videos, write_report
from Evaluation.results import (
    NO_CLASS,
    check_seconds,
    mismatches,
    read_results,
    rows_by_video,
    without_prefix,
)
from Evaluation.runs import shown_runs
from Evaluation.scores import (
    as_computed,
    counts,
    format_table,
    precision_scores,
    recall_scores,
    short_scores,
)
from Evaluation.sweep import combinations, format_sweep
from Evaluation.thumos14_protocol import read_ambiguous
from Utils.config.checks import check_earlier, check_stored
from Utils.config.describe import opening
from Utils.config.options import SCORING_NAMES, SETTLED, STORED_NAMES
from Utils.config.resolve import adopt, parse_config, resolve, settings
from Utils.config.run_file import data_places
from Utils.data.annotations import canonical, number
from Utils.data.datasets import DATASETS, find_file, read_csv_rows
from Utils.data.ground_truth import check_actions, load_ground_truth
from Utils.files import UserError, counted, listed, read_json, write_json
from Utils.names import named_there
from Utils.run import Stopwatch, locked, progress, script_main
from Utils.run_log import RunLog

FIGURE_VIDEOS = 3    # in the figure of timelines; report.html has all


@script_main
def main(argv=None):
    watch = Stopwatch()
    config = parse_config("Eval", argv)
    if config.list is not None:
        print(shown_runs(config.list or (".",)))
        return 0
    if config.compare:
        return compare_runs(config, watch)
    with locked(results_folder(config)) as folder, RunLog() as log:
        check_export(config, folder)
        config, file = open_proposals(config)
        home = folder if file is None else file.path.parent
        find_file(config, "ambiguous", optional=True)      # there, if it is named
        config, annotations, truth = load_truth(config)
        if file is not None:
            check_same_videos([*names_of_results(config, file).values()], truth, config, file.path)
        print(*opening(config, "Eval", f" of {config.detections or file.path}"), sep="\n")
        if config.sweep:
            return sweep(config, file, annotations, truth, folder)
        if not config.overwrite:
            check_earlier_scores(config, file, folder)
        check_scorable(config, file, annotations, folder)
        results = (read_file(config, annotations, truth) if file is None else
                   decode(config, file, folder))
        scores, recall = score(config, truth, results)
        diagnosis = diagnose_detections(config, truth, annotations, results)
        warnings = [*results.warnings, *mismatches(align(main_table(results), truth), truth)]
        scores["provenance"] = origin(config, truth, annotations, results.source, warnings)
        scores["provenance"]["epoch"] = file.settings.get("epoch") if file else None
        scores |= recommended_score(home, scores["provenance"]["epoch"])
        durations = durations_of(annotations, results)
        log.open(folder)
        write(folder, scores, diagnosis, truth_content(truth, durations, config.subset))
        write_report_page(folder, home, config, scores, truth, durations, results, recall,
                          diagnosis)
        report(scores, diagnosis, annotations.notes, warnings)
        if config.export:
            least = (recommended(config, file, folder) if file else
                     least_score(config.min_score, [], config.detections))
            print(*export_detections(config, results, durations, least, folder / "export"),
                  sep="\n")
        print(watch.summary("evaluated"), f"report: {folder / 'report.html'}", sep="\n")
    return 0


def results_folder(config):
    """Where the scores go: output_path; of a detection file without one, its own folder."""
    if config.detections and "output_path" not in config.given:
        if not Path(config.detections).is_file():
            raise UserError(f"no detection file at {config.detections}")
        return Path(config.detections).parent
    folder = Path(config.output_path)
    if not config.detections and not folder.is_dir() and not proposals_path(config).is_file():
        raise UserError(f"no folder {folder}; run Infer.py --output_path {folder} first, or name "
                        "the folder of a run")
    return folder


# ---- what is scored -----------------------------------------------------------------------------

def proposals_path(config):
    """The proposals to score: those in output_path or else, where that is a new folder for the
    results, those of the run."""
    own, home = (Path(folder) / "proposals.h5" for folder in (config.output_path, config.home))
    return home if home.is_file() and not own.is_file() else own


def open_proposals(config):
    """The proposals, and the options they were made with: config, ProposalFile. With --detections
    there are none: config, None."""
    if config.detections:
        return config, None
    file, stored = read_proposals(proposals_path(config))
    check_stored(stored, file.path)
    places = data_places(file.path.parent)
    if "ground_truth" in DATASETS[stored.get("dataset", config.dataset)].files:
        places.pop("video_anno", None)      # what is trained on is no official ground truth there
    config = adopt(config, stored, file.path, SETTLED["Eval"], places)
    if "classes" not in stored:
        raise UserError(f"{file.path} does not say its classes; run Infer.py again")
    return config, file


def load_truth(config):
    """The ground truth: the config with the subset that it is of, Annotations, and the same as an
    ActionTable."""
    annotations = load_ground_truth(config)
    truth = action_table(annotations.videos, annotations.classes)
    subset = canonical(annotations.videos[0].subset)
    if subset != canonical(config.subset):
        config = replace(config, subset=subset)
    return config, annotations, truth


def check_earlier_scores(config, file, folder):
    """Refuse to replace scores of other settings, subset or detections."""
    path = folder / "metrics.json"
    if not path.is_file():
        return
    before = read_json(path, "scores").get("provenance", {})
    check_earlier(path, before.get("settings", {}), settings(config, setting_names(config)),
                  "scored")
    now = {"subset": config.subset, "detections": str(config.detections or file.path)}
    # By name: a folder may have been moved.
    check_earlier(path, before | {"detections": Path(before.get("detections", "")).name},
                  now | {"detections": Path(now["detections"]).name}, "scored")


def check_scorable(config, file, annotations, folder):
    """Refuse a ground truth without actions; detections of a ProposalFile are written before."""
    try:
        check_actions(annotations)
    except UserError as problem:
        if file is None:
            raise
        decode(config, file, folder)
        raise UserError(f"{problem}, in Cut_long_videos.py, Infer.py and Eval.py; the detections "
                        f"are in {folder / 'detections_postNMS.json'}") from None


def check_same_videos(names, truth, config, where):
    """Refuse proposals or detections none of whose videos is in the ground truth."""
    if not names or set(names) & set(truth.videos):
        return
    made = "" if config.detections else (
        "; to score the videos of another subset than those, run Cut_long_videos.py, Infer.py and "
        "Eval.py with it as --subset")
    there = named_there(names, truth.videos, "the ground truth")
    raise UserError(f"{where}: none of its {len(names)} videos is among those of subset "
                    f"{config.subset} in the ground truth: it has {listed(names, 3)}, {there}"
                    f"{made}")


def read_file(config, annotations, truth):
    """The rows of --detections, videos named as in the truth. -> Results."""
    table, warnings = read_results(config.detections)
    table, renamed = without_prefix(table, DATASETS[config.dataset].result_prefix, truth,
                                    config.detections)
    check_same_videos(table.videos, truth, config, config.detections)
    durations = {video.name: video.duration for video in annotations.videos}
    behind = check_seconds(table, truth, durations, config.detections)
    has_classes = table.classes != (NO_CLASS,)
    return Results(table if has_classes else None, table, config.detections,
                   warnings=[*warnings, *renamed, *behind])


def names_of_results(config, file):
    """{video: its name in result files} of a ProposalFile."""
    prefix = DATASETS[config.dataset].result_prefix
    return {video: video.removeprefix(prefix) for video in file}


def decode(config, file, folder=None):
    """Detections of a ProposalFile. -> Results. Into a folder, if one is named, goes
    detections_postNMS.json, and of proposals without classes proposals_postNMS.json."""
    spec, classes = DATASETS[config.dataset], file.settings["classes"]
    names = names_of_results(config, file)
    video_scores = scores_of_videos(config, classes, names.values())
    detections, proposals = results_of(read_videos(config, file, spec), config, video_scores)
    tables, warnings = {"detections": None, "proposals": None}, []
    least = recommended(config, file, folder) if folder else None
    if config.class_agnostic:
        tables["proposals"] = proposal_table(proposals)
        if folder:
            write_rows(folder / "proposals_postNMS.json", proposals, config, least)
    if video_scores or not config.class_agnostic:
        tables["detections"] = detection_table(detections, classes)
        if folder:
            write_rows(folder / "detections_postNMS.json", detections, config, least, classes)
    else:
        warnings.append("no video-level scores (--video_scores): proposals have no classes, so "
                        "they and AR@AN are all there is")
    durations = {name: file.duration(video) for video, name in names.items()}
    return Results(**tables, source=str(file.path), durations=durations, warnings=warnings)


def read_videos(config, file, spec):
    """VideoRows of every video of proposals.h5, in its order."""
    frames = {}
    if config.floor_duration:
        info = find_file(config, "video_info")
        frames = {name: number(row.get("numFrame"), f"{info}: numFrame of {name}")
                  for name, row in read_csv_rows(info).items()}
        if lacking := [video for video in file if video not in frames]:
            raise UserError(f"--floor_duration: {info} has no frames of {listed(lacking)}")
    for video in progress(file, "videos"):
        yield read_video(file, video, spec.result_prefix, frames.get(video))


def scores_of_videos(config, classes, names):
    """{video: scores} of the video-level classifier, where there is a file of it; else empty."""
    path = find_file(config, "video_scores", optional=True)
    if path is None:
        return {}
    found = read_video_scores(path, classes)
    check_covered(path, found, names)
    return found


def write_rows(path, found, config, least, classes=None):
    """Write the rows of every video that --min_score and --top leave."""
    write_detections(path, {video: best_rows(detection_rows(rows, classes), least, config.top)
                            for video, rows in found.items()}, DATASETS[config.dataset].version)


def recommended(config, file, folder):
    """The score that --min_score asks for, of the epoch that made the proposals."""
    path = folder / "history.json"
    history = read_json(path) if config.min_score == "auto" and path.is_file() else []
    return least_score(config.min_score, history[:file.settings.get("epoch")], path)


def sweep(config, file, annotations, truth, folder):
    """Score every combination of --sweep on the saved proposals; table, and sweep.json."""
    if file is None:
        raise UserError("--sweep varies the suppression of Infer.py's proposals, and --detections "
                        "are made already; leave one of them out")
    import joblib  # a quarter of a second that other evaluations save

    settings_tried = combinations(config.sweep)
    jobs = (joblib.delayed(try_settings)(replace(config, **chosen), file.path, truth)
            for chosen in settings_tried)
    scored = joblib.Parallel(min(joblib.cpu_count(), len(settings_tried)), "multiprocessing")(jobs)
    found, warnings = zip(*scored, strict=True)
    tried = list(zip(settings_tried, found, strict=True))
    # What was varied stands with each score, so not among the settings that all have.
    write_json(folder / "sweep.json", {
        "tried": [{"settings": chosen, "scores": found} for chosen, found in tried],
        "provenance": origin(config, truth, annotations, str(file.path), warnings[0],
                             varied=settings_tried[0])})
    print(format_sweep(tried))
    print(f"{len(tried)} settings, best first; also in {folder / 'sweep.json'}. Choosing by the "
          "test videos is choosing with the answers at hand: choose on others")
    return 0


def try_settings(config, path, truth):
    """Decode the proposals at `path` as the config says and score them. -> {name: average},
    warnings."""
    with ProposalFile(path) as file:
        results = decode(config, file)
        scores, _ = score(config, truth, results)
    return scores.get("average_mAP") or {"AUC": scores["AUC"]}, results.warnings


# ---- scores and diagnosis -----------------------------------------------------------------------

def main_table(results):
    return results.proposals if results.detections is None else results.detections


def score(config, truth, results):
    """The content of metrics.json, and the AverageRecall or None."""
    scores = {"dataset": config.dataset, "subset": config.subset,
              **counts(truth, main_table(results))}
    recall = None
    if results.detections is not None:
        detections, options = align(results.detections, truth), {}
        if config.protocol == "thumos14" and config.ambiguous:
            options["ambiguous"] = read_ambiguous(config.ambiguous)
        scores |= precision_scores(truth, detections, config.tiou, config.protocol, **options)
        if config.short_seconds is not None:
            scores["short_actions"] = short_scores(truth, detections, config.tiou,
                                                   config.short_seconds)
    if results.proposals is not None:
        recall = average_recall(truth, align(results.proposals, truth))
        scores |= recall_scores(recall)
    return scores, recall


def diagnose_detections(config, truth, annotations, results):
    """The content of detad.json; None for proposals without classes."""
    if results.detections is None:
        return None
    spec, path = DATASETS[config.dataset], find_file(config, "detad_anno", optional=True)
    if path is None:
        actions, characteristics = truth, compute_characteristics(
            truth, durations_of(annotations, results))
    else:
        actions, characteristics = read_characteristics(
            read_json(path, "DETAD file"), canonical(config.subset), path)
    buckets = bucket_table(spec.detad_table, config.detad_length_bins, characteristics)
    diagnosis = diagnose(actions, characteristics, results.detections,
                         as_computed(spec.detad_tiou), buckets)
    return diagnosis | {"ground_truth": str(path or truth_of(annotations)),
                        "bucket_notes": notes_on(spec.detad_table, buckets),
                        "bucket_edges": {name: buckets[name].describe()
                                         for name in diagnosis["buckets"]}}


def truth_of(annotations):
    """Where the ground truth is from, as a value."""
    return annotations.notes[0].removeprefix("ground truth ")


def durations_of(annotations, results):
    """Seconds of every video, from the annotations or else the proposals; None if unknown."""
    return {video.name: video.duration or results.durations.get(video.name)
            for video in annotations.videos}


def setting_names(config):
    """The options that scores depend on: of other methods' detections we know our own alone."""
    return (*(("dataset",) if config.detections else STORED_NAMES), *SCORING_NAMES)


def origin(config, truth, annotations, source, warnings, varied=()):
    """What the scores were computed on and with. varied: names of options that no value fits."""
    files = {"ground_truth": truth_of(annotations), "detections": source,
             "ambiguous": config.ambiguous if config.protocol == "thumos14" else None,
             "subset": config.subset}
    options = settings(config, [name for name in setting_names(config) if name not in varied])
    return provenance(truth, files, config.protocol, options,
                      [*annotations.notes[1:], *warnings])


# ---- results ------------------------------------------------------------------------------------

def recommended_score(folder, epoch):
    """{"recommended_score": x}: that with the best F1 on the validation windows of the training,
    after the epoch used; empty where the training did not tell."""
    path = folder / "history.json"
    history = read_json(path) if epoch is not None and path.is_file() else []
    found = [entry["val"]["threshold"] for entry in history
             if entry.get("epoch") == epoch and "threshold" in entry.get("val", {})]
    return {"recommended_score": found[0]} if found else {}


def write(folder, scores, diagnosis, truth):
    """Write detad.json, the ground truth as it was scored and, last, metrics.json."""
    if diagnosis is not None:
        write_json(folder / "detad.json", diagnosis)
    write_json(folder / TRUTH_FILE, truth)
    write_json(folder / "metrics.json", scores)


def write_report_page(folder, home, config, scores, truth, durations, results, recall, diagnosis):
    """Write report.html, and figures of the same beside it. home: the folder of the run."""
    detections, curves = align(main_table(results), truth), None
    if results.detections is not None and config.protocol == "activitynet":
        curves = precision_recall(truth, detections, config.tiou)
    paths = draw_figures(folder, config, truth, durations, detections, curves, recall, diagnosis)
    history = home / "history.json"
    about = {"run": folder.name.removeprefix("output_"), "date": date.today().isoformat()}
    write_report(
        folder / "report.html", scores | {"provenance": scores["provenance"] | about}, truth,
        detections, durations, detad=diagnosis, curves=curves, recall=recall,
        history=read_json(history) if history.is_file() and not config.detections else None,
        own=own_settings(config), links=linked_videos(config.video_folder, folder),
        files=[path.name for path in paths])


def check_export(config, folder):
    """Refuse an --export that cannot be, before everything else is done."""
    if config.export:
        # pandas takes half a second to import.
        from Utils.prepare.formats.export import check_run
        if config.detections:
            least_score(config.min_score, [], config.detections)
        check_run(config.export, config.detections or folder / "detections_postNMS.json",
                  folder / "export", config.overwrite)


def export_detections(config, results, durations, least, folder):
    """Write the detections for the tools of --export. least: score. -> lines for the user."""
    from Utils.prepare.formats.export import export
    from Utils.prepare.formats.kept_rows import Choices

    known = {name: seconds for name, seconds in durations.items() if seconds}
    return export(rows_by_video(main_table(results)), config.export, folder,
                  Choices(least, config.top, durations=known), config.overwrite).lines()


def own_settings(config):
    """Names of the settings that the presets of data set and recipe do not give."""
    preset = resolve({"dataset": config.dataset, "recipe": config.recipe})
    return [name for name in (*STORED_NAMES, *SCORING_NAMES)
            if getattr(config, name) != getattr(preset, name)]


def draw_figures(folder, config, truth, durations, detections, curves, recall, diagnosis):
    """Draw what --figures asks for; gives the paths."""
    if config.figures == "none":
        return []
    # matplotlib takes half a second to import.
    from DETAD.plots import figure_jobs
    from Evaluation.report.curve_figures import write_precision_recall
    from Evaluation.report.recall_figure import write_recall_figure
    from Evaluation.report.timeline import write_timelines
    from Utils.figures import draw_all

    jobs = [] if diagnosis is None else figure_jobs(diagnosis, folder)
    if curves is not None:
        busiest = np.argsort(-np.bincount(truth.video), kind="stable")[:FIGURE_VIDEOS]
        names = [truth.videos[video] for video in busiest]
        jobs += [(write_timelines, truth, detections, durations, folder, names),
                 (write_precision_recall, curves, folder)]
    if recall is not None:
        jobs.append((write_recall_figure, recall, THRESHOLDS, folder))
    return draw_all(jobs, ("png", "pdf") if config.figures == "both" else (config.figures,))


def compare_runs(config, watch):
    """Compare the runs that --compare names; a page and a table of them."""
    folder = Path(config.output_path if "output_path" in config.given else "comparison")
    with locked(folder):
        content = compare(config.compare, folder / "report.html",
                          linked_videos(config.video_folder, folder))
        print(format_comparison(content))
        print(watch.summary(f"report: {folder / 'report.html'}"))
    return 0


def finding(diagnosis):
    """What DETAD's analysis says first, in words: the error that costs most, what is missed."""
    text = f"average mAP_N {100 * diagnosis['average_mAP_N']:.2f} %"
    impact = diagnosis["false_positives"]["impact"]
    worst = max(impact, key=impact.get)
    if impact[worst] > 0:
        text += (f"; most is lost to {worst.replace('_', ' ')} errors: "
                 f"{100 * impact[worst]:.1f} points")
    missed = {label: found["miss_rate"]
              for label, found in diagnosis["false_negatives"].get("length", {}).items()}
    if missed:
        label = max(missed, key=missed.get)
        text += (f"; of the actions of length {label} "
                 f"({diagnosis['buckets']['length'][label]['limits']}) "
                 f"{100 * missed[label]:.0f} % are missed")
    return text


def report(scores, diagnosis, notes, warnings):
    """Print the scores, what they were computed on, and what is odd about it."""
    print("\n".join([*notes, *(f"warning: {text}" for text in warnings)]))
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
