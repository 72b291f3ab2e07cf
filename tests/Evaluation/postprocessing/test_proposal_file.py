"""proposals.h5: what is written comes back; nothing half-written, nothing foreign gets through."""

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from Evaluation.postprocessing.proposal_file import (
    ProposalWriter,
    group_name,
    read_proposals,
    video_name,
)
from Evaluation.postprocessing.proposals import Proposals
from tests.small_data import write_proposals
from Utils.files import UserError
from Utils.inputs.windows import Window

ROOT = Path(__file__).parents[3]


def some(count, seed=0):
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 100, count)
    return Proposals(np.column_stack([start, start + rng.exponential(5, count)]),
                     rng.random(count).astype(np.float32),
                     rng.integers(1, 21, count).astype(np.int32))


def same(found, expected):
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in
               zip(vars(found).values(), vars(expected).values(), strict=True))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "out" / "proposals.h5"


@pytest.fixture
def written(path):
    write_proposals(path, [(Window("a", 0, 99, 30.0, 12.5, 0), some(50)),
                           (Window("b", 0, 9.5), some(3, 1))], {"framing": "sliding"})
    return path


def test_what_is_written_comes_back(path):
    parts = {"v2": [some(30, 1), some(0), some(7, 2)], "v10": [some(0)], "v1": [some(5, 3)]}
    write_proposals(path, [(Window(video, 320 * i, 320 * i + 1279, 29.7, 60.5, i), part)
                           for video, windows in parts.items() for i, part in enumerate(windows)],
                    {"nms_thr": 0.4, "tiou": [0.5]})
    proposals, stored = read_proposals(path)
    assert list(proposals) == ["v2", "v10", "v1"]
    assert stored == {"nms_thr": 0.4, "tiou": [0.5]}
    for video, windows in parts.items():
        assert same(proposals[video], Proposals.joined(windows))


def test_other_programs_find_what_the_spec_says(written):
    with h5py.File(written) as file:
        group = file["a"]
        assert group["segments"].shape == (50, 2)
        assert group["scores"].shape == group["labels"].shape == (50,)
        assert group.attrs["windows"].tolist() == [[0, 99, 0, 50]]
        assert (group.attrs["video"], group.attrs["fps"], group.attrs["duration"]) == (
            b"a", 30.0, 12.5)
        assert file["b"].attrs["windows"].tolist() == [[0, 9.5, -1, 3]]
        assert "fps" not in file["b"].attrs
        assert file.attrs["window_columns"].tolist() == [b"start", b"end", b"index", b"proposals"]
        assert file.attrs["unit"] == b"seconds"


def test_whole_videos_have_shares_of_the_duration(path):
    write_proposals(path, [], {"framing": "whole"})
    proposals, _ = read_proposals(path)
    assert proposals.in_shares
    assert list(proposals) == []


def test_later_windows_are_appended_to_those_of_their_video(path):
    order = [("a", 4, 0), ("b", 2, 1), ("a", 9, 2), ("b", 0, 3), ("a", 1, 4)]
    with ProposalWriter(path, {}) as writer:
        for video, count, seed in order:
            writer.add(Window(video, seed, seed + 1), some(count, seed))
            assert {window.video for window, _ in writer.waiting} == {video}
    proposals, _ = read_proposals(path)
    for name in "ab":
        expected = [some(count, seed) for video, count, seed in order if video == name]
        assert same(proposals[name], Proposals.joined(expected))
    assert proposals.file["a"].attrs["windows"][:, 0].tolist() == [0, 2, 4]


def test_many_windows_fit_into_the_attribute(path):
    write_proposals(path, [(Window("v", i, i + 1), some(1, i)) for i in range(4000)], {})
    with h5py.File(path) as file:
        assert file["v"].attrs["windows"].shape == (4000, 4)


@settings(max_examples=50)
@given(st.lists(st.text(st.characters(exclude_categories=())), unique=True, max_size=4))
def test_any_name_of_a_video_comes_back(tmp_path_factory, names):
    path = tmp_path_factory.mktemp("names") / "proposals.h5"
    write_proposals(path, [(Window(name, 0, 1), some(2)) for name in names], {})
    proposals, _ = read_proposals(path)
    assert list(proposals) == names
    assert all(name in proposals and len(proposals[name]) == 2 for name in names)


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "..", ".", "", "a/b", "a%2Fb", "x\0y",
                                  "\ud800", "n" * 70000, "视频"])
def test_a_name_is_one_group_whatever_is_in_it(path, name):
    write_proposals(path, [(Window(name, 0, 1), some(2))], {})
    with h5py.File(path) as file:
        assert list(file) == [group_name(name)]
        assert set(file[group_name(name)]) == {"segments", "scores", "labels"}
    assert video_name(group_name(name)) == name


def test_ordinary_names_stay_as_they_are():
    for name in ("video_test_0000004", "v_--1DO2V4K74", "视频 1", "a.b"):
        assert group_name(name) == name


