"""The demo's videos: written once, small, and showing what their annotations say."""

import json

import numpy as np
import pytest

pytest.importorskip("av", reason="PYAV ABSENT: pip install -r requirements-video.txt")
pytest.importorskip("cv2", reason="OPENCV ABSENT: pip install -r requirements-video.txt")

from Utils.files import UserError  # noqa: E402
from Utils.video.demo_videos import (  # noqa: E402
    CLASSES,
    HEIGHT,
    LEAST_SECONDS,
    MARGIN,
    WIDTH,
    Event,
    ensure_demo_videos,
    pictures,
    pose_of,
    story,
)
from Utils.video.reader import VideoReader  # noqa: E402


def test_they_are_written_once_and_never_over_others(tmp_path):
    assert ensure_demo_videos(tmp_path, 1, 1, seconds=6) is True
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert sorted(before) == ["annotations.json", "shapes_test_00.mp4", "shapes_train_00.mp4"]
    assert ensure_demo_videos(tmp_path, 1, 1, seconds=6) is False
    (tmp_path / "shapes_test_00.mp4").unlink()
    assert ensure_demo_videos(tmp_path, 1, 1, seconds=6) is True
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    (tmp_path / "annotations.json").write_text('{"database": {}}')
    with pytest.raises(UserError, match="does not belong to the demo"):
        ensure_demo_videos(tmp_path, 1, 1, seconds=6)


def test_annotations_fit_the_files(tmp_path):
    ensure_demo_videos(tmp_path, 1, 1, seconds=8)
    database = json.loads((tmp_path / "annotations.json").read_text())["database"]
    assert {video["subset"] for video in database.values()} == {"train", "test"}
    for name, video in database.items():
        with VideoReader(tmp_path / f"{name}.mp4") as reader:
            sizes = {(frame.width, frame.height) for frame in reader}
        assert sizes == {(WIDTH, HEIGHT)} and reader.facts.duration == video["duration"] == 8
        assert video["annotations"]


def test_stories_have_every_class_and_short_actions_that_do_not_touch():
    events = [event for number in range(40) for event in story(np.random.RandomState(number), 40)]
    actions = [event for event in events if event.kind in CLASSES]
    assert {event.kind for event in actions} == set(CLASSES)
    assert all(0.99 < event.end - event.start < 3.51 for event in actions)
    assert len(actions) > 300 and len(events) > len(actions)


def test_the_shortest_videos_have_an_action_each():
    for seed in range(300):
        events = story(np.random.RandomState(seed), LEAST_SECONDS)
        assert any(event.kind in CLASSES for event in events)


def test_shapes_stay_in_the_picture_and_where_they_crossed_to():
    events = [Event("cross_right", 0, 0.2, 0.6, reach=150.0)]
    frames = [picture.astype(int) for picture in pictures(events, 2, seed=1)]
    bright = [np.nonzero((frame > 140).any(axis=0))[0] for frame in frames]
    spans = [columns.max() - columns.min() for columns in bright]
    assert spans[0] == pytest.approx(160 + 34, abs=12)          # of 80, 160 and 240
    assert spans[-1] == pytest.approx(80 + 36, abs=12)          # of 160, 230 and 240
    for number in range(20):
        place = {shape: home for shape, home in enumerate((80, 160, 240))}
        for event in story(np.random.RandomState(number), 40):
            place[event.shape] += event.reach
            assert MARGIN <= place[event.shape] <= WIDTH - MARGIN


@pytest.mark.parametrize("kind, changed", [("bounce", "y"), ("spin", "angle"), ("blink", "light"),
                                           ("swell", "scale"), ("rise", "y"), ("sink", "y")])
def test_each_kind_changes_one_thing(kind, changed):
    poses = [pose_of(Event(kind, 0, 1.0, 3.0), time) for time in np.linspace(1.05, 2.9, 20)]
    still = pose_of(None, 0)
    varied = {name for pose in poses for name in pose if pose[name] != still[name]}
    assert varied == {changed}
