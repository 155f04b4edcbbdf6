"""JSON lines into a table: one object a line, unreadable lines listed by number."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from curation.importing.report import Problems

__all__ = ["parse_json_lines"]

_MEND = 'Write one object on each line, like {"image": "a.png", "label": "cat"}.'


def parse_json_lines(data: bytes, name: str) -> tuple[pd.DataFrame, Problems]:
    """Parse JSON lines; blank lines do not count.

    Parameters
    ----------
    data : UTF-8 bytes
    name : file name, for the messages

    Returns
    -------
    (pandas.DataFrame indexed by data row, Problems)
    """
    lines = [line for line in data.split(b"\n") if line.strip()]
    records = [_record(line) for line in lines]
    good = np.array([isinstance(record, dict) for record in records])
    frame = pd.DataFrame([record for record in records if isinstance(record, dict)])
    frame.columns = [str(column) for column in frame.columns]
    frame.index = pd.Index(np.flatnonzero(good) + 1, name="row")
    bad = np.flatnonzero(~good)
    problems = Problems.of(bad + 1, "", [records[i] for i in bad], _MEND)
    return frame.apply(_tidy), Problems(problems.frame, len(records))


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
    if kinds <= {list}:
        return column
    if dict in kinds or list in kinds:
        return column.map(lambda v: v if isinstance(v, str) else json.dumps(v), na_action="ignore").astype("str")
    return column.map(str, na_action="ignore").astype("str")
