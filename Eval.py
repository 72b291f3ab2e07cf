"""Score and diagnose detections: of Infer.py's proposals, or of any method's detection file.

    python Eval.py --dataset thumos --output_path RUN
    python Eval.py --detections results.json --video_anno ground_truth.json
"""

import sys
from pathlib import Path

from tqdm import tqdm

from DETAD import diagnose
from DETAD.characteristics import bucket_table, compute_characteristics, read_characteristics
from DETAD.plots import write_figures
from Evaluation.average_recall import THRESHOLDS, average_recall
from Evaluation.detections import detection_rows, write_detections
from Evaluation.metrics import action_table, align, detection_table
from Evaluation.per_video import Results, detections_of, proposal_table, proposals_of, read_video
from Evaluation.proposal_file import read_proposals
from Evaluation.provenance import provenance
from Evaluation.recall_figure import write_recall_figure
from Evaluation.results import NO_CLASS, mismatches, read_results
from Evaluation.scores import (
    counts,
    format_table,
    precision_scores,
    recall_scores,
    short_scores,
)
from Evaluation.thumos14_protocol import read_ambiguous
from Evaluation.video_scores import check_covered, read_video_scores
from Utils.annotations import canonical
from Utils.config import (
    STORED_NAMES,
    EvalOptions,
    adopt,
    describe,
    names_of,
    parse_config,
    settings,
)
from Utils.datasets import DATASETS, find_file, read_csv_rows
from Utils.files import UserError, read_json, write_json
from Utils.ground_truth import load_ground_truth
from Utils.run import Stopwatch, locked, script_main
from Utils.segments import length


@script_main
def main(argv=None):
    watch = Stopwatch()
    config = parse_config("Eval", argv)
    with locked(results_folder(config)) as folder:
        config, results = (read_file if config.detections else decode)(config, folder)
        annotations = load_ground_truth(config)
        truth = action_table(annotations.videos, annotations.classes)
        check_truth(truth, annotations)
        scores, recall = score(config, truth, results)
        diagnosis = diagnose_detections(config, truth, annotations, results)
        warnings = [*results.warnings, *mismatches(align(main_table(results), truth), truth)]
        scores["provenance"] = provenance(
            truth, {"ground_truth": annotations.notes[0], "detections": results.source,
                    "subset": config.subset}, config.protocol, settings(config, stated(config)),
            [*annotations.notes[1:], *warnings])
        write(folder, scores, recall, diagnosis)
        report(scores, diagnosis, annotations.notes, warnings)
        print(watch.summary(f"metrics.json and figures in {folder}"))
    return 0


def results_folder(config):
    """Where the scores go: output_path; of a detection file without one, its own folder."""
    if config.detections and "output_path" not in config.given:
        if not Path(config.detections).is_file():
            raise UserError(f"no detection file at {config.detections}")
        return Path(config.detections).parent
    return Path(config.output_path)


def stated(config):
    """Names of the options that made the scores: of other methods we know ours alone."""
    return ("dataset", "subset", *names_of(EvalOptions)) if config.detections else STORED_NAMES


# ---- what is scored -----------------------------------------------------------------------------

def read_file(config, folder):
    """The rows of --detections. -> config, Results."""
    table, warnings = read_results(config.detections)
    has_classes = table.classes != (NO_CLASS,)
    return config, Results(table if has_classes else None, table, config.detections,
                           warnings=warnings)


def decode(config, folder):
    """Detections of the proposals in `folder`, with the options they were made with. Writes
    detections_postNMS.json, without classes proposals_postNMS.json. -> config, Results."""
    path = folder / "proposals.h5"
    file, stored = read_proposals(path)
    config = adopt(config, stored, path)
    print(f"Eval.py\n{describe(config)}")
    spec, classes = DATASETS[config.dataset], stored["classes"]
    videos = list(read_videos(config, file, spec))
    names = [video.name for video in videos]
    video_scores = scores_of_videos(config, classes, names)
    detections = proposals = None
    if config.class_agnostic:
        found = {video.name: proposals_of(video, config) for video in progress(videos)}
        proposals = proposal_table(found)
        write_results(folder / "proposals_postNMS.json", found, spec)
    if not config.class_agnostic or video_scores:
        found = {video.name: detections_of(video, config, video_scores.get(video.name))
                 for video in progress(videos)}
        detections = detection_table(found, classes)
        write_results(folder / "detections_postNMS.json", found, spec, classes)
    warnings = [] if detections else ["no video-level scores (--video_scores): proposals have no "
                                      "classes, so they and AR@AN are all there is"]
    return config, Results(detections, proposals, str(path),
                           {video.name: video.duration for video in videos}, warnings)


def read_videos(config, file, spec):
    """VideoRows of every video of proposals.h5, in its order."""
    frames = {}
    if config.floor_duration:
        info = find_file(config, "video_info")
        frames = {name: int(row["numFrame"]) for name, row in read_csv_rows(info).items()}
    for video in file:
        yield read_video(file, video, spec.result_prefix, frames.get(video))


def scores_of_videos(config, classes, names):
    """{video: scores} of the video-level classifier, where there is a file of it; else empty."""
    path = find_file(config, "video_scores", optional=True)
    if path is None:
        return {}
    found = read_video_scores(path, classes)
    check_covered(path, found, names)
    return found


def write_results(path, found, spec, classes=None):
    write_detections(path, {video: detection_rows(rows, classes) for video, rows in found.items()},
                     spec.version)


def progress(videos):
    return tqdm(videos, desc="videos", leave=False, disable=not sys.stderr.isatty())


# ---- scores and diagnosis -----------------------------------------------------------------------

def check_truth(truth, annotations):
    if not len(truth):
        raise UserError(f"{annotations.notes[0]}: none of its {len(truth.videos)} videos to score "
                        "has an action; choose others with --subset")


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
        durations = {video.name: video.duration or results.durations.get(video.name)
                     for video in annotations.videos}
        actions, characteristics = truth, compute_characteristics(truth, durations)
    else:
        actions, characteristics = read_characteristics(
            read_json(path, "DETAD file"), canonical(config.subset), path)
    buckets = bucket_table(spec.detad_table, config.detad_length_bins, length(actions.segments))
    diagnosis = diagnose(actions, characteristics, results.detections, spec.detad_tiou, buckets)
    return diagnosis | {"ground_truth": str(path or annotations.notes[0]),
                        "bucket_edges": {name: buckets[name].describe()
                                         for name in diagnosis["buckets"]}}


# ---- results ------------------------------------------------------------------------------------

def write(folder, scores, recall, diagnosis):
    """Write the figures, detad.json and, last, metrics.json."""
    if recall is not None:
        write_recall_figure(recall, THRESHOLDS, folder)
    if diagnosis is not None:
        write_json(folder / "detad.json", diagnosis)
        write_figures(diagnosis, folder)
    write_json(folder / "metrics.json", scores)


def report(scores, diagnosis, notes, warnings):
    """Print the scores, what they were computed on, and what is odd about it."""
    print("\n".join([*notes, *(f"warning: {text}" for text in warnings)]))
    print(f"{scores['num_detections']} detections against {scores['num_ground_truth']} actions of "
          f"{scores['num_classes']} classes in {scores['num_videos']} videos")
    print(format_table(scores))
    if diagnosis is not None:
        print(f"DETAD: average mAP_N {100 * diagnosis['average_mAP_N']:.2f} %; "
              + "; ".join(f"{name} {text}" for name, text in diagnosis["bucket_edges"].items()))


if __name__ == "__main__":
    sys.exit(main())
