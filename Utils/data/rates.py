"""The rate of the features, from the options; compared with their number and durations."""

import dataclasses
import statistics

from Utils.files import UserError, agreeing, counted, listed

# Features match the given rate if their number is off by at most this many features or
# seconds. If more than this share of the videos do not match, the rate is refused.
FEW_FEATURES, HALF_SECOND, SOME = 8, 0.5, 0.05
USUAL_WIDTH = 128   # networks have multiples of it as channels
SAME_RATE = 0.01    # rates that differ by less than this share are the same
# features per second; beyond, durations are in another unit
SLOWEST, FASTEST = 0.2, 1000.0


def timed(video, num_frames, config):
    """The video with its duration, and with rate and shift of its features.

    They follow from the options. num_frames: number of its features. Raises UserError
    if the annotations lack something.
    """
    rate = config.feature_fps
    if config.feature_stride is not None:
        by_stride = _file_rate(video, config) / config.feature_stride
        if rate is not None and abs(by_stride / rate - 1) > SAME_RATE:
            raise UserError(f"--feature_fps {rate:g} and --feature_stride "
                            f"{config.feature_stride:g} contradict each other: video "
                            f"{video.name} would have {by_stride:.4g} features per "
                            "second; leave one of them out")
        rate = by_stride if rate is None else rate
    shift = (config.clip_length / 2 / _file_rate(video, config)
             if config.clip_length is not None else 0.0)
    if video.duration is None and rate is None:
        raise UserError(f"video {video.name} has no duration; give one in the "
                        "annotations, or the rate of the features with --feature_fps")
    duration = video.duration
    if duration is None:
        duration = (num_frames - 1) / rate + 2 * shift if shift else num_frames / rate
    return dataclasses.replace(video, duration=duration, rate=rate, shift=shift)


def _file_rate(video, config):
    """Images per second of a video file: from the annotations, or else from rate and stride."""
    if video.fps is not None:
        return video.fps
    if config.feature_fps is not None and config.feature_stride is not None:
        return config.feature_fps * config.feature_stride
    flag = "feature_stride" if config.feature_stride is not None else "clip_length"
    raise UserError(f"--{flag} counts images, and video {video.name} has no 'fps' in "
                    "the annotations; give each video its 'fps', or its 'frame' and "
                    "'duration'" + (
                        "; or leave --feature_stride out and give --feature_fps"
                        if flag == "feature_stride" else ""))


def check_rates(videos, store, config):
    """Compare the rate of each video with its features and duration. -> notes.

    videos: from `timed`. Raises UserError for durations that are not in seconds, for
    features stored [channels, frames], and for a rate that several videos do not match.
    """
    shapes = {video.name: (store.lengths(video.name)[0], store.widths[0])
              for video in videos}
    rates = {video.name: shapes[video.name][0] / video.duration for video in videos}
    usual = statistics.median(rates.values())
    if not SLOWEST <= usual <= FASTEST:
        raise UserError(f"by their durations the videos have {usual:.3g} features per "
                        f"second (median of {len(videos)}), which is implausible: are "
                        "the durations in frames or milliseconds? give 'duration' in "
                        "seconds")
    odd = [video for video in videos if not has_rate(video, shapes[video.name][0])]
    if not odd:
        return []
    given = (f"--feature_fps is {config.feature_fps:g}" if config.feature_fps is not None else
             f"--feature_stride is {config.feature_stride:g}")
    found = listed((f"{video.name} ({rates[video.name]:.4g} features per second, not "
                    f"{video.rate:.4g})" for video in odd), 3)
    of_all = counted(len(videos), "video")
    if all(has_rate(video, shapes[video.name][1]) for video in odd):
        raise UserError(f"{given}, by which the features of {len(odd)} of {of_all} seem "
                        "to be stored [channels, frames], not [frames, channels]: "
                        f"{listed(video.name for video in odd)}; np.save(path, array.T) "
                        "fixes it")
    differ = agreeing(len(odd), "differs", "differ")
    text = f"{given}, but by their durations {len(odd)} of {of_all} {differ}: {found}"
    if len(odd) <= SOME * len(videos):
        return [f"{text}; check their features and durations"]
    raise UserError(f"{text}; leave the option out, so that each video has the rate "
                    "that results from features and duration, or correct it or the "
                    "durations" + (
                        "; for videos of several frame rates give --feature_stride, and "
                        "each video's 'fps' "
                        "in the annotations" * (config.feature_stride is None)))


def odd_shape(frames, channels):
    """A question about videos whose frames and channels look swapped; None if none do.

    frames: list with the number of frames of each video.
    """
    count = frames[0]
    is_odd = count < channels or (count % USUAL_WIDTH == 0 and channels % USUAL_WIDTH)
    if len(frames) < 2 or len(set(frames)) > 1 or not is_odd:
        return None
    return (f"all {len(frames)} have {count} frames of {channels} channels: if that is "
            f"{count} channels of {channels} frames, they are stored [channels, "
            "frames]; np.save(path, array.T) fixes it")


def has_rate(video, num_frames):
    """Whether a number of features matches a video's duration and rate; True without a rate."""
    if video.rate is None:
        return True
    expected = video.duration * video.rate
    most = max(FEW_FEATURES, HALF_SECOND * video.rate)
    # Features computed from clips begin half a clip late, and end half a clip early.
    return expected - 2 * video.shift * video.rate - most <= num_frames <= expected + most
