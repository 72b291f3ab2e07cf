"""The style and output of all figures: one style, one palette, PDF and PNG, no LaTeX.

    with figure_files(folder / "name", 7.0, 3.0) as figure:
        ...     # draw on it; the files are written at the end
"""

import contextlib
import functools
import io
import sys
import warnings
from pathlib import Path

import joblib
import matplotlib
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, fontManager, get_font
from matplotlib.text import Text

from Utils.files import replacing
from Utils.stopping import stoppable

# The colours of Okabe and Ito, distinguishable with any kind of colour vision.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SLATE, MAGENTA = "#44546A", "#C2187A"      # actions: found, missed
SKY, PINK, YELLOW, GREY, INK = "#56B4E9", "#CC79A7", "#F0E442", "#9A9A9A", "#222222"
CYCLE = (BLUE, ORANGE, GREEN, RED, PINK, SKY)
SEQUENTIAL = "YlGnBu"        # light to dark, also in greyscale

PAGE_WIDTH, COLUMN_WIDTH = 7.0, 3.4      # inches, in a two-column paper
PNG_DOTS = 200                           # per inch
STYLE = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 9, "axes.labelsize": 9,
    "xtick.labelsize": 8, "ytick.labelsize": 8, "legend.fontsize": 8,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": INK,
    "axes.linewidth": 0.8, "axes.axisbelow": True, "text.color": INK, "axes.labelcolor": INK,
    "xtick.color": INK, "ytick.color": INK, "grid.color": "#DDDDDD", "grid.linewidth": 0.6,
    "legend.frameon": False, "lines.linewidth": 1.5, "hatch.linewidth": 0.6,
    "axes.prop_cycle": matplotlib.cycler(color=CYCLE),
    "text.usetex": False, "pdf.fonttype": 42, "savefig.facecolor": "white",
}


FORMATS = ("pdf", "png")


def paths_of(stem, formats=FORMATS):
    """The files of a figure.

    The stem may come from the user: a dot in it starts no extension.
    """
    return [Path(stem).with_name(f"{Path(stem).name}.{name}") for name in formats]


def draw_all(jobs, formats=FORMATS):
    """Draw figures on two cores in parallel. jobs: (writer, *arguments). -> all paths."""
    # Starting a process takes longer than drawing one figure.
    processes = min(2, joblib.cpu_count(), max(1, len(jobs) // 2))
    calls = [functools.partial(write, *arguments, formats=formats)
             for write, *arguments in jobs]
    if processes == 1:
        drawn = [call() for call in calls]
    else:
        drawn = joblib.Parallel(processes, "multiprocessing")(
            joblib.delayed(stoppable)(call) for call in calls)
    return [path for paths in drawn for path in paths]


@contextlib.contextmanager
def figure_files(stem, width, height, formats=FORMATS):
    """An empty figure of width x height inches, written to stem.pdf, stem.png at the end."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        _complete_fonts(figure)
        # Laid out once: repeating it for each file doubles the time.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for path in paths_of(stem, formats):
            # In memory first, as matplotlib turns a full disk into an error of its own.
            drawn = io.BytesIO()
            # Without a date, so that the same numbers give the same file.
            figure.savefig(drawn, format=path.suffix[1:], dpi=PNG_DOTS,
                           metadata={"CreationDate": None} if path.suffix == ".pdf" else None)
            with replacing(path) as part:
                part.write_bytes(drawn.getbuffer())


def _complete_fonts(figure):
    """Let texts use other installed fonts for characters that the first font lacks."""
    texts = figure.findobj(Text)
    own = get_font(findfont(STYLE["font.family"]))
    lacking = frozenset(letter for text in texts for letter in text.get_text()
                        if letter.isprintable() and not own.get_char_index(ord(letter)))
    if lacking and (others := fonts_with(lacking)):
        for text in texts:
            text.set_fontfamily([STYLE["font.family"], *others])


@functools.cache
def fonts_with(letters):
    """Names of installed fonts that have the letters between them; says if some are missing."""
    found, left = [], set(letters)
    for font in fontManager.ttflist:
        if not left:
            break
        with contextlib.suppress(OSError, RuntimeError):     # a broken font file
            known = get_font(font.fname)
            if has := {letter for letter in left if known.get_char_index(ord(letter))}:
                found.append(font.name)
                left -= has
    if left:
        print(f"no installed font has {''.join(sorted(left)[:20])}; figures show boxes "
              "instead (fonts such as Noto Sans have most letters)", file=sys.stderr)
        warnings.filterwarnings("ignore", "Glyph")
    return tuple(found)
