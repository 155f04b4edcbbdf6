"""How sure a mean is, and what could have been seen at all: intervals, a label null, a power check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import t as student_t
from sklearn.base import clone

from lsmi_core.errors import InvalidInputError
from lsmi_core.folds import default_splits
from lsmi_core.interactions import FIELDS, PointwiseInteractions
from lsmi_core.projection import Projection

if TYPE_CHECKING:
    from lsmi_core.estimator import LSMIEstimator

__all__ = ["PowerCheck", "extrapolated_intervals", "label_null", "mean_interval", "power_check"]

HALVES = 2
SEEN = 0.2


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


def extrapolated_intervals(
    full: PointwiseInteractions, half: PointwiseInteractions, n_splits: int | None = None, level: float = 0.9
) -> dict[str, tuple[float, float, float]]:
    r"""Return estimate and interval of every data-set mean, corrected for what more samples would still teach.

    A mean falls short by about b/n with n samples to learn from. Two runs on the same samples, one learning from
    :math:`1 - 1/K` of them and one from half, tell b; each sample's value is extrapolated to unlimited samples,
    :math:`v + (v - v_{half}) (1/t) / (2 - 1/t)` with :math:`t = 1 - 1/K`, and half of the correction counts as
    uncertainty beside the spread of samples.

    Parameters
    ----------
    full : PointwiseInteractions
        Scored with ``n_splits`` folds.
    half : PointwiseInteractions
        The same samples scored with two folds.
    n_splits : int, optional
        More than two; by default what the estimator takes by default.
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
    n_splits = n_splits or default_splits(len(full))
    if len(full) != len(half) or n_splits <= HALVES:
        raise InvalidInputError("Extrapolation needs the same samples scored with two folds and with more than two.")
    inverse = n_splits / (n_splits - 1)
    found = {}
    for name in FIELDS:
        plain = getattr(full, name)
        mean, low, _ = mean_interval(plain + (plain - getattr(half, name)) * inverse / (HALVES - inverse), level)
        half_width = float(np.hypot(mean - low, (mean - plain.mean()) / 2 * _quantile(level, len(plain))))
        found[name] = (mean, mean - half_width, mean + half_width)
    return found


def _quantile(level: float, n: int) -> float:
    return float(student_t.ppf((1 + level) / 2, n - 1))


def label_null(estimator: LSMIEstimator, x1: np.ndarray, x2: np.ndarray, y: np.ndarray) -> PointwiseInteractions:
    """Return the interactions found when labels are dealt out at random: what no relation at all looks like.

    Parameters
    ----------
    estimator : LSMIEstimator
        Its settings and seed are used; it is not changed.
    x1, x2, y : as in :meth:`lsmi_core.LSMIEstimator.fit_score`

    Returns
    -------
    PointwiseInteractions
        Its means should be near zero.
    """
    order = np.random.default_rng([estimator.random_state, 0x2B]).permutation(len(y))
    return clone(estimator).fit_score(x1, x2, np.asarray(y)[order])


@dataclass(frozen=True)
class PowerCheck:
    """How much of a planted synergy was found.

    Attributes
    ----------
    planted, found : float
        In nats.
    seen : bool
        Whether at least a fifth was found.
    sentence : str
        The finding in plain words.
    """

    planted: float
    found: float
    seen: bool
    sentence: str


def power_check(estimator: LSMIEstimator, x1: np.ndarray, x2: np.ndarray) -> PowerCheck:
    """Plant synergy in the given features and see how much of it is found.

    A random direction through all its columns parts the samples of each modality, and the label is whether both lie
    on the same side: neither modality alone says anything, both together say everything, and no groups in the
    features help. This is the hardest synergy to see; between groups of samples it is seen much earlier.

    Parameters
    ----------
    estimator : LSMIEstimator
        Its settings and seed are used; it is not changed.
    x1, x2 : ndarray of shape (n_samples, n_features_k)

    Returns
    -------
    PowerCheck
    """
    rng = np.random.default_rng([estimator.random_state, 0x2C])
    sides = [_side(np.asarray(x), rng) for x in (x1, x2)]
    found = clone(estimator).fit_score(x1, x2, sides[0] == sides[1]).means()["s"]
    planted = float(np.log(2))
    seen = found >= SEEN * planted
    widths = f"{len(x1):,} samples with {np.shape(x1)[1]} and {np.shape(x2)[1]} columns"
    verdict = (
        "Synergy spread over all columns is seen"
        if seen
        else "Synergy spread over all columns could not have been seen, so a small value does not mean there is none"
    )
    told = f"{verdict}: of {planted:.2f} nats planted in {widths}, {max(found, 0):.2f} were found."
    return PowerCheck(planted, found, seen, told)


def _side(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    projection = Projection()
    z = projection.fit_transform(x) / projection.deviations_
    along = z @ rng.standard_normal(z.shape[1])
    return along > np.median(along)
