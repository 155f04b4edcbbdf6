"""Split samples by a score at a budget, overall or within every group."""

from __future__ import annotations

import numpy as np

from lsmi_core.applications.pruning.policies import keep
from lsmi_core.errors import InvalidInputError

__all__ = ["partition"]


def partition(
    scores: np.ndarray,
    budget: float,
    side: str = "high",
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """Return which samples fall within the budget when they are ranked by score.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
    budget : float in [0, 1]
        Share of the samples to select. The count is rounded to the nearest sample.
    side : {"high", "low"}
        Whether the highest or the lowest scores are selected. Ties go to the earlier sample.
    groups : ndarray of shape (n_samples,), optional
        Take the same share of every group (each count rounded) instead of ranking all samples together.

    Returns
    -------
    bool ndarray of shape (n_samples,)

    Raises
    ------
    InvalidInputError
        When the budget, the side or a score cannot be used.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or (groups is not None and len(groups) != len(scores)):
        raise InvalidInputError("scores and groups must be flat and of the same length.")
    if side not in ("high", "low"):
        raise InvalidInputError(f"The 'side' must be 'high' or 'low'. Got {side!r} instead.")
    if not np.isfinite(scores).all():
        raise InvalidInputError("scores must be finite; score the samples again or leave the bad ones out.")
    selected = np.zeros(len(scores), dtype=bool)
    codes = np.zeros(len(scores), dtype=int) if groups is None else np.unique(groups, return_inverse=True)[1]
    selected[keep(scores if side == "high" else -scores, codes, budget, 0, groups is not None)] = True
    return selected
