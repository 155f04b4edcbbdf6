"""What a teacher of both modalities says of every pair, and the recipes that weigh it for a student of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.base import clone

from lsmi_core.applications.distillation.students import Lesson, Taught
from lsmi_core.applications.material import MAX_COMPONENTS, Pairs, standardise
from lsmi_core.applications.probes import Probes, default_steps
from lsmi_core.estimator import LSMIEstimator
from lsmi_core.interactions import DEFAULT_REDUNDANCY, TERMS
from lsmi_core.pair import PairModel
from lsmi_core.projection import Projection
from lsmi_core.redundancy import decompose
from lsmi_core.terms import expected

__all__ = ["CARRIES", "TRUSTS", "Recipe", "Teacher", "told_by", "weigh"]

TRUSTS = ("all", "odds", "share")
CARRIES = ("all", "odds")
N_FEATURES = 32


@dataclass(frozen=True)
class Recipe:
    r"""How labels, beliefs and features are weighed, from the terms of each sample.

    With i = r + u_own what the student's side says of the label, and e = u_other + s what both sides say beyond it:

    * the label gets :math:`(1 - \lambda)\, a`, where the trust a is 1 ("all"), :math:`\min(1, e^i)` ("odds": less
      where the side points elsewhere), or the share of :math:`r^+ + u_\text{own}^+` in the sum of all four positive
      parts ("share");
    * the teacher's belief gets :math:`\lambda\, c`, where c is 1 ("all") or :math:`\min(1, e^{-e})` ("odds": less where
      the teacher knows what the side cannot carry);
    * what is withheld from either goes to the belief of the student's own side, so that every sample counts 1;
    * the teacher's features get :math:`\kappa`, on every sample alike.

    Where a sample has no label, its terms are expected ones and the teacher's belief stands in for the label.

    Attributes
    ----------
    strength : float in [0, 1]
        :math:`\lambda`.
    temperature : float
        Of the beliefs.
    trust : {"all", "odds", "share"}
    carry : {"all", "odds"}
    feature : float
        :math:`\kappa`.
    """

    strength: float = 0.0
    temperature: float = 1.0
    trust: str = "all"
    carry: str = "all"
    feature: float = 0.0

    def __str__(self) -> str:
        parts = [f"{1 - self.strength:.0%} labels"]
        if self.strength:
            parts.append(f"{self.strength:.0%} the teacher's beliefs at temperature {self.temperature:g}")
        if self.feature:
            parts.append(f"its features at {self.feature:g}")
        if self.trust != "all":
            parts.append("labels less where this side contradicts them" + (" or is silent" * (self.trust == "share")))
        if self.carry != "all":
            parts.append("beliefs less where the other side knows more")
        return ", ".join(parts)


def weigh(recipe: Recipe, terms: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Return the weights of label, teacher's belief, own belief and features, shape (4, n_samples).

    Parameters
    ----------
    recipe : Recipe
    terms : ndarray of shape (4, n_samples)
        r, u_own, u_other and s in nats.
    labelled : bool ndarray of shape (n_samples,)
    """
    r, own, other, s = terms
    positive = np.maximum(terms, 0)
    share = positive[:2].sum(axis=0) / np.maximum(positive.sum(axis=0), 1e-12)
    trust = {"all": np.ones(len(r)), "odds": np.exp(np.minimum(r + own, 0)), "share": share}[recipe.trust]
    carry = {"all": np.ones(len(r)), "odds": np.exp(-np.maximum(other + s, 0))}[recipe.carry]
    label, belief = (1 - recipe.strength) * trust, recipe.strength * carry
    instead = label + belief if recipe.strength else np.zeros(len(r))
    hard, soft = np.where(labelled, label, 0), np.where(labelled, belief, instead)
    return np.stack([hard, soft, 1 - label - belief, np.full(len(r), recipe.feature)]).astype(np.float32)


def told_by(
    recipe: Recipe, terms: np.ndarray, labelled: np.ndarray, order: np.random.Generator | None = None
) -> Lesson:
    """Return the lesson of a recipe; with a generator, its weights change places among samples.

    Parameters
    ----------
    recipe : Recipe
    terms, labelled : as for :func:`weigh`
    order : numpy.random.Generator, optional
        Permutes the weights of those with a label, and of those without, leaving both histograms as they are.

    Returns
    -------
    Lesson
    """
    weights = weigh(recipe, terms, labelled)
    if order is not None:
        for rows in (np.flatnonzero(labelled), np.flatnonzero(~labelled)):
            weights[:, rows] = weights[:, order.permutation(rows)]
    return Lesson(_drawn(recipe, labelled), *weights, temperature=recipe.temperature)


