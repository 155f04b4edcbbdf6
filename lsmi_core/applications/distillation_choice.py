"""Which recipe a student is taught by: chosen on inner splits, every method's own way of weighing on the same ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from lsmi_core.applications.distilling_lessons import CARRIES, TRUSTS, Recipe, Teacher
from lsmi_core.applications.distilling_students import teach
from lsmi_core.applications.material import Pairs, held_out
from lsmi_core.applications.probes import default_steps
from lsmi_core.applications.pruning_settings import default_choices
from lsmi_core.estimator import LSMIEstimator

__all__ = ["STUDENTS", "Choice", "Steps", "choose", "n_choices", "probabilities"]

STUDENTS = ("targeted", "random weights", "uniform logit", "uniform feature", "none")
PLAIN = Recipe()
LOGITS = tuple(Recipe(strength, t) for strength in (0.25, 0.5, 0.75, 1.0) for t in (1.0, 2.0, 4.0))
FEATURES = tuple(Recipe(feature=kappa) for kappa in (0.1, 0.3, 1.0, 3.0))
ADDED, STRONGER = 0.3, 0.25
LOG_TEMPERATURES = np.linspace(-1.5, 2.0, 36)
N_SEEDS, N_FOLDS = 1, 5


class Steps:
    """Counts what is done of a work, and tells it as often as it is asked to."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None, done: int = 0) -> None:
        self.total, self.progress, self.done = total, progress or (lambda done, total: None), done
        self.report()

    def advance(self, by: int = 1) -> None:
        """Count more as done."""
        self.done += by
        self.report()

    def report(self) -> None:
        """Tell once more; whatever the listener raises cancels."""
        self.progress(self.done, self.total)


def probabilities(scores: torch.Tensor, temperature: float) -> np.ndarray:
    """Return calibrated probabilities, float64, from class scores along the last axis."""
    return (scores.double() / temperature).softmax(dim=-1).numpy()


def n_choices(pairs: Pairs) -> int:
    """Return how many inner splits are chosen on."""
    return default_choices(int((pairs.codes >= 0).sum()))


class Choice(NamedTuple):
    """What was chosen for a method: its recipe, and the temperature that calibrates the student's probabilities."""

    recipe: Recipe
    temperature: float


def targeted_recipes(base: Recipe) -> list[Recipe]:
    """Return the recipes that weigh samples, beside the best uniform one."""
    strengths = sorted({base.strength, min(1.0, base.strength + STRONGER)})
    ways = [(t, c, f) for f in (0.0, ADDED) for t in TRUSTS for c in CARRIES]
    return [Recipe(s, base.temperature, *way) for s in strengths for way in ways]


def choose(pairs: Pairs, student: int, estimator: LSMIEstimator, random_state: int, steps: Steps) -> dict[str, Choice]:
    """Return the recipe of every method, chosen by held-out log-loss within the pairs.

    Parameters
    ----------
    pairs : Pairs
        Code -1 where there is no label.
    student : {1, 2}
    estimator : LSMIEstimator
    random_state : int
    steps : Steps
        Advanced by one an inner split.

    Returns
    -------
    dict of str to Choice
        By the names of the methods that are students.
    """
    labelled = np.flatnonzero(pairs.codes >= 0)
    masks = held_out(pairs.codes[labelled], N_FOLDS, random_state)[: n_choices(pairs)]
    inner = []
    for k, mask in enumerate(masks):
        inner.append(_Inner(pairs, labelled[mask], student, estimator, random_state + k, steps.report))
        steps.advance()
    first = _Tried((PLAIN, *LOGITS, *FEATURES), inner, steps.report)
    logit = first.best(LOGITS)
    second = _Tried(targeted_recipes(logit.recipe), inner, steps.report)
    targeted = second.best(second.recipes)
    shuffled = _Tried((targeted.recipe,), inner, steps.report, shuffled=True)
    return {
        "targeted": targeted, "random weights": shuffled.best(shuffled.recipes), "uniform logit": logit,
        "uniform feature": first.best(FEATURES), "none": first.best((PLAIN,)),
    }  # fmt: skip


class _Inner:
    """An inner split: a teacher of those inside, and the labels of those who are asked."""

    def __init__(
        self, pairs: Pairs, asked: np.ndarray, student: int, estimator: LSMIEstimator, random_state: int,
        report: Callable[[], None],
    ) -> None:  # fmt: skip
        inside = np.setdiff1d(np.arange(len(pairs)), asked)
        self.teacher = Teacher(pairs.take(inside), student, estimator, random_state, report)
        self.x = self.teacher.seen((pairs.x1, pairs.x2)[student - 1][asked])
        self.codes = torch.as_tensor(pairs.codes[asked])
        self.seeds = [random_state * N_SEEDS + k for k in range(N_SEEDS)]

    def losses(self, recipes: list[Recipe], report: Callable[[], None], shuffled: bool = False) -> np.ndarray:
        """Return the held-out log-loss of every recipe at every temperature, over seeds."""
        own = self.teacher
        order = np.random.default_rng(self.seeds) if shuffled else None
        lessons = [own.lesson(recipe, order) for recipe in recipes]
        students = teach(own.x, own.taught, lessons, default_steps(len(own.x)), self.seeds, report)
        scores = torch.stack([each.scores(self.x) for each in students]).double()
        cold = scores / torch.as_tensor(np.exp(LOG_TEMPERATURES))[:, None, None, None, None]
        told = cold.log_softmax(dim=4).gather(4, self.codes.expand(*cold.shape[:3], -1)[..., None])
        return -told.mean(dim=(1, 3, 4)).T.numpy()


class _Tried:
    """Recipes, and what each was worth on inner splits."""

    def __init__(
        self, recipes: Sequence[Recipe], inner: list[_Inner], report: Callable[[], None], shuffled: bool = False
    ) -> None:
        self.recipes = list(recipes)
        self.losses = np.mean([each.losses(self.recipes, report, shuffled) for each in inner], axis=0)

    def best(self, among: Sequence[Recipe]) -> Choice:
        """Return the recipe of least loss, each at its own temperature."""
        places = [self.recipes.index(recipe) for recipe in among]
        least = places[int(np.argmin(self.losses[places].min(axis=1)))]
        return Choice(self.recipes[least], float(np.exp(LOG_TEMPERATURES[self.losses[least].argmin()])))
