"""The result: pointwise interactions of every sample, in nats."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from lsmi_core.redundancy import adjust_means, decompose

__all__ = ["FIELDS", "TERMS", "PointwiseInteractions", "Predictions"]

FIELDS = ("i1", "i2", "i12", "h1", "h2", "r", "u1", "u2", "s")
TERMS = ("r", "u1", "u2", "s")


@dataclass(frozen=True)
class Predictions:
    """What each view says the label is, by models that did not see the sample.

    Attributes
    ----------
    label1, label2, label12 : ndarray of shape (n_samples,)
        Most likely label by the first modality, the second, and both.
    p1, p2, p12 : float64 ndarray of shape (n_samples,)
        Its calibrated probability.
    """

    label1: np.ndarray
    label2: np.ndarray
    label12: np.ndarray
    p1: np.ndarray
    p2: np.ndarray
    p12: np.ndarray


@dataclass(frozen=True)
class PointwiseInteractions:
    """Redundancy, uniqueness and synergy of every sample, with the ingredients they are made of.

    The identities ``i1 = r + u1``, ``i2 = r + u2`` and ``i12 = r + u1 + u2 + s`` hold on every sample.

    Attributes
    ----------
    i1, i2, i12 : float64 ndarray of shape (n_samples,)
        Pointwise mutual information log p(y|x)/p(y) of each modality and of both, in nats.
    h1, h2 : float64 ndarray of shape (n_samples,)
        Surprisals in nats.
    r, u1, u2, s : float64 ndarray of shape (n_samples,)
        Redundancy, uniqueness of each modality, synergy, in nats. Negative means misleading.
    redundancy : str
        The definition of ``r`` in use.
    warnings : tuple of str
        What the reader should know before trusting the numbers, in plain sentences.
    predictions : Predictions or None
    """

    i1: np.ndarray
    i2: np.ndarray
    i12: np.ndarray
    h1: np.ndarray
    h2: np.ndarray
    r: np.ndarray
    u1: np.ndarray
    u2: np.ndarray
    s: np.ndarray
    redundancy: str = "lsmi"
    warnings: tuple[str, ...] = ()
    predictions: Predictions | None = field(default=None, repr=False)

    @classmethod
    def from_information(
        cls,
        i1: np.ndarray,
        i2: np.ndarray,
        i12: np.ndarray,
        h1: np.ndarray,
        h2: np.ndarray,
        redundancy: str = "lsmi",
        **rest: object,
    ) -> PointwiseInteractions:
        """Decompose given information terms, each of shape (n_samples,) and in nats.

        Raises
        ------
        InvalidInputError
            When ``redundancy`` is not a known definition.
        """
        parts = [np.asarray(a, dtype=np.float64) for a in (i1, i2, i12, h1, h2)]
        return cls(*parts, *decompose(redundancy, *parts), redundancy=redundancy, **rest)

    def __len__(self) -> int:
        return len(self.i1)

    def with_redundancy(self, name: str) -> PointwiseInteractions:
        """Return the same samples under another definition of redundancy; nothing is fitted again.

        Parameters
        ----------
        name : {"lsmi", "mmi", "ccs", "sx"}

        Returns
        -------
        PointwiseInteractions

        Raises
        ------
        InvalidInputError
            When the name is not one of the four.
        """
        r, u1, u2, s = decompose(name, self.i1, self.i2, self.i12, self.h1, self.h2)
        return replace(self, r=r, u1=u1, u2=u2, s=s, redundancy=name)

    def means(self) -> dict[str, float]:
        """Return the data-set mean of all nine fields, in nats."""
        return {name: float(getattr(self, name).mean()) for name in FIELDS}

    def adjusted_means(self) -> dict[str, float]:
        """Return the means of r, u1, u2 and s, shifted to be non-negative where possible, in nats.

        See Also
        --------
        lsmi_core.redundancy.adjust_means : the shift, and what it hides.
        """
        return adjust_means(self.means())
