"""The result: pointwise interactions of every sample, in nats."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from lsmi_core.redundancy import adjust_means, decompose

__all__ = ["DEFAULT_REDUNDANCY", "FIELDS", "INGREDIENTS", "TERMS", "PointwiseInteractions", "Predictions", "Suspicion"]

INGREDIENTS = ("i1", "i2", "i12", "h1", "h2", "b1", "b2")
TERMS = ("r", "u1", "u2", "s")
FIELDS = (*INGREDIENTS, *TERMS)
DEFAULT_REDUNDANCY = "cautious"


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
class Suspicion:
    """How strongly each sample looks wrong, by models that did not see it; larger is more suspect.

    Attributes
    ----------
    label_error : float64 ndarray of shape (n_samples,)
        The modalities agree with each other and contradict the label.
    swapped_pair : float64 ndarray of shape (n_samples,)
        The modalities contradict each other: -log sum_c p(c|x1) p(c|x2) / p(c). The label is not looked at.
    """

    label_error: np.ndarray
    swapped_pair: np.ndarray


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
    b1, b2 : float64 ndarray of shape (n_samples,)
        What each modality expects to say, whatever the label, in nats.
    r, u1, u2, s : float64 ndarray of shape (n_samples,)
        Redundancy, uniqueness of each modality, synergy, in nats. Negative means misleading.
    redundancy : str
        The definition of ``r`` in use.
    warnings : tuple of str
        What the reader should know before trusting the numbers, in plain sentences.
    predictions : Predictions or None
    suspicion : Suspicion or None
    repeats : ndarray of shape (n_repeats, len(INGREDIENTS), n_samples), or None
        The ingredients of every repeat, where there were several; the fields hold their means.
    """

    i1: np.ndarray
    i2: np.ndarray
    i12: np.ndarray
    h1: np.ndarray
    h2: np.ndarray
    b1: np.ndarray
    b2: np.ndarray
    r: np.ndarray
    u1: np.ndarray
    u2: np.ndarray
    s: np.ndarray
    redundancy: str = DEFAULT_REDUNDANCY
    warnings: tuple[str, ...] = ()
    predictions: Predictions | None = field(default=None, repr=False)
    suspicion: Suspicion | None = field(default=None, repr=False)
    repeats: np.ndarray | None = field(default=None, repr=False)

    @classmethod
    def from_information(
        cls, ingredients: dict[str, np.ndarray], redundancy: str = DEFAULT_REDUNDANCY, **rest: object
    ) -> PointwiseInteractions:
        """Decompose given ingredients, by the names of :data:`INGREDIENTS`, each of shape (n_samples,) and in nats.

        Raises
        ------
        InvalidInputError
            When ``redundancy`` is not a known definition.
        """
        parts = {name: np.asarray(ingredients[name], dtype=np.float64) for name in INGREDIENTS}
        terms = dict(zip(TERMS, decompose(redundancy, **parts), strict=True))
        return cls(**parts, **terms, redundancy=redundancy, **rest)

    def __len__(self) -> int:
        return len(self.i1)

    def ingredients(self) -> dict[str, np.ndarray]:
        """Return what every definition of redundancy is made of, by name."""
        return {name: getattr(self, name) for name in INGREDIENTS}

    def with_redundancy(self, name: str) -> PointwiseInteractions:
        """Return the same samples under another definition of redundancy; nothing is fitted again.

        Parameters
        ----------
        name : {"cautious", "lsmi", "mmi", "ccs", "sx"}

        Returns
        -------
        PointwiseInteractions

        Raises
        ------
        InvalidInputError
            When the name is not one of the five.
        """
        terms = dict(zip(TERMS, decompose(name, **self.ingredients()), strict=True))
        return replace(self, **terms, redundancy=name)

    def standard_errors(self) -> dict[str, np.ndarray] | None:
        r"""Return the standard error of r, u1, u2 and s of each sample over repeats, in nats; None without repeats.

        :math:`\mathrm{sd} / \sqrt R` over R refits with other folds and seeds: how much a score would move if all were
        learned again from these samples, divided by what averaging gains.
        """
        if self.repeats is None:
            return None
        terms = [decompose(self.redundancy, *ingredients) for ingredients in self.repeats]
        spread = np.std(terms, axis=0, ddof=1) / np.sqrt(len(terms))
        return dict(zip(TERMS, spread, strict=True))

    def means(self) -> dict[str, float]:
        """Return the data-set mean of every field, in nats."""
        return {name: float(getattr(self, name).mean()) for name in FIELDS}

    def adjusted_means(self) -> dict[str, float]:
        """Return the means of r, u1, u2 and s, shifted to be non-negative where possible, in nats.

        See Also
        --------
        lsmi_core.redundancy.adjust_means : the shift, and what it hides.
        """
        return adjust_means(self.means())
