"""Split the samples of a run into what stays and what leaves, by a recipe of plain data that gives the same again."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace

import numpy as np

from curation.errors import DataError
from curation.exploring.groups import GROUPS
from curation.exploring.samples import Samples
from curation.words import MEASURES
from lsmi_core.applications.pruning.policies import ORDERS, Recipe, Standing, keep

__all__ = ["HARDEST", "PARTS", "Partition", "PartitionRecipe", "partitioned"]

HOWS = ("score", "groups", "policy")
HARDEST = "hardest"
"""The order that leaves out first what a quick model finds easy (EL2N), beside the orders of the core."""
PARTS = ("selected", "rest")


@dataclass(frozen=True)
class PartitionRecipe:
    """How samples are split. Equal recipes on equal scores give equal parts.

    Attributes
    ----------
    how : {"score", "groups", "policy"}
    by : str
        Score to rank by.
    side : {"high", "low"}
        Which end of the ranking stays.
    count : int
        How many stay: of a score without threshold, and of a policy.
    threshold : float or None
        In nats; takes the place of the count.
    balanced : bool
        The same share of every category stays.
    minimum : int
        How many of every category stay at least, or all it has.
    groups : tuple of str
        Interaction groups that stay.
    trim, order, seed : float, str, int
        Of a policy: see :class:`lsmi_core.applications.pruning.policies.Recipe`; everything random in it has the seed.
    measure : str
        Definition of redundancy; empty for the one of the run.
    within : dict
        A selection: what is outside it is in neither part.
    """

    how: str = "score"
    by: str = "r"
    side: str = "high"
    count: int = 0
    threshold: float | None = None
    balanced: bool = False
    minimum: int = 0
    groups: tuple[str, ...] = ()
    trim: float = 0.0
    order: str = "random"
    seed: int = 0
    measure: str = ""
    within: dict = field(default_factory=lambda: {"kind": "all"})

    @classmethod
    def from_json(cls, data: object) -> PartitionRecipe:
        """Return the recipe that plain data tells; what it does not tell is as at first.

        Raises
        ------
        DataError
            When it tells something that is no recipe.
        """
        try:
            told = {f.name: data[f.name] for f in fields(cls) if f.name in dict(data)}
            recipe = replace(cls(**told), groups=tuple(told.get("groups", ())))
            wrong = _wrong(recipe) if data else "it is empty"
        except (TypeError, ValueError):
            wrong = "it is damaged"
        if wrong:
            raise DataError(f"This is no recipe of a partition: {wrong}. Make the partition again on the Curate page.")
        return recipe

    def to_json(self) -> dict:
        """Return plain data."""
        return {**asdict(self), "groups": list(self.groups)}


def _wrong(recipe: PartitionRecipe) -> str:
    """Return what cannot be used, or nothing."""
    among = {
        "how": HOWS, "side": ("high", "low"), "order": (*ORDERS, HARDEST), "measure": ("", *MEASURES),
    }  # fmt: skip
    for name, known in among.items():
        if getattr(recipe, name) not in known:
            return f"its '{name}' must be one of {', '.join(repr(k) for k in known if k)}"
    for name in ("count", "minimum", "seed"):
        if type(getattr(recipe, name)) is not int or getattr(recipe, name) < 0:
            return f"its '{name}' must be a whole number of at least 0"
    if recipe.threshold is not None and not np.isfinite(0.0 + recipe.threshold):
        return "its 'threshold' must be a number"
    if set(recipe.groups) - set(GROUPS) or not 0 <= 0.0 + recipe.trim < 1 or not isinstance(recipe.within, dict):
        return "its 'groups', 'trim' or 'within' cannot be used"
    return "" if isinstance(recipe.by, str) and type(recipe.balanced) is bool else "its 'by' or 'balanced' is wrong"


@dataclass(frozen=True)
class Partition:
    """A split of samples into what stays, what leaves, and what it is not about.

    Attributes
    ----------
    selected, rest : bool ndarray of shape (n_samples,)
    threshold : float or None
        Every sample at least as good as this stays, in nats; None where each category has its own, or there is none.
    """

    selected: np.ndarray
    rest: np.ndarray
    threshold: float | None = None

    @property
    def count(self) -> int:
        """Number of samples that stay."""
        return int(self.selected.sum())

    @property
    def total(self) -> int:
        """Number of samples that it is about."""
        return self.count + int(self.rest.sum())

    @property
    def share(self) -> float:
        """Share of them that stays; 0 of none."""
        return self.count / max(self.total, 1)

    def part(self, name: str) -> np.ndarray:
        """Return one of the two parts, "selected" or "rest"."""
        return self.selected if name == "selected" else self.rest


def partitioned(recipe: PartitionRecipe, samples: Samples, within: np.ndarray) -> Partition:
    """Split samples by a recipe.

    Parameters
    ----------
    recipe : PartitionRecipe
    samples : Samples
        In the measure of the recipe.
    within : bool ndarray of shape (n_samples,)
        What the recipe's selection selects.

    Returns
    -------
    Partition

    Raises
    ------
    DataError
        When the run does not have what the recipe goes by.
    """
    rows = np.flatnonzero(within)
    chosen, threshold = _RULES[recipe.how](recipe, samples, rows)
    selected = np.zeros(len(samples), bool)
    selected[rows[chosen]] = True
    return Partition(selected, within & ~selected, threshold)


def _by_score(recipe: PartitionRecipe, samples: Samples, rows: np.ndarray) -> tuple[np.ndarray, float | None]:
    values = samples.column(recipe.by)[rows]
    sign = 1.0 if recipe.side == "high" else -1.0
    codes = samples.labels[0][rows]
    assured = keep(sign * values, codes, 0.0, recipe.minimum, balanced=False)
    if recipe.threshold is not None and not recipe.balanced:
        chosen = np.union1d(assured, np.flatnonzero(sign * values >= sign * recipe.threshold))
        return chosen, float(recipe.threshold)
    chosen = keep(sign * values, codes, _budget(recipe, rows), recipe.minimum, recipe.balanced)
    ranked = np.setdiff1d(chosen, assured)
    if recipe.balanced or not len(ranked):
        return chosen, None
    return chosen, float(sign * (sign * values[ranked]).min())


def _budget(recipe: PartitionRecipe, rows: np.ndarray) -> float:
    return min(recipe.count / max(len(rows), 1), 1.0)


def _by_group(recipe: PartitionRecipe, samples: Samples, rows: np.ndarray) -> tuple[np.ndarray, None]:
    wanted = [GROUPS.index(name) for name in recipe.groups]
    return np.flatnonzero(np.isin(samples.group[rows], wanted)), None


def _by_policy(recipe: PartitionRecipe, samples: Samples, rows: np.ndarray) -> tuple[np.ndarray, None]:
    codes, budget = samples.labels[0][rows], _budget(recipe, rows)
    if recipe.order == HARDEST:
        return keep(_standing(samples, "hardness")[rows], codes, budget, recipe.minimum), None
    told = [samples.column(name)[rows] for name in ("i1", "i2", "i12")]
    measured = [
        _standing(samples, name)[rows] if recipe.order == order else np.zeros(len(rows))
        for name, order in (("nearness", "duplicates-first"), ("hardness", "mostly-hard"))
    ]
    random = np.random.default_rng(recipe.seed).random(len(samples))[rows]
    standing = Standing(codes, *told, *measured)
    return Recipe(recipe.trim, recipe.order).kept(standing, random, budget, recipe.minimum), None


def _standing(samples: Samples, name: str) -> np.ndarray:
    found = samples.standing()
    if found is None:
        raise DataError("What this goes by is found out when the price of pruning is measured; measure it first.")
    return found[name].to_numpy()


_RULES = {"score": _by_score, "groups": _by_group, "policy": _by_policy}
