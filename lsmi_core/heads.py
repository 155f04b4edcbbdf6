"""Calibrated heads p(y | x), cross-fitted: several families, chosen and weighed by held-out likelihood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from lsmi_core.crossed import CrossedHead, crossed_directions
from lsmi_core.folds import Folds
from lsmi_core.kernel import Landmarks
from lsmi_core.linear import discriminant_coefficients, linear_scores, softmax_coefficients, telling_features
from lsmi_core.pooling import calibrate, pool, pool_weights
from lsmi_core.tables import cell_log_proba, fit_cells, fit_groups, group_log_proba

__all__ = ["Candidate", "Head", "Labels", "cells", "crossed", "curved", "groups", "linear", "screened"]

SHRINKAGES = (0.02, 0.1, 0.4, 1.0)
MANY = 4_000
LEARN_FROM = 40_000
MAX_ITERATED = 4_000_000
NEARLY_ALL = 0.9


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

    Attributes
    ----------
    held_out : float64 ndarray of shape (n_samples, n_classes)
        Log-probabilities by fits that did not see the sample.
    """

    def __init__(self, scores: Callable[..., torch.Tensor], data: tuple[torch.Tensor, ...], labels: Labels) -> None:
        self.scores = scores
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
        return self.calibration.apply(last, self.scores(last, *data).float().cpu())


def linear(x: torch.Tensor, labels: Labels) -> Candidate:
    """Return shrunk linear discriminants of x, float tensor of shape (n_samples, n_features)."""
    fitted = discriminant_coefficients(x, labels.codes, labels.folds, labels.n_classes, SHRINKAGES)
    return Candidate(lambda part, rows: linear_scores(rows, fitted[part]), (x,), labels)


def screened(x: torch.Tensor, labels: Labels) -> Candidate | None:
    """Return linear discriminants of the columns that differ between classes, or None where nearly all do.

    Columns of noise cost the other families much and this one nothing.
    """
    if x.shape[1] == 0:
        return None
    kept = telling_features(x, labels.codes, labels.folds, labels.n_classes)
    if kept.float().mean() > NEARLY_ALL:
        return None
    fitted = discriminant_coefficients(x, labels.codes, labels.folds, labels.n_classes, SHRINKAGES, kept)
    return Candidate(lambda part, rows: linear_scores(rows, fitted[part]), (x,), labels)


def curved(x: torch.Tensor, labels: Labels, random_state: int) -> Candidate | None:
    """Return softmax regression on similarities to landmarks of x, of shape (n_samples, n_features).

    Of very many samples, evenly spaced ones teach it: with a few hundred landmarks more add nothing. Where
    samples times classes are too many to iterate over, None.
    """
    if min(len(x), LEARN_FROM) * labels.n_classes > MAX_ITERATED:
        return None
    landmarks = Landmarks(random_state=random_state).fit(x)
    some = slice(None, None, -(-len(x) // LEARN_FROM))
    folds = Folds(labels.folds.of[some], labels.folds.n_splits, labels.folds.with_all)
    features = landmarks.transform(x[some])
    # Where samples are few the right penalty matters more, and trying several costs less.
    penalties, n_iter = ((0.03,), 10) if len(features) > MANY else ((0.03, 0.3, 3.0), 30)
    fitted = softmax_coefficients(features, labels.codes[some], folds, labels.n_classes, penalties, n_iter)
    if len(features) == len(x):  # no need to compute them again
        candidate = Candidate(lambda part, rows: linear_scores(rows, fitted[part]), (features,), labels)
        candidate.scores = lambda part, rows: linear_scores(landmarks.transform(rows), fitted[part])
        return candidate
    return Candidate(lambda part, rows: linear_scores(landmarks.transform(rows), fitted[part]), (x,), labels)


def crossed(z1: torch.Tensor, z2: torch.Tensor, labels: Labels, random_state: int) -> Candidate | None:
    """Return heads on directions of two modalities that tell only together, or None where no part sees any.

    Parameters
    ----------
    z1, z2 : float tensor of shape (n_samples, d_k)
        Whitened coordinates.
    labels : Labels
    random_state : int
    """

    def head(rows: torch.Tensor) -> CrossedHead | None:
        part = z1[rows], z2[rows], labels.codes[rows].to(z1.device), labels.n_classes
        directions = crossed_directions(*part)
        return None if directions is None else CrossedHead(*part, directions, random_state)

    heads = [head(rows) for rows in labels.folds.inside]
    if not any(heads):
        return None
    undecided = torch.as_tensor(labels.log_prior, dtype=z1.dtype, device=z1.device)

    def scores(part: int, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return heads[part].scores(first, second) if heads[part] else undecided.expand(1, len(first), -1)

    return Candidate(scores, (z1, z2), labels)


def groups(shares: torch.Tensor, labels: Labels) -> Candidate:
    """Return label tables over groups of samples; shares: (n_samples, n_groups), who belongs where."""
    prior = torch.as_tensor(np.exp(labels.log_prior), dtype=shares.dtype)
    tables = [fit_groups(shares[rows], labels.codes[rows], prior) for rows in labels.folds.inside]
    return Candidate(lambda part, rows: group_log_proba(rows, tables[part])[None], (shares,), labels)


def cells(shares1: torch.Tensor, shares2: torch.Tensor, labels: Labels) -> Candidate:
    """Return label tables over pairs of groups, one of each modality."""
    prior = torch.as_tensor(np.exp(labels.log_prior), dtype=shares1.dtype)
    lifts = [fit_cells(shares1[rows], shares2[rows], labels.codes[rows], prior) for rows in labels.folds.inside]

    def scores(part: int, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.stack([cell_log_proba(a, b, lift) for lift in lifts[part]])

    return Candidate(scores, (shares1, shares2), labels)


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
