"""How near every sample is to an earlier one of its category: duplication between samples, not between modalities."""

from __future__ import annotations

import numpy as np

__all__ = ["nearest_earlier"]

BLOCK = 1_024


def nearest_earlier(x: np.ndarray, codes: np.ndarray) -> np.ndarray:
    r"""Return the cosine of every sample to the nearest earlier sample of its category.

    :math:`\max_{j < i, y_j = y_i} \cos(x_i, x_j)`: leaving out the highest removes near-duplicates and keeps the first
    of each. Time grows with the square of the largest category, memory with its size.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_features)
        Joint features, centred.
    codes : int ndarray of shape (n_samples,)

    Returns
    -------
    float64 ndarray of shape (n_samples,)
        -1 for the first of its category.

    References
    ----------
    Abbas et al. 2023, "SemDeDup: Data-efficient learning at web-scale through semantic deduplication",
    arXiv:2303.09540.
    """
    x = np.asarray(x, dtype=np.float32)
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
    nearness = np.empty(len(x))
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)
        nearness[own] = _nearest_within(unit[own])
    return nearness


def _nearest_within(unit: np.ndarray) -> np.ndarray:
    found = np.full(len(unit), -1.0)
    for start in range(0, len(unit), BLOCK):
        here = unit[start : start + BLOCK]
        cosines = here @ unit[: start + len(here)].T
        cosines[np.triu_indices(len(here), start, cosines.shape[1])] = -1  # itself and those after it
        found[start : start + len(here)] = cosines.max(axis=1)
    return found
