"""What a cell says: missing or not, a number, a label, a vector."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

__all__ = ["is_missing", "label_text", "number_columns", "parse_vector", "stripped", "to_numbers", "typed"]

# In a column that is otherwise numbers these words mean "no value"; in a column of text they are text.
_NO_NUMBER = ("", "na", "n/a", "#n/a", "nan", "null", "none", "-", "?")
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?(?:inf|Inf|INF|infinity)"
_FEW = 100  # cells
# Codes that would not read the same afterwards: leading zeros, telephone numbers, more digits than a float keeps.
_CODE = r"[+-]?0\d.*|\+\d{7,}|[+-]?\d{16,}"


def stripped(column: pd.Series) -> pd.Series:
    """Return a column as text without surrounding blanks; missing cells stay missing."""
    return column.astype("str").str.strip() if column.dtype != "str" else column.str.strip()


def typed(column: pd.Series) -> pd.Series:
    """Return a column of Python objects that are all text, or all true or false, as text."""
    is_text = column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) in ("string", "boolean")
    return column.astype("str") if is_text else column


def is_missing(column: pd.Series) -> np.ndarray:
    """Return where a column has no value: null, or nothing but blanks. Shape (n_rows,)."""
    column = typed(column)
    missing = column.isna().to_numpy(dtype=bool)
    if column.dtype == "str":
        missing = missing | (column.str.strip() == "").to_numpy(dtype=bool)
    return missing


def number_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table of text with the columns that are plainly numbers as numbers."""
    return pd.DataFrame({name: _number_column(frame[name]) for name in frame.columns}, index=frame.index)


def _number_column(column: pd.Series) -> pd.Series:
    text = column.dropna().str.strip()
    text = text[~text.str.lower().isin(_NO_NUMBER)]
    if text.empty or not _like(text.iloc[:_FEW], _NUMBER).all():
        return column
    if not _like(text, _NUMBER).all() or _like(text, _CODE).any():
        return column
    return pd.to_numeric(text).reindex(column.index)


def _like(text: pd.Series, pattern: str) -> np.ndarray:
    """Return which cells match; pandas parses the pattern anew each time, which a few cells are not worth."""
    if len(text) > _FEW:
        return text.str.fullmatch(pattern).to_numpy(dtype=bool)
    matches = re.compile(pattern).fullmatch
    return np.array([matches(cell) is not None for cell in text.tolist()], dtype=bool)


def to_numbers(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return a column as floats with missing cells NaN, and where a cell is neither number nor missing.

    Returns
    -------
    (ndarray of float64, ndarray of bool), each of shape (n_rows,)
    """
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64, na_value=np.nan), np.zeros(len(column), dtype=bool)
    text = stripped(column)
    empty = text.isna() | text.str.lower().isin(_NO_NUMBER)
    numbers = pd.to_numeric(text.mask(empty), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return numbers, (np.isnan(numbers) & ~empty.to_numpy(dtype=bool))


def label_text(column: pd.Series) -> pd.Series:
    """Return a column as labels: text without surrounding blanks, 3.0 as "3", missing cells as ""."""
    if pd.api.types.is_float_dtype(column):
        column = column.astype("float64")  # pandas cannot look up halves
        names = {value: f"{value:.0f}" if float(value).is_integer() else str(value) for value in column.unique()}
        column = column.where(column.notna()).map(names, na_action="ignore")
    # NumPy drops a null character at the end, which could make two labels one.
    return stripped(column).fillna("").astype("str").str.replace("\0", " ").str.strip()


def parse_vector(cell: object) -> np.ndarray | None:
    """Return a list, an array, or a text like "[0.1, 0.2]" as float32 of shape (n_features,); None if it is none.

    NumPy prints vectors without commas, so blanks separate as well.
    """
    try:
        if isinstance(cell, str):
            inner = re.fullmatch(r"\s*\[(.*)\]\s*", cell, flags=re.DOTALL)
            cell = inner[1].replace(",", " ").split() if inner else None
        vector = np.asarray(cell, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    if vector.ndim != 1 or vector.size == 0:
        return None
    with np.errstate(over="ignore"):
        return vector.astype(np.float32)
