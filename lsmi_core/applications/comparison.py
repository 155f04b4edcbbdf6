"""The figures of several methods on samples that none of them has seen, and by how much one beats another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from lsmi_core.errors import InvalidInputError
from lsmi_core.intervals import mean_interval

__all__ = ["Comparison", "over_repeats", "place_of"]

PARTS = 100
"""Of a repeat: what progress is counted in."""


@dataclass(frozen=True)
class Comparison:
    """What every method reached, under every condition and in every repeat.

    Attributes
    ----------
    methods, conditions, metrics : tuple of str
        A condition is how the samples were asked, "intact" for example; a metric is what was counted.
    values : float64 ndarray of shape (n_methods, n_conditions, n_metrics, n_repeats)
    """

    methods: tuple[str, ...]
    conditions: tuple[str, ...]
    metrics: tuple[str, ...]
    values: np.ndarray

    def of(self, method: str, condition: str, metric: str) -> np.ndarray:
        """Return the value of every repeat, shape (n_repeats,).

        Raises
        ------
        InvalidInputError
            When there is no such method, condition or metric.
        """
        m = place_of(self.methods, method, "method")
        return self.values[
            m, place_of(self.conditions, condition, "condition"), place_of(self.metrics, metric, "metric")
        ]

    def gain(
        self, method: str, against: str, condition: str, metric: str, level: float = 0.9
    ) -> tuple[float, float, float]:
        """Return by how much a method exceeds another, with Student's interval of the differences within repeats.

        Parameters
        ----------
        method, against : str
            Two of ``methods``.
        condition, metric : str
        level : float in (0, 1)

        Returns
        -------
        mean, low, high : float
            In the unit of the metric; the sign is not turned where less is better.

        Raises
        ------
        InvalidInputError
            When there is no such method, condition or metric.
        """
        here, there = (self.of(name, condition, metric) for name in (method, against))
        return mean_interval(here - there, level)

    def rows(self) -> list[dict[str, object]]:
        """Return method, condition, metric, repeat and value, a row each."""
        return [
            {"method": self.methods[m], "condition": self.conditions[c], "metric": self.metrics[k], "repeat": int(r),
             "value": float(self.values[m, c, k, r])}
            for m, c, k, r in np.ndindex(self.values.shape)
        ]  # fmt: skip


def place_of(known: tuple, wanted: object, name: str) -> int:
    """Return where something stands among what is known, else raise InvalidInputError with the name of the choice."""
    if wanted not in known:
        raise InvalidInputError(f"The '{name}' must be one of {', '.join(map(repr, known))}. Got {wanted!r} instead.")
    return known.index(wanted)


def over_repeats(
    measure: Callable[[int, Callable[[float], None]], np.ndarray],
    n_repeats: int,
    progress: Callable[[int, int], None] | None = None,
    known: Mapping[int, np.ndarray] | None = None,
    keep: Callable[[int, np.ndarray], None] | None = None,
) -> np.ndarray:
    """Return the figures of all repeats, those that are known already not measured again.

    Parameters
    ----------
    measure : callable of (repeat, report) to ndarray
        To be told the share of its work that is done.
    n_repeats : int
    progress : callable, optional
        Called with (hundredths of repeats done, hundredths in all); whatever it raises cancels.
    known : mapping of int to ndarray, optional
        Repeats that are finished.
    keep : callable, optional
        Handed every other repeat as soon as it is finished: its number and its values.

    Returns
    -------
    float64 ndarray of shape (..., n_repeats)
    """
    values, tell = dict(known or {}), progress or (lambda done, total: None)

    def report(share: float) -> None:
        tell(int(PARTS * (len(values) + share)), PARTS * n_repeats)

    for repeat in (r for r in range(n_repeats) if r not in values):
        report(0.0)
        found = measure(repeat, report)
        values[repeat] = found
        if keep is not None:
            keep(repeat, found)
    report(0.0)
    return np.stack([values[r] for r in range(n_repeats)], axis=-1)
