"""What leaving samples out costs: policies of pruning measured on samples that none of them has seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from lsmi_core.applications.material import METRICS, Material, Pairs, held_out
from lsmi_core.applications.pruning.policies import Recipe, keep
from lsmi_core.applications.pruning.price import BASELINE, CHOSEN, POLICIES, PriceOfPruning
from lsmi_core.applications.pruning.settings import PruningSettings, check_settings, check_test, default_choices
from lsmi_core.estimator import LSMIEstimator
from lsmi_core.parallel import side_by_side
from lsmi_core.validation import check_features, check_labels, check_same_length

__all__ = ["RECIPES", "Cell", "PruningSettings", "choose_recipe", "price_of_pruning"]

PLAIN = Recipe(0.0, "random")
RECIPES = (
    PLAIN,
    Recipe(0.0, "duplicates-first"),
    Recipe(0.0, "misleading-first"),
    Recipe(0.03, "mostly-hard"),
    Recipe(0.06, "mostly-hard"),
    Recipe(0.09, "mostly-hard"),
    Recipe(0.1, "random"),
    Recipe(0.1, "even"),
    Recipe(0.1, "redundant-first"),
    Recipe(0.15, "even"),
    Recipe(0.2, "random"),
    Recipe(0.2, "even"),
    Recipe(0.3, "random"),
)
RANDOM, INNER = 0x9A, 0x1F  # keep these draws apart from others of the same seed
N_FOLDS, CAUTION = 5, 2.5


class Cell(NamedTuple):
    """One piece of work: all recipes on an inner split, or all policies of a repeat, at one budget.

    Attributes
    ----------
    stage : {"choice", "price"}
    split : int
        The test split, counted among those that differ.
    turn : int
        The inner split, or the repeat.
    budget : float
    """

    stage: str
    split: int
    turn: int
    budget: float


def price_of_pruning(
    x1: np.ndarray,
    x2: np.ndarray,
    y: np.ndarray,
    test: np.ndarray,
    settings: PruningSettings | None = None,
    estimator: LSMIEstimator | None = None,
    progress: Callable[[int, int], None] | None = None,
    known: Mapping[Cell, np.ndarray] | None = None,
    on_cell: Callable[[Cell, np.ndarray], None] | None = None,
) -> PriceOfPruning:
    """Measure every policy at every budget on test samples that neither scores nor choices have seen.

    Parameters
    ----------
    x1, x2 : array-like of shape (n_samples, n_features_k)
    y : array-like of shape (n_samples,)
        Categories; two samples of each must be left to learn from.
    test : bool array-like of shape (n_samples,) or (n_repeats, n_samples)
        Who is asked; one split for all repeats, or one each, which also tells how much the split matters.
    settings : PruningSettings, optional
    estimator : LSMIEstimator, optional
        Scores those who are learned from; it is not changed.
    progress : callable, optional
        Called with (cells done, cells in all); whatever it raises cancels.
    known : mapping of Cell to ndarray, optional
        Cells that an earlier call with the same data and settings has finished.
    on_cell : callable, optional
        Handed every finished cell, to be kept; called in the thread of the caller.

    Returns
    -------
    PriceOfPruning

    Raises
    ------
    InvalidInputError
        When arrays or settings cannot be used; the sentence says which and how to mend it.
    """
    settings = settings or PruningSettings()
    check_settings(settings)
    x1, x2 = check_features(x1, "x1"), check_features(x2, "x2")
    pairs = Pairs(x1, x2, check_labels(y)[1])
    check_same_length(x1=x1, x2=x2, y=pairs.codes)
    masks = check_test(test, pairs.codes, settings.n_repeats)
    estimator = estimator or LSMIEstimator(random_state=settings.random_state)
    work = _Work(pairs, masks, settings, estimator, dict(known or {}), progress, on_cell)
    recipes = [work.choose(split) for split in range(len(work.splits))]
    return work.price(recipes)


def choose_recipe(values: np.ndarray) -> Recipe:
    """Return the recipe to take, by what each was worth on inner splits.

    A recipe is fit when its gain over chance, the accuracy's plus that with one modality missing, is more than two and
    a half standard errors, pooled over recipes, and its accuracy is not below that of chance: more than ten recipes
    are compared, and with less caution what is chosen on few samples loses to chance on others. Accuracy decides among
    the fit; of those within one standard error of the best, the one that gains most with one modality missing.

    Parameters
    ----------
    values : ndarray of shape (len(RECIPES), n_choices, len(METRICS))

    Returns
    -------
    Recipe
    """
    gains = values - values[RECIPES.index(PLAIN)]
    accuracy, first, second = (gains[..., METRICS.index(m)] for m in ("accuracy", *METRICS[-2:]))
    missing = (first + second) / 2
    (mean, error), (total, total_error) = _pooled(accuracy), _pooled(accuracy + missing)
    fit = (total > CAUTION * total_error) & (mean >= 0)
    if not fit.any():
        return PLAIN
    level = fit & (mean >= mean[fit].max() - error)
    return RECIPES[int(np.argmax(np.where(level, missing.mean(axis=1), -np.inf)))]


def _pooled(gains: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean gain of every recipe, shape (len(RECIPES),), and their common standard error."""
    others = np.delete(gains, RECIPES.index(PLAIN), axis=0)
    return gains.mean(axis=1), float(np.sqrt(others.var(axis=1, ddof=1).mean() / gains.shape[1]))


