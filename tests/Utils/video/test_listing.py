"""Which files a command line means."""

import pytest

from Utils.files import UserError
from Utils.video.listing import find_videos, holds_videos


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_files_folders_and_lists(tmp_path):
    touch(tmp_path, "one.mp4", "in/two.MKV", "in/deep/three.webm", "in/notes.txt", "in/.x/four.mp4",
          "in/.five.mp4", "odd.name")
    (tmp_path / "list.txt").write_text("one.mp4\n\nin/deep\n")
    assert list(find_videos([tmp_path / "in"])) == ["three", "two"]
    assert list(find_videos([tmp_path / "list.txt"])) == ["one", "three"]
    assert list(find_videos([tmp_path / "odd.name", tmp_path / "one.mp4"])) == ["odd", "one"]
    assert list(find_videos([tmp_path / "one.mp4", tmp_path])) == ["one", "three", "two"]


def test_equal_stems_are_refused_with_both_paths(tmp_path):
    touch(tmp_path, "a/clip.mp4", "b/clip.avi")
    with pytest.raises(UserError, match=r"a/clip\.mp4 and .*b/clip\.avi would both be clip\.npy"):
        find_videos([tmp_path])


def test_places_without_videos_are_refused(tmp_path):
    with pytest.raises(UserError, match="no video in .*\\.mp4"):
        find_videos([tmp_path])
    with pytest.raises(UserError, match="no file or folder"):
        find_videos([tmp_path / "absent"])


def test_folders_that_hold_videos(tmp_path):
    assert not holds_videos(tmp_path) and not holds_videos(tmp_path / "absent")
    touch(tmp_path, "deep/er/a.mov")
    assert holds_videos(tmp_path)
