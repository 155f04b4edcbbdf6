"""Checks of the items that more than one encoder needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feature_extractors.contracts import ItemProblem
from feature_extractors.errors import EncoderError

__all__ = ["check_sequence", "existing_file", "matrix", "split_rows"]


def existing_file(item: Any, what: str) -> Path:
    """Check that an item names a file that is there.

    Parameters
    ----------
    item : Path
        The item.
    what : str
        What the file should be, for the sentence: "picture", "sound" or "video".

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ItemProblem
        If it does not.
    """
    if not isinstance(item, (str, Path)):
        raise ItemProblem(f"This row names no {what} file; name one, or leave the row out.")
    file = Path(item)
    if not file.is_file():
        raise ItemProblem(f"This {what} file does not exist; check its name, or leave the row out.", passing=True)
    return file


def split_rows(items: np.ndarray, problems: dict[int, str]) -> np.ndarray:
    """Positions of the rows without a problem.

    Parameters
    ----------
    items : ndarray of shape (n, k)
        All rows.
    problems : dict of int to str
        Sentences by row.

    Returns
    -------
    ndarray of shape (n_kept,), int64
        Ascending.
    """
    return np.array([i for i in range(len(items)) if i not in problems], dtype=np.int64)


def matrix(items: Any, what: str) -> np.ndarray:
    """Check that the items are one table of numbers.

    Parameters
    ----------
    items : array-like of shape (n, k)
        Numbers; missing ones are NaN.
    what : str
        What the caller calls them, for the error.

    Returns
    -------
    ndarray of shape (n, k), float64
        A new array.

    Raises
    ------
    ValueError
        If the items are not numbers, or not two-dimensional, or have no columns.
    """
    try:
        table = np.array(items, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EncoderError(f"{what} must be an array of numbers; turn other columns into numbers first.") from error
    if table.ndim != 2 or table.shape[1] == 0:
        raise EncoderError(f"{what} must be an array of shape (n, k) with k >= 1. Got shape {table.shape} instead.")
    return table


def check_sequence(items: Sequence[Any], what: str) -> list[Any]:
    """Refuse a single text or path where a list of them is meant.

    Parameters
    ----------
    items : sequence
        The items.
    what : str
        What they should be, for the error.

    Returns
    -------
    list
        The same items.

    Raises
    ------
    ValueError
        If `items` is one string or one path.
    """
    if isinstance(items, (str, bytes)) or not hasattr(items, "__len__"):
        got = type(items).__name__
        raise EncoderError(f"The items must be a list of {what}. Got one {got} instead; wrap it in a list.")
    return list(items)
