"""Scores as CSV, Parquet or JSONL."""

from __future__ import annotations

import csv
import io
import json
from typing import BinaryIO

import numpy as np
import pandas as pd

from curation.errors import DataError

__all__ = ["TABLES", "export_bytes", "plain", "write_json_lines", "write_table"]

TABLES = ("csv", "parquet", "jsonl")
_RISKY = tuple("=+-@\t\r\n＝＋－＠")  # the wide forms count in spreadsheets set to Japanese
_AT_ONCE = 10_000  # rows


def write_table(frame: pd.DataFrame, form: str, out: BinaryIO) -> None:
    """Write the frame to an open file.

    Parameters
    ----------
    frame : pandas.DataFrame
    form : {"csv", "parquet", "jsonl"}
    out : binary file

    Raises
    ------
    DataError
        When the format is unknown.
    """
    if form not in TABLES:
        raise DataError(f"There is no export format '{form}'; choose one of: {', '.join(TABLES)}.")
    {"csv": _write_csv, "parquet": _write_parquet, "jsonl": write_json_lines}[form](frame, out)


def export_bytes(frame: pd.DataFrame, form: str) -> bytes:
    """Return the frame as the content of a file; see :func:`write_table`."""
    held = io.BytesIO()
    write_table(frame, form, held)
    return held.getvalue()


def _write_csv(frame: pd.DataFrame, out: BinaryIO) -> None:
    # All text in quotes: a bare carriage return in an unquoted cell would begin a row, with whatever follows it.
    _harmless(frame).to_csv(out, index=False, quoting=csv.QUOTE_NONNUMERIC, encoding="utf-8")


def _write_parquet(frame: pd.DataFrame, out: BinaryIO) -> None:
    frame.to_parquet(out, index=False)


def write_json_lines(frame: pd.DataFrame, out: BinaryIO) -> None:
    """Write one object a line; pandas' own writer rounds numbers to 15 decimals."""
    names = [str(name) for name in frame.columns]
    for start in range(0, len(frame), _AT_ONCE):
        some = frame.iloc[start : start + _AT_ONCE]
        columns = [[plain(cell) for cell in some[name]] for name in frame.columns]
        rows = (dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True))
        lines = (json.dumps(row, ensure_ascii=False, allow_nan=False, default=str) + "\n" for row in rows)
        out.write("".join(lines).encode("utf-8"))


def plain(cell: object) -> object:
    """Return a cell as JSON knows it: null where there is no value, and for what no JSON number can say."""
    if isinstance(cell, np.ndarray | np.generic):
        cell = cell.tolist()
    if isinstance(cell, list | tuple):
        return [plain(one) for one in cell]
    if isinstance(cell, dict):
        return {str(key): plain(one) for key, one in cell.items()}
    if isinstance(cell, float):
        return cell if np.isfinite(cell) else None
    return None if cell is pd.NA or cell is pd.NaT else cell


def _harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a copy in which no cell or header can be taken for a formula by a spreadsheet."""
    safe = frame.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]) and not pd.api.types.is_bool_dtype(safe[column]):
            text = safe[column].astype("str").where(safe[column].notna(), None)
            safe[column] = text.map(lambda cell: _quoted(cell) if isinstance(cell, str) else cell)
    return safe.rename(columns=_quoted)


def _quoted(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_RISKY) else cell
