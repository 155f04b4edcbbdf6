"""Reading CSV, TSV, Parquet and JSON-lines tables: good rows go on, bad ones are listed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import DataError
from curation.importing.delimited import parse_delimited
from curation.importing.jsonlines import parse_json_lines
from curation.importing.limits import MAX_JSON_BYTES
from curation.importing.parquet import parse_parquet
from curation.importing.plaintext import PlainText
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
    if suffix in (".jsonl", ".ndjson"):
        text = PlainText(path, MAX_JSON_BYTES)
        frame, found = parse_json_lines(text)
    else:
        text = PlainText(path)
        frame, found = parse_delimited(text, "\t" if suffix == ".tsv" else None)
        frame = number_columns(frame)
    return frame, found + text.problems
