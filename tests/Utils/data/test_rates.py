"""The clock of the features: rate and shift of each video, and units other than seconds."""

import json

import numpy as np
import pytest

import Eval
from Evaluation.detection_file import check_seconds
from Evaluation.metrics import action_table
from Evaluation.postprocessing.detections import video_detections
from Evaluation.postprocessing.per_video import detection_options
from Evaluation.postprocessing.proposals import Proposals
from tests.small_data import custom_config, entry, write_annotations, write_custom
from tests.small_run import call, make_run, options, refusal
from Utils.config.resolve import parse_config, resolve
from Utils.data.annotations import Video, check_units
from Utils.data.sources import open_source
from Utils.files import UserError
from Utils.inputs.framing import InputShape, sliding_layout, whole_layout
from Utils.inputs.window_file import read_windows
from Utils.inputs.windows import Window, cut_sliding
from Utils.segments import iou

FPS = {"train0": 24, "train1": 25, "train2": 30000 / 1001}   # all others: 30


def several_frame_rates(database, arrays):
    """Videos of 160 s, a feature for every 4 images, at the frame rates of FPS."""
    for name, video in database.items():
        fps = FPS.get(name, 30)
        video |= {"duration": 160.0, "fps": fps}
        for stream in arrays:
            width = arrays[stream][name].shape[1]
            arrays[stream][name] = np.zeros((int(160 * fps / 4), width), np.float32)


def source(tmp_path, *words, change=several_frame_rates):
    return open_source(parse_config("Cut_long_videos", [
        *write_custom(tmp_path / "data", change=change), *words]))


def test_one_rate_for_videos_of_several_frame_rates_is_refused_and_its_remedies_work(tmp_path):
    with pytest.raises(UserError, match=r"--feature_fps is 7.5, but by their durations 2 of 7 "
                       r"videos differ: train0 \(6 features per second, not 7.5\), train1 \(6.25 .*"
                       "leave the option out.*give --feature_stride, and each video's 'fps'"):
        source(tmp_path / "a", "--feature_fps", "7.5")
    for place, words in (("b", ()), ("c", ("--feature_stride", "4"))):
        rates = {video.name: video.rate or 0 for video in source(tmp_path / place, *words
                                                                 ).all_videos}
        assert rates["train0"] == (6 if words else 0) and rates["test0"] == (7.5 if words else 0)


@pytest.fixture(autouse=True)
def folders(tmp_path):
    for name in "abc":
        (tmp_path / name).mkdir()


def test_a_few_videos_of_another_rate_are_named_and_used(tmp_path):
    def change(database, arrays):
        for number in range(40):
            database[f"more{number}"] = entry("train", (1, 2, "run"))
            for stream in arrays:
                arrays[stream][f"more{number}"] = arrays[stream]["train0"]
        database["train3"]["duration"] = 14.0

    found = source(tmp_path, "--feature_fps", "10", change=change)
    assert any("1 of 47 videos differs: train3 (7.143 features per second, not 10)" in note
               for note in found.notes)


def clips(database, arrays):
    """100 features of 16 images, one for every 4, at 25 images per second."""
    for video in database.values():
        video |= {"fps": 25, "frame": 99 * 4 + 16, "annotations": [
            {"segment": [(4 * 10 + 8) / 25, (4 * 20 + 8) / 25], "label": "run"}]}
        del video["duration"]


CLIPS = "--feature_stride", "4", "--clip_length", "16"


def test_a_feature_lies_in_the_middle_of_its_clip_in_windows_targets_and_detections(tmp_path):
    found = source(tmp_path, *CLIPS, change=clips)
    video = found.all_videos[0]
    assert (video.rate, video.shift) == (6.25, 0.32)
    assert video.duration == (99 * 4 + 16) / 25
    windows = cut_sliding(video, 100, video.rate, 21)
    # The action lasts from feature 10 to feature 20, end included: the window 0 .. 20 has it whole.
    assert [(w.start, w.end) for w in windows] == [(0, 20), (5, 25), (10, 30)]
    for window in windows:
        layout = sliding_layout(window, video, (100,), InputShape(64, 8, 0.1, False))
        assert (layout.segments + window.start).tolist() == [[10, 20]]
        seconds = (layout.segments + layout.origin) / layout.rate
        assert seconds == pytest.approx(video.segments, abs=1e-12)


