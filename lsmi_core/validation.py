"""Checks of what callers hand in. First line of every public method; one sentence per mistake."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lsmi_core.errors import InvalidInputError

__all__ = [
    "check_choice",
    "check_features",
    "check_int",
    "check_labels",
    "check_same_length",
    "distinct_labels",
    "cut_at",
    "quantile_edges",
]


def check_int(value: object, name: str, low: int, high: float = np.inf, owner: str = "LSMIEstimator") -> int:
    """Return ``value`` if it is an int in [low, high), else raise InvalidInputError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value < high:
        within = f"an int in the range [{low}, {high})"
        raise InvalidInputError(f"The '{name}' parameter of {owner} must be {within}. Got {value!r} instead.")
    return int(value)


def check_choice(value: object, name: str, choices: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``choices``, else raise InvalidInputError."""
    if not isinstance(value, str) or value not in choices:
        known = ", ".join(repr(c) for c in choices)
        raise InvalidInputError(
            f"The '{name}' parameter of LSMIEstimator must be a str among {{{known}}}. Got {value!r} instead."
        )
    return str(value)


def check_features(x: object, name: str) -> np.ndarray:
    """Return features as a finite ndarray of shape (n_samples, n_features), else raise InvalidInputError.

    float32 stays float32, so that large arrays are not copied; everything else becomes float64.
    """
    try:
        array = np.asarray(x)
        if array.dtype.kind == "c":
            raise TypeError
        array = np.asarray(array, dtype=np.float32 if array.dtype == np.float32 else np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(f"{name} must hold numbers only, one row a sample.") from None
    if array.ndim != 2 or 0 in array.shape:
        raise InvalidInputError(
            f"{name} must have shape (n_samples, n_features). Got shape {array.shape}; "
            "reshape a single feature with x.reshape(-1, 1)."
        )
    bad = np.flatnonzero(~np.isfinite(array).all(axis=1))
    if len(bad):
        raise InvalidInputError(
            f"{name} has values that are not finite in {len(bad)} of {len(array)} rows (first: row {bad[0]}); "
            "drop or fill those rows."
        )
    return array


def check_labels(y: object) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct labels and each sample's index into them, else raise InvalidInputError.

    Every label must occur at least twice: a sample is only ever scored by models that have not seen it,
    and those must have seen its label.
    """
    classes, codes = distinct_labels(y)
    counts = np.bincount(codes)
    if len(classes) < 2:
        raise InvalidInputError(f"y must hold at least 2 different labels. Got {len(classes)}.")
    if counts.min() < 2:
        lone = classes[counts < 2]
        raise InvalidInputError(
            f"Every label needs at least 2 samples; {len(lone)} have one (first: {lone[0]!s}). Drop or merge them."
        )
    return classes, codes


def distinct_labels(y: object) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct labels and each sample's index into them, else raise InvalidInputError."""
    labels = np.asarray(y)
    if labels.ndim != 1:
        raise InvalidInputError(f"y must have shape (n_samples,). Got shape {labels.shape}.")
    if _has_missing(labels):
        raise InvalidInputError("y has missing labels; drop those samples or label them.")
    try:
        return np.unique(labels, return_inverse=True)
    except TypeError:
        raise InvalidInputError("y mixes labels that cannot be compared; make them all text or all numbers.") from None


def _has_missing(labels: np.ndarray) -> bool:
    if labels.dtype.kind == "f":
        return not np.isfinite(labels).all()
    if labels.dtype.kind in "mM":
        return bool(np.isnat(labels).any())
    return labels.dtype.kind == "O" and any(isinstance(label, float) and np.isnan(label) for label in labels)


def quantile_edges(y: object, n_quantiles: int) -> np.ndarray | None:
    """Return where a numeric target is cut into classes of about equal size, or None where y holds labels.

    A target is numeric when it holds fractions and more distinct values than two a class.
    """
    target = np.asarray(y)
    if target.dtype.kind != "f" or target.ndim != 1 or not np.isfinite(target).all():
        return None
    distinct = np.unique(target)
    if len(distinct) <= 2 * n_quantiles or (distinct == np.round(distinct)).all():
        return None
    edges = np.quantile(target, np.arange(1, n_quantiles) / n_quantiles)
    return np.unique(np.maximum(edges, distinct[1]))  # nothing lies below the lowest value


def cut_at(edges: np.ndarray, target: object) -> np.ndarray:
    """Return the class of each value, named so that classes sort from low to high."""
    width = len(str(len(edges) + 1))
    names = np.array([f"q{k + 1:0{width}d}" for k in range(len(edges) + 1)])
    return names[np.searchsorted(edges, np.asarray(target, dtype=np.float64), side="right")]


def check_same_length(**arrays: np.ndarray) -> None:
    """Raise InvalidInputError unless all arrays have the same number of rows."""
    lengths = {name: len(a) for name, a in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise InvalidInputError(f"All inputs need the same number of rows: {told}.")
