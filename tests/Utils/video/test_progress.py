"""The progress of an extraction, without a terminal."""

import pytest

pytest.importorskip("av", reason="PYAV ABSENT: pip install -r requirements-video.txt")

from Utils.video.progress import SecondsProgress  # noqa: E402


@pytest.mark.parametrize("names, said", [("a", "1 of 1 video, 4 of 4 s, "),
                                         ("ab", "1 of 2 videos, 4 of 8 s, ")])
def test_a_line_counts_the_videos_that_have_ended(monkeypatch, capsys, names, said):
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    monkeypatch.setattr("Utils.video.progress.SECONDS_BETWEEN_LINES", 0)
    with SecondsProgress(dict.fromkeys(names, 4.0)) as progress:
        progress.see("a", 4.0, has_ended=True)
    assert capsys.readouterr().out.startswith(said)
