"""Which recipe a student is taught by: chosen on inner splits, every method's own way of weighing on the same ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch

from lsmi_core.applications.distillation.lessons import CARRIES, TRUSTS, Recipe, Teacher
from lsmi_core.applications.distillation.students import teach
from lsmi_core.applications.material import Pairs, held_out
from lsmi_core.applications.probes import default_steps
from lsmi_core.applications.pruning.settings import default_choices
from lsmi_core.estimator import LSMIEstimator

__all__ = ["N_FOLDS", "STUDENTS", "Choice", "Steps", "choose", "n_choices", "probabilities"]

STUDENTS = ("targeted", "random weights", "uniform logit", "uniform feature", "none")
PLAIN = Recipe()
STRENGTHS = (0.25, 0.5, 0.75, 1.0)
LOGITS = tuple(Recipe(strength, t) for strength in STRENGTHS for t in (1.0, 2.0, 4.0))
FEATURES = tuple(Recipe(feature=kappa) for kappa in (0.1, 0.3, 1.0, 3.0))
TEMPERATURES = np.exp(np.linspace(-1.5, 1.5, 25))
DOUBTS = (0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3)
N_FOLDS = 5


class Steps:
    """Counts what is done of a work, and tells it as often as it is asked to."""

    def __init__(self, total: int, progress: Callable[[int, int], None] | None) -> None:
        self.total, self.progress, self.done = total, progress or (lambda done, total: None), 0
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


def targeted_recipes(temperature: float) -> list[Recipe]:
    """Return the recipes that weigh samples by their terms, at the temperature of the best uniform one."""
    ways = [(t, c) for t in TRUSTS for c in CARRIES if (t, c) != ("all", "all")]
    return [Recipe(strength, temperature, *way) for strength in STRENGTHS[:-1] for way in ways]


def choose(pairs: Pairs, student: int, estimator: LSMIEstimator, random_state: int, steps: Steps) -> dict[str, Choice]:
    """Return the recipe of every method, chosen by held-out log-loss within the pairs.

    Weighing samples must be better than the best uniform recipe by one standard error, or that one stays: fifteen
    recipes are compared, and the luckiest of those that gain nothing loses to it on other samples.

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
        By :data:`STUDENTS`.
    """
    labelled = np.flatnonzero(pairs.codes >= 0)
    masks = held_out(pairs.codes[labelled], N_FOLDS, random_state)[: n_choices(pairs)]
    inner = []
    for k, mask in enumerate(masks):
        inner.append(_Inner(pairs, labelled[mask], student, estimator, random_state + k, steps.report))
        steps.advance()
    none, logit, feature = (_best(_try(r, inner, steps.report)) for r in ((PLAIN,), LOGITS, FEATURES))
    weighed = _best(_try(targeted_recipes(logit.recipe.temperature), inner, steps.report))
    targeted = weighed if _clearly_less(weighed.losses, logit.losses) else logit
    shuffled = _best(_try((targeted.recipe,), inner, steps.report, shuffled=True))
    found = dict(zip(STUDENTS, (targeted, shuffled, logit, feature, none), strict=True))
    return {name: Choice(tried.recipe, tried.temperature) for name, tried in found.items()}


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
        self.random_state = random_state

    def own(self, recipes: Sequence[Recipe], report: Callable[[], None], shuffled: bool) -> np.ndarray:
        """Return what students give the labels asked for, shape (n_recipes, n_temperatures, n_asked)."""
        order = np.random.default_rng(self.random_state) if shuffled else None
        lessons = [self.teacher.lesson(recipe, order) for recipe in recipes]
        n_steps = default_steps(len(self.teacher.x))
        (students,) = teach(self.teacher.x, self.teacher.taught, lessons, n_steps, [self.random_state], report)
        scores = students.scores(self.x)
        codes = self.codes.expand(len(recipes), -1)[..., None]
        cold = [(scores / t).softmax(dim=2).gather(2, codes)[..., 0] for t in TEMPERATURES]
        return torch.stack(cold, dim=1).double().numpy()


class _Tried(NamedTuple):
    """A recipe, the temperature that suits it, and its loss for each sample that was asked on inner splits."""

    recipe: Recipe
    temperature: float
    losses: np.ndarray


def _try(
    recipes: Sequence[Recipe], inner: list[_Inner], report: Callable[[], None], shuffled: bool = False
) -> list[_Tried]:
    own = np.concatenate([each.own(recipes, report, shuffled) for each in inner], axis=2)
    chance = 1 / inner[0].teacher.taught.own.shape[1]
    return [_settled(recipe, p, chance) for recipe, p in zip(recipes, own, strict=True)]


def _settled(recipe: Recipe, own: np.ndarray, chance: float) -> _Tried:
    r"""Return the recipe at the temperature and the doubt that suit it.

    The loss is :math:`-\log[(1 - \delta) p + \delta / C]`: where a share of the pairs or labels is wrong, the doubt
    takes the blame, and a student that sees through them is not taken for one that is over-confident.
    """
    losses = [-np.log((1 - doubt) * own + doubt * chance + 1e-12) for doubt in DOUBTS]
    means = np.stack([each.mean(axis=1) for each in losses])
    doubt, temperature = np.unravel_index(means.argmin(), means.shape)
    return _Tried(recipe, float(TEMPERATURES[temperature]), losses[doubt][temperature])


def _best(tried: list[_Tried]) -> _Tried:
    return min(tried, key=lambda one: one.losses.mean())


def _clearly_less(one: np.ndarray, other: np.ndarray) -> bool:
    gain = other - one
    return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))
