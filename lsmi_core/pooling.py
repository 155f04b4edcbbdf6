"""Calibrate class log-probabilities by temperature, and pool several predictors by held-out likelihood."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, logsumexp

__all__ = ["fit_temperature", "mean_log_likelihood", "pool", "pool_weights"]


def mean_log_likelihood(log_p: np.ndarray, codes: np.ndarray) -> float:
    """Return the mean log-probability of the true labels, in nats; log_p has shape (n_samples, n_classes)."""
    return float(log_p[np.arange(len(codes)), codes].mean())


def fit_temperature(scores: np.ndarray, codes: np.ndarray) -> float:
    """Return the divisor of the scores that makes held-out labels most likely.

    Parameters
    ----------
    scores : ndarray of shape (n_samples, n_classes)
        Held-out class scores (any constant per sample is free).
    codes : int ndarray of shape (n_samples,)

    Returns
    -------
    float in [1/20, 20]

    References
    ----------
    Guo et al. 2017, arXiv:1706.04599.
    """

    def loss(log_t: float) -> float:
        return -mean_log_likelihood(log_softmax(scores / np.exp(log_t), axis=1), codes)

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 3.0), method="bounded").x))


def pool_weights(log_p: np.ndarray, codes: np.ndarray, n_iter: int = 200) -> np.ndarray:
    r"""Return the mixture weights that make held-out labels most likely.

    The pooled prediction is :math:`\sum_k w_k p_k(y|x)`; its likelihood is concave in w and expectation
    maximisation climbs it without a step size. The first predictor must be the class prior: it always keeps the
    weight of one sample in n, which bounds how wrong the pool can be about anything.

    Parameters
    ----------
    log_p : ndarray of shape (n_predictors, n_samples, n_classes)
        Held-out log-probabilities.
    codes : int ndarray of shape (n_samples,)
    n_iter : int

    Returns
    -------
    ndarray of shape (n_predictors,), summing to 1
    """
    n = len(codes)
    own = log_p[:, np.arange(n), codes]
    log_w = np.full((len(log_p), 1), -np.log(len(log_p)))
    for _ in range(n_iter):
        share = own + log_w
        log_w = logsumexp(share - logsumexp(share, axis=0), axis=1, keepdims=True) - np.log(n)
    weights = np.exp(log_w[:, 0])
    weights[0] += 1 / n
    return weights / weights.sum()


def pool(log_p: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the pooled log-probabilities of shape (n_samples, n_classes)."""
    with np.errstate(divide="ignore"):
        log_w = np.log(weights)[:, None, None]
    return logsumexp(log_p + log_w, axis=0)
