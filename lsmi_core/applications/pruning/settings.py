"""How pruning is measured, and the checks of what a caller hands in for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lsmi_core.errors import InvalidInputError

__all__ = ["PruningSettings", "check_settings", "check_test", "default_choices"]

MANY = 5_000


@dataclass(frozen=True)
class PruningSettings:
    """How pruning is measured.

    Attributes
    ----------
    budgets : tuple of float in (0, 1)
        Shares to keep.
    n_repeats : int
        Probes of every policy and budget, each with other seeds; at least 2, or there is no interval.
    n_choices : int or None
        Inner splits that our policy is chosen on; at least 2. By default 3 from 5,000 samples to learn from, else 5.
    n_steps : int or None
        Optimiser steps of every probe. By default ten passes over all samples, from 200 to 1,500 steps.
    minimum : int
        How many of every category stay at least.
    random_state : int
    """

    budgets: tuple[float, ...] = (0.9, 0.7, 0.5, 0.3, 0.1, 0.05)
    n_repeats: int = 3
    n_choices: int | None = None
    n_steps: int | None = None
    minimum: int = 2
    random_state: int = 0


def default_choices(n_samples: int) -> int:
    """Return how many inner splits tell recipes apart: each asks a fifth, which is little where there are few."""
    return 3 if n_samples >= MANY else 5


def check_settings(settings: PruningSettings) -> None:
    """Raise InvalidInputError where a setting cannot be used."""
    budgets = settings.budgets
    if not budgets or not all(isinstance(b, float) and 0 < b < 1 for b in budgets) or len(set(budgets)) < len(budgets):
        raise InvalidInputError(f"The 'budgets' must be different shares between 0 and 1. Got {budgets!r} instead.")
    for name, low in (("n_repeats", 2), ("n_choices", 2), ("minimum", 1), ("random_state", 0), ("n_steps", 1)):
        value = getattr(settings, name)
        if value is None and name in ("n_steps", "n_choices"):
            continue
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < low:
            raise InvalidInputError(f"The '{name}' of pruning must be an int of at least {low}. Got {value!r} instead.")


def check_test(test: object, codes: np.ndarray, n_repeats: int, name: str = "test") -> np.ndarray:
    """Return who is asked in every repeat, bool of shape (n_repeats, n_samples)."""
    masks = np.atleast_2d(np.asarray(test))
    if masks.dtype != bool or masks.shape not in ((1, len(codes)), (n_repeats, len(codes))):
        raise InvalidInputError(
            f"{name} must be true or false for each of the {len(codes)} samples, once or for each of the "
            f"{n_repeats} repeats. Got {masks.dtype} of shape {np.shape(test)}."
        )
    masks = np.repeat(masks, n_repeats // len(masks), axis=0)
    for mask in masks:
        learned = np.bincount(codes[~mask], minlength=codes.max() + 1)
        if not mask.any() or learned.min() < 2:
            raise InvalidInputError(
                f"{name} must hold samples and leave at least 2 of every category to learn from; "
                "use held_out to draw it."
            )
    return masks
