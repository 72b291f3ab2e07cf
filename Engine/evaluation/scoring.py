"""The scores and the diagnosis of a run, as its files have them."""

from dataclasses import dataclass

from DETAD import diagnose
from DETAD.characteristics import (
    bucket_table,
    compute_characteristics,
    notes_on,
    read_characteristics,
)
from Engine.evaluation.inputs import Inputs
from Engine.evaluation.origin import durations_of, origin, recommendation, truth_of
from Evaluation.average_recall import AverageRecall, average_recall
from Evaluation.detection_file import mismatches
from Evaluation.metrics import ActionTable, align
from Evaluation.postprocessing.per_video import Results
from Evaluation.scores import (
    as_computed,
    counts,
    precision_scores,
    recall_scores,
    short_scores,
)
from Evaluation.thumos14_protocol import read_ambiguous
from Utils.config.options import Config
from Utils.data.annotations import Annotations, canonical
from Utils.data.datasets import DATASETS, find_file
from Utils.files import read_json


@dataclass(frozen=True)
class Outcome:
    """The results of an evaluation.

    scores: the content of metrics.json; diagnosis: of detad.json, None for proposals
    without classes. recall: AverageRecall or None. durations: {video: seconds or None}.
    warnings: what is odd about the detections, in sentences.
    """
    results: Results
    scores: dict
    recall: AverageRecall | None
    diagnosis: dict | None
    durations: dict
    warnings: list

    @property
    def table(self) -> ActionTable:
        """The detections or, if there are none, the proposals."""
        return main_table(self.results)


def evaluated(inputs: Inputs, results: Results) -> Outcome:
    """Score and diagnose the Results of some Inputs. -> Outcome."""
    config, truth, annotations = inputs.config, inputs.truth, inputs.annotations
    scores, recall = score(config, truth, results)
    diagnosis = diagnose_detections(config, truth, annotations, results)
    warnings = [*results.warnings, *mismatches(align(main_table(results), truth), truth)]
    scores["provenance"] = origin(inputs, warnings) | {"epoch": inputs.epoch}
    scores |= recommendation(inputs.home, inputs.epoch)
    return Outcome(results, scores, recall, diagnosis, durations_of(annotations, results),
                   warnings)


def main_table(results: Results) -> ActionTable:
    """The detections or, if there are none, the proposals. -> ActionTable."""
    return results.proposals if results.detections is None else results.detections


def score(config: Config, truth: ActionTable,
          results: Results) -> tuple[dict, AverageRecall | None]:
    """The content of metrics.json, and the AverageRecall or None."""
    scores = {"dataset": config.dataset, "subset": config.subset,
              **counts(truth, main_table(results))}
    recall = None
    if results.detections is not None:
        detections, options = align(results.detections, truth), {}
        if config.protocol == "thumos14" and config.ambiguous:
            options["ambiguous"] = read_ambiguous(config.ambiguous)
        scores |= precision_scores(truth, detections, config.tiou,
                                   config.protocol, **options)
        if config.short_seconds is not None:
            scores["short_actions"] = short_scores(truth, detections, config.tiou,
                                                   config.short_seconds)
    if results.proposals is not None:
        recall = average_recall(truth, align(results.proposals, truth))
        scores |= recall_scores(recall)
    return scores, recall


def diagnose_detections(config: Config, truth: ActionTable, annotations: Annotations,
                        results: Results) -> dict | None:
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
