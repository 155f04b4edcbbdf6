"""Targeted distillation: a teacher of both modalities, a student of one, weighed by what each sample's sides tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from lsmi_core.applications.distillation.choice import N_FOLDS, Choice, Steps, choose, n_choices, probabilities
from lsmi_core.applications.distillation.lessons import Recipe, Teacher
from lsmi_core.applications.distillation.students import teach
from lsmi_core.applications.material import Pairs, standardise
from lsmi_core.applications.probes import Probes, default_steps
from lsmi_core.errors import InvalidInputError
from lsmi_core.estimator import LSMIEstimator
from lsmi_core.projection import Projection
from lsmi_core.validation import check_features, check_labels, check_same_length

__all__ = ["TargetedDistillation", "check_enough", "check_student"]

FEWEST = 20

PROJECTED = ("mean", "scale", "axes", "deviations")
WEIGHTS = ("hidden.weight", "hidden.bias", "scores.weight", "scores.bias")
CONFIG = ("student", "random_state", "temperature", "classes", "dtype", "recipe")


class TargetedDistillation(BaseEstimator):
    """A student of one modality, taught by what both modalities of each training pair tell.

    Parameters
    ----------
    student : {1, 2}, default=1
        The modality that is kept; the other is needed for learning only.
    random_state : int, default=0

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    recipe_ : Recipe
        How labels, beliefs and features were weighed, as chosen on inner splits; ``str`` tells it in words.
    n_features_in_ : int
        Of the student's side.

    See Also
    --------
    compare_distillation : whether it helps, by how much and how sure.

    Examples
    --------
    >>> from lsmi_core.applications.distillation.model import TargetedDistillation
    >>> from lsmi_core.synthetic import gaussian_classes
    >>> drawn = gaussian_classes(100, n_classes=2)
    >>> TargetedDistillation(student=2).fit(drawn.x1, drawn.x2, drawn.y).predict_proba(drawn.x2).shape
    (100, 2)
    """

    def __init__(self, student: int = 1, random_state: int = 0) -> None:
        self.student = student
        self.random_state = random_state

    def fit(
        self,
        x1: np.ndarray,
        x2: np.ndarray,
        y: np.ndarray,
        unlabelled: tuple[np.ndarray, np.ndarray] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> TargetedDistillation:
        """Choose a recipe within the pairs, then teach the student with all of them.

        Parameters
        ----------
        x1, x2 : array-like of shape (n_samples, n_features_k)
        y : array-like of shape (n_samples,)
            Categories, at least two samples each.
        unlabelled : pair of array-like of shape (n_more, n_features_k), optional
            Further pairs without a label.
        progress : callable, optional
            Called with (steps done, steps in all); whatever it raises cancels.

        Returns
        -------
        TargetedDistillation

        Raises
        ------
        InvalidInputError
            When an array or a parameter cannot be used; the sentence says which and how to mend it.
        """
        pairs, self.classes_ = _check_pairs(x1, x2, y, self.student, unlabelled)
        steps = Steps(n_choices(pairs) + 1, progress)
        estimator = LSMIEstimator(n_splits=N_FOLDS, random_state=self.random_state)
        chosen = choose(pairs, self.student, estimator, self.random_state, steps)["targeted"]
        teacher = Teacher(pairs, self.student, estimator, self.random_state, steps.report)
        lessons, n_steps = [teacher.lesson(chosen.recipe)], default_steps(len(pairs))
        (probes,) = teach(teacher.x, teacher.taught, lessons, n_steps, [self.random_state], steps.report)
        self._take(teacher.projection, probes, chosen)
        steps.advance()
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Return p(y | x) of the student's side, float64 of shape (n_samples, n_classes).

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        InvalidInputError
            When x holds something else than numbers, or not as many columns as the student knows.
        """
        check_is_fitted(self, "probes_")
        x = check_features(x, "x")
        if x.shape[1] != self.n_features_in_:
            raise InvalidInputError(f"x has {x.shape[1]} features but the student knows {self.n_features_in_}.")
        seen = torch.as_tensor(standardise(self.projection_, x))
        return probabilities(self.probes_.scores(seen)[0], self.temperature_)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the likeliest label of each sample; raises as :meth:`predict_proba` does."""
        return self.classes_[self.predict_proba(x).argmax(axis=1)]

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, object]]:
        """Return everything needed to predict: plain arrays by name, and a config that JSON can hold.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        """
        check_is_fitted(self, "probes_")
        arrays = {name: getattr(self.projection_, f"{name}_") for name in PROJECTED}
        arrays |= {name: w[0].numpy() for name, w in zip(WEIGHTS, self.probes_.weights, strict=True)}
        config = {
            "student": int(self.student), "random_state": int(self.random_state), "temperature": self.temperature_,
            "classes": self.classes_.tolist(), "dtype": self.classes_.dtype.str, "recipe": asdict(self.recipe_),
        }  # fmt: skip
        return {name: np.ascontiguousarray(a) for name, a in arrays.items()}, config

    @classmethod
    def from_state(cls, arrays: Mapping[str, np.ndarray], config: Mapping[str, object]) -> TargetedDistillation:
        """Return the student that :meth:`state` told of; it predicts the same, bit for bit.

        Raises
        ------
        InvalidInputError
            When an array or an entry is missing.
        """
        missing = [n for n in (*PROJECTED, *WEIGHTS) if n not in arrays] + [n for n in CONFIG if n not in config]
        if missing:
            raise InvalidInputError(f"This is not the state of a student: {', '.join(missing)} missing.")
        made = cls(config["student"], config["random_state"])
        projection = Projection()
        for name in PROJECTED:
            setattr(projection, f"{name}_", np.asarray(arrays[name]))
        made.classes_ = np.array(config["classes"], dtype=config["dtype"])
        probes = Probes([torch.as_tensor(np.array(arrays[name]))[None] for name in WEIGHTS])
        made._take(projection, probes, Choice(Recipe(**config["recipe"]), config["temperature"]))
        return made

    def _take(self, projection: Projection, probes: Probes, choice: Choice) -> None:
        self.projection_, self.probes_ = projection, probes
        self.recipe_, self.temperature_ = choice
        self.n_features_in_ = len(projection.mean_)


def _check_pairs(
    x1: object, x2: object, y: object, student: object, unlabelled: tuple | None
) -> tuple[Pairs, np.ndarray]:
    """Return pairs, those without a label last, and the classes."""
    check_student(student)
    x1, x2 = check_features(x1, "x1"), check_features(x2, "x2")
    classes, codes = check_labels(y)
    check_same_length(x1=x1, x2=x2, y=codes)
    check_enough(len(codes))
    if unlabelled is None:
        return Pairs(x1, x2, codes), classes
    more = [check_features(x, f"unlabelled x{k + 1}") for k, x in enumerate(unlabelled)]
    check_same_length(**{"unlabelled x1": more[0], "unlabelled x2": more[1]})
    for k, (x, own) in enumerate(zip(more, (x1, x2), strict=True), start=1):
        if x.shape[1] != own.shape[1]:
            raise InvalidInputError(f"unlabelled x{k} has {x.shape[1]} features but x{k} has {own.shape[1]}.")
    without = np.full(len(more[0]), -1)
    return Pairs(
        np.concatenate([x1, more[0]]), np.concatenate([x2, more[1]]), np.concatenate([codes, without])
    ), classes


def check_student(student: object) -> None:
    """Raise InvalidInputError unless it is 1 or 2."""
    if isinstance(student, bool) or student not in (1, 2):
        raise InvalidInputError(f"The 'student' must be 1 or 2, the modality that is kept. Got {student!r} instead.")


def check_enough(n_labelled: int) -> None:
    """Raise InvalidInputError where there are too few labels to learn from and to choose by."""
    if n_labelled < FEWEST:
        raise InvalidInputError(
            f"Distillation needs at least {FEWEST} labelled samples to learn from. Got {n_labelled}; "
            "add some, or ask fewer."
        )
