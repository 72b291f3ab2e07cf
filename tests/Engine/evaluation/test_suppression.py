"""Suppression by several processes gives what one gives, to the last bit."""

import joblib
import numpy as np
import pytest

from Engine.evaluation import suppression
from Evaluation.postprocessing.proposal_file import ProposalFile, ProposalWriter
from Evaluation.postprocessing.proposals import Proposals
from Utils import parallel
from Utils.config.resolve import resolve, settings
from Utils.files import UserError
from Utils.inputs.windows import Window

CLASSES = ("a", "b", "c")


def write(path, config, num_videos=37, duration=50.0):
    """Random proposals; of a network without classes as many in each video."""
    rng = np.random.default_rng(5)
    with ProposalWriter(path, settings(config) | {"classes": CLASSES}) as writer:
        for video in range(num_videos):
            count = 60 if config.class_agnostic else int(rng.integers(0, 80))
            segments = np.sort(rng.random((count, 2)), axis=1)
            labels = np.zeros(count) if config.class_agnostic else rng.integers(1, 4, count)
            if config.framing != "whole":
                segments *= duration or 1
            writer.add(Window(f"v_{video}", 0, 9, fps=1.0, duration=duration),
                       Proposals(segments, rng.random(count).astype(np.float32),
                                 labels.astype(np.int32)))
    return ProposalFile(path)


def content(found):
    """Detections as bytes, {video: [...]} of each of the two tables, and the durations."""
    *tables, durations = found
    return [{name: [part.tobytes() for part in vars(rows).values()]
             for name, rows in table.items()} for table in tables], durations


@pytest.mark.parametrize("given", [{"dataset": "activitynet"},
                                   {"dataset": "custom", "recipe": "strong"},
                                   {"dataset": "custom", "recipe": "paper"}])
@pytest.mark.parametrize("fused", [False, True])
def test_several_processes_give_what_one_gives(tmp_path, monkeypatch, given, fused):
    monkeypatch.setattr(suppression, "SHARE", 16)
    config = resolve(given)
    file = write(tmp_path / "p.h5", config)
    names = [video.removeprefix("v_") if given["dataset"] == "activitynet" else video
             for video in file]
    video_scores = {name: np.random.default_rng(k).random(len(CLASSES) + 1)
                    for k, name in enumerate(names)} if fused else {}
    alone = suppression.suppressed(config, file, video_scores, {})
    together = suppression.in_shares(2, file, config, video_scores, {})
    assert content(alone) == content(together)
    assert list(together[2]) == names and set(together[2].values()) == {50.0}
    assert list(together[0] or together[1]) == names
    assert any(len(rows) for rows in (together[0] or together[1]).values())


def test_large_files_go_to_several_processes(tmp_path, monkeypatch):
    config = resolve({"dataset": "activitynet"})
    file, said = write(tmp_path / "p.h5", config, num_videos=5), []
    monkeypatch.setattr(suppression, "SHARE", 2)
    monkeypatch.setattr(suppression, "in_shares", lambda *words: said.append(words[0]))
    monkeypatch.setattr(joblib, "cpu_count", lambda: 16)     # for 3 shares
    assert suppression.suppressed(config, file, {}, {})[1] and said == []
    monkeypatch.setattr(parallel, "PARALLEL_FROM", file.size)
    suppression.suppressed(config, file, {}, {})
    assert said == [3]


def test_a_refusal_in_a_process_is_a_sentence(tmp_path):
    config = resolve({"dataset": "activitynet"})
    file = write(tmp_path / "p.h5", config, num_videos=3, duration=None)
    with pytest.raises(UserError, match="video v_0 has no duration"):
        suppression.in_shares(2, file, config, {}, {})
