"""How sure a mean is: intervals from the spread of samples, and from what more samples would still teach."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from lsmi_core.errors import InvalidInputError
from lsmi_core.interactions import FIELDS, PointwiseInteractions

__all__ = ["extrapolated_intervals", "grouped_intervals", "mean_interval"]

HALVES = 2
ADDED, UNSURE = 0.75, 0.4  # chosen on other replicates than those whose coverage is reported


def mean_interval(values: np.ndarray, level: float = 0.9) -> tuple[float, float, float]:
    r"""Return the mean of the values and the ends of its confidence interval, in the unit of the values.

    :math:`\bar v \pm t_{n-1}\, \mathrm{sd}(v) / \sqrt n`: the spread of samples, not the estimator's own error.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
    level : float in (0, 1)

    Returns
    -------
    mean, low, high : float
        ``low`` and ``high`` are infinite for a single value.

    Raises
    ------
    InvalidInputError
        When there is no value or the level is outside (0, 1).

    References
    ----------
    Student 1908, Biometrika 6:1.
    """
    if len(values) == 0:
        raise InvalidInputError("values must hold at least one number.")
    _check_level(level)
    mean = float(np.mean(values))
    if len(values) == 1:
        return mean, -np.inf, np.inf
    half = float(stdtrit(len(values) - 1, (1 + level) / 2) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half


def grouped_intervals(
    values: np.ndarray, groups: np.ndarray, level: float = 0.9
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return :func:`mean_interval` of every group of values at once.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
    groups : int ndarray of shape (n_samples,)
        Group of each value, from 0 on; every group must hold a value.
    level : float in (0, 1)

    Returns
    -------
    mean, low, high : ndarrays of shape (n_groups,)
        ``low`` and ``high`` are infinite where a group holds a single value.

    Raises
    ------
    InvalidInputError
        When a group is empty or the level is outside (0, 1).
    """
    count = np.bincount(groups)
    if len(count) == 0 or count.min() == 0:
        raise InvalidInputError("groups must hold at least one number each.")
    _check_level(level)
    mean = np.bincount(groups, values) / count
    spread = np.bincount(groups, (values - mean[groups]) ** 2)
    single, free = count == 1, np.maximum(count - 1, 1)
    half = np.where(single, np.inf, stdtrit(free, (1 + level) / 2) * np.sqrt(spread / free / count))
    return mean, mean - half, mean + half


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise InvalidInputError(f"The 'level' parameter must be in the range (0, 1). Got {level!r} instead.")


def extrapolated_intervals(
    full: PointwiseInteractions, half: PointwiseInteractions, n_splits: int, level: float = 0.9
) -> dict[str, tuple[float, float, float]]:
    r"""Return estimate and interval of every data-set mean, corrected for what more samples would still teach.

    A mean falls short by about b/n with n samples to learn from. Two runs on the same samples, one learning from
    :math:`t = 1 - 1/K` of them and one from half, tell b: to unlimited samples it would be
    :math:`d = (\bar v - \bar v_{half}) (1/t) / (2 - 1/t)` more. Learning curves are flatter than that in the end, so
    three quarters of d are added, and two fifths of it count as uncertainty beside the spread of samples.

    Parameters
    ----------
    full : PointwiseInteractions
        Scored with ``n_splits`` folds.
    half : PointwiseInteractions
        The same samples scored with two folds.
    n_splits : int
        More than two.
    level : float in (0, 1)

    Returns
    -------
    dict of str to (mean, low, high)
        In nats, by the names of :data:`~lsmi_core.interactions.FIELDS`.

    Raises
    ------
    InvalidInputError
        When the runs differ in length, or ``n_splits`` is below three.

    References
    ----------
    Bias of order 1/n and its removal by two sample sizes: Quenouille 1956, Biometrika 43:353.
    """
    if len(full) != len(half) or n_splits <= HALVES:
        raise InvalidInputError("Extrapolation needs the same samples scored with two folds and with more than two.")
    inverse = n_splits / (n_splits - 1)
    quantile = float(stdtrit(max(len(full) - 1, 1), (1 + level) / 2))
    found = {}
    for name in FIELDS:
        plain, low, _ = mean_interval(getattr(full, name), level)
        short = (plain - float(getattr(half, name).mean())) * inverse / (HALVES - inverse)
        mean, half_width = plain + ADDED * short, float(np.hypot(plain - low, UNSURE * short * quantile))
        found[name] = (mean, mean - half_width, mean + half_width)
    return found
