"""What one round of pruning is measured on: who is learned from, who is asked, and the scores of the former."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.base import clone

from lsmi_core.applications.probes import Probes, default_steps
from lsmi_core.applications.pruning.duplicates import nearest_earlier
from lsmi_core.applications.pruning.policies import Standing, keep
from lsmi_core.estimator import LSMIEstimator
from lsmi_core.folds import stratified_folds
from lsmi_core.projection import Projection

__all__ = ["METRICS", "Material", "Pairs", "held_out", "hardness", "standardise", "standing"]

METRICS = ("accuracy", "balanced_accuracy", "worst_category", "accuracy_without_1", "accuracy_without_2")
MAX_COMPONENTS = 64
EARLY, N_EARLY, N_FOLDS = 0.1, 3, 5
FEWEST = 2  # of every category that the estimator needs to learn from


@dataclass(frozen=True)
class Pairs:
    """Two modalities and a category for every sample.

    Attributes
    ----------
    x1, x2 : ndarray of shape (n_samples, n_features_k)
    codes : int64 ndarray of shape (n_samples,)
    """

    x1: np.ndarray
    x2: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: np.ndarray) -> Pairs:
        """Return the pairs of some rows."""
        return Pairs(self.x1[rows], self.x2[rows], self.codes[rows])


def held_out(codes: np.ndarray, n_folds: int, random_state: int) -> np.ndarray:
    """Return who is asked in each fold, the categories spread evenly; two of every category are left to learn from.

    Parameters
    ----------
    codes : int ndarray of shape (n_samples,)
    n_folds, random_state : int

    Returns
    -------
    bool ndarray of shape (n_folds, n_samples)
    """
    rng = np.random.default_rng(random_state)
    folds = stratified_folds(codes, n_folds, rng)
    order = rng.random(len(codes))
    masks = folds == np.arange(n_folds)[:, None]
    for mask in masks:
        # Those who are learned from come first, then the others: the first two of each category stay.
        mask[keep(np.where(mask, 0, 1) + order / 2, codes, 1e-12, FEWEST)] = False
    return masks


class Material:
    """Scores, features and split of one round; nothing of those who are asked is looked at before they are asked.

    Features beyond 64 a modality are reduced to their leading principal components, and all are standardised, by the
    samples that are learned from. A missing modality is its mean: zero.

    Parameters
    ----------
    pairs : Pairs
    asked : bool ndarray of shape (n_samples,)
    estimator : LSMIEstimator
    n_steps : int or None
        Steps of each probe; by the number of samples where None.
    random_state : int
    report : callable of no arguments
        Called from time to time while the samples are scored; may raise to cancel.
    """

    def __init__(
        self, pairs: Pairs, asked: np.ndarray, estimator: LSMIEstimator, n_steps: int | None, random_state: int,
        report: Callable[[], None],
    ) -> None:  # fmt: skip
        learned, tested = pairs.take(np.flatnonzero(~asked)), pairs.take(np.flatnonzero(asked))
        scores = clone(estimator).fit_score(learned.x1, learned.x2, learned.codes, progress=lambda *_: report())
        self.codes, self.asked_codes = learned.codes, tested.codes
        self.n_classes = int(pairs.codes.max()) + 1
        self.n_steps = n_steps or default_steps(len(learned))
        sides = [_standardised(a, b) for a, b in ((learned.x1, tested.x1), (learned.x2, tested.x2))]
        self.n_first = sides[0][0].shape[1]
        self.x, self.asked = (torch.as_tensor(np.hstack(side)) for side in zip(*sides, strict=True))
        self.standing = Standing(
            self.codes, scores.i1, scores.i2, scores.i12, nearest_earlier(self.x.numpy(), self.codes),
            hardness(self.x, self.codes, self.n_classes, self.n_steps, random_state),
        )  # fmt: skip

    def measure(self, kept: list[np.ndarray], random_state: int) -> np.ndarray:
        """Return what probes that learn from these rows are worth, shape (len(kept), len(METRICS))."""
        y = torch.as_tensor(self.codes)
        different = {rows.tobytes(): rows for rows in kept}  # at large budgets many recipes keep the same
        probes = Probes.fit(self.x, y, list(different.values()), self.n_classes, self.n_steps, random_state)
        right = probes.predict(self.asked) == self.asked_codes
        counts = np.bincount(self.asked_codes, minlength=self.n_classes)
        recalls = np.stack([np.bincount(self.asked_codes, r, self.n_classes) for r in right])
        recalls = recalls[:, counts > 0] / counts[counts > 0]
        without = [self._without(probes, part) for part in (slice(self.n_first), slice(self.n_first, None))]
        values = np.stack([right.mean(axis=1), recalls.mean(axis=1), recalls.min(axis=1), *without], axis=1)
        return values[[list(different).index(rows.tobytes()) for rows in kept]]

    def _without(self, probes: Probes, columns: slice) -> np.ndarray:
        missing = self.asked.clone()
        missing[:, columns] = 0
        return (probes.predict(missing) == self.asked_codes).mean(axis=1)


def standing(pairs: Pairs, random_state: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how near each sample is to an earlier one, and how hard for a quick model, when all are learned from.

    What "duplicates-first", "easy-first" and "mostly-hard" go by, once nobody is held out any more.

    Parameters
    ----------
    pairs : Pairs
    random_state : int

    Returns
    -------
    nearness, hardness : float64 ndarray of shape (n_samples,)

    See Also
    --------
    nearest_earlier, hardness
    """
    x = np.hstack([_standardised(side, side[:1])[0] for side in (pairs.x1, pairs.x2)])
    n_classes, n_steps = int(pairs.codes.max()) + 1, default_steps(len(pairs))
    found = hardness(torch.as_tensor(x), pairs.codes, n_classes, n_steps, random_state)
    return nearest_earlier(x, pairs.codes), found


