"""Stratified folds that also serve the smallest classes."""

from __future__ import annotations

import numpy as np

__all__ = ["stratified_folds"]


def stratified_folds(codes: np.ndarray, n_splits: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fold of every sample, each class spread as evenly as its size allows.

    A class smaller than the number of folds is still spread over different folds, so that whenever a sample is
    held out some other member of its class is not.

    Parameters
    ----------
    codes : int ndarray of shape (n_samples,)
    n_splits : int
    rng : numpy.random.Generator

    Returns
    -------
    int64 ndarray of shape (n_samples,), values in [0, n_splits)
    """
    order = np.lexsort((rng.random(len(codes)), codes))
    folds = np.empty(len(codes), dtype=np.int64)
    folds[order] = np.arange(len(codes)) % n_splits
    return folds
