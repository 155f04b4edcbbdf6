"""Turns columns of numbers into features: missing ones become the median, columns are standardised."""

from __future__ import annotations

import numpy as np

from feature_extractors.checks import matrix, split_rows
from feature_extractors.contracts import EncodedItems, EncoderSpec, Progress, collect

__all__ = ["ColumnsEncoder"]


class ColumnsEncoder:
    """Median-filled, standardised columns; a constant column stays, as zeros.

    The medians, means and deviations are those of the items given, so the same row gets other features
    beside other rows.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    """

    def __init__(self, spec: EncoderSpec):
        self.spec = spec
        self.fingerprint = "columns/1 median-fill standardise constant=0"

    def encode(self, items: np.ndarray, progress: Progress | None = None) -> EncodedItems:
        """Standardise the columns; rows that are empty or hold an infinite number become problems.

        Parameters
        ----------
        items : ndarray of shape (n, k)
            Numbers; missing ones are NaN.
        progress : callable, optional
            Called with (done, total).

        Returns
        -------
        EncodedItems
            With `features` of shape (n_kept, k).

        Raises
        ------
        EncoderError
            If the items are not a table of numbers.
        """
        table = matrix(items, "The numbers")
        report = progress or (lambda done, total: None)
        report(0, len(table))
        problems = _problems(table)
        kept = split_rows(table, problems)
        rows = dict(zip(kept.tolist(), _standardised(table[kept]), strict=True))
        report(len(table), len(table))
        return collect(rows, problems, table.shape[1])


def _problems(table: np.ndarray) -> dict[int, str]:
    empty = np.isnan(table).all(axis=1)
    infinite = np.isinf(table).any(axis=1)
    why = "This row holds no number at all; fill it in, or leave the row out."
    found = {int(i): why for i in np.flatnonzero(empty)}
    for i in np.flatnonzero(infinite):
        column = int(np.flatnonzero(np.isinf(table[i]))[0]) + 1
        found[int(i)] = f"The number in column {column} is infinite; correct it, or leave the cell empty."
    return found


def _standardised(table: np.ndarray) -> np.ndarray:
    out = np.zeros(table.shape, dtype=np.float32)
    for j, column in enumerate(table.T):
        known = column[~np.isnan(column)]
        if len(known) and known.min() < known.max():
            out[:, j] = _standardised_column(column, np.median(known))
    return out


def _standardised_column(column: np.ndarray, median: float) -> np.ndarray:
    """Scale before squaring, so that neither huge nor nearly equal numbers lose their differences."""
    size = max(np.nanmax(np.abs(column)), np.finfo(float).tiny)
    from_median = np.nan_to_num(column / size - median / size, nan=0.0)
    spread = np.abs(from_median).max()
    if spread == 0:
        return np.zeros(len(column))
    scaled = from_median / spread
    return (scaled - scaled.mean()) / scaled.std()
