"""The name of a video, from whatever path or address a tool writes."""

import unicodedata

import pytest

from Utils.prepare.formats.video_names import is_media, video_name


@pytest.mark.parametrize("media, name", [
    ("clip.mp4", "clip"),
    ("C:\\lab\\clip.AVI", "clip"),
    ("C:/trial/penA_cam1.mp4", "penA_cam1"),
    ("videos/clip.v2.mkv", "clip.v2"),
    ("clip.v2", "clip.v2"),
    ("clip.tar.gz", "clip.tar.gz"),
    ("file:///C:/Lab%20data/gesture_05.mp4", "gesture_05"),
    ("file:./a%20b.mp4", "a b"),
    ("https://host.example/clips/swim%2003.mp4?token=abc", "swim 03"),
    ("s3://bucket/deep/clip.m2ts", "clip"),
    ("/data/local-files/?d=pool/swim_02.MP4", "swim_02"),
    ("http://localhost:8080/data/local-files/?d=pool%2Fswim%2003.mp4", "swim 03"),
    ("/data/upload/3/1a2b3c4d-swim_01.mp4", "swim_01"),
    ("/data/other/1a2b3c4d-swim_01.mp4", "1a2b3c4d-swim_01"),
    ("100%25.mp4", "100%25"),
    (unicodedata.normalize("NFD", "küche.mp4"), "küche"),
    (".mp4", ".mp4"),
])
def test_the_name_is_the_last_part_without_a_media_extension(media, name):
    assert video_name(media) == name


def test_a_media_file_is_known_by_its_extension():
    assert is_media("https://x.example/a.MP4?b=c") and is_media("a/b.wav")
    assert not is_media("a.txt") and not is_media(5) and not is_media("http://[x.mp4")