def _drawn(recipe: Recipe, labelled: np.ndarray) -> np.ndarray:
    """Return the rows that are drawn: samples without a label only where something is taught of them."""
    known, unknown = np.flatnonzero(labelled), np.flatnonzero(~labelled)
    if recipe.strength:
        return np.arange(len(labelled))
    if not recipe.feature:
        return known
    # Features alone tell nothing of labels: those with a label are drawn half of the time at least.
    return np.concatenate([np.resize(known, max(len(known), len(unknown))), unknown])


class Teacher:
    """A teacher of both modalities, and what it says of the pairs it was made from, labels unseen.

    Its beliefs are the out-of-fold ones of :class:`~lsmi_core.estimator.LSMIEstimator`, so that none is a remembered
    label; its features are the hidden units of a probe of both sides, whitened.

    Parameters
    ----------
    pairs : Pairs
        Code -1 where there is no label.
    student : {1, 2}
        The modality that is kept.
    estimator : LSMIEstimator
    random_state : int
    report : callable of no arguments
        Called from time to time; may raise to cancel.

    Attributes
    ----------
    projection : Projection
        Of the student's side.
    x : float32 tensor of shape (n_samples, n_inputs)
        What the student sees.
    taught : Taught
    terms : float64 ndarray of shape (4, n_samples)
        r, u_own, u_other and s in nats; expected ones where there is no label.
    labelled : bool ndarray of shape (n_samples,)
    """

    def __init__(
        self, pairs: Pairs, student: int, estimator: LSMIEstimator, random_state: int, report: Callable[[], None]
    ) -> None:
        self.labelled = pairs.codes >= 0
        known = pairs.take(np.flatnonzero(self.labelled))
        fitted = clone(estimator).fit(known.x1, known.x2, known.codes, progress=lambda *_: report())
        self.model, redundancy = fitted.model_, fitted.redundancy or DEFAULT_REDUNDANCY
        beliefs, terms = _read(self.model, redundancy, pairs, self.labelled)
        swap = student == 2
        self.terms = terms[[0, 2, 1, 3]] if swap else terms
        sides = [Projection(MAX_COMPONENTS) for _ in range(2)]
        z = [
            p.fit_transform(x) / p.deviations_.astype(np.float32)
            for p, x in zip(sides, (pairs.x1, pairs.x2), strict=True)
        ]
        self.projection, self.x = sides[swap], torch.as_tensor(z[swap])
        features = _features(torch.as_tensor(np.hstack(z)), pairs.codes, random_state)
        self.taught = Taught(pairs.codes, beliefs[2], beliefs[int(swap)], features)

    def seen(self, x: np.ndarray) -> torch.Tensor:
        """Return new samples of the student's side as the student sees them."""
        return torch.as_tensor(standardise(self.projection, x))

    def log_proba(self, x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        """Return the teacher's log p(y | x1, x2) of new pairs, shape (n_samples, n_classes)."""
        return self.model.read(x1, x2).log_p[2]

    def lesson(self, recipe: Recipe, order: np.random.Generator | None = None) -> Lesson:
        """Return the lesson of a recipe, as :func:`told_by` does."""
        return told_by(recipe, self.terms, self.labelled, order)


def _read(model: PairModel, redundancy: str, pairs: Pairs, labelled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return log p by x1, by x2 and by both, float32 (3, n, C), and r, u1, u2, s, (4, n)."""
    held = [view.head.held_out for view in model.views] + [model.joint.held_out]
    beliefs = np.empty((3, len(pairs), held[0].shape[1]), dtype=np.float32)
    terms = np.empty((4, len(pairs)))
    beliefs[:, labelled] = held
    scored = model.held_out()
    terms[:, labelled] = decompose(redundancy, **{k: scored[k] for k in ("i1", "i2", "i12", "h1", "h2", "b1", "b2")})
    if not labelled.all():
        read = model.read(pairs.x1[~labelled], pairs.x2[~labelled])
        beliefs[:, ~labelled] = read.log_p
        told = expected(read.log_p, read.surprisals, model.labels.log_prior, redundancy)
        terms[:, ~labelled] = [told[name] for name in TERMS]
    return beliefs, terms


def _features(z: torch.Tensor, codes: np.ndarray, random_state: int) -> np.ndarray:
    rows = np.flatnonzero(codes >= 0)
    labels = torch.as_tensor(codes)
    probe = Probes.fit(z, labels, [rows], int(codes.max()) + 1, default_steps(len(rows)), random_state)
    whitened = Projection(N_FEATURES)
    hidden = whitened.fit_transform(next(probe.hidden(z)).numpy())
    return hidden / whitened.deviations_.astype(np.float32)
