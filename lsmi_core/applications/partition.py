"""Split samples by a score at a budget, overall or within every group."""

from __future__ import annotations

import numpy as np

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
    if isinstance(budget, bool) or not isinstance(budget, int | float | np.number) or not 0 <= budget <= 1:
        raise InvalidInputError(f"The 'budget' must be a share between 0 and 1. Got {budget!r} instead.")
    if side not in ("high", "low"):
        raise InvalidInputError(f"The 'side' must be 'high' or 'low'. Got {side!r} instead.")
    if not np.isfinite(scores).all():
        raise InvalidInputError("scores must be finite; score the samples again or leave the bad ones out.")
    selected = np.zeros(len(scores), dtype=bool)
    keys = -scores if side == "high" else scores
    for members in _members(groups, len(scores)):
        ranked = members[np.argsort(keys[members], kind="stable")]
        selected[ranked[: int(budget * len(members) + 0.5)]] = True
    return selected


def _members(groups: np.ndarray | None, n_samples: int) -> list[np.ndarray]:
    if groups is None:
        return [np.arange(n_samples)]
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    return [np.flatnonzero(codes == code) for code in range(codes.max() + 1 if len(codes) else 0)]
