"""The input figure: the copies, the gap and the labels of inputs as training sees them."""

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from Evaluation.report.input_figure import numbers_of, spans_of, write_input_figure
from tests.Evaluation.report.test_curve_figures import drawn
from tests.small_data import noise, write_hdf5
from Utils.config.resolve import resolve
from Utils.data.datasets import Video
from Utils.data.feature_places import open_features
from Utils.inputs.dataset import WindowDataset
from Utils.inputs.windows import Window
from Utils.stitching import to_copy

CLASSES = ("jump", "run $^$")
STITCHED, PLAIN = Window("a", 30, 54, 10.0), Window("a", 20, 79, 10.0)


def test_the_stretches_of_an_input():
    assert spans_of(98, 8, 256) == [("clip, 98 frames", 0, 98), ("gap", 98, 106),
                                    ("the same, magnified 1.5 times", 106, 256)]
    assert spans_of(200, None, 256) == [("200 frames", 0, 200), ("padding", 200, 256)]


def test_an_action_has_one_number_in_both_copies():
    clip = np.array([[50.0, 60.0], [3.0, 9.0], [3.0, 20.0], [70.0, 90.0]])
    both = np.concatenate([clip, to_copy(clip, 98, 256, 8)])
    assert numbers_of(both, 106).tolist() == [3, 1, 2, 4] * 2
    assert numbers_of(clip, 0).tolist() == [3, 1, 2, 4]
    assert numbers_of(np.zeros((0, 2)), 106).tolist() == []


@pytest.fixture
def dataset(tmp_path):
    for stream, width in (("rgb", 60), ("flow", 20)):
        write_hdf5(tmp_path / f"{stream}.h5", {"a": noise(stream, 100, width)})
    video = Video("a", "train", 10.0, np.array([[3.2, 4.0], [4.4, 5.2], [6.0, 7.5]]),
                  np.array([1, 2, 1]))
    config = resolve({"dataset": "custom", "recipe": "paper", "framing": "sliding",
                      "temporal_scale": 64, "stitch_gap": 8, "short_ratio": 0.4})
    return WindowDataset([STITCHED, PLAIN], [video], open_features(tmp_path), config,
                         with_targets=True)


def draw_input(monkeypatch, folder, batch, gap):
    """The panels of an input's figure, by their names."""
    targets, count = batch.targets, int(batch.targets.counts[0])
    names = [CLASSES[label - 1] for label in targets.labels[0, :count].tolist()]
    figure, _ = drawn(monkeypatch, write_input_figure, folder / "input", batch.features[0].numpy(),
                      int(batch.num_frames[0]), gap, targets.segments[0, :count].numpy(), names,
                      {name: getattr(targets, name)[0].numpy() for name in
                       ("action", "start", "end")})
    return dict(zip(("copies", "features", "actions", "targets"), figure.axes, strict=True))


def spans(axes):
    return [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in
            axes.findobj(Rectangle) if patch is not axes.patch]


def test_a_stitched_input_shows_both_copies_the_gap_and_the_labels(tmp_path, monkeypatch, dataset):
    batch = dataset[0]
    assert batch.stitched[0] and batch.num_frames[0] == 25
    panels = draw_input(monkeypatch, tmp_path, batch, 8)
    assert [text.get_text() for text in panels["copies"].texts] == [
        "clip, 25 frames", "gap", "the same, magnified 1.2 times"]
    assert spans(panels["copies"]) == [(0, 25), (25, 33), (33, 64)]
    image = panels["features"].images[0].get_array()
    assert image.shape == (64, 64)                      # 64 of 80 channels
    empty = image.mask.all(axis=0)
    assert empty.nonzero()[0].tolist() == list(range(25, 33)) and not image.mask[:, ~empty].any()
    assert spans(panels["actions"]) == [(2, 10), (14, 22), (35, 45), (50, 60)]
    assert [text.get_text() for text in panels["actions"].texts] == ["1", "2", "1", "2"]
    assert [text.get_text() for text in panels["targets"].get_legend().get_texts()] == [
        "action", "start", "end"]


def test_the_magnified_copy_looks_like_the_clip(tmp_path, monkeypatch, dataset):
    image = draw_input(monkeypatch, tmp_path, dataset[0], 8)["features"].images[0].get_array()
    # Aligned corners: the first and the last frame are the same in both copies.
    assert image[:, [0, 24]].data == pytest.approx(image[:, [33, 63]].data, abs=1e-5)


def test_a_plain_input_shows_its_frames_and_the_padding(tmp_path, monkeypatch, dataset):
    panels = draw_input(monkeypatch, tmp_path, dataset[1], None)
    assert spans(panels["copies"]) == [(0, 60), (60, 64)]
    assert panels["features"].images[0].get_array().mask.all(axis=0).tolist() == [False] * 60 + (
        [True] * 4)
    assert [text.get_text() for text in panels["actions"].texts] == ["1", "2", "3"]


def test_an_input_without_actions_or_targets(tmp_path, monkeypatch):
    features = np.zeros((3, 20), np.float32)            # channels that don't vary
    figure, _ = drawn(monkeypatch, write_input_figure, tmp_path / "input", features, 20, None,
                      np.zeros((0, 2)), [])
    assert len(figure.axes) == 3 and np.isfinite(figure.axes[1].images[0].get_array()).all()
