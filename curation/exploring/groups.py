"""Sorts samples into interaction groups: what carries the category in each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from curation.words import terms
from lsmi_core import TERMS

__all__ = ["GROUPS", "LEAST", "MISLED", "Group", "group_of", "groups", "certain"]

MISLED = -0.5
"""Nats of one side below which a sample counts as misleading: the category became 40 % less likely, or worse."""

LEAST = 0.1
"""Nats that the largest term must reach for a sample to belong to it: below that neither side helps."""

GROUPS = ("redundant", "unique1", "unique2", "synergistic", "misleading", "unclear")
_OF_TERM = dict(zip(TERMS, GROUPS[:4], strict=True))
_CERTAIN = 1.645  # standard errors: nine in ten of what is called certain would be found again


@dataclass(frozen=True)
class Group:
    """One interaction group as people see it.

    Attributes
    ----------
    key : str
        One of :data:`GROUPS`.
    title, explanation : str
    colour : str
    """

    key: str
    title: str
    explanation: str
    colour: str


def groups(modality_names: tuple[str, str]) -> tuple[Group, ...]:
    """Return the six groups in the words of the data set."""
    a, b = modality_names
    named = [Group(_OF_TERM[t.key], t.title, t.explanation, t.colour) for t in terms(modality_names)]
    return (
        *named,
        Group("misleading", "Misleading", f"The {a} or the {b} points to another category: a swapped pair, or a wrong "
              "label.", "#D55E00"),
        Group("unclear", "Neither helps", f"Neither the {a} nor the {b} says much about the category, alone or "
              "together.", "#8A8A8A"),
    )  # fmt: skip


def group_of(frame: pd.DataFrame) -> np.ndarray:
    r"""Return the interaction group of every sample.

    Misleading where :math:`\min(i_1, i_2) < -0.5` nats; else the largest of r, u1, u2 and s where it reaches 0.1 nats;
    else unclear.

    Parameters
    ----------
    frame : pandas.DataFrame
        With i1, i2 and the four terms in a measure, in nats.

    Returns
    -------
    ndarray of shape (n_samples,), int8
        Positions in :data:`GROUPS`.
    """
    values = frame[list(TERMS)].to_numpy()
    found = values.argmax(axis=1)
    found[values.max(axis=1) < LEAST] = GROUPS.index("unclear")
    found[frame[["i1", "i2"]].to_numpy().min(axis=1) < MISLED] = GROUPS.index("misleading")
    return found.astype(np.int8)


def certain(frame: pd.DataFrame, errors: pd.DataFrame) -> np.ndarray:
    r"""Return the samples whose largest term is certain to be the largest.

    The lead of the largest term over the next is at least 1.645 times
    :math:`\sqrt{\mathrm{se}_1^2 + \mathrm{se}_2^2}`, the errors of the two taken as independent.

    Parameters
    ----------
    frame : pandas.DataFrame
        With the four terms in a measure, in nats.
    errors : pandas.DataFrame
        Standard errors of the four terms in the same measure and order of rows, in nats.

    Returns
    -------
    ndarray of shape (n_samples,), bool
    """
    values, spread = frame[list(TERMS)].to_numpy(), errors[list(TERMS)].to_numpy()
    first, second = np.argsort(-values, axis=1, kind="stable")[:, :2].T
    rows = np.arange(len(values))
    lead = values[rows, first] - values[rows, second]
    return lead >= _CERTAIN * np.hypot(spread[rows, first], spread[rows, second])
