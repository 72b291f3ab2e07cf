"""The name of a video, from the path or address that a tool uses."""

import re
import unicodedata
from urllib.parse import unquote, urlsplit

from Utils.data.annotation_files import check_name
from Utils.files import UserError
from Utils.prepare.formats.found import BadRow

IS_MEDIA = re.compile(r"(.+)\.(mp4|avi|mov|mkv|webm|m4v|mpg|mpeg|wmv|flv|mts|m2ts|ts|ogv|3gp"
                      r"|wav|mp3|m4a|flac|ogg)", re.I | re.S)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://|file:", re.I)
LOCAL_FILES = "/data/local-files/?d="
UPLOAD_MARK = re.compile(r"[0-9a-f]{8}-")


def video_name(media):
    """The last part of a video's path or address, without a media extension."""
    path = path_of(media)
    name = re.split(r"[/\\]", path)[-1]
    if "/upload/" in path:
        name = UPLOAD_MARK.sub("", name, count=1) if UPLOAD_MARK.match(name) else name
    return unicodedata.normalize("NFC", without_extension(name))


def path_of(media):
    """The path of a file or address, percent-decoded and without a query."""
    if LOCAL_FILES in media:
        return unquote(media.partition(LOCAL_FILES)[2].partition("&")[0])
    if not ADDRESS.match(media):
        return media
    try:
        return unquote(urlsplit(media).path)
    except ValueError:
        raise BadRow(f"{media[:80]!r} is not the address of a video") from None


def without_extension(name):
    """A name without its last extension, if that is a media extension."""
    match = IS_MEDIA.fullmatch(name)
    return match[1] if match else name


def is_media(value):
    """Whether a value of a JSON file is the path or address of a media file."""
    try:
        return isinstance(value, str) and bool(IS_MEDIA.fullmatch(path_of(value).strip()))
    except BadRow:
        return False


def names_of(found, names):
    """{media: name} of all media of one file.

    `names`: {path or name: the user's name for it}.
    Raises UserError if two media get the same name, or one gets an impossible file name.
    """
    chosen = {}
    for media in found.media:
        try:
            # --names, by the path, may name what has no name of its own.
            name = names.get(media)
            if name is None:
                own = found.names.get(media) or video_name(media)
                name = names.get(own, own)
        except BadRow as fault:
            raise UserError(f"{found.path}: {fault}; name it with --names") from None
        check_name(name, f"{found.path}: video {media!r}")
        chosen[media] = name
    by_name = {}
    for media, name in chosen.items():
        other = by_name.setdefault(name, media)
        if unicodedata.normalize("NFC", other) != unicodedata.normalize("NFC", media):
            raise UserError(f"{found.path}: {other} and {media} would both be video "
                            f"{name}; give one of them another name with --names (a "
                            "table `from,to`, by its path)")
    return chosen
