"""Surprisal -log p(x): a tied Gaussian mixture, and the statistic whose surprisal modalities can be compared by."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

__all__ = ["MixtureSurprisal", "label_statistic"]

MAX_MIXTURE = 40


class MixtureSurprisal:
    r"""Surprisal under a Gaussian mixture with one covariance shared by all components.

    Parameters
    ----------
    n_components : int
    resolution : float
        Standard deviation added to every component in every direction: differences finer than this do not count,
        and a coordinate that never varies is not surprising.
    whiten : bool
        Whiten first, :math:`h(x) = -\log p(\Sigma^{-1/2}(x - \mu))`, where columns have units of their own.
    random_state : int
    """

    def __init__(self, n_components: int, resolution: float, whiten: bool, random_state: int = 0) -> None:
        self.n_components = n_components
        self.resolution = resolution
        self.whiten = whiten
        self.random_state = random_state

    def fit(self, x: np.ndarray) -> MixtureSurprisal:
        """Learn the density of x, shape (n_samples, n_features); return self."""
        self.mean_ = x.mean(axis=0)
        centred = x - self.mean_
        self.whitener_ = _whitener(centred) if self.whiten else np.eye(x.shape[1])
        n_components = max(1, min(self.n_components, MAX_MIXTURE, len(x) // 5))
        mixture = GaussianMixture(
            n_components,
            covariance_type="tied",
            reg_covar=self.resolution**2,
            max_iter=100,
            random_state=self.random_state,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the likelihood has all but settled by then
            self.mixture_ = mixture.fit(centred @ self.whitener_)
        return self

    def surprisal(self, x: np.ndarray) -> np.ndarray:
        """Return -log p of the samples, shape (n_samples,), in nats."""
        return -self.mixture_.score_samples((x - self.mean_) @ self.whitener_)


def _whitener(centred: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    return vectors / np.sqrt(np.maximum(values, max(1e-6 * values.max(), 1e-18)))


def label_statistic(log_proba: np.ndarray, log_prior: np.ndarray) -> np.ndarray:
    r"""Return what a modality says about the label and nothing else: centred class log-ratios.

    :math:`t_c = \log p(c|x)/p(c) - \frac1C \sum_{c'} \log p(c'|x)/p(c')`, written in C - 1 orthonormal coordinates.
    It is sufficient for the label, so i(t; y) = i(x; y), while nuisance, units and dimension are gone.

    Parameters
    ----------
    log_proba : ndarray of shape (n_samples, n_classes)
    log_prior : ndarray of shape (n_classes,)

    Returns
    -------
    ndarray of shape (n_samples, n_classes - 1)
    """
    ratios = log_proba - log_prior
    n_classes = ratios.shape[1]
    # Columns of an orthonormal basis of the vectors that sum to zero.
    contrasts = np.linalg.qr(np.eye(n_classes) - 1 / n_classes)[0][:, : n_classes - 1]
    return ratios @ contrasts
