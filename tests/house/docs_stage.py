"""A folder in which the documentation's commands run: stand-ins for the data they name."""

import json
import shutil

import numpy as np

from tests.small_data import entry, noise, write_annotations, write_custom, write_hdf5
from Utils.prepare.convert import CLASSES, Conversion, write_durations
from Utils.prepare.convert import write_annotations as write_thumos

PLACES = {"/path/to/": "path_to/"}     # what a reader replaces, and what stands for it here
WIDTHS = (("rgb", 1024), ("flow", 1024))     # of the features that people have


def make_stage(folder):
    """Write every file that README and docs name and do not make themselves."""
    (folder / "my").mkdir()
    write_custom(folder / "my" / "features")
    annotations = folder / "my/features/annotations.json"
    for name in ("my/annotations.json", "annotations.json", "ANNOTATIONS", "ground_truth.json"):
        shutil.copy(annotations, folder / name)
    for name in ("FEATURES", "FOLDER"):
        shutil.copytree(folder / "my/features", folder / name)
    write_annotations(folder / "hidden.json", {name: entry("testing")
                                               for name in ("test0", "test1")})
    np.save(folder / "features.npy", noise("one", 90, 2048))
    row = {"label": "run", "score": 0.9, "segment": [3, 4]}
    (folder / "results.json").write_text(json.dumps({"results": {"test0": [row], "test1": []}}))
    (folder / "videos").mkdir()
    thumos, activitynet = thumos_videos(), activitynet_videos()
    (folder / "DATA_PATH").mkdir()
    write_features(folder / "DATA_PATH", thumos, activitynet)
    (folder / "path_to").mkdir()
    for name in ("features", "tsn", "i3d"):
        (folder / "path_to" / name).symlink_to(folder / "DATA_PATH")
    write_thumos_files(folder, thumos)
    write_activitynet_files(folder / "Evaluation/activitynet/annot", activitynet)


def thumos_videos():
    """{name: entry}: four for training, with five of the 20 classes each, and two for testing."""
    videos = {}
    for part, subset, count in (("validation", "train", 4), ("test", "test", 2)):
        for number in range(count):
            actions = [(2 * place + 0.5, 2 * place + 2, label)
                       for place, label in enumerate(CLASSES[5 * number:5 * number + 5])]
            videos[f"video_{part}_{51 + number:07d}"] = entry(subset, *actions, duration=12.0)
    return videos


def write_thumos_files(folder, videos):
    """Annotations and durations; the same as text files of the challenge, and as OpenTAD's JSON."""
    annot, texts = folder / "Evaluation/thumos/annot", folder / "TH14_Temporal_annotations"
    annot.mkdir(parents=True)
    write_thumos(Conversion(videos), annot / "thumos_gt.json")
    write_durations(Conversion(videos), annot)
    texts.mkdir()
    for label in CLASSES:
        for ending, part in (("val", "validation"), ("test", "test")):
            (texts / f"{label}_{ending}.txt").write_text(f"video_{part}_0000051 1.0 2.5\n")
    write_annotations(folder / "thumos14.json", videos)


def activitynet_videos():
    """{name: entry}, durations as its file has them."""
    return {f"v_{subset[0]}{number}": {
        "subset": subset, "duration_second": 30.0, "annotations": [
            {"segment": [2, 9], "label": "Zumba"}, {"segment": [12, 28], "label": "Polo"}]}
            for subset, count in (("training", 4), ("validation", 2)) for number in range(count)}


def write_activitynet_files(annot, videos):
    annot.mkdir(parents=True)
    (annot / "anet_anno_action.json").write_text(json.dumps(videos))
    (annot / "video_info_new.csv").write_text("video,numFrame,seconds,fps,subset\n" + "".join(
        f"{name},900,30.0,30,{video['subset']}\n" for name, video in videos.items()))
    (annot / "cuhk_val_simp_share.json").write_text(json.dumps({
        "class": ["Polo", "Zumba"],
        "results": {name.removeprefix("v_"): [0.7, 0.3] for name in videos}}))


def write_features(folder, thumos, activitynet):
    """Two streams of both datasets, in the files that each of them looks for."""
    for stream, width in WIDTHS:
        for part, word in (("val", "validation"), ("test", "test")):
            write_hdf5(folder / f"{stream}_{part}.h5", {
                name: noise(stream + name, 120, width) for name in thumos if word in name})
        write_hdf5(folder / f"{stream}.h5", {name: noise(stream + name, 150, width)
                                             for name in activitynet})

