"""Calibrated heads p(y | x), cross-fitted: several families, chosen and weighed by held-out likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from lsmi_core.folds import Folds
from lsmi_core.pooling import calibrate, pool, pool_weights

__all__ = ["Candidate", "Head", "Labels"]


@dataclass(frozen=True)
class Labels:
    """The labels of a run and how they are split.

    Attributes
    ----------
    codes : int64 tensor of shape (n_samples,)
    log_prior : float64 ndarray of shape (n_classes,)
        Log frequency of each class.
    folds : Folds
    """

    codes: torch.Tensor
    log_prior: np.ndarray
    folds: Folds

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.log_prior)

    def own(self, log_p: np.ndarray) -> np.ndarray:
        """Return what log_p, shape (n_samples, n_classes), says of each sample's own label."""
        return np.take_along_axis(log_p, self.codes.cpu().numpy()[:, None], axis=1)[:, 0]


class Candidate:
    """One family of heads, fitted for every part and calibrated.

    Parameters
    ----------
    scores : callable of (part, rows of data) to float tensor of shape (n_settings, n_rows, n_classes)
    data : tuple of float tensor
        What the family reads, the samples along the first axes.
    labels : Labels
    scores_of_new : callable, optional
        The same for new samples, where the data of the old ones was worked out beforehand.

    Attributes
    ----------
    held_out : float64 ndarray of shape (n_samples, n_classes)
        Log-probabilities by fits that did not see the sample.
    """

    def __init__(
        self,
        scores: Callable[..., torch.Tensor],
        data: tuple[torch.Tensor, ...],
        labels: Labels,
        scores_of_new: Callable[..., torch.Tensor] | None = None,
    ) -> None:
        self.scores_of_new = scores_of_new or scores
        folds = labels.folds
        pieces = [scores(k, *(d[rows] for d in data)).float().cpu() for k, rows in enumerate(folds.outside)]
        together = torch.empty(len(pieces[0]), len(labels.codes), labels.n_classes)
        for rows, piece in zip(folds.outside, pieces, strict=True):
            together[:, rows] = piece
        self.calibration = calibrate(together, labels.codes.cpu(), folds)
        self.held_out = folds.gather([self.calibration.apply(k, piece) for k, piece in enumerate(pieces)])

    def log_proba(self, *data: torch.Tensor) -> np.ndarray:
        """Return log-probabilities of new samples by the part that saw everybody."""
        last = self.calibration.n_parts - 1
        return self.calibration.apply(last, self.scores_of_new(last, *data).float().cpu())


class Head:
    """Calibrated class probabilities of one view, pooled over candidates by held-out likelihood.

    Parameters
    ----------
    labels : Labels
    candidates : dict of str to Candidate, or None where a family has nothing to offer
    others : dict of str to float64 ndarray of shape (n_samples, n_classes), optional
        Held-out log-probabilities made elsewhere that may join the pool; hand theirs to :meth:`log_proba` too.

    Attributes
    ----------
    held_out : float64 ndarray of shape (n_samples, n_classes)
        Pooled log p(y | x) of each sample by fits that did not see it.
    weights : dict of str to ndarray of shape (n_parts,)
        What each candidate contributes; the class prior is always one of them.
    """

    def __init__(
        self, labels: Labels, candidates: dict[str, Candidate], others: dict[str, np.ndarray] | None = None
    ) -> None:
        self.labels = labels
        self.candidates = {name: c for name, c in candidates.items() if c is not None}
        parts = {name: c.held_out for name, c in self.candidates.items()} | (others or {})
        prior = self._prior_rows(len(labels.codes))
        own = np.stack([labels.own(p) for p in (prior, *parts.values())])
        weights = pool_weights(own, labels.folds)
        held = [prior, *parts.values()]
        rows = [r.numpy() for r in labels.folds.outside]
        self.held_out = labels.folds.gather([pool([p[r] for p in held], weights[k]) for k, r in enumerate(rows)])
        self.weights = dict(zip(["prior", *parts], weights.T, strict=True))

    def log_proba(
        self, data: dict[str, tuple[torch.Tensor, ...]], others: dict[str, np.ndarray] | None = None
    ) -> np.ndarray:
        """Return pooled log p(y | x) of new samples, shape (n_samples, n_classes), in nats.

        Parameters
        ----------
        data : dict of str to tuple of float tensor
            What each candidate reads.
        others : dict of str to float64 ndarray, optional
        """
        parts = {name: c.log_proba(*data[name]) for name, c in self.candidates.items()} | (others or {})
        n = len(next(iter(parts.values())))
        weights = np.array([w[-1] for w in self.weights.values()])
        return pool([self._prior_rows(n), *parts.values()], weights)

    def _prior_rows(self, n: int) -> np.ndarray:
        return np.tile(self.labels.log_prior, (n, 1))
