"""How the numbers of a figure are to be read: by which measure, raw or adjusted, in nats or bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curation.words import PER_NAT
from lsmi_core.redundancy import adjust_means

__all__ = ["Reading", "reading_of"]

_SIGNS = {"r": 1.0, "s": 1.0, "u1": -1.0, "u2": -1.0}  # of the one free constant in each term


@dataclass(frozen=True)
class Reading:
    """What every figure says in its subtitle, and how it comes from raw nats to what is drawn.

    Attributes
    ----------
    measure : str
        Definition of redundancy.
    unit : {"nats", "bits"}
    shift : float or None
        Constant in nats that is added to r and s and taken from u1 and u2; None for raw numbers.
    """

    measure: str
    unit: str = "nats"
    shift: float | None = None

    def values(self, key: str, raw: np.ndarray) -> np.ndarray:
        """Return values of a term or an information, given raw and in nats, as this reading shows them."""
        return (np.asarray(raw, dtype=float) + _SIGNS.get(key, 0.0) * (self.shift or 0.0)) * PER_NAT[self.unit]

    def subtitle(self, n: int, of: int | None = None) -> str:
        """Return measure, raw or adjusted, unit and the number of samples, in one line."""
        kind = "raw" if self.shift is None else "adjusted"
        count = f"{n:,}" if of is None or of == n else f"{n:,} of {of:,}"
        return f"{self.measure}, {kind} · {self.unit} · n = {count}"


def reading_of(means: dict[str, dict[str, float]], measure: str, unit: str = "nats", shift: str = "raw") -> Reading:
    """Return a reading whose constant, if adjusted, makes the means of the data set non-negative where possible.

    One constant for everything, so that categories and samples stay comparable.

    Parameters
    ----------
    means : dict
        From :func:`curation.summary.dataset_means`, raw, in nats.
    measure : str
    unit : {"nats", "bits"}
    shift : {"raw", "adjusted"}

    Returns
    -------
    Reading
    """
    if shift == "raw":
        return Reading(measure, unit)
    plain = {key: means[key]["mean"] for key in _SIGNS}
    return Reading(measure, unit, adjust_means(plain)["r"] - plain["r"])
