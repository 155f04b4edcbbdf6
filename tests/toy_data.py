"""Small labelled arrays, and measures of likeness, for the tests of the estimator and its parts."""

from __future__ import annotations

import numpy as np
import torch

from lsmi_core import PointwiseInteractions
from lsmi_core.folds import Folds, stratified_folds
from lsmi_core.heads import Labels

OTHER_MODALITY = {"i1": "i2", "i2": "i1", "h1": "h2", "h2": "h1", "b1": "b2", "b2": "b1", "u1": "u2", "u2": "u1"}


def classes_in_space(n: int, n_features: int = 4, n_classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.choice(n_classes, size=n, p=np.arange(1, n_classes + 1) / np.arange(1, n_classes + 1).sum())
    centres = 1.5 * rng.standard_normal((n_classes, n_features))
    return centres[codes] + rng.standard_normal((n, n_features)) @ rng.standard_normal((n_features,) * 2), codes


def folds_of(codes: np.ndarray, n_splits: int = 3, with_all: bool = True) -> Folds:
    return Folds(stratified_folds(codes, n_splits, np.random.default_rng(0)), n_splits, with_all)


def labels_of(codes: np.ndarray, folds: Folds | None = None, log_prior: np.ndarray | None = None) -> Labels:
    if log_prior is None:
        log_prior = np.log(np.bincount(codes) / len(codes))
    return Labels(torch.as_tensor(codes), log_prior, folds or folds_of(codes))


def insides(folds: Folds) -> list[np.ndarray]:
    """Return who is seen by each part, written out: everybody outside fold k, and everybody."""
    return [np.flatnonzero(folds.of != k) for k in range(folds.n_splits)] + [np.arange(len(folds.of))] * folds.with_all


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def assert_identities(result: PointwiseInteractions) -> None:
    size = 1 + max(np.abs(values).max() for values in result.ingredients().values())
    np.testing.assert_allclose(result.r + result.u1, result.i1, rtol=0, atol=1e-9 * size)
    np.testing.assert_allclose(result.r + result.u2, result.i2, rtol=0, atol=1e-9 * size)
    np.testing.assert_allclose(result.r + result.u1 + result.u2 + result.s, result.i12, rtol=0, atol=1e-9 * size)
