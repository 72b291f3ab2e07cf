"""Extract the features of video files as in the training of a network."""

import contextlib
import tempfile
from pathlib import Path

from Engine.inference.extraction import Extraction
from Models.extractors.registry import Setting, build
from Utils.data.features import ONLY
from Utils.data.sidecars import differences
from Utils.files import UserError
from Utils.video.listing import find_videos, is_video
from Utils.video.writing import check_folder


def extractor_of(checkpoint, where, weights=None, device="cpu"):
    """The extractor of the features on which a checkpoint was trained.

    checkpoint: its content, read from `where`. weights: file or folder of the
    extractor's network; None for the library's own. Raises UserError if the extractor is
    unknown, or differs here.
    """
    extractors = checkpoint.get("extractors") or {}
    if set(extractors) != {ONLY}:
        raise UserError(f"{where} does not say what extracted the features it was "
                        "trained on, so it cannot take a video file: give it features "
                        "of the same kind (.npy), or train on features of "
                        "Extract_features.py")
    identity = extractors[ONLY]
    precision = identity["precision"]
    found = build(identity["name"], Setting(
        identity["feature_fps"], weights, device,
        precision[0] if isinstance(precision, list) else precision))
    if names := differences(found.identity, identity):
        same = found.identity["weights"] == identity.get("weights")
        remedy = "" if same else "name the same weights with --weights, or "
        raise UserError(f"the extractor {identity['name']} here differs from that of "
                        f"{where} in {names}; {remedy}extract the videos and train again")
    return found


@contextlib.contextmanager
def feature_files(paths, checkpoint, where, keep=None, weights=None, device="cpu",
                  workers=0, overwrite=False):
    """The feature file of each path: a video's features are extracted, other files stay.

    keep: folder for the extracted features, with sidecars; None: they are removed when
    the block ends. overwrite: whether features of another extractor may be replaced
    there. Yields {path: Path of the features} and {path: why it has none}. For the rest
    see `extractor_of`.
    """
    videos = [path for path in paths if is_video(path)]
    files = {path: Path(path) for path in paths if not is_video(path)}
    if not videos:
        yield files, {}
        return
    found = find_videos(videos)
    extractor = extractor_of(checkpoint, where, weights, device)
    with contextlib.ExitStack() as held:
        folder = Path(keep or held.enter_context(tempfile.TemporaryDirectory(prefix="vsgn-")))
        check_folder(folder, found, extractor.identity, overwrite, "--save_features")
        outcome = Extraction(extractor, folder, found, min(workers, len(found)),
                             forwards_here=device != "cpu").run()
        names = {path: Path(path).stem for path in videos}
        files |= {path: folder / f"{name}.npy" for path, name in names.items()
                  if name not in outcome.faults}
        yield files, {path: outcome.faults[name] for path, name in names.items()
                      if name in outcome.faults}
