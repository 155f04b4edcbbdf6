"""How sure a mean is: intervals over samples, for the data set and for each category."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student_t

from lsmi_core.errors import InvalidInputError

__all__ = ["mean_interval"]


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
    if not 0 < level < 1:
        raise InvalidInputError(f"The 'level' parameter must be in the range (0, 1). Got {level!r} instead.")
    mean = float(np.mean(values))
    if len(values) == 1:
        return mean, -np.inf, np.inf
    half = float(student_t.ppf((1 + level) / 2, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half
