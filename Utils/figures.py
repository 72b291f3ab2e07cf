"""How every figure of ours looks and is written: one style, one palette, PDF and PNG, no LaTeX.

with figure_files(folder / "name", 7.0, 3.0) as figure: draw on it; the files appear at the end.
"""

import contextlib
import io
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from Utils.files import replacing

# Okabe and Ito's colours, told apart with any kind of colour vision.
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PINK, YELLOW, GREY, INK = "#56B4E9", "#CC79A7", "#F0E442", "#9A9A9A", "#222222"
CYCLE = (BLUE, ORANGE, GREEN, RED, PINK, SKY)
SEQUENTIAL = "YlGnBu"        # light to dark also in grey

PAGE_WIDTH, COLUMN_WIDTH = 7.0, 3.4      # inches, of a two-column paper
PNG_DOTS = 200                           # an inch
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


@contextlib.contextmanager
def figure_files(stem, width, height):
    """An empty figure of width x height inches; written to stem.pdf and stem.png at the end."""
    stem = Path(stem)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        # Laid out once: doing it again for each file doubles the time.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        for suffix in (".pdf", ".png"):
            # In memory first: matplotlib meets a full disk with an error of its own making.
            drawn = io.BytesIO()
            # Without a date, so that the same numbers give the same file.
            figure.savefig(drawn, format=suffix[1:], dpi=PNG_DOTS,
                           metadata={"CreationDate": None} if suffix == ".pdf" else None)
            with replacing(stem.with_name(stem.name + suffix)) as part:
                part.write_bytes(drawn.getbuffer())