def test_a_whole_video_knows_the_middle_of_its_clips_too():
    video = Video("a", "train", 16.0, np.array([[2.5, 4.5]]), np.ones(1, int), shift=0.5)
    layout = whole_layout(Window("a", 0.0, 16.0), video, (64,), InputShape(64, 8, 0.1, False))
    assert layout.segments.tolist() == [[8, 16]]      # 2 and 4 s of the features, 4 columns each
    shares = (layout.segments + layout.origin) / layout.rate
    assert shares * 16 == pytest.approx(video.segments)


def test_images_per_second_come_from_frames_and_duration_or_are_asked_for(tmp_path):
    def change(database, arrays):
        clips(database, arrays)
        for video in database.values():
            video["duration"] = video["frame"] / video.pop("fps")

    assert source(tmp_path / "a", *CLIPS, change=change).all_videos[0].rate == 6.25
    for words, flag in ((("--feature_stride", "4"), "stride"), (("--clip_length", "4"), "length")):
        with pytest.raises(UserError, match=f"{flag} counts images, and video train0 has no 'fps'"):
            source(tmp_path / "b", *words, change=None)
    with pytest.raises(UserError, match="contradict each other: video train0 would have 6.25 "):
        source(tmp_path / "c", *CLIPS, "--feature_fps", "7", change=clips)


def test_the_rate_of_the_windows_is_adopted_and_a_contradiction_refused(tmp_path, capsys):
    run = tmp_path / "run"
    chosen = make_run(run, change=clips, words=CLIPS)
    settings = read_windows(run / "windows/infer.json")[1]
    assert (settings["feature_stride"], settings["clip_length"]) == (4, 16)
    without = chosen[:-len(CLIPS)]
    assert call("Train", run, *without, "--overwrite") == 0
    assert call("Infer", run, *without) == 0
    capsys.readouterr()
    for script, words in (("Train", ("--overwrite",)), ("Infer", ())):
        assert call(script, run, *without, *words, "--feature_stride", "5") == 2
        said = refusal(capsys.readouterr())
        assert "was cut with --feature_stride 4, this run has 5" in said
        assert "give --feature_stride as it was cut" in said
    assert call("Infer", run, *without, "--feature_stride", "4", "--overwrite") == 0
    capsys.readouterr()
    assert call("Train", run, *without, "--overwrite", "--feature_fps", "6.25") == 2
    assert "--feature_fps unset, this run has 6.25" in (said := refusal(capsys.readouterr()))
    assert "or leave --feature_fps out" in said


# ---- units --------------------------------------------------------------------------------------

def scaled(factor, what):
    def change(database, arrays):
        for video in database.values():
            if what == "duration":
                video["duration"] *= factor
            for action in video["annotations"]:
                if what == "segments":
                    action["segment"] = [edge * factor for edge in action["segment"]]
    return change


@pytest.mark.parametrize("factor", [25, 1000])
@pytest.mark.parametrize("script", ["Cut", "Eval", "--check"])
def test_actions_in_frames_or_milliseconds_are_asked_about(tmp_path, capsys, script, factor):
    run, words = tmp_path / "run", ["--subset", "test"]
    run.mkdir()
    chosen = options(run, scaled(factor, "segments"))
    if script == "Eval":
        (run / "found.json").write_text(json.dumps({"results": {"test0": []}}))
        words += ["--detections", run / "found.json"]
    elif script == "--check":
        script, words = "Cut", [*words, "--check"]
    assert call(script, run, *chosen, *words) == 2
    said = capsys.readouterr()
    assert "are the segments in frames or milliseconds?" in said.err + said.out
    assert (said.err + said.out).count("begin after the end of their videos") == 1


@pytest.mark.parametrize("words", [(), ("--feature_fps", "10")])
def test_durations_in_milliseconds_are_asked_about(tmp_path, words):
    with pytest.raises(UserError, match="0.01 features per second .*are the durations in frames or "
                                        "milliseconds.*'duration' in seconds"):
        source(tmp_path, *words, change=scaled(1000, "duration"))


