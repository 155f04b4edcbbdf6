"""The families of heads: each fits every training part at once and offers itself as a candidate.

What a fitted family computes scores with stands in functions of this file, so that a fitted estimator can be pickled.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from lsmi_core.crossed import CrossedHead, crossed_directions
from lsmi_core.folds import Folds
from lsmi_core.heads import Candidate, Labels
from lsmi_core.kernel import Landmarks
from lsmi_core.linear import discriminant_coefficients, linear_scores, softmax_coefficients, telling_features
from lsmi_core.tables import cell_log_proba, fit_cells, fit_groups, group_log_proba

__all__ = ["cells", "crossed", "curved", "groups", "linear", "screened"]

SHRINKAGES = (0.02, 0.1, 0.4, 1.0)
MANY = 40_000
LEARN_FROM = 40_000
MAX_ITERATED = 4_000_000
NEARLY_ALL = 0.9


def linear(x: torch.Tensor, labels: Labels) -> Candidate:
    """Return shrunk linear discriminants of x, float tensor of shape (n_samples, n_features)."""
    fitted = discriminant_coefficients(x, labels.codes, labels.folds, labels.n_classes, SHRINKAGES)
    return Candidate(partial(_linear_scores, fitted), (x,), labels)


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
    return Candidate(partial(_linear_scores, fitted), (x,), labels)


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
    many = len(features) * labels.n_classes > MANY
    penalties, n_iter = ((0.03,), 10) if many else ((0.03, 0.3, 3.0), 30)
    fitted = softmax_coefficients(features, labels.codes[some], folds, labels.n_classes, penalties, n_iter)
    of_new = partial(_curved_scores, landmarks, fitted)
    if len(features) < len(x):
        return Candidate(of_new, (x,), labels)
    return Candidate(partial(_linear_scores, fitted), (features,), labels, of_new)


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
    return Candidate(partial(_crossed_scores, heads, undecided), (z1, z2), labels)


def groups(shares: torch.Tensor, labels: Labels) -> Candidate:
    """Return label tables over groups of samples; shares: (n_samples, n_groups), who belongs where."""
    prior = torch.as_tensor(np.exp(labels.log_prior), dtype=shares.dtype)
    tables = [fit_groups(shares[rows], labels.codes[rows], prior) for rows in labels.folds.inside]
    return Candidate(partial(_group_scores, tables), (shares,), labels)


def cells(shares1: torch.Tensor, shares2: torch.Tensor, labels: Labels) -> Candidate:
    """Return label tables over pairs of groups, one of each modality."""
    prior = torch.as_tensor(np.exp(labels.log_prior), dtype=shares1.dtype)
    lifts = [fit_cells(shares1[rows], shares2[rows], labels.codes[rows], prior) for rows in labels.folds.inside]
    return Candidate(partial(_cell_scores, lifts), (shares1, shares2), labels)


def _linear_scores(fitted: torch.Tensor, part: int, rows: torch.Tensor) -> torch.Tensor:
    return linear_scores(rows, fitted[part])


def _curved_scores(landmarks: Landmarks, fitted: torch.Tensor, part: int, rows: torch.Tensor) -> torch.Tensor:
    return linear_scores(landmarks.transform(rows), fitted[part])


def _crossed_scores(
    heads: list[CrossedHead | None], undecided: torch.Tensor, part: int, first: torch.Tensor, second: torch.Tensor
) -> torch.Tensor:
    return heads[part].scores(first, second) if heads[part] else undecided.expand(1, len(first), -1)


def _group_scores(tables: list[torch.Tensor], part: int, shares: torch.Tensor) -> torch.Tensor:
    return group_log_proba(shares, tables[part])[None]


def _cell_scores(lifts: list[torch.Tensor], part: int, shares1: torch.Tensor, shares2: torch.Tensor) -> torch.Tensor:
    return torch.stack([cell_log_proba(shares1, shares2, lift) for lift in lifts[part]])
