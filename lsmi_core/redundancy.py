"""Redundancy formulas and the decomposition they close. Formulas only: nothing is learned here."""

from __future__ import annotations

import numpy as np

from lsmi_core.errors import InvalidInputError

__all__ = ["REDUNDANCIES", "adjust_means", "decompose", "redundancy", "shared_exclusion"]


def _cautious(k: dict[str, np.ndarray]) -> np.ndarray:
    if k["b1"] is None or k["b2"] is None:
        raise InvalidInputError("redundancy='cautious' needs b1 and b2, what each modality expects to say.")
    least = np.minimum(k["i1"], k["i2"])
    owed_to_one = np.minimum(k["b1"], k["b2"]) - np.maximum(k["b1"] - k["i1"], k["b2"] - k["i2"])
    return least - (least - owed_to_one) / 4


def _lsmi(k: dict[str, np.ndarray]) -> np.ndarray:
    return np.minimum(k["h1"], k["h2"]) - np.minimum(k["h1"] - k["i1"], k["h2"] - k["i2"])


def _mmi(k: dict[str, np.ndarray]) -> np.ndarray:
    return np.minimum(k["i1"], k["i2"])


def _ccs(k: dict[str, np.ndarray]) -> np.ndarray:
    i1, i2, i12 = k["i1"], k["i2"], k["i12"]
    common = i1 + i2 - i12
    sign = np.sign(common)
    agree = (np.sign(i1) == sign) & (np.sign(i2) == sign) & (np.sign(i12) == sign)
    return np.where(agree, common, 0.0)


def _sx(k: dict[str, np.ndarray]) -> np.ndarray:
    return np.logaddexp(k["i1"], k["i2"]) - np.log(2.0)


REDUNDANCIES = {"cautious": _cautious, "lsmi": _lsmi, "mmi": _mmi, "ccs": _ccs, "sx": _sx}
"""Every redundancy by name; each takes the ingredients by name, in nats, and returns r in nats."""


def redundancy(
    name: str,
    i1: np.ndarray,
    i2: np.ndarray,
    i12: np.ndarray,
    h1: np.ndarray,
    h2: np.ndarray,
    b1: np.ndarray | None = None,
    b2: np.ndarray | None = None,
) -> np.ndarray:
    r"""Return the pointwise redundancy of each sample, in nats.

    Parameters
    ----------
    name : {"cautious", "lsmi", "mmi", "ccs", "sx"}
        * ``cautious``: :math:`\frac34 \min(i_1, i_2) + \frac14 [\min(b_1, b_2) - \max(b_1 - i_1, b_2 - i_2)]`
        * ``lsmi``: :math:`\min(h_1, h_2) - \min(h_1 - i_1, h_2 - i_2)`
        * ``mmi``: :math:`\min(i_1, i_2)`
        * ``ccs``: :math:`i_1 + i_2 - i_{12}` where it shares its sign with all three, else 0
        * ``sx``: :math:`\log \frac12 (e^{i_1} + e^{i_2})`
    i1, i2, i12 : ndarray of shape (n_samples,)
        Pointwise mutual information of each modality, and of both, with the label, in nats.
    h1, h2 : ndarray of shape (n_samples,)
        Surprisals :math:`-\log p(x)` in nats; only ``lsmi`` reads them, and only their difference matters.
    b1, b2 : ndarray of shape (n_samples,), optional
        What each modality expects to say, whatever the label: :math:`b = \sum_c p(c|x) \log p(c|x)/p(c)`, in nats.
        Only ``cautious`` reads them.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats. May be negative: misleading evidence is part of the account.

    Raises
    ------
    InvalidInputError
        When the name is not one of the five.

    Notes
    -----
    ``cautious`` is Interplay's own. A modality expects to say b and falls short by e = b - i, which is 0 on average
    where it is calibrated. :math:`\min b - \max e` credits both with the smaller expectation and charges both the
    larger shortfall; it is at most :math:`\min(i_1, i_2)`, and equal to it where the weaker modality is weaker on both
    counts. A quarter of it tells a modality that is blank from one that was unlucky, which :math:`\min(i_1, i_2)`
    cannot. Hence :math:`u_1, u_2 \ge 0` and :math:`r \le \min(i_1, i_2)` on every sample; r is symmetric and equals i
    where both modalities are the same.

    References
    ----------
    Yang, Wang and Hu 2025, arXiv:2506.17248 (``lsmi``; after Finn and Lizier 2018, Entropy 20(4):297).
    Barrett 2015, Phys. Rev. E 91:052802 (``mmi``). Ince 2017, arXiv:1602.05063 (``ccs``).
    Makkeh, Gutknecht and Wibral 2021, arXiv:2002.03356 (``sx``).
    DeWeese and Meister 1999, Network 10(4):325 (b, as "specific surprise").
    """
    if not isinstance(name, str) or name not in REDUNDANCIES:
        known = ", ".join(repr(k) for k in REDUNDANCIES)
        raise InvalidInputError(f"The 'redundancy' parameter must be one of {known}. Got {name!r} instead.")
    return REDUNDANCIES[name]({"i1": i1, "i2": i2, "i12": i12, "h1": h1, "h2": h2, "b1": b1, "b2": b2})


