"""Which samples to leave out: every policy says how long each sample is kept, and the budget cuts the line.

A *priority* is an array of shape (n_samples,): the higher, the longer a sample is kept. What is kept at a small budget
is part of what is kept at a larger one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lsmi_core.errors import InvalidInputError

__all__ = ["ORDERS", "Recipe", "keep", "spread_evenly", "trimmed"]

ORDERS = ("random", "even", "redundant-first", "misleading-first", "duplicates-first")
N_RANGES = 10


def keep(priority: np.ndarray, codes: np.ndarray, budget: float, minimum: int = 2, balanced: bool = True) -> np.ndarray:
    """Return who stays when all but a share of the samples are left out.

    Parameters
    ----------
    priority : ndarray of shape (n_samples,)
        The higher, the longer a sample is kept. Ties go to the earlier sample.
    codes : int ndarray of shape (n_samples,)
        Category of each sample.
    budget : float in [0, 1]
        Share to keep, rounded to the nearest sample.
    minimum : int
        How many of every category stay at least, or all it has; may be 0.
    balanced : bool
        Keep the same share of every category, rounded in each; otherwise the highest of all together.

    Returns
    -------
    int64 ndarray of shape (n_kept,)
        Rising indices.

    Raises
    ------
    InvalidInputError
        When the budget, the minimum or a priority cannot be used.
    """
    _check_keep(priority, codes, budget, minimum)
    order = np.lexsort((-priority, codes))
    counts = np.bincount(codes)
    place = np.empty(len(codes), dtype=np.int64)
    place[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    assured = np.full_like(counts, minimum)
    if balanced:
        assured = np.maximum(assured, (budget * counts + 0.5).astype(int))
        return np.flatnonzero(place < assured[codes])
    first = np.lexsort((-priority, place >= minimum))
    total = max(int(budget * len(codes) + 0.5), int((place < minimum).sum()))
    return np.sort(first[:total])


def _check_keep(priority: np.ndarray, codes: np.ndarray, budget: float, minimum: int) -> None:
    if np.ndim(priority) != 1 or np.shape(priority) != np.shape(codes):
        raise InvalidInputError("priority and codes must be flat and of the same length.")
    if isinstance(budget, bool) or not isinstance(budget, int | float | np.number) or not 0 <= budget <= 1:
        raise InvalidInputError(f"The 'budget' must be a share between 0 and 1. Got {budget!r} instead.")
    if isinstance(minimum, bool) or not isinstance(minimum, int | np.integer) or minimum < 0:
        raise InvalidInputError(f"The 'minimum' must be an int of at least 0. Got {minimum!r} instead.")
    if np.isnan(priority).any():
        raise InvalidInputError("priority has values that are not numbers; score the samples again.")


def trimmed(order: np.ndarray, support: np.ndarray, codes: np.ndarray, share: float) -> np.ndarray:
    """Return the priority that leaves out the least supported of every category first, then goes by ``order``.

    Parameters
    ----------
    order : ndarray of shape (n_samples,)
        Priority of those that are not trimmed.
    support : ndarray of shape (n_samples,)
        Redundancy by ``mmi``: the lower, the more the worse side misleads. The lowest go first.
    codes : int ndarray of shape (n_samples,)
    share : float in [0, 1)
        Of every category, rounded.

    Returns
    -------
    float64 ndarray of shape (n_samples,)
    """
    lowest = np.ones(len(codes), dtype=bool)
    lowest[keep(support, codes, 1 - share, minimum=1)] = False
    priority = np.empty(len(codes))
    priority[_ascending(order)] = np.arange(len(codes))
    priority[lowest] = -1.0 - np.argsort(np.argsort(-support[lowest], kind="stable"), kind="stable")
    return priority


def _ascending(values: np.ndarray) -> np.ndarray:
    """Return indices from low to high, the later of equals first, so that the earlier ends up higher."""
    return np.lexsort((-np.arange(len(values)), values))


def spread_evenly(score: np.ndarray, codes: np.ndarray, random: np.ndarray, trim: float = 0.0) -> np.ndarray:
    """Return the priority that thins out the crowded ranges of a score first, category by category.

    What is left of a category after trimming is cut into ten equally wide ranges of the score; kept are as many
    of each as there are, up to a number alike for all ranges.

    Parameters
    ----------
    score : ndarray of shape (n_samples,)
    codes : int ndarray of shape (n_samples,)
    random : ndarray of shape (n_samples,), values in [0, 1)
        Who of a range goes first.
    trim : float in [0, 1)
        Share of every category, the lowest, that the ranges shall not reach down to.

    Returns
    -------
    float64 ndarray of shape (n_samples,)

    References
    ----------
    Zheng, Liu, Lai and Prakash 2023, "Coverage-centric Coreset Selection for High Pruning Rates", arXiv:2210.15809.
    """
    strata = np.empty(len(codes), dtype=np.int64)
    for code in np.unique(codes):
        own = np.flatnonzero(codes == code)
        floor = np.sort(score[own])[min(int(trim * len(own) + 0.5), len(own) - 1)]
        width = max(float(score[own].max() - floor), 1e-12)
        strata[own] = np.clip(N_RANGES * (score[own] - floor) / width, 0, N_RANGES - 1)
    cell = codes * N_RANGES + strata
    order = np.lexsort((random, cell))
    counts = np.bincount(cell)
    place = np.empty(len(codes))
    place[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return -(place + random)


@dataclass(frozen=True)
class Recipe:
    """Our family of policies: trim the misleading tail, then order the rest.

    Attributes
    ----------
    trim : float
        Share of every category that is left out first, the least supported by both sides.
    order : one of :data:`ORDERS`
        Who of the others goes next.
    """

    trim: float
    order: str

    def __str__(self) -> str:
        return f"trim {self.trim:.0%}, then {self.order}"

    def priority(self, support: np.ndarray, nearness: np.ndarray, codes: np.ndarray, random: np.ndarray) -> np.ndarray:
        """Return how long each sample is kept, shape (n_samples,).

        Parameters
        ----------
        support : ndarray of shape (n_samples,)
            Redundancy by ``mmi``, in nats.
        nearness : ndarray of shape (n_samples,)
            Cosine to the nearest earlier sample of the category.
        codes : int ndarray of shape (n_samples,)
        random : ndarray of shape (n_samples,), values in [0, 1)

        Raises
        ------
        InvalidInputError
            When there is no such order.
        """
        if self.order not in ORDERS:
            known = ", ".join(repr(o) for o in ORDERS)
            raise InvalidInputError(f"The 'order' of a recipe must be one of {known}. Got {self.order!r} instead.")
        if self.order == "even":
            order = spread_evenly(support, codes, random, self.trim)
        else:
            order = {
                "random": random,
                "redundant-first": -support,
                "misleading-first": support,
                "duplicates-first": -nearness,
            }[self.order]
        return trimmed(order, support, codes, self.trim)
