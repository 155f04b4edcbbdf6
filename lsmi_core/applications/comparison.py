"""The figures of several methods on samples that none of them has seen, and by how much one beats another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lsmi_core.errors import InvalidInputError
from lsmi_core.intervals import mean_interval

__all__ = ["Comparison"]


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
        m = _place(self.methods, method, "method")
        return self.values[m, _place(self.conditions, condition, "condition"), _place(self.metrics, metric, "metric")]

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


def _place(known: tuple[str, ...], wanted: str, name: str) -> int:
    if wanted not in known:
        raise InvalidInputError(f"The '{name}' must be one of {', '.join(map(repr, known))}. Got {wanted!r} instead.")
    return known.index(wanted)
