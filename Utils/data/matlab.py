"""One field of a struct array in a MATLAB 5 file (.mat), read without trusting the file.

scipy's reader crashes the interpreter on some damaged files. This one reads only
what THUMOS14's meta files need, with bounds checks. Format: MATLAB's "MAT-File
Format", level 5.
"""

import struct
import zlib
from pathlib import Path

import numpy as np

HEADER = 128
MATRIX, COMPRESSED = 14, 15
STRUCT = 2
NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8",
           13: "u8"}
LARGEST = 2 ** 28    # bytes that a compressed variable may unpack to


class MatlabError(ValueError):
    """The file is damaged, or not a MATLAB 5 file."""


def struct_field(path, field):
    """The first number of `field` in every entry of the file's struct array.

    -> list of float.
    Raises MatlabError for damaged or other files, and for a missing or empty field.
    """
    content = Path(path).read_bytes()
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    # Files of version 7.3 are HDF5 behind a header
    # that is like this one but for its version.
    is_newer = content.startswith(b"MATLAB 7.3")
    if order is None or is_newer:
        raise MatlabError("not a MATLAB 5 file" + " but 7.3: save it in MATLAB with -v7" * is_newer)
    try:
        for kind, body in _elements(content[HEADER:], order):
            if kind == COMPRESSED:
                kind, body = next(_elements(_unpacked(body), order))
            if kind == MATRIX and (values := _field_values(body, field, order)) is not None:
                return values
    except MatlabError:
        raise
    except (struct.error, zlib.error, IndexError, StopIteration, ValueError) as problem:
        raise MatlabError(f"damaged: {problem or type(problem).__name__}") from None
    raise MatlabError(f"no struct with a field {field}")


def _unpacked(body):
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(body, LARGEST)
    if unpacker.unconsumed_tail:
        raise MatlabError("a variable is too large")
    return content


def _elements(content, order):
    """(type, bytes) of each data element in turn."""
    at = 0
    while at < len(content):
        kind, size = struct.unpack_from(f"{order}II", content, at)
        if kind >> 16:  # a small element: size, type and data in 8 bytes
            kind, size, start, step = kind & 0xFFFF, kind >> 16, at + 4, 8
        else:
            # Compressed elements are not padded to 8 bytes.
            start, step = at + 8, 8 + (size if kind == COMPRESSED else -(-size // 8) * 8)
        if start + size > len(content):
            raise MatlabError("cut short")
        yield kind, content[start:start + size]
        at += step


def _field_values(body, field, order):
    """Values of a field of one variable; None if it is not a struct or lacks the field."""
    parts = _elements(body, order)
    flags, _, _ = [next(parts)[1] for _ in range(3)]
    if struct.unpack_from(f"{order}I", flags)[0] & 0xFF != STRUCT:
        return None
    width, = struct.unpack_from(f"{order}i", next(parts)[1])
    text = next(parts)[1]
    if width < 1:
        raise MatlabError("damaged: field names without length")
    names = [text[i:i + width].split(b"\0")[0].decode("ascii")
             for i in range(0, len(text), width)]
    if field not in names:
        return None
    column = names.index(field)
    return [_first_number(body, order) for i, (_, body) in enumerate(parts)
            if i % len(names) == column]


def _first_number(body, order):
    parts = _elements(body, order)
    for _ in range(3):                       # flags, dimensions, name
        next(parts)
    kind, data = next(parts)
    if kind not in NUMBERS:
        raise MatlabError("damaged: a value is not a number")
    values = np.frombuffer(data, order + NUMBERS[kind])
    return float(values[0])
