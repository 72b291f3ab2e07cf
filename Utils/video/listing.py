"""The video files named on a command line, each under the name of its features."""

from pathlib import Path

from Utils.files import UserError, listed

ENDINGS = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".m2ts", ".mts",
           ".wmv", ".flv", ".3gp", ".ogv", ".vob", ".gif", ".h264")


def find_videos(places):
    """Video files by the name of their features, the stem. -> {name: Path}, sorted by name.

    places: files, folders (searched recursively, without hidden ones), or .txt lists
    of either, whose relative paths start from the folder of the list. Raises UserError
    if two files would have the same name, or none is found.
    """
    found = {}
    for path in (path for place in places for path in _files(Path(place))):
        other = found.setdefault(path.stem, path)
        if other.resolve() != path.resolve():
            raise UserError(f"{other} and {path} would both be {path.stem}.npy; rename one of them")
    if not found:
        raise UserError(f"no video in {listed(places)}; known extensions are "
                        f"{' '.join(ENDINGS)}")
    return dict(sorted(found.items()))


def is_video(path):
    """Whether a path has the extension of a video file."""
    return Path(path).suffix.lower() in ENDINGS


def holds_videos(folder):
    """Whether there is a video file in a folder or below it."""
    return Path(folder).is_dir() and next(_below(Path(folder)), None) is not None


def _files(place):
    if place.is_dir():
        return sorted(_below(place))
    if not place.is_file():
        raise UserError(f"no file or folder {place}")
    if place.suffix.lower() != ".txt":
        return [place]
    try:
        lines = place.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{place} cannot be read as a list of videos: {problem}") from None
    entries = [place.parent / line.strip() for line in lines if line.strip()]
    return [path for entry in entries for path in (
        [entry] if entry.suffix.lower() == ".txt" and entry.is_file() else _files(entry))]


def _below(folder):
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and is_video(path) and path.is_file():
            yield path
