"""Whether targeted distillation helps, against plain, uniform and shuffled ones, on samples that none has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import torch

from lsmi_core.applications.comparison import Comparison
from lsmi_core.applications.distillation.choice import N_FOLDS, STUDENTS, Steps, choose, n_choices, probabilities
from lsmi_core.applications.distillation.lessons import Teacher
from lsmi_core.applications.distillation.model import check_enough, check_student
from lsmi_core.applications.distillation.students import teach
from lsmi_core.applications.material import Pairs
from lsmi_core.applications.probes import default_steps
from lsmi_core.applications.pruning.policies import keep as rows_kept
from lsmi_core.applications.pruning.settings import check_test
from lsmi_core.errors import InvalidInputError
from lsmi_core.estimator import LSMIEstimator
from lsmi_core.validation import check_features, check_int, check_labels, check_same_length

__all__ = ["METHODS", "METRICS", "Cell", "compare_distillation"]

METHODS = (*STUDENTS, "teacher")
METRICS = ("accuracy", "balanced_accuracy", "log_loss")
N_STUDENTS = 3
FEWEST = 4  # labels of a category that stay, where there are as many
HIDDEN, SHUFFLED = 0x41D, 0x5F1  # keep these draws apart from others of the same seed


class Cell(NamedTuple):
    """One piece of work: all methods in one repeat.

    Attributes
    ----------
    condition : str
    repeat : int
    """

    condition: str
    repeat: int


def compare_distillation(
    x1: np.ndarray,
    x2: np.ndarray,
    y: np.ndarray,
    asked: np.ndarray,
    student: int = 1,
    n_repeats: int = 5,
    shares: tuple[float, ...] = (1.0, 0.2),
    random_state: int = 0,
    progress: Callable[[int, int], None] | None = None,
    known: Mapping[Cell, np.ndarray] | None = None,
    keep: Callable[[Cell, np.ndarray], None] | None = None,
) -> Comparison:
    """Measure students of one modality on samples that neither teachers nor choices have seen.

    All students start from the same weights and are shown the same samples for the same number of steps; strengths,
    temperatures and recipes are chosen on inner splits, for every method alike; each figure is a mean over three seeds.

    Parameters
    ----------
    x1, x2 : array-like of shape (n_samples, n_features_k)
    y : array-like of shape (n_samples,)
        Categories.
    asked : bool array-like of shape (n_samples,) or (n_repeats, n_samples)
        Who is asked; one split for all repeats, or one each, which also tells how much the split matters.
    student : {1, 2}, default=1
        The modality that is kept.
    n_repeats : int, default=5
    shares : tuple of float in (0, 1], default=(1.0, 0.2)
        Conditions: which share of the labels is known to those who learn; pairs without are learned from as well.
    random_state : int, default=0
    progress : callable, optional
        Called with (steps done, steps in all); whatever it raises cancels.
    known : mapping of Cell to ndarray, optional
        Cells that an earlier call with the same arguments has finished.
    keep : callable, optional
        Handed every finished cell.

    Returns
    -------
    Comparison
        Of :data:`METHODS` by :data:`METRICS`.

    Raises
    ------
    InvalidInputError
        When an argument cannot be used; the sentence says which and how to mend it.
    """
    check_student(student)
    x1, x2 = check_features(x1, "x1"), check_features(x2, "x2")
    pairs = Pairs(x1, x2, check_labels(y)[1])
    check_same_length(x1=x1, x2=x2, y=pairs.codes)
    check_int(n_repeats, "n_repeats", 1, owner="compare_distillation")
    check_int(random_state, "random_state", 0, owner="compare_distillation")
    masks = check_test(asked, pairs.codes, n_repeats, "asked")
    work = _Work(pairs, masks, student, _conditions(shares), random_state, dict(known or {}), keep)
    return work.run(progress)


def _conditions(shares: tuple[float, ...]) -> dict[str, float]:
    if not shares or not all(isinstance(s, float) and 0 < s <= 1 for s in shares) or len(set(shares)) < len(shares):
        raise InvalidInputError(
            f"The 'shares' must be different shares of the labels, up to 1. Got {shares!r} instead."
        )
    return {"every label" if share == 1 else f"{share:.0%} of the labels": share for share in shares}


class _Work:
    """The cells of one comparison, in order; done ones are not done again."""

    def __init__(
        self, pairs: Pairs, masks: np.ndarray, student: int, conditions: dict[str, float], random_state: int,
        known: dict[Cell, np.ndarray], keep: Callable | None,
    ) -> None:  # fmt: skip
        self.pairs, self.student, self.conditions, self.random_state = pairs, student, conditions, random_state
        self.known, self.keep = known, keep or (lambda cell, values: None)
        self.n_repeats = len(masks)
        self.splits, split_of = np.unique(masks, axis=0, return_inverse=True)
        self.repeats = [np.flatnonzero(split_of == s).tolist() for s in range(len(self.splits))]

    def run(self, progress: Callable[[int, int], None] | None) -> Comparison:
        tasks = [
            (self._learned(split, share), split, [Cell(condition, r) for r in self.repeats[split]])
            for condition, share in self.conditions.items()
            for split in range(len(self.splits))
        ]
        parts = [n_choices(learned) + len(cells) for learned, _, cells in tasks]
        steps = Steps(sum(parts), progress)
        for (learned, split, cells), part in zip(tasks, parts, strict=True):
            missing = [cell for cell in cells if cell not in self.known]
            steps.advance(len(cells) - len(missing) if missing else part)
            if missing:
                self._measure(learned, self.pairs.take(np.flatnonzero(self.splits[split])), missing, steps)
        values = [[self.known[Cell(name, r)] for r in range(self.n_repeats)] for name in self.conditions]
        return Comparison(METHODS, tuple(self.conditions), METRICS, np.transpose(values, (2, 0, 3, 1)))

    def _learned(self, split: int, share: float) -> Pairs:
        """Return the pairs to learn from, all but a share of the labels taken away."""
        learned = self.pairs.take(np.flatnonzero(~self.splits[split]))
        random = np.random.default_rng([self.random_state, HIDDEN, split]).random(len(learned))
        seen = rows_kept(random, learned.codes, share, FEWEST)
        check_enough(len(seen))
        codes = np.full(len(learned), -1)
        codes[seen] = learned.codes[seen]
        return Pairs(learned.x1, learned.x2, codes)

    def _measure(self, learned: Pairs, asked: Pairs, cells: list[Cell], steps: Steps) -> None:
        estimator = LSMIEstimator(n_splits=N_FOLDS, random_state=self.random_state)
        chosen = choose(learned, self.student, estimator, self.random_state, steps)
        teacher = Teacher(learned, self.student, estimator, self.random_state, steps.report)
        told = np.exp(teacher.log_proba(asked.x1, asked.x2))
        x = teacher.seen((asked.x1, asked.x2)[self.student - 1])
        for cell in cells:
            seeds = [self.random_state, SHUFFLED, cell.repeat]
            lessons = [
                teacher.lesson(chosen[m].recipe, np.random.default_rng(seeds) if m == "random weights" else None)
                for m in STUDENTS
            ]
            first = (self.random_state + cell.repeat) * N_STUDENTS
            each = range(first, first + N_STUDENTS)
            taught = teach(teacher.x, teacher.taught, lessons, default_steps(len(learned)), each, steps.report)
            scores = torch.stack([probes.scores(x) for probes in taught], dim=1)  # (methods, seeds, n, C)
            p = [probabilities(s, chosen[m].temperature) for m, s in zip(STUDENTS, scores, strict=True)]
            values = [np.mean([_figures(one, asked.codes) for one in own], axis=0) for own in p]
            self.known[cell] = np.stack([*values, _figures(told, asked.codes)])
            self.keep(cell, self.known[cell])
            steps.advance()


def _figures(p: np.ndarray, codes: np.ndarray) -> list[float]:
    right = p.argmax(axis=1) == codes
    counts = np.bincount(codes)
    recalls = (np.bincount(codes, right) / np.maximum(counts, 1))[counts > 0]
    own = p[np.arange(len(codes)), codes]
    return [right.mean(), recalls.mean(), -np.log(np.maximum(own, 1e-12)).mean()]
