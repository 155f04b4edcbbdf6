"""Scores and partitions as CSV, Parquet or JSONL."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from curation.errors import DataError
from curation.progress import write_atomically

__all__ = ["FORMATS", "export_bytes", "export_file", "format_of"]

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

_RISKY = ("=", "+", "-", "@", "\t", "\r")


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
        return _harmless(frame).to_csv(index=False).encode("utf-8")
    if form == "parquet":
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        return buffer.getvalue()
    if form == "jsonl":
        return frame.to_json(orient="records", lines=True, force_ascii=False, double_precision=15).encode("utf-8")
    raise DataError(f"There is no export format '{form}'; choose one of: {', '.join(FORMATS)}.")


def export_file(frame: pd.DataFrame, path: Path, form: str | None = None) -> Path:
    """Write the frame to a new file, in the format given or that of its extension.

    Raises
    ------
    DataError
        When the format is unknown, the file exists, or it cannot be written.
    """
    path = Path(path)
    content = export_bytes(frame, form or format_of(path))
    if path.exists():
        raise DataError(f"{path} exists already; choose another name, nothing was overwritten.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}); choose another place.") from None
    return path


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