def _standardised(learned: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    projection = Projection(MAX_COMPONENTS)
    z = projection.fit_transform(learned)
    return z / projection.deviations_.astype(np.float32), standardise(projection, asked)


def standardise(projection: Projection, x: np.ndarray) -> np.ndarray:
    """Return the coordinates of x, each divided by its deviation; float32 of shape (n_samples, n_components)."""
    return projection.transform(x) / projection.deviations_.astype(np.float32)


def hardness(x: torch.Tensor, codes: np.ndarray, n_classes: int, n_steps: int, random_state: int) -> np.ndarray:
    r"""Return EL2N: how far early probes that did not see a sample are from its label.

    :math:`\|p(\cdot|x) - e_y\|_2`, a tenth of the way through training, averaged over three trainings.

    Parameters
    ----------
    x : float32 tensor of shape (n_samples, n_features)
    codes : int64 ndarray of shape (n_samples,)
    n_classes, n_steps, random_state : int

    Returns
    -------
    float64 ndarray of shape (n_samples,)
        From 0 to the root of 2.

    References
    ----------
    Paul, Ganguli and Dziugaite 2021, "Deep Learning on a Data Diet", arXiv:2107.07075; out of fold is our change.
    """
    labels = torch.as_tensor(codes)
    error = np.zeros(len(codes))
    for k in range(N_EARLY):
        folds = stratified_folds(codes, N_FOLDS, np.random.default_rng([random_state, k]))
        rows = [np.flatnonzero(folds != fold) for fold in range(N_FOLDS)]
        probes = Probes.fit(x, labels, rows, n_classes, max(1, int(EARLY * n_steps)), random_state + k)
        wrong = probes.scores(x).softmax(dim=2)
        wrong -= torch.nn.functional.one_hot(labels, n_classes)
        own = wrong.norm(dim=2)[torch.as_tensor(folds), torch.arange(len(codes))]
        error += own.double().numpy() / N_EARLY
    return error
