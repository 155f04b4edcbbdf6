"""Which samples to leave out: every policy says how long each sample is kept, and the budget cuts the line.

A *priority* is an array of shape (n_samples,): the higher, the longer a sample is kept. What is kept at a small budget
is part of what is kept at a larger one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lsmi_core.errors import InvalidInputError

__all__ = [
    "ORDERS", "Recipe", "Standing", "keep", "lowest_of_all", "lowest_of_each", "mostly_hard", "spread_evenly",
    "trimmed",
]  # fmt: skip

ORDERS = ("random", "even", "mostly-hard", "redundant-first", "misleading-first", "duplicates-first")
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


def lowest_of_each(support: np.ndarray, codes: np.ndarray, share: float) -> np.ndarray:
    """Return the lowest of every category, bool of shape (n_samples,).

    Parameters
    ----------
    support : ndarray of shape (n_samples,)
        What speaks for the category, in nats: the lower, the more a sample misleads.
    codes : int ndarray of shape (n_samples,)
    share : float in [0, 1)
        Of every category, rounded; one of each is spared.
    """
    lowest = np.ones(len(codes), dtype=bool)
    lowest[keep(support, codes, 1 - share, minimum=1)] = False
    return lowest


def lowest_of_all(support: np.ndarray, codes: np.ndarray, share: float) -> np.ndarray:
    """Return the lowest of all samples, but of no category more than twice the share; see :func:`lowest_of_each`."""
    may = lowest_of_each(support, codes, min(2 * share, 1.0))
    return may & lowest_of_each(np.where(may, support, np.inf), np.zeros_like(codes), share)


def trimmed(order: np.ndarray, support: np.ndarray, lowest: np.ndarray) -> np.ndarray:
    """Return the priority that leaves out some first, the least supported of them earliest, and then goes by order.

    Parameters
    ----------
    order : ndarray of shape (n_samples,)
        Priority of those that are not trimmed.
    support : ndarray of shape (n_samples,)
    lowest : bool ndarray of shape (n_samples,)
        Who is trimmed.

    Returns
    -------
    float64 ndarray of shape (n_samples,)
    """
    priority = np.empty(len(order))
    priority[_ascending(order)] = np.arange(len(order))
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


def mostly_hard(hardness: np.ndarray, random: np.ndarray) -> np.ndarray:
    r"""Return the priority of a random sample with more of the hard ones, whatever their category.

    Sequential Poisson sampling: those stay whose :math:`u / \sqrt{h}` is lowest, :math:`u` uniform, so that the chance
    to stay is about in proportion to :math:`\sqrt{h}`. Easy ones become few, but stay; categories that are hard keep
    more of their samples than those that are easy.

    Parameters
    ----------
    hardness : ndarray of shape (n_samples,), from 0
        EL2N.
    random : ndarray of shape (n_samples,), values in [0, 1)

    Returns
    -------
    float64 ndarray of shape (n_samples,)

    References
    ----------
    Ohlsson 1998, "Sequential Poisson Sampling", Journal of Official Statistics 14 (2).
    """
    return -random / np.sqrt(np.maximum(hardness, 1e-12))


@dataclass(frozen=True)
class Standing:
    """What policies go by: where every sample stands; all arrays of shape (n_samples,).

    Attributes
    ----------
    codes : int ndarray
        Category.
    i1, i2, i12 : ndarray
        What each modality, and what both together, tell about the category, in nats.
    nearness : ndarray
        Cosine to the nearest earlier sample of the category.
    hardness : ndarray
        EL2N, from 0.
    """

    codes: np.ndarray
    i1: np.ndarray
    i2: np.ndarray
    i12: np.ndarray
    nearness: np.ndarray
    hardness: np.ndarray

    @property
    def support(self) -> np.ndarray:
        """Redundancy by ``mmi``: what the worse side tells, in nats."""
        return np.minimum(self.i1, self.i2)

    @property
    def telling(self) -> np.ndarray:
        """What the first, the second and both together tell on average, in nats."""
        return (self.i1 + self.i2 + self.i12) / 3


@dataclass(frozen=True)
class Recipe:
    """Our family of policies: trim the misleading tail, then order the rest.

    "mostly-hard" goes by all samples together: it trims those that tell least on average, of no category more than
    twice the share, and what stays of a category is a matter of how hard it is. All other orders trim what is least
    supported by both sides, category by category, and leave the same share of every one.

    Attributes
    ----------
    trim : float
        Share that is left out first.
    order : one of :data:`ORDERS`
        Who of the others goes next.
    """

    trim: float
    order: str

    def __str__(self) -> str:
        return f"trim {self.trim:.0%}, then {self.order}"

    @property
    def balanced(self) -> bool:
        """Whether the same share of every category stays."""
        return self.order != "mostly-hard"

    def kept(self, standing: Standing, random: np.ndarray, budget: float, minimum: int = 2) -> np.ndarray:
        """Return who stays, rising indices; see :func:`keep`."""
        return keep(self.priority(standing, random), standing.codes, budget, minimum, self.balanced)

    def priority(self, standing: Standing, random: np.ndarray) -> np.ndarray:
        """Return how long each sample is kept, shape (n_samples,).

        Parameters
        ----------
        standing : Standing
        random : ndarray of shape (n_samples,), values in [0, 1)

        Raises
        ------
        InvalidInputError
            When there is no such order.
        """
        if self.order not in ORDERS:
            known = ", ".join(repr(o) for o in ORDERS)
            raise InvalidInputError(f"The 'order' of a recipe must be one of {known}. Got {self.order!r} instead.")
        codes, support = standing.codes, standing.support
        if not self.balanced:
            lowest = lowest_of_all(standing.telling, codes, self.trim)
            return trimmed(mostly_hard(standing.hardness, random), standing.telling, lowest)
        if self.order == "even":
            order = spread_evenly(support, codes, random, self.trim)
        else:
            order = {
                "random": random,
                "redundant-first": -support,
                "misleading-first": support,
                "duplicates-first": -standing.nearness,
            }[self.order]
        return trimmed(order, support, lowest_of_each(support, codes, self.trim))
