"""Calibrated heads p(y | x): several families, chosen and weighed by inner held-out likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import log_softmax
from sklearn.decomposition import PCA

from lsmi_core.linear import discriminant_coefficients, linear_scores, numpy_to, softmax_coefficients
from lsmi_core.pooling import fit_temperature, mean_log_likelihood, pool, pool_weights
from lsmi_core.training import train_networks

__all__ = ["Head", "InnerSplit", "Projection"]

SHRINKAGES = (0.01, 0.05, 0.2, 0.6)
PENALTIES = (0.5, 8.0, 120.0)
MAX_COMPONENTS = 256


class Projection:
    """Standardise columns, rotate onto principal axes, keep the leading ones, and bring the mean variance to 1.

    Learned from features alone (never labels), on training samples only.

    Parameters
    ----------
    max_components : int
    random_state : int
    """

    def __init__(self, max_components: int = MAX_COMPONENTS, random_state: int = 0) -> None:
        self.max_components = max_components
        self.random_state = random_state

    def fit(self, x: np.ndarray) -> Projection:
        """Learn centre, scale and axes from x of shape (n_samples, n_features); return self."""
        # In units of each column's largest value, so that nothing overflows however large the numbers are.
        magnitude = np.maximum(np.abs(x).max(axis=0), np.finfo(np.float64).tiny)
        unit = x / magnitude
        self.mean_ = magnitude * unit.mean(axis=0)
        deviation = unit.std(axis=0)
        self.scale_ = np.where(deviation > 1e-12, magnitude * deviation, np.inf)  # constant columns vanish
        standard = (x - self.mean_) / self.scale_
        n_components = min(self.max_components, *x.shape)
        with np.errstate(invalid="ignore"):  # shares of no variance at all, where every column is constant
            self.axes_ = PCA(n_components, random_state=self.random_state).fit(standard).components_.T
        self.spread_ = max(float((standard @ self.axes_).std()), 1e-12)
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """Return coordinates of shape (n_samples, n_components)."""
        return ((x - self.mean_) / self.scale_) @ self.axes_ / self.spread_


@dataclass(frozen=True)
class InnerSplit:
    """Inner folds of one training part, shared by all heads so that their held-out predictions align.

    Attributes
    ----------
    folds : int ndarray of shape (n_samples,)
    n_splits : int
    """

    folds: np.ndarray
    n_splits: int

    def members(self, device: torch.device) -> torch.Tensor:
        """Return who trains on what: (n_splits + 1, n_samples), the last row being everybody."""
        inside = np.stack([self.folds != k for k in range(self.n_splits)] + [np.ones(len(self.folds), dtype=bool)])
        return torch.as_tensor(inside, device=device)

    def held_out(self, scores: torch.Tensor) -> np.ndarray:
        """Pick for each sample the scores of the fit that did not see it, from (n_splits + 1, n_samples, C)."""
        picked = scores[torch.as_tensor(self.folds, device=scores.device), torch.arange(len(self.folds))]
        return picked.double().cpu().numpy()


@dataclass(frozen=True)
class _Candidate:
    """One fitted family: held-out log-probabilities of the training part, and scores for new samples."""

    held_out: np.ndarray
    predict: Callable[[torch.Tensor], np.ndarray]


class Head:
    """Calibrated class probabilities of one view, pooled over families.

    The families are the class prior, a shrunk linear discriminant, ridge softmax regression, a small network, and
    any predictions handed in as ``others``. Shrinkage, penalty, stopping epoch, temperature and weights are all
    chosen on inner folds.

    Parameters
    ----------
    n_classes : int
    device : torch.device
    random_state : int

    Attributes
    ----------
    held_out_log_proba_ : ndarray of shape (n_samples, n_classes)
        Pooled log p(y | x) of each training sample by fits that did not see it.
    weights_ : dict of str to float
        What each family contributes.
    """

    def __init__(self, n_classes: int, device: torch.device, random_state: int = 0) -> None:
        self.n_classes = n_classes
        self.device = device
        self.random_state = random_state

    def fit(
        self, x: np.ndarray, codes: np.ndarray, split: InnerSplit, others: dict[str, np.ndarray] | None = None
    ) -> Head:
        """Learn p(y | x).

        Parameters
        ----------
        x : ndarray of shape (n_samples, n_components)
        codes : int ndarray of shape (n_samples,)
        split : InnerSplit
        others : dict of name to held-out log-probabilities of shape (n_samples, n_classes)
            Predictions made elsewhere that may join the pool; hand theirs to :meth:`log_proba` too.

        Returns
        -------
        Head
        """
        self.prior_ = _prior(codes, self.n_classes)
        x_t, codes_t, members = (
            numpy_to(x, self.device),
            torch.as_tensor(codes, device=self.device),
            split.members(self.device),
        )
        self.candidates_ = {
            "discriminant": _linear_candidate(
                discriminant_coefficients(x_t, codes_t, members, self.n_classes, SHRINKAGES), x_t, codes, split
            ),
            "softmax": _linear_candidate(
                softmax_coefficients(x_t, codes_t, members, self.n_classes, PENALTIES), x_t, codes, split
            ),
            "network": self._network_candidate(x_t, codes_t, members, codes, split),
        }
        held = [self._prior_rows(len(x)), *(c.held_out for c in self.candidates_.values()), *(others or {}).values()]
        stacked = np.stack(held)
        weights = pool_weights(stacked, codes)
        self.held_out_log_proba_ = pool(stacked, weights)
        self.weights_ = dict(zip(["prior", *self.candidates_, *(others or {})], weights.tolist(), strict=True))
        return self

    def log_proba(self, x: np.ndarray, others: dict[str, np.ndarray] | None = None) -> np.ndarray:
        """Return pooled log p(y | x) of new samples, shape (n_samples, n_classes), in nats."""
        x_t = numpy_to(x, self.device)
        parts = [
            self._prior_rows(len(x)),
            *(c.predict(x_t) for c in self.candidates_.values()),
            *(others or {}).values(),
        ]
        return pool(np.stack(parts), np.array(list(self.weights_.values())))

    def _prior_rows(self, n: int) -> np.ndarray:
        return np.tile(np.log(self.prior_), (n, 1))

    def _network_candidate(
        self, x: torch.Tensor, codes_t: torch.Tensor, members: torch.Tensor, codes: np.ndarray, split: InnerSplit
    ) -> _Candidate:
        generator = torch.Generator().manual_seed(self.random_state)
        networks = train_networks(x, codes_t, members, self.n_classes, generator)
        with torch.no_grad():
            held_out = split.held_out(networks.scores(x))
        temperature = fit_temperature(held_out, codes)

        @torch.no_grad()
        def predict(new: torch.Tensor) -> np.ndarray:
            return log_softmax(networks.scores(new)[-1].double().cpu().numpy() / temperature, axis=1)

        return _Candidate(log_softmax(held_out / temperature, axis=1), predict)


def _prior(codes: np.ndarray, n_classes: int) -> np.ndarray:
    # Half a count more for every class: an inner fold may lack a class altogether.
    counts = np.bincount(codes, minlength=n_classes) + 0.5
    return counts / counts.sum()


def _linear_candidate(coefficients: torch.Tensor, x: torch.Tensor, codes: np.ndarray, split: InnerSplit) -> _Candidate:
    """Choose among settings (second axis) by held-out likelihood after calibration."""
    best: tuple[float, int, float, np.ndarray] | None = None
    for setting in range(coefficients.shape[1]):
        scores = split.held_out(linear_scores(x, coefficients[:, setting]))
        temperature = fit_temperature(scores, codes)
        log_p = log_softmax(scores / temperature, axis=1)
        likelihood = mean_log_likelihood(log_p, codes)
        if best is None or likelihood > best[0]:
            best = (likelihood, setting, temperature, log_p)
    _, setting, temperature, held_out = best
    chosen = coefficients[-1, setting]
    return _Candidate(
        held_out, lambda new: log_softmax(linear_scores(new, chosen).double().cpu().numpy() / temperature, axis=1)
    )
