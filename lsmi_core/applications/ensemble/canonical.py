"""How well the two sides of a pair fit each other, beyond any label: Gaussian canonical correlations."""

from __future__ import annotations

import numpy as np

__all__ = ["between", "fit_canonical"]

MAX_COORDINATES = 32
HIGHEST, FARTHEST = 0.98, 3.0  # correlation; deviations of a coordinate

Arrays = dict[str, np.ndarray]


def fit_canonical(z1: np.ndarray, z2: np.ndarray) -> Arrays:
    r"""Return canonical axes of two sides and what correlation of each is left after that of chance is taken off.

    Among n samples of d unrelated coordinates a squared correlation is about d/n: :math:`\rho^2` is what is above it,
    :math:`(\hat\rho^2 - d/n) / (1 - d/n)`.

    Parameters
    ----------
    z1, z2 : float ndarray of shape (n_samples, d_k)
        Coordinates, the leading first; at most 32 are used.

    Returns
    -------
    dict of str to float64 ndarray

    References
    ----------
    Hotelling 1936, "Relations between two sets of variates", Biometrika 28:321.
    """
    sides = [_whitener(z) for z in (z1, z2)]
    white = [_leading(z, mean) @ axes for z, (mean, axes) in zip((z1, z2), sides, strict=True)]
    left, found, right = np.linalg.svd(white[0].T @ white[1] / len(z1), full_matrices=False)
    by_chance = min(max(len(left), right.shape[1]) / len(z1), 0.5)
    squared = np.clip((found**2 - by_chance) / (1 - by_chance), 0, HIGHEST**2)
    axes1, axes2 = (axes @ turn for (_, axes), turn in zip(sides, (left, right.T), strict=True))
    return {"mean1": sides[0][0], "mean2": sides[1][0], "axes1": axes1, "axes2": axes2, "rho": np.sqrt(squared)}


def between(fitted: Arrays, z1: np.ndarray, z2: np.ndarray) -> np.ndarray:
    r"""Return the pointwise mutual information between the sides of each pair, in nats, as if they were Gaussian.

    :math:`\log \frac{p(z_1, z_2)}{p(z_1) p(z_2)} = \sum_j -\tfrac12 \log(1 - \rho_j^2)
    - \frac{\rho_j^2 (u_j^2 + v_j^2) - 2 \rho_j u_j v_j}{2 (1 - \rho_j^2)}`, u and v being canonical coordinates.

    Parameters
    ----------
    fitted : dict of str to ndarray
        By :func:`fit_canonical`.
    z1, z2 : float ndarray of shape (n_samples, d_k)

    Returns
    -------
    float64 ndarray of shape (n_samples,)
    """
    u, v = (_canonical(fitted, k, z) for k, z in (("1", z1), ("2", z2)))
    rho, rest = fitted["rho"], 1 - fitted["rho"] ** 2
    return -((rho**2 * (u**2 + v**2) - 2 * rho * u * v) / (2 * rest) + np.log(rest) / 2).sum(axis=1)


def _canonical(fitted: Arrays, side: str, z: np.ndarray) -> np.ndarray:
    found = _leading(z, fitted[f"mean{side}"]) @ fitted[f"axes{side}"]
    return np.clip(found, -FARTHEST, FARTHEST)


def _leading(z: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return z[:, : len(mean)].astype(np.float64) - mean


def _whitener(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of the leading coordinates, and axes along which they are uncorrelated and of variance 1."""
    mean = z[:, :MAX_COORDINATES].astype(np.float64).mean(axis=0)
    centred = _leading(z, mean)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(z))
    return mean, vectors / np.sqrt(np.maximum(values, 1e-6 * values[-1]) + 1e-12)
