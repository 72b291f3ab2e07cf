"""Suppression of the proposals of all videos, on all cores if there are many."""

import math
from collections.abc import Iterable

from Evaluation.postprocessing.per_video import read_video, results_of
from Evaluation.postprocessing.proposal_file import ProposalFile
from Utils.config.options import Config
from Utils.data.datasets import DATASETS
from Utils.parallel import processes_for
from Utils.run import progress

SHARE = 64  # videos that a process takes at once: groups of per_video.TOGETHER


def suppressed(config: Config, file: ProposalFile, video_scores: dict,
               num_frames: dict) -> tuple[dict, dict, dict]:
    """Results of all videos of a ProposalFile: detections, proposals, durations.

    video_scores: {name: (K + 1,)} of a video-level classifier, or empty. num_frames:
    {video: of its file}, or empty. -> {name: Detections} twice (see `results_of`),
    {name: seconds or None}.
    """
    processes = processes_for(file.size, math.ceil(len(file) / SHARE))
    if processes == 1:
        return of_videos(file, config, progress(file, "videos"), video_scores, num_frames)
    return in_shares(processes, file, config, video_scores, num_frames)


def of_videos(file: ProposalFile, config: Config, videos: Iterable[str], video_scores: dict,
              num_frames: dict) -> tuple[dict, dict, dict]:
    """As `suppressed`, for some videos."""
    prefix, durations = DATASETS[config.dataset].result_prefix, {}

    def rows():
        for video in videos:
            found = read_video(file, video, prefix, num_frames.get(video))
            durations[found.name] = found.duration
            yield found

    return *results_of(rows(), config, video_scores), durations


def in_shares(processes: int, file: ProposalFile, config: Config, video_scores: dict,
              num_frames: dict) -> tuple[dict, dict, dict]:
    """As `suppressed`, in several processes, in the order of the file."""
    import joblib  # a quarter of a second that small evaluations save

    videos, prefix = list(file), DATASETS[config.dataset].result_prefix
    shares = [videos[first:first + SHARE] for first in range(0, len(videos), SHARE)]
    rounds = [shares[first:first + processes]
              for first in range(0, len(shares), processes)]
    detections, proposals, durations = {}, {}, {}
    with joblib.Parallel(processes, "multiprocessing") as pool:
        for together in progress(rounds, f"rounds of {processes * SHARE} videos"):
            jobs = [joblib.delayed(_of_share)(
                file.path, config, share, _only(video_scores, share, prefix), num_frames)
                for share in together]
            for found in pool(jobs):
                for whole, part in zip((detections, proposals, durations), found, strict=True):
                    whole.update(part)
    return detections, proposals, durations


def _of_share(path, *arguments):
    with ProposalFile(path) as file:
        return of_videos(file, *arguments)


def _only(video_scores, videos, prefix):
    """The scores of some videos, if there are any scores."""
    names = [video.removeprefix(prefix) for video in videos]
    return {name: video_scores[name] for name in names if name in video_scores}
