"""Several settings of suppression, tried on the same proposals."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from Engine.evaluation.from_proposals import results_from_proposals
from Engine.evaluation.inputs import Inputs
from Engine.evaluation.origin import origin
from Engine.evaluation.scoring import score
from Evaluation.metrics import ActionTable
from Evaluation.postprocessing.proposal_file import ProposalFile
from Utils.config.options import OPTIONS, Config, names_of
from Utils.config.result_options import AgnosticOptions, DetectionOptions
from Utils.files import UserError, counted, write_json

# What may vary without inference: the numbers among the options that Eval.py applies.
SWEPT = tuple(name for name in names_of(DetectionOptions, AgnosticOptions)
              if OPTIONS[name].kind is not bool)


def combinations(words: Sequence[str]) -> list[dict]:
    """Every combination of the values of `name=value,value,...` words. -> list of dict.

    Raises UserError for a name that is not swept, or a value outside the option's limit.
    """
    values = dict(map(_parsed, words))
    return [dict(zip(values, chosen, strict=True))
            for chosen in itertools.product(*values.values())]


def _parsed(word):
    """(name, values) of one word."""
    name, _, listed = word.partition("=")
    if name not in SWEPT:
        raise UserError(f"--sweep {word}: {name!r} is not applied by Eval.py; what is: "
                        f"{', '.join(SWEPT)}, as in --sweep "
                        "nms_alpha_detect=0.3,0.46,0.6")
    spec = OPTIONS[name]
    try:
        values = [spec.kind(value) for value in listed.split(",")]
    except ValueError:
        raise UserError(f"--sweep {word}: expected numbers separated by commas"
                        f"{', whole ones' * (spec.kind is int)}") from None
    for value in values:
        if not spec.limit.holds(value):
            raise UserError(f"--sweep {word}: {value:g} is impossible, --{name} must be "
                            f"{spec.limit.words}")
    return name, values


def format_sweep(tried: Sequence[tuple[dict, dict]]) -> str:
    """A table of what was tried, best first, with the scores in percent.

    tried: list of (settings, {name: fraction}).
    """
    import pandas as pd  # takes longer to import than all the rest of Eval.py

    names = list(tried[0][1])
    table = pd.DataFrame([chosen | scores for chosen, scores in tried])
    table[names] *= 100
    table = table.sort_values(names[0], ascending=False, kind="stable")
    return table.to_string(index=False, formatters=dict.fromkeys(names, "{:.2f}".format))


def sweep(inputs: Inputs) -> int:
    """Score every combination of --sweep on the saved proposals.

    Prints a table and writes sweep.json.
    """
    config, path = inputs.config, inputs.folder / "sweep.json"
    if inputs.file is None:
        raise UserError("--sweep varies the suppression of Infer.py's proposals, and "
                        "--detections are made already; leave one of them out")
    import joblib  # a quarter of a second that other evaluations save

    settings_tried = combinations(config.sweep)
    jobs = (joblib.delayed(try_settings)(replace(config, **chosen), inputs.file.path, inputs.truth)
            for chosen in settings_tried)
    scored = joblib.Parallel(min(joblib.cpu_count(), len(settings_tried)),
                             "multiprocessing")(jobs)
    found, warnings = zip(*scored, strict=True)
    tried = list(zip(settings_tried, found, strict=True))
    # What was varied is stored with each score, not among the settings that all share.
    write_json(path, {
        "tried": [{"settings": chosen, "scores": found} for chosen, found in tried],
        "provenance": origin(inputs, warnings[0], varied=settings_tried[0])})
    print(format_sweep(tried))
    print(f"{counted(len(tried), 'setting')}, best first; also in {path}. Choosing by "
          "scores on the test videos overrates the choice: choose on other videos")
    return 0


def try_settings(config: Config, path: Path,
                 truth: ActionTable) -> tuple[dict, list[str]]:
    """Decode the proposals at `path` by the config and score them.

    -> {name: average}, warnings.
    """
    with ProposalFile(path) as file:
        results = results_from_proposals(config, file)
        scores, _ = score(config, truth, results)
    return scores.get("average_mAP") or {"AUC": scores["AUC"]}, results.warnings
