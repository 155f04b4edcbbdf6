"""Coordinates that do not depend on where a modality's origin, units or axes happen to lie."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import eigh

__all__ = ["Projection"]

MAX_COMPONENTS = 256
UNEVEN = 1e3
CHUNK = 16_384
LARGE = 1e10
FARTHEST = 1e6  # no sample that was learned from lies a tenth as far; new ones may be anywhere


class Projection:
    """Centre, rotate onto principal axes, keep the leading ones, and bring the mean variance to 1.

    Learned from features alone, never from labels. Rotating, shifting or scaling the modality as a whole changes
    nothing: even the signs of the axes are those that skew the samples to the right. Where the widest column varies a
    thousand times as much as the lower quarter, columns do not share a unit and are standardised first.

    Parameters
    ----------
    max_components : int

    Attributes
    ----------
    mean_, scale_ : ndarray of shape (n_features,)
    axes_ : ndarray of shape (n_features, n_components)
    deviations_ : ndarray of shape (n_components,)
        Standard deviation of each coordinate.
    """

    def __init__(self, max_components: int = MAX_COMPONENTS) -> None:
        self.max_components = max_components

    def fit_transform(self, x: np.ndarray) -> np.ndarray:
        """Learn from x of shape (n_samples, n_features); return its coordinates, float32 (n_samples, n_components)."""
        self.mean_, deviation, magnitude = _moments(x)
        constant = deviation <= 1e-12
        self.scale_ = np.where(constant, np.inf, _units(magnitude * np.where(constant, 0, deviation)))
        n_components = max(1, min(self.max_components, *x.shape))
        variances, self.axes_ = _principal_axes(self._standard(x), x.shape, n_components)
        spread = np.sqrt(max(variances.mean(), 1e-24))
        self.axes_ /= spread
        self.deviations_ = np.where(variances > 0, np.sqrt(variances) / spread, 1.0)
        z = self.transform(x)
        flip = np.where(sum(np.einsum("ij,ij,ij->j", part, part, part) for part in _pieces(z)) < 0, -1, 1)
        self.axes_ *= flip
        z *= flip.astype(np.float32)
        return z

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Return coordinates, float32 of shape (n_samples, n_components)."""
        axes = self.axes_.astype(np.float32)
        z = np.empty((len(x), axes.shape[1]), dtype=np.float32)
        for k, part in enumerate(self._standard(x)):
            np.matmul(part.astype(np.float32), axes, out=z[k * CHUNK : k * CHUNK + len(part)])
        return z

    def columns(self, x: np.ndarray) -> np.ndarray:
        """Return the columns as they came, centred and in the units they were rotated in; float32."""
        return np.concatenate([part.astype(np.float32) for part in self._standard(x)])

    def _standard(self, x: np.ndarray) -> Iterator[np.ndarray]:
        # In pieces: a float64 copy of everything may not fit.
        for part in _pieces(x):
            part -= self.mean_
            part /= self.scale_
            yield np.clip(part, -FARTHEST, FARTHEST, out=part)


def _pieces(x: np.ndarray) -> Iterator[np.ndarray]:
    return (x[i : i + CHUNK].astype(np.float64) for i in range(0, len(x), CHUNK))


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, deviation and magnitude of each column, the deviation in units of the magnitude."""
    # In units of each column's largest value, so that nothing overflows however large the numbers are.
    magnitude = np.maximum(np.max([np.abs(part).max(axis=0) for part in _pieces(x)], axis=0), np.finfo(np.float64).tiny)
    mean = sum((part / magnitude).sum(axis=0) for part in _pieces(x)) / len(x)
    variance = sum(_square_sums(part / magnitude - mean) for part in _pieces(x)) / len(x)
    return magnitude * mean, np.sqrt(variance), magnitude


def _square_sums(x: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->j", x, x)


def _units(deviations: np.ndarray) -> np.ndarray:
    """Return what to divide the columns by: one unit for all, or each its own where they cannot share one."""
    varying = deviations[deviations > 0]
    if len(varying) == 0:
        return np.ones_like(deviations)
    if varying.max() / UNEVEN > np.quantile(varying, 0.25, method="lower"):
        return np.maximum(deviations, np.finfo(np.float64).tiny)
    return np.full_like(deviations, varying.max())


def _principal_axes(
    pieces: Iterator[np.ndarray], shape: tuple[int, int], n_components: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the leading variances, falling, and the axes as columns."""
    n, d = shape
    if d <= n:
        # Single precision where it saves seconds: sums over so many samples are no better known than that.
        kind = np.float32 if n * d**2 > LARGE else np.float64
        gram = sum((part.T @ part).astype(np.float64) for part in (p.astype(kind) for p in pieces))
        values, vectors = eigh(gram / n, subset_by_index=[d - n_components, d - 1])
    else:
        centred = np.concatenate(list(pieces))
        values, left = eigh(centred @ centred.T / n, subset_by_index=[n - n_components, n - 1])
        vectors = centred.T @ left / np.sqrt(np.maximum(n * values, 1e-300))
    values = np.maximum(values[::-1], 0)
    kept = max(1, int((values > 1e-10 * max(values[0], 1e-300)).sum()))
    return values[:kept], vectors[:, ::-1][:, :kept]
