"""Flat maps of the samples in which neighbours are alike (UMAP)."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from feature_extractors import row_blocks

__all__ = ["draw_map"]

COMPONENTS = 32
LEARNT = 50_000
"""The map is learned from so many samples; the others are put among them. docs/decisions.md has the times."""
AMONG = 5
BLOCK = 10_000


def draw_map(
    sides: list[np.ndarray],
    sample_ids: pd.Series,
    random_state: int,
    count: Callable[[int, int], None],
    most: int = LEARNT,
) -> pd.DataFrame:
    """Return map coordinates of every sample.

    Parameters
    ----------
    sides : list of ndarrays of shape (n_samples, n_features_k)
        What neighbours are to be alike in; each weighs the same. Arrays or memory maps.
    sample_ids : pandas.Series of length n_samples
    random_state : int
    count : callable
        Told (done, total).
    most : int
        Beyond so many samples the map is learned from some of them, drawn at random.

    Returns
    -------
    pandas.DataFrame with the columns sample_id, x, y

    References
    ----------
    McInnes, Healy and Melville 2018, arXiv:1802.03426.
    """
    n = len(sample_ids)
    learnt = np.sort(np.random.default_rng(random_state).permutation(n)[:most])
    later = [rows for rows in np.array_split(np.setdiff1d(np.arange(n), learnt), -(-n // BLOCK)) if len(rows)]
    count(0, 1 + len(later))
    x = np.hstack([_principal(side, learnt, random_state) for side in sides])
    place = np.empty((n, 2), dtype=np.float32)
    place[learnt] = x[learnt, :2] if n < 5 else _umap(x[learnt], random_state)
    count(1, 1 + len(later))
    for done, rows in enumerate(later, start=2):
        place[rows] = _among(x[learnt], place[learnt], x[rows])
        count(done, 1 + len(later))
    return pd.DataFrame({"sample_id": sample_ids, "x": place[:, 0], "y": place[:, 1]})


def _principal(x: np.ndarray, learnt: np.ndarray, random_state: int) -> np.ndarray:
    """Return leading principal coordinates scaled so that each side weighs the same."""
    few = x[learnt]
    mean, pca = few.mean(axis=0), PCA(min(COMPONENTS, *few.shape), random_state=random_state)
    with np.errstate(invalid="ignore"):  # a modality that never varies has no share of variance to explain
        pca.fit(few - mean)
    reduced = np.concatenate([pca.transform(block - mean) for _, block in row_blocks(x)])
    return reduced / max(float(np.linalg.norm(reduced[learnt], axis=1).mean()), 1e-12)


def _umap(x: np.ndarray, random_state: int) -> np.ndarray:
    from umap import UMAP  # imported here: it takes seconds and only this needs it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return UMAP(n_neighbors=min(15, len(x) - 1), random_state=random_state, n_jobs=1).fit_transform(x)


def _among(learnt: np.ndarray, place: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Put samples where the nearest of the learned ones are, the nearer the closer."""
    nearest = NearestNeighbors(n_neighbors=min(AMONG, len(learnt)), algorithm="brute").fit(learnt)
    distance, near = nearest.kneighbors(x)
    weight = 1 / np.maximum(distance, 1e-9) ** 2
    weight /= weight.sum(axis=1, keepdims=True)
    return np.einsum("nk,nkd->nd", weight, place[near])
