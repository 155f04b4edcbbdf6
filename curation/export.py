"""Scores and partitions as CSV, Parquet or JSONL."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd

from curation.errors import DataError
from curation.workspace.files import write_atomically

__all__ = ["FORMATS", "check_target", "export_bytes", "export_file", "format_of"]

FORMATS = {
    "csv": (
        "CSV",
        "text/csv",
        "opens in any spreadsheet; cells that a spreadsheet would run as formulas get a leading '",
    ),
    "parquet": ("Parquet", "application/vnd.apache.parquet", "exact and compact, for pandas, Polars, DuckDB"),
    "jsonl": ("JSON lines", "application/x-ndjson", "one object a line, exact"),
}
"""Every format by its extension: title, media type, when to take it."""

_RISKY = tuple("=+-@\t\r\n＝＋－＠")  # the wide forms count in spreadsheets set to Japanese


def format_of(path: Path) -> str:
    """Return the format that a file name asks for.

    Raises
    ------
    DataError
        When the extension is none of the formats.
    """
    extension = Path(path).suffix.lower().lstrip(".")
    if extension not in FORMATS:
        raise DataError(f"{path} should end in one of: {', '.join('.' + name for name in FORMATS)}.")
    return extension


def export_bytes(frame: pd.DataFrame, form: str) -> bytes:
    """Return the frame as the content of a file.

    Parameters
    ----------
    frame : pandas.DataFrame
    form : {"csv", "parquet", "jsonl"}

    Returns
    -------
    bytes

    Raises
    ------
    DataError
        When the format is unknown.
    """
    if form == "csv":
        # All text in quotes: a bare carriage return in an unquoted cell would begin a row, with whatever follows it.
        return _harmless(frame).to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC).encode("utf-8")
    if form == "parquet":
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()
    if form == "jsonl":
        return _json_lines(frame).encode("utf-8")
    raise DataError(f"There is no export format '{form}'; choose one of: {', '.join(FORMATS)}.")


def check_target(path: Path, form: str | None = None) -> str:
    """Return the format a new file will have: the one given, or that of its extension.

    Raises
    ------
    DataError
        When the extension is none of the formats or contradicts the one given, or the file exists.
    """
    path = Path(path)
    asked = form or format_of(path)
    if path.suffix.lower().lstrip(".") in FORMATS and format_of(path) != asked:
        raise DataError(f"{path} would hold {FORMATS[asked][0]}; let its name end in .{asked}, or ask for its format.")
    if path.exists():
        raise DataError(f"{path} exists already; choose another name, nothing was overwritten.")
    return asked


def export_file(frame: pd.DataFrame, path: Path, form: str | None = None) -> Path:
    """Write the frame to a new file, in the format given or that of its extension.

    Raises
    ------
    DataError
        When the format is unknown or not that of the extension, the file exists, or it cannot be written.
    """
    path = Path(path)
    content = export_bytes(frame, check_target(path, form))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}); choose another place.") from None
    return path


def _json_lines(frame: pd.DataFrame) -> str:
    """Return one object a line; pandas' own writer rounds numbers to 15 decimals."""
    columns = [[_plain(cell) for cell in frame[name]] for name in frame.columns]
    names = [str(name) for name in frame.columns]
    rows = (dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True))
    return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False, default=str) + "\n" for row in rows)


def _plain(cell: object) -> object:
    """Return a cell as JSON knows it: null where there is no value, and for what no JSON number can say."""
    if isinstance(cell, np.ndarray | np.generic):
        cell = cell.tolist()
    if isinstance(cell, list | tuple):
        return [_plain(one) for one in cell]
    if isinstance(cell, dict):
        return {str(key): _plain(one) for key, one in cell.items()}
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
