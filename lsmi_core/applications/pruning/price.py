"""The result: what every policy costs at every budget, and which one to take."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from lsmi_core.applications.comparison import place_of
from lsmi_core.applications.material import METRICS
from lsmi_core.applications.pruning.policies import Recipe
from lsmi_core.intervals import mean_interval

__all__ = ["BASELINE", "CHOSEN", "POLICIES", "PriceOfPruning", "Recommendation"]

BASELINE, CHOSEN = "balanced-random", "chosen"
POLICIES = (
    "random", BASELINE, "redundant-first", "misleading-first", "duplicates-first", "easy-first", CHOSEN,
)  # fmt: skip
PLAIN = {
    "accuracy": "accuracy",
    "accuracy_without_1": "accuracy without the first modality",
    "accuracy_without_2": "accuracy without the second modality",
}


@dataclass(frozen=True)
class Recommendation:
    """What to leave out at one budget.

    Attributes
    ----------
    budget : float
    recipe : Recipe
        What to do. Trimming nothing and going by chance is class-balanced random.
    metric : str or None
        Where it beats class-balanced random beyond the interval; None where nothing does.
    gain, low, high : float
        By how much, with its 90 % interval over repeats; of the accuracy where nothing beats random.
    """

    budget: float
    recipe: Recipe
    metric: str | None
    gain: float
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """The recommendation in words."""
        told = f"{100 * self.gain:+.1f} points ({100 * self.low:+.1f} to {100 * self.high:+.1f})"
        if self.metric is None:
            return f"At {self.budget:.0%} nothing beats a random choice within every category here: accuracy {told}."
        return f"At {self.budget:.0%}: {self.recipe}. {PLAIN[self.metric].capitalize()} against random: {told}."


@dataclass(frozen=True)
class PriceOfPruning:
    """Held-out figures of every policy, budget and repeat.

    Attributes
    ----------
    budgets : tuple of float
    values : float64 ndarray of shape (len(POLICIES), n_budgets, n_repeats, len(METRICS))
        Shares of the samples that were asked.
    whole : float64 ndarray of shape (n_repeats, len(METRICS))
        The same with nothing left out.
    recipes : tuple of tuple of Recipe
        What "chosen" stands for, by budget and repeat; chosen within the samples that are learned from.
    """

    budgets: tuple[float, ...]
    values: np.ndarray
    whole: np.ndarray
    recipes: tuple[tuple[Recipe, ...], ...]

    def rows(self) -> list[dict[str, object]]:
        """Return policy, budget, repeat, metric and value, a row each; budget 1 is everything, under "all"."""
        listed = [
            {"policy": POLICIES[p], "budget": self.budgets[b], "repeat": int(r), "metric": METRICS[m],
             "value": float(self.values[p, b, r, m])}
            for p, b, r, m in np.ndindex(self.values.shape)
        ]  # fmt: skip
        return listed + [
            {"policy": "all", "budget": 1.0, "repeat": int(r), "metric": METRICS[m], "value": float(self.whole[r, m])}
            for r, m in np.ndindex(self.whole.shape)
        ]

    def gain(
        self, policy: str, budget: float, metric: str = "accuracy", level: float = 0.9
    ) -> tuple[float, float, float]:
        r"""Return by how much a policy beats class-balanced random, with its confidence interval.

        Student's interval of the differences within repeats, which share probes' first weights, draws and split. Where
        all repeats ask the same samples, it leaves out what other test samples would change.

        Parameters
        ----------
        policy : one of :data:`POLICIES`
        budget : one of the budgets
        metric : one of :data:`~lsmi_core.applications.material.METRICS`
        level : float in (0, 1)

        Returns
        -------
        mean, low, high : float

        Raises
        ------
        InvalidInputError
            When there is no such policy, budget or metric.
        """
        b, m = place_of(self.budgets, budget, "budget"), place_of(METRICS, metric, "metric")
        here = self.values[:, b, :, m]
        return mean_interval(here[place_of(POLICIES, policy, "policy")] - here[POLICIES.index(BASELINE)], level)

    def recommend(self, budget: float) -> Recommendation:
        """Return what to do at a budget, and whether it beats class-balanced random beyond the interval.

        The recipe was chosen without those who are asked, so that the gain is not a matter of having looked.

        Parameters
        ----------
        budget : one of the budgets

        Returns
        -------
        Recommendation

        Raises
        ------
        InvalidInputError
            When the budget was not measured.
        """
        recipes = self.recipes[place_of(self.budgets, budget, "budget")]
        plain = Recipe(0.0, "random")
        recipe = Counter(recipes).most_common(1)[0][0]
        gains = {metric: self.gain(CHOSEN, budget, metric) for metric in PLAIN}
        accuracy = gains["accuracy"]
        found = next((metric for metric, (_, low, _) in gains.items() if low > 0), None)
        if found is None or accuracy[2] < 0 or recipe == plain:
            return Recommendation(budget, plain, None, *accuracy)
        return Recommendation(budget, recipe, found, *gains[found])
