import numpy as np
import pytest

from Evaluation.detection_file import NO_CLASS
from Evaluation.postprocessing.per_video import (
    TOGETHER,
    VideoRows,
    proposal_table,
    read_video,
    results_of,
)
from Evaluation.postprocessing.proposal_file import read_proposals
from Evaluation.postprocessing.proposals import Proposals
from tests.small_data import write_proposals
from Utils.config.resolve import resolve
from Utils.files import UserError
from Utils.inputs.windows import Window

# Apart from each other, so that suppression changes no score.
ROWS = Proposals(np.array([[1., 3], [5, 8]]), np.array([.5, .25], np.float32),
                 np.array([2, 1], np.int32))
WITHOUT_CLASS = Proposals(ROWS.segments, ROWS.scores, np.zeros(2, np.int32))


def config(**given):
    return resolve({"dataset": "custom", "recipe": "paper", **given})


def results(rows, settings, video_scores=None):
    return results_of([VideoRows("v", 10., rows)], settings, video_scores or {})


def test_proposals_with_classes_become_detections():
    detections, proposals = results(ROWS, config())
    assert proposals == {}
    assert detections["v"].scores.tolist() == [.5, .25]
    assert detections["v"].labels.tolist() == [2, 1]


def test_a_classifier_weighs_each_by_its_own_class():
    detections, _ = results(ROWS, config(), {"v": np.array([0, 1, .25])})
    assert detections["v"].labels.tolist() == [1, 2]
    assert detections["v"].scores.tolist() == [.25, .125]


def test_without_classes_there_are_proposals_alone():
    detections, proposals = results(WITHOUT_CLASS, config(class_agnostic=True))
    assert detections == {} and proposals["v"].scores.tolist() == [.5, .25]
    table = proposal_table(proposals)
    assert table.classes == (NO_CLASS,) and table.label.tolist() == [0, 0]


def test_a_classifier_gives_them_its_best_classes():
    settings = config(class_agnostic=True, num_video_classes=2)
    detections, proposals = results(WITHOUT_CLASS, settings, {"v": np.array([0, .5, .25])})
    assert detections["v"].labels.tolist() == [1, 2, 1, 2]
    assert detections["v"].scores.tolist() == [.25, .125, .125, .0625]
    assert len(proposals["v"]) == 2


def test_each_of_many_videos_has_its_own_results():
    rng = np.random.default_rng(0)
    settings = config(class_agnostic=True, max_detections=9)
    videos = [VideoRows(f"v{i}", 10. + i, random_rows(rng, i, 10 + i)) for i in range(TOGETHER + 5)]
    scores = {video.name: rng.random(4) for video in videos}
    together = results_of(iter(videos), settings, scores)
    alone = [results_of([video], settings, scores) for video in videos]
    for kind, found in enumerate(together):
        assert list(found) == [video.name for video in videos]
        for video, parts in zip(videos, alone, strict=True):
            for name, values in vars(found[video.name]).items():
                assert values.tolist() == getattr(parts[kind][video.name], name).tolist()
    assert [len(rows) for rows in together[1].values()][::5] == [0, 5, 9, 9, 9]


def random_rows(rng, count, duration):
    """Segments of some seconds that overlap, of no class."""
    start = rng.random(count) * duration * .7
    segments = np.column_stack([start, start + rng.uniform(.1, .3, count) * duration])
    return Proposals(segments, rng.random(count, np.float32), np.zeros(count, np.int32))


def test_segments_of_50_seconds_are_kept_unless_the_dataset_forbids_them():
    rows = Proposals(np.array([[0., 60]]), np.array([.5], np.float32), np.array([1], np.int32))
    long_video = [VideoRows("v", 100., rows)]
    assert len(results_of(long_video, config(), {})[0]["v"]) == 1
    assert len(results_of(long_video, config(dataset="thumos"), {})[0]["v"]) == 0


def test_proposals_may_end_at_the_last_16_whole_frames():
    rows = Proposals(np.array([[0., 10]]), np.array([.5], np.float32), np.array([0], np.int32))
    video = VideoRows("v", 10., rows, num_frames=100)
    settings = config(class_agnostic=True, floor_duration=True)
    assert results_of([video], settings, {})[1]["v"].segments.tolist() == [[0, 9.6]]


# ---- from the file ------------------------------------------------------------------------------

def write(path, duration, **settings):
    window = Window("v_a", 0., 1., None, duration, None)
    rows = Proposals(np.array([[.1, .3]]), np.array([.5], np.float32), np.array([0], np.int32))
    write_proposals(path, [(window, rows)], settings)
    return read_proposals(path)[0]


def test_shares_of_the_duration_become_seconds(tmp_path):
    video = read_video(write(tmp_path / "p.h5", 20., framing="whole"), "v_a", "v_")
    assert video.name == "a" and video.duration == 20
    assert video.rows.segments == pytest.approx(np.array([[2., 6]]))


def test_seconds_stay(tmp_path):
    video = read_video(write(tmp_path / "p.h5", None, framing="sliding"), "v_a")
    assert video.name == "v_a" and video.duration is None
    assert video.rows.segments.tolist() == [[.1, .3]]


def test_shares_of_an_unknown_duration_are_refused(tmp_path):
    file = write(tmp_path / "p.h5", None, framing="whole")
    with pytest.raises(UserError, match="video v_a has no duration"):
        read_video(file, "v_a")
