"""A text file that may be anything: checked piece by piece, then read as UTF-8, never held whole."""

from __future__ import annotations

import codecs
import io
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path

from curation.errors import DataError
from curation.importing.limits import MAX_ROW_BYTES, MAX_TEXT_BYTES
from curation.importing.report import Problems

__all__ = ["PlainText"]

_PIECE = 1 << 20
_BOM = codecs.BOM_UTF8


class PlainText:
    """A text file, checked.

    Parameters
    ----------
    path : pathlib.Path
    largest : int
        Bytes.

    Attributes
    ----------
    name : str
    size : int
        Bytes of the file.
    problems : Problems
        A remark if the file is not UTF-8.

    Raises
    ------
    DataError
        When the file is empty, too large, no text, in an unknown encoding, or has an endless line.
    """

    def __init__(self, path: Path, largest: int = MAX_TEXT_BYTES):
        self._path, self.name, self.problems = path, path.name, Problems()
        try:
            self.size = path.stat().st_size
            self._check_size(largest)
            self._check_lines()
            self._encoding = self._find_encoding()
        except OSError as error:
            raise DataError(f"'{self.name}' cannot be opened ({error.strerror}); check its permissions.") from error

    def open(self, ending: bytes = b"") -> io.BufferedReader:
        """Open the text as UTF-8 bytes without a byte order mark, with something appended."""
        pieces = self._pieces()
        if self._encoding != "utf-8":
            pieces = (piece.decode(self._encoding).encode() for piece in pieces)
        return io.BufferedReader(_Joined(itertools.chain(pieces, [ending])), _PIECE)

    def _pieces(self) -> Iterator[bytes]:
        with self._path.open("rb") as stream:
            if stream.read(len(_BOM)) != _BOM:
                stream.seek(0)
            while piece := stream.read(_PIECE):
                yield piece

    def _check_size(self, largest: int) -> None:
        if self.size > largest:
            raise DataError(
                f"'{self.name}' is larger than {largest / 2**30:g} GB; save it as Parquet, or split it into parts."
            )

    def _check_lines(self) -> None:
        so_far, blank = 0, True
        for piece in self._pieces():
            if b"\0" in piece:
                raise DataError(f"'{self.name}' is not a plain text table; save it from the spreadsheet as CSV UTF-8.")
            blank = blank and not piece.strip()
            first, last = _line_ends(piece)
            if so_far + first > MAX_ROW_BYTES:
                raise _endless(self.name)
            so_far = so_far + len(piece) if first == len(piece) else len(piece) - 1 - last
        if blank:
            raise DataError(f"'{self.name}' is empty; export the table again.")

    def _find_encoding(self) -> str:
        if self._reads_as("utf-8"):
            return "utf-8"
        if not self._reads_as("cp1252"):
            raise DataError(f"'{self.name}' is neither UTF-8 nor Windows-1252 text; save it as CSV UTF-8.")
        note = "the file is not UTF-8 and was read as Windows-1252"
        mend = "Look at the accented letters; if they are wrong, save as UTF-8."
        self.problems = Problems.note(note, mend)
        return "cp1252"

    def _reads_as(self, encoding: str) -> bool:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            for piece in self._pieces():
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
        return True


def _line_ends(piece: bytes) -> tuple[int, int]:
    """Return where the first line of a piece ends and where its last line end is; both its length without any."""
    found = [piece.find(end) for end in (b"\n", b"\r")]
    first = min((place for place in found if place >= 0), default=len(piece))
    return first, max(piece.rfind(b"\n"), piece.rfind(b"\r"))


def _endless(name: str) -> DataError:
    return DataError(
        f"'{name}' has a row of more than {MAX_ROW_BYTES // 2**20} MB, which is no table; "
        "shorten the cell, or name a file in it."
    )


class _Joined(io.RawIOBase):
    """Pieces of bytes, read one after the other."""

    def __init__(self, pieces: Iterable[bytes]):
        self._pieces, self._left = iter(pieces), memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        size = min(len(into), len(self._left))
        into[:size], self._left = self._left[:size], self._left[size:]
        return size
