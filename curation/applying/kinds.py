"""The applications of the scores: what each does, what it is measured against, and how its model is made."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from lsmi_core import LSMIEstimator
from lsmi_core.applications import fusion
from lsmi_core.applications.comparison import Comparison
from lsmi_core.applications.distillation.measuring import Cell, compare_distillation
from lsmi_core.applications.distillation.model import TargetedDistillation
from lsmi_core.applications.ensemble.measuring import compare_ensembles
from lsmi_core.applications.ensemble.model import InteractionEnsemble
from lsmi_core.applications.material import Pairs
from lsmi_core.infmasking import InfMasking

__all__ = ["KINDS", "Kind", "Model", "Task", "Work"]

Count = Callable[[int, int], None]

FEW = 500
"""From so many samples a student is also measured with a fifth of the labels."""


class Model(Protocol):
    """What an application leaves behind."""

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return arrays, and values that JSON can hold."""


@dataclass(frozen=True)
class Task:
    """What an application works on.

    Attributes
    ----------
    pairs : Pairs
    labels : ndarray of str, shape (n_samples,)
    asked : bool ndarray of shape (n_folds, n_samples)
        Who is asked in each repeat.
    estimator : LSMIEstimator
    random_state : int
    """

    pairs: Pairs
    labels: np.ndarray
    asked: np.ndarray
    estimator: LSMIEstimator
    random_state: int


@dataclass(frozen=True)
class Work:
    """How a comparison reports, and the repeats that are finished."""

    count: Count
    known: Mapping[Hashable, np.ndarray]
    keep: Callable[[Hashable, np.ndarray], None]


@dataclass(frozen=True)
class Kind:
    """An application.

    Attributes
    ----------
    compare : callable of (Task, Work) to Comparison
    fit : callable of (Task, Count) to Model
    load : callable of (arrays, config) to Model
    cell : callable
        The name of a cell of what JSON kept of it.
    sides : tuple of int
        Which modalities the model needs, counted from 0. One that needs both may do with one.
    """

    compare: Callable[[Task, Work], Comparison]
    fit: Callable[[Task, Count], Model]
    load: Callable[[dict[str, np.ndarray], dict[str, Any]], Model]
    cell: Callable[[Any], Hashable]
    sides: tuple[int, ...]


def _compare_fusion(task: Task, work: Work) -> Comparison:
    return fusion.compare_fusion(
        task.pairs.x1, task.pairs.x2, task.labels, task.estimator, random_state=task.random_state,
        progress=work.count, known=work.known, keep=work.keep,
    )  # fmt: skip


def _fit_fusion(task: Task, count: Count) -> InfMasking:
    model = InfMasking(n_epochs=fusion.default_epochs(len(task.pairs)), random_state=task.random_state)
    return model.fit(task.pairs.x1, task.pairs.x2, progress=count)


def _compare_ensembles(task: Task, work: Work) -> Comparison:
    return compare_ensembles(
        task.pairs.x1, task.pairs.x2, task.labels, task.asked, random_state=task.random_state,
        progress=work.count, known=work.known, keep=work.keep,
    )  # fmt: skip


def _fit_ensemble(task: Task, count: Count) -> InteractionEnsemble:
    model = InteractionEnsemble(random_state=task.random_state)
    return model.fit(task.pairs.x1, task.pairs.x2, task.labels, progress=count)


def _student(student: int) -> Kind:
    def compare(task: Task, work: Work) -> Comparison:
        shares = (1.0, 0.2) if len(task.pairs) >= FEW else (1.0,)
        return compare_distillation(
            task.pairs.x1, task.pairs.x2, task.labels, task.asked, student, len(task.asked), shares,
            task.random_state, work.count, work.known, work.keep,
        )  # fmt: skip

    def fit(task: Task, count: Count) -> TargetedDistillation:
        model = TargetedDistillation(student=student, random_state=task.random_state)
        return model.fit(task.pairs.x1, task.pairs.x2, task.labels, progress=count)

    return Kind(compare, fit, TargetedDistillation.from_state, lambda kept: Cell(*kept), (student - 1,))


KINDS = {
    "fusion": Kind(_compare_fusion, _fit_fusion, InfMasking.from_state, int, (0, 1)),
    "ensemble": Kind(_compare_ensembles, _fit_ensemble, InteractionEnsemble.from_state, int, (0, 1)),
    "student1": _student(1),
    "student2": _student(2),
}
"""By the names that settings know them by."""
