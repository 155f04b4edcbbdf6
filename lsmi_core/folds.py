"""Stratified folds that also serve the smallest classes, and the training parts they make."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

__all__ = ["Folds", "default_splits", "stratified_folds"]

FEW = 2_000


@dataclass(frozen=True)
class Folds:
    """Who is held out when, shared by all fits of a run so that their held-out predictions align.

    Part k trains on everybody outside fold k. One more part, the last, trains on everybody where new samples are to
    be scored.

    Attributes
    ----------
    of : int64 ndarray of shape (n_samples,)
        The fold of every sample.
    n_splits : int
    with_all : bool
        Whether there is a last part that holds everybody.
    """

    of: np.ndarray
    n_splits: int
    with_all: bool

    @property
    def n_parts(self) -> int:
        """Number of training parts."""
        return self.n_splits + self.with_all

    @cached_property
    def outside(self) -> list[torch.Tensor]:
        """Indices held out of each of the first ``n_splits`` parts."""
        return [torch.as_tensor(np.flatnonzero(self.of == k)) for k in range(self.n_splits)]

    @cached_property
    def inside(self) -> list[torch.Tensor]:
        """Indices every part trains on."""
        parts = [torch.as_tensor(np.flatnonzero(self.of != k)) for k in range(self.n_splits)]
        return parts + [torch.arange(len(self.of))] * self.with_all

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return sums over each part, shape (n_parts, ...), of values of shape (n_samples, ...)."""
        own = np.stack([values[i.numpy()].sum(axis=0) for i in self.outside])
        total = own.sum(axis=0)
        return np.concatenate([total - own, total[None]] if self.with_all else [total - own])

    def gather(self, pieces: list[np.ndarray]) -> np.ndarray:
        """Put results of the held-out samples of each fold back into the order of the samples."""
        out = np.empty((len(self.of), *pieces[0].shape[1:]), dtype=pieces[0].dtype)
        for rows, piece in zip(self.outside, pieces, strict=True):
            out[rows.numpy()] = piece
        return out


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


def default_splits(n_samples: int) -> int:
    """Return the number of folds that is worth its time: 10 for few samples, 5 for many or hardly any."""
    return 10 if 20 <= n_samples < FEW else 5
