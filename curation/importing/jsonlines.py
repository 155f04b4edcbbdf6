"""JSON lines into a table: one object a line, unreadable lines listed by number."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa

from curation.errors import DataError
from curation.importing.headers import check_headers
from curation.importing.limits import MAX_BAD_ROWS, MAX_COLUMNS, MAX_JSON_CELLS
from curation.importing.plaintext import PlainText
from curation.importing.report import Problems

__all__ = ["parse_json_lines"]

_MEND = 'Write one object on each line, like {"image": "a.png", "label": "cat"}.'

_ROW = 4  # cells: what a row costs besides


def parse_json_lines(text: PlainText) -> tuple[pd.DataFrame, Problems]:
    """Parse JSON lines; blank lines do not count.

    Parameters
    ----------
    text : PlainText

    Returns
    -------
    (pandas.DataFrame indexed by data row, Problems)

    Raises
    ------
    DataError
        When there is more than fits (see ``limits``).
    """
    records = _records(text)
    good = np.array([isinstance(record, dict) for record in records])
    frame = pd.DataFrame([record for record in records if isinstance(record, dict)])
    frame.columns = [str(column) for column in frame.columns]
    check_headers(frame.columns, text.name)
    frame.index = pd.Index(np.flatnonzero(good) + 1, name="row")
    bad = np.flatnonzero(~good)
    problems = Problems.of(bad + 1, "", [records[i] for i in bad], _MEND)
    return frame.apply(_tidy), Problems(problems.frame, len(records))


def _records(text: PlainText) -> list[dict | str]:
    """Return the object of every line, or the problem with it."""
    records: list[dict | str] = []
    names: set[str] = set()
    n_bad = 0
    with text.open() as lines:
        for line in filter(bytes.strip, lines):
            record = _record(line)
            records.append(record)
            n_bad += isinstance(record, str)
            names.update(record if isinstance(record, dict) else ())
            _check_room(text.name, len(records), len(names), n_bad)
    return records


def _check_room(name: str, n_rows: int, n_columns: int, n_bad: int) -> None:
    """Every line becomes a row with a cell for every name that any line has."""
    if n_columns > MAX_COLUMNS:
        raise DataError(
            f"The lines of '{name}' have more than {MAX_COLUMNS:,} different names; give all lines the same names."
        )
    if n_rows * (n_columns + _ROW) > MAX_JSON_CELLS:
        raise DataError(f"'{name}' makes more than {MAX_JSON_CELLS:,} cells; save it as Parquet, or split it.")
    if n_bad > MAX_BAD_ROWS:
        raise DataError(f"More than {MAX_BAD_ROWS:,} lines of '{name}' hold no object; write one object on each line.")


def _record(line: bytes) -> dict | str:
    """Return the object on a line, or the problem with it."""
    try:
        record = json.loads(line)
        if b"\\ud" in line.lower():  # an escape for half a character: legal JSON, but no text
            json.dumps(record, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        return f"line not readable as JSON: {error}"
    if isinstance(record, dict) and record:
        return record
    return "line not a JSON object: it holds " + (type(record).__name__ if record != {} else "nothing")


def _tidy(column: pd.Series) -> pd.Series:
    """Give a column of mixed values one type, so that it can be counted, shown and stored."""
    if column.dtype != object:
        return column
    kinds = set(column.dropna().map(type))
    if kinds <= {list} and _storable(column):
        return column
    if dict in kinds or list in kinds:
        return column.map(lambda v: v if isinstance(v, str) else json.dumps(v), na_action="ignore").astype("str")
    return column.map(str, na_action="ignore").astype("str")


def _storable(column: pd.Series) -> bool:
    """Return whether lists are all of one plain type: only such a column can be written with the scores."""
    try:
        kind = pa.array(column, from_pandas=True).type
    except (pa.ArrowException, OverflowError, RecursionError):
        return False
    while pa.types.is_list(kind):
        kind = kind.value_type
    return not pa.types.is_struct(kind)