class _Work:
    """The cells of one measurement, in order; done ones are not done again."""

    def __init__(
        self, pairs: Pairs, masks: np.ndarray, settings: PruningSettings, estimator: LSMIEstimator,
        known: dict[Cell, np.ndarray], progress: Callable | None, on_cell: Callable | None,
    ) -> None:  # fmt: skip
        self.pairs, self.settings, self.estimator, self.known = pairs, settings, estimator, known
        self.splits, self.split_of = np.unique(masks, axis=0, return_inverse=True)
        self.progress, self.on_cell = progress or (lambda done, total: None), on_cell or (lambda cell, values: None)
        self.n_choices = settings.n_choices or default_choices(int((~masks[0]).sum()))
        budgets = (*settings.budgets, 1.0)
        self.choices = [
            [Cell("choice", s, k, b) for k in range(self.n_choices) for b in settings.budgets]
            for s in range(len(self.splits))
        ]
        self.prices = [
            [Cell("price", s, int(r), b) for r in np.flatnonzero(self.split_of == s) for b in budgets]
            for s in range(len(self.splits))
        ]
        self.cells = [cell for part in (*self.choices, *self.prices) for cell in part]
        self._report()

    def choose(self, split: int) -> dict[float, Recipe]:
        """Return the recipe of every budget, chosen within those who are learned from."""
        inside = self.pairs.take(np.flatnonzero(~self.splits[split]))
        seed = self.settings.random_state
        folds = held_out(inside.codes, max(N_FOLDS, self.n_choices), seed)
        for k, asked in enumerate(folds[: self.n_choices]):
            self._measure(
                [c for c in self.choices[split] if c.turn == k], inside, asked, lambda m, c: self._recipes(m, c)
            )
        found = {b: [self.known[c] for c in self.choices[split] if c.budget == b] for b in self.settings.budgets}
        return {b: choose_recipe(np.stack(values, axis=1)) for b, values in found.items()}

    def price(self, recipes: list[dict[float, Recipe]]) -> PriceOfPruning:
        """Return the figures of all policies, given the recipes of every split."""
        for split, asked in enumerate(self.splits):
            self._measure(
                self.prices[split], self.pairs, asked, lambda m, c, own=recipes[split]: self._policies(m, c, own)
            )
        budgets, repeats = self.settings.budgets, range(self.settings.n_repeats)

        def found(repeat: int, budget: float) -> np.ndarray:
            return self.known[Cell("price", int(self.split_of[repeat]), repeat, budget)]

        values = np.stack([np.stack([found(r, b) for r in repeats], axis=1) for b in budgets], axis=1)
        chosen = tuple(tuple(recipes[self.split_of[r]][b] for r in repeats) for b in budgets)
        return PriceOfPruning(budgets, values, np.stack([found(r, 1.0)[0] for r in repeats]), chosen)

    def _measure(
        self, cells: list[Cell], pairs: Pairs, asked: np.ndarray, kept: Callable[[Material, Cell], list[np.ndarray]]
    ) -> None:
        missing = [cell for cell in cells if cell not in self.known]
        if not missing:
            return
        seed = self.settings.random_state
        material = Material(pairs, asked, self.estimator, self.settings.n_steps, seed, self._report)
        side_by_side(
            lambda cell: (cell, material.measure(kept(material, cell), seed + cell.turn)), missing, on_result=self._keep
        )

    def _keep(self, done: tuple[Cell, np.ndarray]) -> None:
        cell, values = done
        self.known[cell] = values
        self.on_cell(cell, values)
        self._report()

    def _report(self) -> None:
        self.progress(sum(cell in self.known for cell in self.cells), len(self.cells))

    def _random(self, material: Material, cell: Cell) -> np.ndarray:
        seeds = [self.settings.random_state, RANDOM if cell.stage == "price" else INNER, cell.turn]
        return np.random.default_rng(seeds).random(len(material.codes))

    def _recipes(self, material: Material, cell: Cell) -> list[np.ndarray]:
        random = self._random(material, cell)
        return [r.kept(material.standing, random, cell.budget, self.settings.minimum) for r in RECIPES]

    def _policies(self, material: Material, cell: Cell, recipes: dict[float, Recipe]) -> list[np.ndarray]:
        if cell.budget == 1:
            return [np.arange(len(material.codes))]
        random, standing = self._random(material, cell), material.standing
        priorities = {
            "random": random,
            BASELINE: random,
            "redundant-first": -standing.support,
            "misleading-first": standing.support,
            "duplicates-first": -standing.nearness,
            "easy-first": standing.hardness,
        }
        plain = {
            name: keep(priority, material.codes, cell.budget, self.settings.minimum, balanced=name != "random")
            for name, priority in priorities.items()
        }
        chosen = recipes[cell.budget].kept(standing, random, cell.budget, self.settings.minimum)
        return [chosen if name == CHOSEN else plain[name] for name in POLICIES]
