"""The score of the validation windows' detections."""

import dataclasses
import types

import numpy as np
import pytest

from Evaluation.postprocessing.decoding import off_cuts, validation_score
from Evaluation.postprocessing.proposals import Proposals
from Utils.config.resolve import parse_config, resolve
from Utils.data.annotations import Video
from Utils.inputs.windows import Window

CONFIG = parse_config("Train", ["--dataset", "demo", "--recipe", "paper"])
VIDEOS = [Video("a", "test", 60.0, np.array([[1.0, 5.0], [10.0, 20.0]]), np.array([1, 2])),
          Video("b", "test", 60.0, np.array([[30.0, 40.0]]), np.array([1]))]
CLASSES = ("jump", "throw")


def proposals(video, keep=slice(None)):
    return Proposals(video.segments[keep], np.full(len(video.labels[keep]), 0.9, np.float32),
                     video.labels[keep].astype(np.int32))


def pairs(*kept):
    return [(Window(video.name, 0, 599), proposals(video, keep))
            for video, keep in zip(VIDEOS, kept, strict=True)]


def test_finding_every_action_scores_one():
    found = pairs(slice(None), slice(None))
    assert validation_score(found, VIDEOS, CLASSES, CONFIG)["mAP"] == pytest.approx(1)


def test_half_of_one_class_and_none_of_the_other_is_a_quarter():
    found = pairs(slice(0, 1), slice(0, 0))
    assert validation_score(found, VIDEOS, CLASSES, CONFIG)["mAP"] == pytest.approx(0.25)


def test_no_windows_score_zero():
    assert validation_score([], VIDEOS, CLASSES, CONFIG) == {"mAP": 0, "threshold": 0}


def test_the_best_checkpoint_is_that_of_the_best_map():
    from Engine.training.epochs import Run
    run = types.SimpleNamespace(config=parse_config("Train", ["--best_by", "map"]))

    def is_best(*values):
        run.history = [{"val": {"total": 1.0, "mAP": value}} for value in values]
        return Run.is_best(run)

    assert is_best(0.1) and is_best(0.1, 0.2)
    assert not is_best(0.2, 0.1) and not is_best(0.2, 0.2)


def test_the_best_checkpoint_is_that_of_the_lowest_loss():
    from Engine.training.epochs import Run
    run = types.SimpleNamespace(config=parse_config("Train", []))
    run.history = [{"val": {"total": 2.0}}, {"val": {"total": 1.0}}]
    assert Run.is_best(run)
    run.history.append({"val": {"total": 1.5}})
    assert not Run.is_best(run)


def test_proposals_of_a_clip_keep_off_its_cuts_but_not_off_the_ends_of_the_video():
    config = resolve({"dataset": "custom", "recipe": "strong", "temporal_scale": 100})
    assert config.clip_margin == 0.1
    rows = Proposals(np.array([[10.5, 20.], [12.5, 20.], [20., 28.5], [15., 25.]]),
                     np.full(4, .5, np.float32), np.ones(4, np.int32))

    def kept(first, last, duration=60.0, **changes):
        window = Window("a", first, last, fps=2.0, duration=duration)
        found = off_cuts(window, rows, dataclasses.replace(config, **changes))
        return found.segments[:, 0].tolist()

    # A clip of 20 s, 10 to 30 s: 2 s at either cut are left to its neighbours.
    assert kept(20, 59) == [12.5, 15.]
    assert kept(20, 59, duration=31.0) == [12.5, 20., 15.]      # 30 s is as good as the end
    assert kept(0, 39, duration=20.0) == [10.5, 12.5, 20., 15.]
    assert kept(20, 59, clip_margin=0.0) == kept(20, 59, use_VSS=False) == [10.5, 12.5, 20., 15.]
    assert kept(20, 99) == [10.5, 12.5, 20., 15.]               # no clip
