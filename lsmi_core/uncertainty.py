"""What no relation at all looks like, and what could have been seen: a label null and a power check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import clone

from lsmi_core.interactions import PointwiseInteractions
from lsmi_core.projection import Projection

if TYPE_CHECKING:
    from lsmi_core.estimator import LSMIEstimator

__all__ = ["PowerCheck", "label_null", "power_check"]

SEEN = 0.2


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
