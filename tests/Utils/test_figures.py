"""Utils.figures: what is written, and that it is reproducible."""

import os

import matplotlib
import pytest

from Utils import figures
from Utils.figures import PNG_DOTS, STYLE, draw_all, figure_files, fonts_with
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


def test_nothing_is_written_if_drawing_fails(tmp_path):
    with pytest.raises(ZeroDivisionError), figure_files(tmp_path / "a", 3, 2):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        draw(tmp_path / "file" / "a")


def drawn_text(stem, letters):
    with figure_files(stem, 3, 2) as figure:
        label = figure.text(0.5, 0.5, letters)
    return label.get_fontfamily()


def test_missing_letters_come_from_another_font_or_one_line_says_so(tmp_path, capsys):
    assert drawn_text(tmp_path / "plain", "plain \u00e9") == [STYLE["font.family"]]
    strange = "\U0001e900\U00016a40"         # Adlam and Mro, which few machines have
    families = drawn_text(tmp_path / "strange", strange + strange)
    said = capsys.readouterr().err
    if len(families) == 1:
        assert said.count("no installed font has") == 1 and strange[0] in said
    drawn_text(tmp_path / "again", strange)
    assert capsys.readouterr().err == "" and (tmp_path / "again.pdf").exists()


def test_another_font_is_found_by_its_letters(monkeypatch):
    monkeypatch.setattr(figures, "print", pytest.fail, raising=False)
    fonts_with.cache_clear()
    (name,) = fonts_with(frozenset("\u2200"))      # DejaVu and most of its kind have "for all"
    assert name in {font.name for font in figures.fontManager.ttflist}
    fonts_with.cache_clear()


def test_figures_are_drawn_in_the_formats_asked_for_whatever_the_number_of_processes(tmp_path):
    jobs = [(draw_as, tmp_path / name) for name in "abcd"]
    assert draw_all(jobs, ("png",)) == [tmp_path / f"{name}.png" for name in "abcd"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{name}.png" for name in "abcd"]
    assert draw_all([]) == []


def test_figures_are_drawn_even_if_the_system_reports_no_cores(tmp_path, monkeypatch):
    """As on macOS and Windows."""
    monkeypatch.delattr(os, "sched_getaffinity")
    assert draw_all([(draw_as, tmp_path / "a")], ("png",)) == [tmp_path / "a.png"]


def draw_as(stem, formats):
    with figure_files(stem, 3, 2, formats) as figure:
        figure.subplots()
    return [stem.with_suffix(f".{name}") for name in formats]
