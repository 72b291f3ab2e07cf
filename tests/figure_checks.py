"""What a writer of figures drew, for the tests of the figures."""

from matplotlib.figure import Figure


def drawn(monkeypatch, write, *arguments):
    """The figure that a writer drew, and the paths it gave."""
    seen = []
    savefig = Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda figure, *more, **options: (
        seen.append(figure), savefig(figure, *more, **options)))
    paths = write(*arguments)
    assert paths and {path.suffix for path in paths} <= {".pdf", ".png"}
    assert all(path.stat().st_size > 3000 for path in paths)
    return seen[0], paths