def decompose(
    name: str,
    i1: np.ndarray,
    i2: np.ndarray,
    i12: np.ndarray,
    h1: np.ndarray,
    h2: np.ndarray,
    b1: np.ndarray | None = None,
    b2: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return redundancy, both uniquenesses and synergy of each sample, in nats.

    They solve ``i1 = r + u1``, ``i2 = r + u2`` and ``i12 = r + u1 + u2 + s``.

    Parameters
    ----------
    name : {"cautious", "lsmi", "mmi", "ccs", "sx"}
    i1, i2, i12, h1, h2, b1, b2 : ndarray of shape (n_samples,)
        As in :func:`redundancy`, in nats.

    Returns
    -------
    r, u1, u2, s : ndarray of shape (n_samples,)

    Raises
    ------
    InvalidInputError
        When the name is not one of the five.
    """
    r = redundancy(name, i1, i2, i12, h1, h2, b1, b2)
    return r, i1 - r, i2 - r, i12 - (i1 + i2) + r  # the sum first: it is the same with the modalities swapped


def shared_exclusion(
    p1: np.ndarray, p2: np.ndarray, p12: np.ndarray, p1y: np.ndarray, p2y: np.ndarray, p12y: np.ndarray
) -> np.ndarray:
    r"""Return the redundancy of shared exclusions with the true marginals of discrete events, in nats.

    :math:`r = \log P(x_1 \lor x_2 | y) - \log P(x_1 \lor x_2)`, the chance of a union being
    :math:`P(x_1) + P(x_2) - P(x_1, x_2)`: what is learned about the label by hearing that the first modality shows x1
    or the second x2. Hand it to no density: two densities have no common unit to be added in.

    Parameters
    ----------
    p1, p2, p12 : ndarray of shape (n_samples,)
        Probabilities of each sample's x1, of its x2, and of both together.
    p1y, p2y, p12y : ndarray of shape (n_samples,)
        The same three given the sample's label.

    Returns
    -------
    ndarray of shape (n_samples,)
        In nats.

    Notes
    -----
    The ``sx`` of :func:`redundancy` needs no probabilities. It equals this measure where P(x1) = P(x2) and
    the two events never meet, P(x1, x2) = 0, or where they are one event. Discrete events that are seen do meet.

    References
    ----------
    Makkeh, Gutknecht and Wibral 2021, arXiv:2002.03356 (two sources).
    """
    return np.log(p1y + p2y - p12y) - np.log(p1 + p2 - p12)


def adjust_means(means: dict[str, float]) -> dict[str, float]:
    """Return data-set means shifted along the one free constant so that they are non-negative where possible.

    One constant is added to ``r`` and ``s`` and taken from ``u1`` and ``u2``, which keeps the three identities.
    It lifts a negative redundancy or synergy to zero; failing that, a negative uniqueness.

    Parameters
    ----------
    means : dict with keys "r", "u1", "u2", "s"
        In nats.

    Returns
    -------
    dict with the same keys, in nats

    Notes
    -----
    Adjusted means of ``lsmi`` say nothing about the densities: they mostly restate ``min(I1, I2)``.
    Report the raw means beside them.

    References
    ----------
    The data-set adjustment of Yang, Wang and Hu 2025, arXiv:2506.17248.
    """
    shift = -min(means["r"], means["s"])
    if shift <= 0:
        shift = min(means["u1"], means["u2"], 0.0)
    return {key: means[key] + (shift if key in ("r", "s") else -shift) for key in ("r", "u1", "u2", "s")}
