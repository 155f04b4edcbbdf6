"""Takes features that somebody else has computed, as they are."""

from __future__ import annotations

import numpy as np

from feature_extractors.checks import matrix, split_rows
from feature_extractors.contracts import EncodedItems, EncoderSpec, Progress, collect

__all__ = ["AsIsEncoder"]


class AsIsEncoder:
    """The given vectors in float32; a row with a missing or too large number is a problem.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    """

    def __init__(self, spec: EncoderSpec):
        self.spec = spec
        self.fingerprint = "as-is/1 float32"

    def encode(self, items: np.ndarray, progress: Progress | None = None) -> EncodedItems:
        """Convert to float32 and check each row.

        Parameters
        ----------
        items : ndarray of shape (n, k)
            Vectors.
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
        table = matrix(items, "The vectors")
        report = progress or (lambda done, total: None)
        report(0, len(table))
        with np.errstate(over="ignore"):  # numbers beyond float32 become infinite and are reported by row
            vectors = table.astype(np.float32)
        problems = _problems(table, vectors)
        rows = {i: vectors[i] for i in split_rows(vectors, problems).tolist()}
        report(len(table), len(table))
        return collect(rows, problems, table.shape[1])


def _problems(table: np.ndarray, vectors: np.ndarray) -> dict[int, str]:
    found = {}
    for i in np.flatnonzero(~np.isfinite(vectors).all(axis=1)):
        column = int(np.flatnonzero(~np.isfinite(vectors[i]))[0])
        what = "missing" if np.isnan(table[i, column]) else "infinite or too large"
        found[int(i)] = f"Number {column + 1} of this vector is {what}; compute the vector again, or leave the row out."
    return found
