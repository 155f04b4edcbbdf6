"""Means, intervals and the one-sentence finding, for the data set and for every category."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from curation.errors import DataError
from curation.words import EARLIER, MEASURES, terms, within_sentence
from lsmi_core import TERMS
from lsmi_core.interactions import INGREDIENTS
from lsmi_core.intervals import grouped_intervals, mean_interval
from lsmi_core.redundancy import adjust_means, decompose

__all__ = [
    "category_counts", "category_means", "category_order", "dataset_means", "finding", "label_entropy", "measures_of",
    "with_measure",
]  # fmt: skip

LEVEL = 0.9
EXPECTED = ("b1", "b2")
"""What each side expects to say: only “cautious” reads it, and runs made before that measure lack it."""


def with_measure(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the scores under another definition of redundancy; nothing is fitted again.

    Parameters
    ----------
    frame : pandas.DataFrame
        Scores with the columns :data:`~lsmi_core.interactions.INGREDIENTS`, or those of an earlier run without b1, b2.
    name : {"cautious", "lsmi", "mmi", "ccs", "sx"}

    Returns
    -------
    pandas.DataFrame
        A copy with new r, u1, u2, s, in nats; and, where exact ingredients are known, with new ``known.r`` and so on.

    Raises
    ------
    DataError
        When the run was made before the measure and lacks what it is made of.
    InvalidInputError
        When the name is not one of the five.
    """
    if name in MEASURES and name not in measures_of(frame):
        raise DataError(f"{EARLIER}; score the data again, or choose one of: {', '.join(measures_of(frame))}.")
    told = _terms(frame, name)
    return frame.assign(**told, **(_terms(frame, name, "known.") if "known.i1" in frame else {}))


def measures_of(frame: pd.DataFrame) -> dict[str, str]:
    """Return the definitions of redundancy that these scores hold everything for, in plain words."""
    complete = set(EXPECTED) <= set(frame.columns)
    return {name: words for name, words in MEASURES.items() if complete or name != "cautious"}


def dataset_means(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return mean, low and high (90 % interval over samples, nats) of every term and information."""
    return {key: _interval(frame[key].to_numpy()) for key in (*TERMS, "i1", "i2", "i12")}


def category_means(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row a category and term: label, n, term, mean, low, high (nats, 90 % intervals)."""
    codes, labels = pd.factorize(frame["label"], sort=True)
    found = [grouped_intervals(frame[key].to_numpy(), codes, LEVEL) for key in TERMS]
    mean, low, high = (np.stack(part, axis=1).ravel() for part in zip(*found, strict=True))
    told = {
        "label": np.repeat(np.asarray(labels, dtype=object), len(TERMS)),
        "n": np.repeat(np.bincount(codes), len(TERMS)),
        "term": list(TERMS) * len(labels),
    }
    return pd.DataFrame({**told, "mean": mean, "low": low, "high": high})


def category_order(categories: pd.DataFrame, by: str, rows: int | Sequence[str] | None = None) -> list[str]:
    """Return labels in the order in which figures draw them, from bottom to top.

    Parameters
    ----------
    categories : pandas.DataFrame
        From :func:`category_means`.
    by : {"r", "u1", "u2", "s", "label", "n"}
        The largest mean or count is on top; of names the first in the alphabet.
    rows : int or sequence of str, optional
        The topmost so many, or these labels only; all by default.

    Returns
    -------
    list of str
    """
    table = categories[categories["term"] == (by if by in TERMS else TERMS[0])]
    if isinstance(rows, Sequence):
        table = table[table["label"].isin(list(rows))]
    column = by if by in ("label", "n") else "mean"
    order = table.sort_values(column, ascending=by != "label", kind="stable")["label"].tolist()
    return order[max(len(order) - rows, 0) :] if isinstance(rows, int) else order


def category_counts(labels: pd.Series, values: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """Return how many samples of every category have each value.

    Parameters
    ----------
    labels : pandas.Series of length n_samples
    values : int ndarray of shape (n_samples,)
        Positions in ``names``, such as interaction groups.
    names : sequence of str

    Returns
    -------
    pandas.DataFrame
        One row a category (the index, in alphabetical order), one column a name.
    """
    codes, found = pd.factorize(labels, sort=True)
    size = len(found), len(names)
    counts = np.bincount(codes * len(names) + values, minlength=size[0] * size[1]).reshape(size)
    return pd.DataFrame(counts, index=pd.Index(found, name="label"), columns=list(names))


def label_entropy(labels: pd.Series) -> float:
    """Return how much there is to know about the category, in nats."""
    p = labels.value_counts(normalize=True).to_numpy()
    return float(-(p * np.log(p)).sum())


def finding(frame: pd.DataFrame, modality_names: tuple[str, str]) -> str:
    """Return one paragraph in plain words that sums the data set up."""
    total, known = label_entropy(frame["label"]), frame["i12"].mean()
    a, b = modality_names
    means = adjust_means({key: float(frame[key].mean()) for key in TERMS})
    told = {term.title: means[term.key] for term in terms(modality_names)}
    strongest = max(told, key=told.get)
    parts = ", ".join(f"{within_sentence(title)}: {value:.2f}" for title, value in told.items())
    shift = abs(means["r"] - frame["r"].mean())
    parts += f"; the means, shifted by {shift:.2f} nats to be read as shares" if shift >= 0.005 else ""
    misled = float((frame[["i1", "i2"]].min(axis=1) < -0.5).mean())
    return (
        f"Together the {a} and the {b} tell {known:.2f} of the {total:.2f} nats there are to know about the category "
        f"({known / total:.0%}). The largest part is “{within_sentence(strongest)}” ({parts}). "
        f"In {misled:.0%} of the samples at least one of the two points to another category."
    )


def _terms(frame: pd.DataFrame, name: str, prefix: str = "") -> dict[str, np.ndarray]:
    """Return r, u1, u2 and s of the ingredients in the columns with this prefix, by column."""
    parts = {key: frame[prefix + key].to_numpy() for key in INGREDIENTS if prefix + key in frame}
    return dict(zip((prefix + key for key in TERMS), decompose(name, **parts), strict=True))


def _interval(values: np.ndarray) -> dict[str, float]:
    return dict(zip(("mean", "low", "high"), mean_interval(values, LEVEL), strict=True))
