"""What models say of samples, and what of it a weighing learns from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lsmi_core.folds import stratified_folds

__all__ = ["VIEWS", "Evidence", "Said", "Weighing", "held_out_loss", "spaced", "strangers"]

VIEWS = ("first", "second", "both")
N_FOLDS, FEWEST = 3, 1_000
TO_LEARN, TO_CHOOSE = (300_000, 30_000), (100_000, 3_000)


@dataclass(frozen=True)
class Said:
    """What models say of samples.

    Attributes
    ----------
    log_p : tuple of three float64 ndarray of shape (n_samples, n_classes), or None
        Log-probabilities by the first modality, the second and both; None where a side that is needed is missing.
    between : float64 ndarray of shape (n_samples,), or None
        How well the sides fit each other, in nats; None where one is missing.
    """

    log_p: tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]
    between: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.present[0])

    @property
    def present(self) -> list[np.ndarray]:
        """The log-probabilities that are there."""
        return [p for p in self.log_p if p is not None]

    @property
    def kind(self) -> str:
        """What there is to weigh: "both", or only "first" or "second"."""
        return "both" if self.log_p[2] is not None else VIEWS[0 if self.log_p[1] is None else 1]

    def only(self, side: int) -> Said:
        """Return what is left where only one side, 0 or 1, is there."""
        return Said(tuple(p if k == side else None for k, p in enumerate(self.log_p)))

    def take(self, rows: np.ndarray) -> Said:
        """Return what is said of some rows."""
        log_p, between = ([None if a is None else a[rows] for a in part] for part in (self.log_p, [self.between]))
        return Said(tuple(log_p), between[0])


@dataclass(frozen=True)
class Evidence:
    """What the members say of samples, and what of them is known where a gate is to learn.

    Attributes
    ----------
    said : Said
    codes : int64 ndarray of shape (n_rows,)
    samples : int64 ndarray of shape (n_rows,)
        Which sample each row shows: one may be shown intact and swapped.
    weights : float64 ndarray of shape (n_rows,)
        What each row counts.
    """

    said: Said
    codes: np.ndarray
    samples: np.ndarray
    weights: np.ndarray

    def take(self, rows: np.ndarray) -> Evidence:
        """Return some rows."""
        return Evidence(self.said.take(rows), self.codes[rows], self.samples[rows], self.weights[rows])


class Weighing(Protocol):
    """What makes one answer of the members' answers."""

    def answer(self, said: Said) -> np.ndarray:
        """Return log-probabilities of shape (n_samples, n_classes)."""


def spaced(evidence: Evidence, budget: tuple[int, int] = TO_LEARN) -> Evidence:
    """Return the rows of evenly spaced samples, where there are more than a budget allows.

    Parameters
    ----------
    evidence : Evidence
    budget : tuple of two int
        Samples times classes, and samples; a thousand samples are always allowed.
    """
    numbers, most = budget
    enough = int(np.clip(numbers // evidence.said.present[0].shape[1], FEWEST, most))
    spacing = -(-(evidence.samples.max() + 1) // enough)
    return evidence.take(np.flatnonzero(evidence.samples % spacing == 0))


def held_out_loss(evidence: Evidence, fit: Callable[[Evidence], Weighing]) -> float:
    """Return the loss of fits on two thirds of the samples on the rows of the other third, summed over thirds.

    Parameters
    ----------
    evidence : Evidence
        Of more than 3,000 samples, evenly spaced ones are looked at.
    fit : callable of Evidence to Weighing
    """
    evidence = spaced(evidence, TO_CHOOSE)
    shown, first = np.unique(evidence.samples, return_index=True)
    drawn = stratified_folds(evidence.codes[first], N_FOLDS, np.random.default_rng(0))
    folds = drawn[np.searchsorted(shown, evidence.samples)]
    total = 0.0
    for fold in range(N_FOLDS):
        inside, outside = (evidence.take(np.flatnonzero(rows)) for rows in (folds != fold, folds == fold))
        answer = fit(inside).answer(outside.said)
        total -= float(outside.weights @ np.take_along_axis(answer, outside.codes[:, None], axis=1)[:, 0])
    return total


def strangers(codes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return for every sample another one of another class, each of them as likely; -1 where there is none.

    Parameters
    ----------
    codes : int ndarray of shape (n_samples,)
    rng : numpy.random.Generator

    Returns
    -------
    int64 ndarray of shape (n_samples,)
    """
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], codes, side="right")
    n_others = len(codes) - np.bincount(codes, minlength=1)[codes]
    # Sorted by class, those of other classes begin behind the own class and go on round the end.
    drawn = order[(ends + (rng.random(len(codes)) * n_others).astype(np.int64)) % max(len(codes), 1)]
    return np.where(n_others > 0, drawn, -1)
