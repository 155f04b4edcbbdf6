"""Reading CSV, TSV, Parquet and JSON-lines tables: good rows go on, bad ones are listed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import DataError
from curation.importing.delimited import parse_delimited
from curation.importing.jsonlines import parse_json_lines
from curation.importing.parquet import parse_parquet
from curation.importing.report import Problems
from curation.importing.values import number_columns

__all__ = ["TABLE_SUFFIXES", "TableRead", "read_table", "row_numbers"]

TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".ndjson")


@dataclass(frozen=True)
class TableRead:
    """A table as read.

    Parameters
    ----------
    frame : pandas.DataFrame
        All columns in file order. The index, named ``row``, counts the file's data rows from 1, so that a row
        keeps its number when a bad one before it was skipped.
    problems : Problems
    """

    frame: pd.DataFrame
    problems: Problems


def row_numbers(frame: pd.DataFrame) -> np.ndarray:
    """Return the data row, counted from 1, of every row of a table; shape (n_rows,).

    Frames from elsewhere, without the index that ``read_table`` gives, are counted as they come.
    """
    if frame.index.name == "row" and pd.api.types.is_integer_dtype(frame.index):
        return frame.index.to_numpy(dtype=np.int64)
    return np.arange(1, len(frame) + 1)


def read_table(path: Path | str) -> TableRead:
    """Read a table by its extension.

    CSV and TSV values are read as text, and a column becomes numbers only where nothing is lost by it: a
    column with "007" stays text.

    Parameters
    ----------
    path : path of a .csv, .tsv, .txt, .parquet, .jsonl or .ndjson file

    Returns
    -------
    TableRead

    Raises
    ------
    DataError
        When the file is absent, of another kind, empty, damaged, or has two columns of one name.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in TABLE_SUFFIXES:
        raise DataError(f"'{path.name}' is not a table this tool reads; save it as one of {', '.join(TABLE_SUFFIXES)}.")
    if not path.is_file():
        raise DataError(f"There is no file '{path.name}'; check the path.")
    if suffix == ".parquet":
        frame, problems = parse_parquet(path)
    else:
        frame, problems = _parse_text(path, suffix)
    if frame.empty:
        raise DataError(f"'{path.name}' has no usable row. {problems.summary()} Add rows below the header.")
    return TableRead(frame, problems)


def _parse_text(path: Path, suffix: str) -> tuple[pd.DataFrame, Problems]:
    data, problems = _utf8(path)
    if suffix in (".jsonl", ".ndjson"):
        frame, found = parse_json_lines(data, path.name)
    else:
        frame, found = parse_delimited(data, path.name, "\t" if suffix == ".tsv" else None)
        frame = number_columns(frame)
    return frame, found + problems


def _utf8(path: Path) -> tuple[bytes, Problems]:
    """Return the file's text as UTF-8 bytes without a byte order mark, and a remark if it had to be converted."""
    try:
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise DataError(f"'{path.name}' cannot be opened ({error.strerror}); check its permissions.") from error
    if not data.strip():
        raise DataError(f"'{path.name}' is empty; export the table again.")
    if b"\0" in data:
        raise DataError(f"'{path.name}' is not a plain text table; save it from the spreadsheet as CSV UTF-8.")
    try:
        data.decode("utf-8")
        return data, Problems()
    except UnicodeDecodeError:
        return _from_windows(data, path.name)


def _from_windows(data: bytes, name: str) -> tuple[bytes, Problems]:
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        raise DataError(f"'{name}' is neither UTF-8 nor Windows-1252 text; save it as CSV UTF-8.") from error
    note = "the file is not UTF-8 and was read as Windows-1252"
    return text.encode("utf-8"), Problems.note(note, "Look at the accented letters; if they are wrong, save as UTF-8.")
