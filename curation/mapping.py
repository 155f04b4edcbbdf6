"""A flat map of the samples in which neighbours are alike in both modalities (UMAP)."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

__all__ = ["draw_map"]

COMPONENTS = 32


def draw_map(
    features: list[np.ndarray], sample_ids: pd.Series, random_state: int, count: Callable[[int, int], None]
) -> pd.DataFrame:
    """Return map coordinates of every sample.

    Parameters
    ----------
    features : two ndarrays of shape (n_samples, n_features)
    sample_ids : pandas.Series of length n_samples
    random_state : int
    count : callable
        Told (done, total).

    Returns
    -------
    pandas.DataFrame with the columns sample_id, x, y

    References
    ----------
    McInnes, Healy and Melville 2018, arXiv:1802.03426.
    """
    count(0, 1)
    both = np.hstack([_principal(x, random_state) for x in features])
    place = both[:, :2] if len(both) < 5 else _umap(both, random_state)
    count(1, 1)
    return pd.DataFrame({"sample_id": sample_ids, "x": place[:, 0], "y": place[:, 1]})


def _principal(x: np.ndarray, random_state: int) -> np.ndarray:
    """Return leading principal coordinates scaled so that each modality weighs the same."""
    x = x - x.mean(axis=0)
    with np.errstate(invalid="ignore"):  # a modality that never varies has no share of variance to explain
        reduced = PCA(min(COMPONENTS, *x.shape), random_state=random_state).fit_transform(x)
    return reduced / max(float(np.linalg.norm(reduced, axis=1).mean()), 1e-12)


def _umap(x: np.ndarray, random_state: int) -> np.ndarray:
    from umap import UMAP  # imported here: it takes seconds and only this needs it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return UMAP(n_neighbors=min(15, len(x) - 1), random_state=random_state, n_jobs=1).fit_transform(x)
