"""Comma-, tab- and semicolon-separated text into a table of text cells, with ragged rows listed by number."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv

from curation.errors import DataError
from curation.importing.headers import check_headers
from curation.importing.limits import MAX_BAD_ROWS, MAX_CELLS, MAX_ROW_BYTES
from curation.importing.plaintext import PlainText
from curation.importing.report import Problems, join_problems

__all__ = ["parse_delimited"]

# Appended as a last row: when it does not come back as a row of its own, a quote before it was never closed.
_SENTINEL = "\x1eend of table\x1e"
_BLOCK = MAX_ROW_BYTES  # pyarrow wants every row to fit into one, or into two that follow each other


def parse_delimited(text: PlainText, delimiter: str | None = None) -> tuple[pd.DataFrame, Problems]:
    """Parse delimited text; every cell stays text, an empty cell is missing.

    Parameters
    ----------
    text : PlainText
    delimiter : one character, or None to find it in the header

    Returns
    -------
    (pandas.DataFrame indexed by data row, Problems)

    Raises
    ------
    DataError
        When there is no header, a header repeats, or there is more than fits (see ``limits``).
    """
    header, delimiter = _header(text, delimiter)
    names, notes = _named(header)
    check_headers(names, text.name)
    table, ragged = _parse(text, names, delimiter)
    n_good = table.num_rows - 2  # the header and the sentinel are no data
    whole = table.column(0)[-1].as_py() == _SENTINEL if table.num_rows > 1 else False
    if not whole:
        table, ragged, n_good = _unclosed(table, ragged)
    frame = table.slice(1, n_good).to_pandas().astype("str")
    total = n_good + len(ragged)
    bad = [row for row, _ in ragged]
    frame.index = pd.Index(np.setdiff1d(np.arange(1, total + 1), bad), name="row")
    mend = "Give the row one cell for each header; put cells that contain the separator in double quotes."
    problems = Problems.of(bad, "", [problem for _, problem in ragged], mend)
    return frame, join_problems([Problems(n_total=total), notes, problems])


def _header(text: PlainText, delimiter: str | None) -> tuple[list[str], str]:
    with io.TextIOWrapper(text.open(), encoding="utf-8", newline="") as lines:
        first = next((line for line in lines if line.strip("\r\n")), "")
        delimiter = delimiter or _sniff(first)
        rows = csv.reader(itertools.chain([first], lines), delimiter=delimiter)
        try:
            return next(filter(None, rows)), delimiter
        except (csv.Error, StopIteration) as error:
            raise DataError(
                f"The header of '{text.name}' cannot be read; write the column names in the first line."
            ) from error


def _sniff(header: str) -> str:
    """Return the separator that the header uses most, outside quotes; a comma where there is none."""
    bare = "".join(header.split('"')[::2])
    return max(",\t;|", key=bare.count)


def _named(header: Sequence[str]) -> tuple[list[str], Problems]:
    names = [cell.strip() or f"column {i}" for i, cell in enumerate(header, start=1)]
    blank = [i for i, cell in enumerate(header, start=1) if not cell.strip()]
    notes = [f"header {i} is blank and was named 'column {i}'" for i in blank]
    return names, Problems.of([0] * len(blank), "", notes, "Write a name there.")


def _parse(text: PlainText, names: list[str], delimiter: str) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Return the table, header row and sentinel row included, and the ragged rows' numbers and problems."""
    ragged: list[tuple[int, str]] = []

    def note(row: pacsv.InvalidRow) -> str:
        size = "few" if row.actual_columns < row.expected_columns else "many"
        problem = f"row with too {size} cells: {row.actual_columns} instead of {row.expected_columns}"
        ragged.append((row.number - 1, problem))
        return "skip" if len(ragged) <= MAX_BAD_ROWS else "error"

    sentinel = delimiter.join([_SENTINEL] * len(names)).encode()
    try:
        with text.open(ending=b"\n%b\n" % sentinel) as stream:
            batches = pacsv.open_csv(
                stream,
                # One thread: only then does pyarrow know the number of a ragged row.
                read_options=pacsv.ReadOptions(
                    use_threads=False, column_names=names, block_size=min(text.size + 4096 + len(sentinel), _BLOCK)
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
                ),
            )
            table = _gathered(batches, text.name)
    except DataError:
        raise
    except (pa.ArrowException, ValueError) as error:
        raise _unreadable(text.name, len(names), ragged) from error
    return table, ragged


def _gathered(batches: pacsv.CSVStreamingReader, name: str) -> pa.Table:
    """Return all batches as one table, unless there are more cells than fit into memory."""
    parts, n_cells = [], 0
    for batch in batches:
        parts.append(batch)
        n_cells += batch.num_rows * batch.num_columns
        if n_cells > MAX_CELLS:
            raise DataError(f"'{name}' has more than {MAX_CELLS:,} cells; save it as Parquet, or split it into parts.")
    return pa.Table.from_batches(parts, batches.schema)


def _unreadable(name: str, n_columns: int, ragged: list) -> DataError:
    if len(ragged) > MAX_BAD_ROWS:
        return DataError(
            f"More than {MAX_BAD_ROWS:,} rows of '{name}' do not have the {n_columns:,} cells of its header; "
            "check the separator and save the table again."
        )
    return DataError(
        f"'{name}' cannot be read as a table; look for a double quote that is never closed, or for an endless cell."
    )


def _unclosed(table: pa.Table, ragged: list[tuple[int, str]]) -> tuple:
    """Take out the last row, which runs to the end of the file because its quote is never closed."""
    n_rows = table.num_rows + len(ragged)
    problem = "row with a quote that is never closed: it swallows the rest of the file"
    if ragged and ragged[-1][0] == n_rows - 1:
        return table, [*ragged[:-1], (n_rows - 1, problem)], table.num_rows - 1
    return table, [*ragged, (n_rows - 1, problem)], table.num_rows - 2
