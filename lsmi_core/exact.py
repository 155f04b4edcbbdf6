"""Exact pointwise quantities of a drawn sample under the law that drew it: densities in, nats out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

__all__ = ["ExactSamples", "label_information", "log_mixture", "log_normal"]


@dataclass(frozen=True)
class ExactSamples:
    """Drawn samples with the exact quantities of the law that drew them.

    Attributes
    ----------
    x1, x2 : ndarray of shape (n_samples, n_features)
    y : int64 ndarray of shape (n_samples,)
    i1, i2, i12 : float64 ndarray of shape (n_samples,)
        Exact pointwise mutual information with the label, in nats.
    h1, h2 : float64 ndarray of shape (n_samples,)
        Exact surprisal of each modality, in nats (the density is that of the feature space).
    b1, b2 : float64 ndarray of shape (n_samples,)
        What each modality expects to say, sum_c p(c|x) log p(c|x)/p(c), in nats.
    regime : ndarray of str, shape (n_samples,), or None
        How each sample was built, where the law has regimes.
    """

    x1: np.ndarray
    x2: np.ndarray
    y: np.ndarray
    i1: np.ndarray
    i2: np.ndarray
    i12: np.ndarray
    h1: np.ndarray
    h2: np.ndarray
    b1: np.ndarray
    b2: np.ndarray
    regime: np.ndarray | None = None


def log_normal(x: np.ndarray, centres: np.ndarray, sigma: float) -> np.ndarray:
    r"""Return :math:`\log N(x; c_k, \sigma^2 I)` of every sample under every centre, in nats.

    The squared distance is taken apart, :math:`|x|^2 - 2 x \cdot c + |c|^2`, so that nothing of size
    (n_samples, n_centres, n_features) is built; the mean centre is subtracted first, because far from the origin
    the three terms are large and their sum is not.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_features)
    centres : ndarray of shape (n_centres, n_features)
    sigma : float

    Returns
    -------
    ndarray of shape (n_samples, n_centres)
    """
    middle = centres.mean(axis=0)
    x, centres = x - middle, centres - middle
    squared = -2 * x @ centres.T
    squared += np.einsum("nd,nd->n", x, x)[:, None] + (centres**2).sum(axis=1)
    return -0.5 * squared / sigma**2 - 0.5 * x.shape[1] * np.log(2 * np.pi * sigma**2)


def log_mixture(logs: list[np.ndarray], clusters: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    r"""Return the log-likelihood of every label under a mixture of products of clusters, in nats.

    :math:`\log p(x | y) = \log \sum_{j: y_j = y} w_j \prod_m p_m(x_m | k_{mj})`, one term a cell. Only the cells
    that exist are visited, so the cost grows with their number and not with clusters times clusters times labels.

    Parameters
    ----------
    logs : list of ndarray of shape (n_samples, n_clusters)
        One per modality: the log density of its features under each of its clusters.
    clusters : int ndarray of shape (n_modalities, n_cells)
    labels : int ndarray of shape (n_cells,)
    weights : ndarray of shape (n_cells,)
        They sum to one over the cells of each label.

    Returns
    -------
    ndarray of shape (n_samples, n_labels)
        Minus infinity where a label has no likelihood left in float64.
    """
    tops = [values.max(axis=1) for values in logs]
    scaled = [np.exp(values - top[:, None]).T.copy() for values, top in zip(logs, tops, strict=True)]
    total = np.zeros((labels.max() + 1, len(tops[0])))
    for cell, label, weight in zip(clusters.T, labels, weights, strict=True):
        total[label] += weight * np.prod([values[k] for values, k in zip(scaled, cell, strict=True)], axis=0)
    with np.errstate(divide="ignore"):
        return (np.log(total) + sum(tops)).T


def label_information(
    log_likelihood: np.ndarray, y: np.ndarray, prior: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    r"""Return :math:`i = \log p(x|y) - \log p(x)`, :math:`h = -\log p(x)` and b of each sample, in nats.

    Parameters
    ----------
    log_likelihood : ndarray of shape (n_samples, n_classes)
        :math:`\log p(x|y)` of every label.
    y : int ndarray of shape (n_samples,)
    prior : ndarray of shape (n_classes,), optional
        Uniform when left out.

    Returns
    -------
    i, h, b : ndarray of shape (n_samples,)
        Information, surprisal, and what is expected to be said whatever the label.
    """
    n_classes = log_likelihood.shape[1]
    prior = np.full(n_classes, 1 / n_classes) if prior is None else prior
    log_p = logsumexp(log_likelihood + np.log(prior), axis=1)
    ratios = log_likelihood - log_p[:, None]
    told = np.exp(ratios) * prior
    b = np.where(told > 0, told * ratios, 0).sum(axis=1)
    return ratios[np.arange(len(y)), y], -log_p, b
