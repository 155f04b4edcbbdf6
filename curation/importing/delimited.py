"""Comma-, tab- and semicolon-separated text into a table of text cells, with ragged rows listed by number."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from curation.errors import DataError
from curation.importing.report import Problems, join_problems

__all__ = ["check_headers", "parse_delimited"]

# Appended as a last row: when it does not come back as a row of its own, a quote before it was never closed.
_SENTINEL = "\x1eend of table\x1e"
_BLOCK = 1 << 26


def parse_delimited(data: bytes, name: str, delimiter: str | None = None) -> tuple[pd.DataFrame, Problems]:
    """Parse delimited text; every cell stays text, an empty cell is missing.

    Parameters
    ----------
    data : UTF-8 bytes
    name : file name, for the messages
    delimiter : one character, or None to find it in the header

    Returns
    -------
    (pandas.DataFrame indexed by data row, Problems)

    Raises
    ------
    DataError
        When there is no header, a header repeats, or a single row is too large to be true.
    """
    header, delimiter = _header(data, name, delimiter)
    names, notes = _named(header)
    check_headers(names, name)
    table, ragged = _parse(data, names, delimiter, name)
    n_good = table.num_rows - 2  # the header and the sentinel are no data
    whole = table.column(0)[-1].as_py() == _SENTINEL if table.num_rows > 1 else False
    if not whole:
        table, ragged, n_good = _unclosed(table, ragged, delimiter)
    frame = table.slice(1, n_good).to_pandas().astype("str")
    total = n_good + len(ragged)
    bad = [row for row, _ in ragged]
    frame.index = pd.Index(np.setdiff1d(np.arange(1, total + 1), bad), name="row")
    mend = "Give the row one cell for each header; put cells that contain the separator in double quotes."
    problems = Problems.of(bad, "", [problem for _, problem in ragged], mend)
    return frame.mask(frame == ""), join_problems([Problems(n_total=total), notes, problems])


def check_headers(names: Sequence[str], file_name: str) -> None:
    """Raise DataError when two columns share a name."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        listed = ", ".join(f"'{name}'" for name in repeated)
        raise DataError(f"'{file_name}' has more than one column named {listed}; give each column its own name.")


def _header(data: bytes, name: str, delimiter: str | None) -> tuple[list[str], str]:
    first = data.lstrip(b"\r\n").splitlines()[0].decode("utf-8", errors="replace")
    delimiter = delimiter or _sniff(first)
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    try:
        return next(row for row in csv.reader(text, delimiter=delimiter) if row), delimiter
    except (csv.Error, StopIteration) as error:
        raise DataError(f"The header of '{name}' cannot be read; write the column names in the first line.") from error


def _sniff(header: str) -> str:
    """Return the separator that the header uses most, outside quotes; a comma where there is none."""
    bare = "".join(header.split('"')[::2])
    return max(",\t;|", key=bare.count)


def _named(header: Sequence[str]) -> tuple[list[str], Problems]:
    names = [cell.strip() or f"column {i}" for i, cell in enumerate(header, start=1)]
    blank = [i for i, cell in enumerate(header, start=1) if not cell.strip()]
    notes = [Problems.note(f"header {i} is blank and was named 'column {i}'", "Write a name there.") for i in blank]
    return names, join_problems(notes)


def _parse(data: bytes, names: list[str], delimiter: str, name: str) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Return the table, header row and sentinel row included, and the ragged rows' numbers and problems."""
    ragged: list[tuple[int, str]] = []

    def note(row: pacsv.InvalidRow) -> str:
        size = "few" if row.actual_columns < row.expected_columns else "many"
        problem = f"row with too {size} cells: {row.actual_columns} instead of {row.expected_columns}"
        ragged.append((row.number - 1, problem))
        return "skip"

    sentinel = delimiter.join([_SENTINEL] * len(names)).encode()
    whole = pa.BufferReader(b"%b\n%b\n" % (data, sentinel))
    try:
        table = pacsv.read_csv(
            whole,
            # One thread: only then does pyarrow know the number of a ragged row.
            read_options=pacsv.ReadOptions(
                use_threads=False, column_names=names, block_size=min(len(data) + 4096 + len(sentinel), _BLOCK)
            ),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"'{name}' cannot be read as a table; look for a double quote that is never closed.") from error
    return table, ragged


def _unclosed(table: pa.Table, ragged: list[tuple[int, str]], delimiter: str) -> tuple:
    """Take out the last row, which runs to the end of the file because its quote is never closed."""
    n_rows = table.num_rows + len(ragged)
    problem = "row with a quote that is never closed: it swallows the rest of the file"
    if ragged and ragged[-1][0] == n_rows - 1:
        return table, [*ragged[:-1], (n_rows - 1, problem)], table.num_rows - 1
    return table, [*ragged, (n_rows - 1, problem)], table.num_rows - 2