def test_a_failure_leaves_the_old_file_and_nothing_else(written):
    before = written.read_bytes()
    with pytest.raises(RuntimeError, match="stop"), ProposalWriter(written, {}) as writer:
        writer.add(Window("a", 0, 1), some(5))
        writer.add(Window("b", 0, 1), some(5))
        raise RuntimeError("stop")
    assert written.read_bytes() == before
    assert os.listdir(written.parent) == [written.name]


@pytest.mark.parametrize("room", [0, 2_000_000, 4_000_000])
def test_a_full_disk_is_one_sentence_and_no_crash(written, room):
    # HDF5 that meets a full disk can't close its file, prints pages and may crash at exit.
    before = written.read_bytes()
    script = f"""if True:
        import resource, signal
        import numpy as np
        from Evaluation.postprocessing.proposal_file import ProposalWriter
        from Evaluation.postprocessing.proposals import Proposals
        from Utils.files import UserError
        from Utils.inputs.windows import Window
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
        n = 30_000
        part = Proposals(np.ones((n, 2)), np.ones(n, np.float32), np.ones(n, np.int32))
        try:
            with ProposalWriter({str(written)!r}, {{}}) as writer:
                for i in range(200):
                    writer.add(Window(str(i // 3), 0, 1), part)
        except UserError as problem:
            print(problem)
        """
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"cannot write {written}: ")
    assert done.stdout.count("\n") == 1
    assert written.read_bytes() == before
    assert os.listdir(written.parent) == [written.name]


def test_a_missing_file_says_which_script_makes_it(tmp_path):
    with pytest.raises(UserError, match=r"no proposals at .*p.h5; run Infer.py --output_path"):
        read_proposals(tmp_path / "p.h5")
    with pytest.raises(UserError, match="no proposals at"):
        read_proposals(tmp_path)


def test_files_that_are_not_ours_are_refused(tmp_path, written):
    for content in (b"", b"no HDF5", written.read_bytes()[:5000]):
        (tmp_path / "broken.h5").write_bytes(content)
        with pytest.raises(UserError, match="can't be read .*it may be cut off"):
            read_proposals(tmp_path / "broken.h5")
    with h5py.File(tmp_path / "features.h5", "w") as file:
        file["video"] = np.zeros((3, 4))
    with pytest.raises(UserError, match="features.h5 is an HDF5 file, but holds no proposals"):
        read_proposals(tmp_path / "features.h5")


@pytest.mark.parametrize("name, value", [
    ("scores", np.zeros(49, np.float32)), ("scores", np.full(50, np.nan, np.float32)),
    ("segments", np.full((50, 2), np.inf)), ("segments", np.zeros((50, 3))),
    ("labels", np.zeros(50, np.float32)), ("labels", np.zeros((50, 1), int)),
    ("scores", np.float32(1))])
def test_damaged_rows_are_refused_when_asked_for(written, name, value):
    with h5py.File(written, "r+") as file:
        del file["a"][name]
        file["a"][name] = value
    proposals, _ = read_proposals(written)
    assert len(proposals["b"]) == 3
    with pytest.raises(UserError, match="the proposals of video a are damaged; run Infer.py again"):
        proposals["a"]


def test_a_damaged_length_does_not_fill_the_memory(written):
    with h5py.File(written, "r+") as file:
        for name, shape in (("segments", (2 ** 42, 2)), ("scores", (2 ** 42,))):
            del file["a"][name]
            file["a"].create_dataset(name, shape, np.float32, chunks=True)
    proposals, _ = read_proposals(written)
    with pytest.raises(UserError, match="the proposals of video a are damaged"):
        proposals["a"]


def test_missing_rows_are_refused_when_asked_for(written):
    with h5py.File(written, "r+") as file:
        del file["a"]["labels"]
    proposals, _ = read_proposals(written)
    with pytest.raises(UserError, match="can't be read for video a"):
        proposals["a"]


def test_a_video_that_is_not_there_is_a_plain_key_error(written):
    proposals, _ = read_proposals(written)
    assert "c" not in proposals
    assert proposals.get("c") is None
    with pytest.raises(KeyError):
        proposals["c"]


def test_the_file_can_be_replaced_once_it_is_closed(written):
    with read_proposals(written)[0] as proposals:
        assert len(proposals["a"]) == 50
    write_proposals(written, [], {})
    assert len(read_proposals(written)[0]) == 0


def test_bytes_changed_at_random_give_an_error_or_proposals(tmp_path, written):
    rng = np.random.default_rng(0)
    good, outcomes = written.read_bytes(), set()
    for _ in range(300):
        bad = bytearray(good)
        for place in rng.integers(0, len(bad), rng.integers(1, 20)):
            bad[place] = rng.integers(256)
        (tmp_path / "bad.h5").write_bytes(bad)
        try:
            proposals, _ = read_proposals(tmp_path / "bad.h5")
            outcomes.add(all(isinstance(proposals[video], Proposals) for video in proposals))
        except UserError:
            outcomes.add("refused")
    assert outcomes == {True, "refused"}
