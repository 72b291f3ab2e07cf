"""Utils.figures: what is written, and that it can be repeated."""

import matplotlib
import pytest

from Utils.figures import PNG_DOTS, figure_files
from Utils.files import UserError


def draw(stem):
    with figure_files(stem, 3, 2) as figure:
        figure.subplots().plot([0, 1], [1, 0], label="a line")


def test_a_pdf_and_a_png_of_the_size_asked_for_are_written(tmp_path):
    draw(tmp_path / "new" / "some.name")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "some.name.pdf", "some.name.png"]
    png = (tmp_path / "new" / "some.name.png").read_bytes()
    width, height = (int.from_bytes(png[i:i + 4], "big") for i in (16, 20))
    assert (width, height) == (3 * PNG_DOTS, 2 * PNG_DOTS)
    assert (tmp_path / "new" / "some.name.pdf").read_bytes().startswith(b"%PDF")


def test_the_same_drawing_gives_the_same_files(tmp_path):
    draw(tmp_path / "a")
    draw(tmp_path / "b")
    for suffix in (".pdf", ".png"):
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


def test_the_style_stays_inside(tmp_path):
    before = dict(matplotlib.rcParams)
    draw(tmp_path / "a")
    assert dict(matplotlib.rcParams) == before


def test_nothing_is_written_where_drawing_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), figure_files(tmp_path / "a", 3, 2):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        draw(tmp_path / "file" / "a")
