"""One file in all the forms that readers need: bytes, text, rows of cells, JSON."""

import csv
import gzip
import io
import json
import re
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from Utils.files import UserError, unique
from Utils.prepare.formats.found import BadRow

GZIP = b"\x1f\x8b"
MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
QUOTED = re.compile(r'"[^"]*"')


@dataclass
class Source:
    """One file to import. notes: lines for the user about how it was read."""
    path: Path
    encoding: str | None = None
    notes: list[str] = field(default_factory=list)

    @cached_property
    def data(self):
        """The bytes, unzipped if they are gzip's."""
        try:
            data = self.path.read_bytes()
            return gzip.decompress(data) if data.startswith(GZIP) else data
        except FileNotFoundError:
            raise UserError(f"there is no {self.path}") from None
        except (OSError, EOFError, zlib.error) as problem:
            raise UserError(f"cannot read {self.path}: {problem}") from None

    @cached_property
    def text(self):
        """The text, with lines that end in \\n alone."""
        marked = next((name for mark, name in MARKS if self.data.startswith(mark)), None)
        try:
            text = self._decoded(self.encoding or marked or "utf-8")
        except UnicodeError:
            if self.encoding or marked:
                raise UserError(f"{self.path} is not text in {self.encoding or marked}; "
                                "give its encoding with --encoding") from None
            text = self._as_cp1252()
        return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")

    def _as_cp1252(self):
        try:
            text = self._decoded("cp1252")
        except UnicodeError:
            raise UserError(f"{self.path} is neither utf-8 nor cp1252; give its "
                            "encoding with --encoding") from None
        self.notes.append(f"{self.path} is not utf-8 and was read as cp1252; if "
                          "characters look wrong, give --encoding")
        return text

    def _decoded(self, encoding):
        try:
            return self.data.decode(encoding)
        except LookupError:
            raise UserError(f"--encoding {encoding}: Python knows no such encoding; "
                            "utf-8, utf-16 and cp1252 are usual") from None

    @cached_property
    def first_line(self):
        """The first line that is not blank, unchanged; "" if there is none."""
        return next((line for line in self.text.split("\n") if line.strip()), "")

    @cached_property
    def delimiter(self):
        """Tab, ; or , : whichever is most frequent in the first line outside quotes."""
        line = QUOTED.sub("", self.first_line)
        return max("\t;,", key=line.count)

    @property
    def decimal_comma(self):
        """Whether numbers may contain a comma."""
        return self.delimiter != ","

    @cached_property
    def rows(self):
        """[(line number, [cell, ...])], without blank lines."""
        reader = csv.reader(io.StringIO(self.text), delimiter=self.delimiter,
                            skipinitialspace=True)
        rows = []
        try:
            for cells in reader:
                cells = [cell.strip() for cell in cells]
                if any(cells):
                    rows.append((reader.line_num, cells))
        except csv.Error as problem:
            raise UserError(f"{self.path}, line {reader.line_num}: {problem}; is a "
                            "quotation mark left open?") from None
        return rows

    def table(self, found, header=0):
        """The rows below row `header` as a table of texts; its index is their line numbers.

        A row with more cells than the header is bad; one with fewer is padded with
        empty cells.
        """
        names, lines, cells = self.rows[header][1], [], []
        for line, row in self.rows[header + 1:]:
            with found.row(f"line {line}"):
                if any(row[len(names):]):
                    raise BadRow(f"it has {len(row)} cells, the header {len(names)}")
                cells.append((row + [""] * len(names))[:len(names)])
                lines.append(line)
        return pd.DataFrame(cells, index=lines, columns=names, dtype=str)

    @cached_property
    def json(self):
        """The content as JSON (NaN is allowed, since BORIS writes it)."""
        try:
            return json.loads(self.text, object_pairs_hook=unique)
        except json.JSONDecodeError as problem:
            raise UserError(f"{self.path} is not valid JSON: line {problem.lineno}, "
                            f"column {problem.colno}: {problem.msg}") from None
        except (ValueError, RecursionError) as problem:
            raise UserError(f"{self.path} is not valid JSON: {problem}") from None

    @property
    def stem(self):
        """The file's name without its extension (and without .gz)."""
        return Path(self.path.name.removesuffix(".gz")).stem
