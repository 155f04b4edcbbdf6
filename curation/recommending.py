"""The measured price of pruning in plain words: what to do at a budget, what it costs, and what every policy gives."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from curation.errors import DataError
from curation.exploring import HARDEST, PartitionRecipe
from curation.exploring.sentences import order_told
from curation.workspace import ScoredRun
from lsmi_core.intervals import mean_interval

__all__ = [
    "ALL", "BASELINE", "CHOSEN", "POLICY_NAMES", "POLICY_TITLES", "Advice", "Price", "metric_titles", "policy_recipe",
    "price_of",
]  # fmt: skip

BASELINE, CHOSEN, ALL = "balanced-random", "chosen", "all"
POLICY_TITLES = {
    CHOSEN: "Chosen for your samples",
    BASELINE: "Random, the same share of every category",
    "random": "Random",
    "redundant-first": "What both sides give away leaves first",
    "misleading-first": "What misleads leaves first",
    "duplicates-first": "Near-duplicates leave first",
    "easy-first": "The hardest for a quick model stay",
}
"""Policies as people see them; all keep the same share of every category but "random" and, at times, the chosen one."""
POLICY_NAMES = {CHOSEN: "recommended", BASELINE: "random"} | {
    name: name for name in ("redundant-first", "misleading-first", "duplicates-first", "easy-first")
}
"""What the command line calls the policies that a partition can be made by."""
_ORDERS = {"easy-first": HARDEST}
FEWEST = 2  # of every category that each policy was measured with


def metric_titles(modality_names: tuple[str, str]) -> dict[str, str]:
    """Return what was measured, in the words of the data set."""
    a, b = modality_names
    return {
        "accuracy": "Right answers",
        "worst_category": "In the worst category",
        "balanced_accuracy": "Every category counts alike",
        "accuracy_without_1": f"Without the {a}",
        "accuracy_without_2": f"Without the {b}",
    }


@dataclass(frozen=True)
class Advice:
    """What to do at one budget.

    Attributes
    ----------
    budget : float
        The measured share.
    policy : str
        Either the chosen one, or a random sample where nothing beats it.
    trim, order : float, str
        How it orders the samples.
    sentences : tuple of str
        What to do; by how much it beats chance; what it costs, and what the worst category pays where that is certain.
    """

    budget: float
    policy: str
    trim: float
    order: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Price:
    """A measured price.

    Attributes
    ----------
    rows : pandas.DataFrame
        ``policy, budget, repeat, metric, value``; everything is under the policy "all" at the budget 1.
    told : dict
        Contents of ``price.json``.
    modality_names : tuple of str
    """

    rows: pd.DataFrame
    told: dict
    modality_names: tuple[str, str]

    @property
    def budgets(self) -> tuple[float, ...]:
        """Shares that were measured, the largest first."""
        return tuple(sorted(self.told["settings"]["budgets"], reverse=True))

    def nearest(self, share: float) -> float:
        """Return the measured share that is nearest."""
        return min(self.budgets, key=lambda budget: abs(budget - share))

    def lines(self, metric: str) -> pd.DataFrame:
        """Return ``policy, budget, mean, low, high`` with 90 % intervals over repeats; all policies end at budget 1."""
        told = self.rows[self.rows["metric"] == metric]
        found = [
            (policy, budget, *mean_interval(part["value"].to_numpy()))
            for (policy, budget), part in told.groupby(["policy", "budget"])
        ]
        table = pd.DataFrame(found, columns=["policy", "budget", "mean", "low", "high"])
        whole = table[table["policy"] == ALL]
        ends = [whole.assign(policy=policy) for policy in POLICY_TITLES]
        return pd.concat([table[table["policy"] != ALL], *ends]).sort_values(["policy", "budget"], ignore_index=True)

    def value(self, policy: str, budget: float, metric: str = "accuracy") -> float:
        """Return a mean over repeats."""
        told = self.rows.query("policy == @policy and budget == @budget and metric == @metric")
        return float(told["value"].mean())

    def advise(self, budget: float) -> Advice:
        """Return what to do at a measured budget."""
        told = next(r for r in self.told["recommended"] if r["budget"] == budget)
        recipe, beaten = told["recipe"], told["metric"] is not None
        policy = CHOSEN if beaten else BASELINE
        sentences = (*self._gain(told), self._cost(policy, budget), *self._worst(policy, budget))
        return Advice(budget, policy, recipe["trim"], recipe["order"], sentences)

    def _gain(self, told: dict) -> tuple[str, str]:
        budget, recipe = told["budget"], told["recipe"]
        by = f"{100 * told['gain']:.1f} points (90 % interval {100 * told['low']:.1f} to {100 * told['high']:.1f})"
        if told["metric"] is None:
            return (
                f"Nothing beats a random sample here when {budget:.0%} stays.",
                "Then take a random sample, the same share of every category.",
            )
        when = metric_titles(self.modality_names)[told["metric"]] if told["metric"] != "accuracy" else ""
        return (
            f"When {budget:.0%} stays: {order_told(recipe['trim'], recipe['order'])}.",
            f"{when or 'With both sides'}, a quick model is then right more often than with a random sample: by {by}.",
        )

    def _cost(self, policy: str, budget: float) -> str:
        now, before = self.value(policy, budget), self.value(ALL, 1.0)
        return (
            f"A quick model that learns from what stays is right on {now:.1%} of new samples instead of {before:.1%}."
        )

    def _worst(self, policy: str, budget: float) -> tuple[str, ...]:
        """Say what the worst category pays, where that is certain."""
        told = self.rows.query("budget == @budget and metric == 'worst_category'")
        values = told.pivot(index="repeat", columns="policy", values="value")
        mean, low, high = mean_interval((values[BASELINE] - values[policy]).to_numpy())
        if low <= 0:
            return ()
        by = f"{100 * mean:.1f} points (90 % interval {100 * low:.1f} to {100 * high:.1f})"
        return (f"In its worst category it is right less often than with a random sample: by {by}.",)


def policy_recipe(run: ScoredRun, name: str, share: float) -> PartitionRecipe:
    """Return the partition that a policy makes of the samples, but for how many stay.

    Parameters
    ----------
    run : ScoredRun
    name : str
        One of the values of :data:`POLICY_NAMES`.
    share : float
        That stays; what is recommended goes by the nearest share that was measured.

    Raises
    ------
    DataError
        When there is no such policy, or nothing was measured that could be recommended.
    """
    if name not in POLICY_NAMES.values():
        raise DataError(f"There is no policy '{name}'; choose one of: {', '.join(POLICY_NAMES.values())}.")
    price, trim, order = price_of(run), 0.0, _ORDERS.get(name, name)
    if name == POLICY_NAMES[CHOSEN]:
        if price is None:
            raise DataError("Nothing is recommended before the price of pruning is measured; measure it first.")
        advice = price.advise(price.nearest(share))
        trim, order = advice.trim, advice.order
    seed = run.record["settings"]["random_state"] if price is None else price.told["settings"]["random_state"]
    return PartitionRecipe("policy", trim=trim, order=order, seed=seed, minimum=FEWEST)


def price_of(run: ScoredRun) -> Price | None:
    """Return the measured price of a run, or None while it was not measured."""
    rows, told = run.price(), run.price_told()
    return None if rows is None or told is None else Price(rows, told, run.modality_names)