def detection_file(path, factor):
    row = {"label": "run", "score": 0.5}
    path.write_text(json.dumps({"results": {"a": [
        {**row, "segment": [start * factor, start * factor + 1]} for start in range(1, 9)]}}))
    return path


@pytest.mark.parametrize("duration", [10.0, None])
def test_detections_in_frames_are_asked_about(tmp_path, capsys, duration):
    truth = write_annotations(tmp_path / "truth.json", {
        "a": entry("test", (1, 2, "run"), (7, 8.5, "run"), duration=duration)})
    words = ["--video_anno", str(truth), "--output_path", str(tmp_path), "--detections"]
    assert Eval.main([*words, str(detection_file(tmp_path / "s.json", 1))]) == 0
    capsys.readouterr()
    assert Eval.main([*words, str(detection_file(tmp_path / "f.json", 25)), "--overwrite"]) == 2
    where = "end" if duration else "last action"
    assert f"8 of 8 detections begin after the {where} of their videos, such as" in (
        said := refusal(capsys.readouterr()))
    assert "are they in frames or milliseconds?" in said


def one(segment):
    """A video of 10 s with a single action."""
    return Video("a", "test", 10.0, np.array([segment], float), np.zeros(1, int))


def test_a_single_action_or_detection_after_the_end_is_in_the_singular():
    with pytest.raises(UserError, match="^1 of 1 action begins after the end of its video, such"):
        check_units([one([12, 13])])
    truth, found = (action_table([one(segment)], ("run",)) for segment in ([1, 2], [12, 13]))
    with pytest.raises(UserError, match="1 of 1 detection begins after the end of its video, such"):
        check_seconds(found, truth, {"a": 10.0}, "f.json")


def test_a_few_detections_after_the_end_are_counted():
    video = Video("a", "test", 10.0, np.array([[1, 2.]]), np.zeros(1, int))
    truth = action_table([video], ("run",))
    found = action_table([Video("a", "", None, np.array([[1, 2.], [3, 4], [11, 12]]),
                                np.zeros(3, int))], ("run",))
    assert check_seconds(found, truth, {"a": 10.0}, "f.json") == [
        "f.json: 1 detection begins after the end of the video"]


def test_features_stored_the_other_way_round_are_asked_about(tmp_path):
    def change(database, arrays):
        for name in database:
            arrays["rgb"][name], arrays["flow"][name] = (
                np.zeros((width, 100), np.float32) for width in (32, 33))

    with pytest.raises(UserError, match=r"7 of 7 videos seem to be stored \[channels, frames\].*"
                                        r"array.T. fixes it"):
        source(tmp_path / "a", "--feature_fps", "10", change=change)

    def corrected(database, arrays):
        change(database, arrays)
        for stream, videos in arrays.items():
            arrays[stream] = {name: array.T for name, array in videos.items()}

    assert not any("stored" in note for note in source(
        tmp_path / "b", "--feature_fps", "10", change=corrected).notes)
    assert any("all 7 have 32 frames of 100 channels" in note for note in source(
        tmp_path / "c", change=change).notes)


def test_an_invalid_frame_rate_is_asked_for_only_if_it_matters(tmp_path):
    def change(database, arrays):
        for video in database.values():
            video["fps"] = "n/a"

    assert len(source(tmp_path / "a", change=change).all_videos) == 7
    with pytest.raises(UserError, match="video train0 has no 'fps' in the annotations"):
        source(tmp_path / "b", "--feature_stride", "4", change=change)


# ---- precision ----------------------------------------------------------------------------------

def test_own_data_keep_full_precision_and_thumos14_the_original_s_tenths():
    truth = np.array([[1.04, 1.34]])
    proposals = Proposals(truth, np.ones(1, np.float32), np.ones(1, np.int32))
    for dataset, overlap in (("custom", 1), ("demo", 1), ("thumos", 0.26 / 0.34)):
        found = video_detections(proposals, 10.0, **detection_options(
            resolve({"dataset": dataset})))
        assert iou(found.segments, truth)[0, 0] == pytest.approx(overlap), dataset
    assert custom_config("a.json").rounded is False
