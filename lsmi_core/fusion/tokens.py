"""What a modality looks like to a transformer: a sequence of tokens a sample, with what is only padding marked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lsmi_core.errors import InvalidInputError
from lsmi_core.validation import check_features

__all__ = ["Scaling", "Tokens", "as_tokens"]


@dataclass(frozen=True)
class Tokens:
    """A sequence of tokens for every sample.

    Attributes
    ----------
    values : float32 ndarray of shape (n_samples, n_tokens, n_features)
    real : bool ndarray of shape (n_samples, n_tokens)
        False where a shorter sequence is padded; every sample has at least one real token.
    by_place : bool
        Whether a place means the same in every sample, as in groups of columns; otherwise tokens of all places are
        read alike.
    """

    values: np.ndarray
    real: np.ndarray
    by_place: bool = False

    def __len__(self) -> int:
        return len(self.values)

    @property
    def shape(self) -> tuple[int, int]:
        """Tokens a sample and features a token."""
        return self.values.shape[1], self.values.shape[2]


def as_tokens(x: object, name: str, n_groups: int) -> Tokens:
    """Return features as tokens: sequences as they are, vectors cut into groups of neighbouring columns.

    Parameters
    ----------
    x : Tokens, or array-like of shape (n_samples, n_features) or (n_samples, n_tokens, n_features)
    name : str
        What to call it in a refusal.
    n_groups : int
        Groups that a vector is cut into, at most one a column; the last ones may be padded with zeros.

    Returns
    -------
    Tokens

    Raises
    ------
    InvalidInputError
        When the shape does not fit, a value is not finite, or a sample has no real token.
    """
    if isinstance(x, Tokens):
        return _checked(x, name)
    if np.ndim(x) == 3:
        values = np.asarray(x, dtype=np.float32)
        return _checked(Tokens(values, np.ones(values.shape[:2], dtype=bool)), name)
    columns = check_features(x, name).astype(np.float32)
    n, d = columns.shape
    width = -(-d // min(n_groups, d))
    groups = -(-d // width)
    padded = np.zeros((n, groups * width), dtype=np.float32)
    padded[:, :d] = columns
    return Tokens(padded.reshape(n, groups, width), np.ones((n, groups), dtype=bool), by_place=True)


def _checked(tokens: Tokens, name: str) -> Tokens:
    values, real = np.asarray(tokens.values, dtype=np.float32), np.asarray(tokens.real, dtype=bool)
    if values.ndim != 3 or 0 in values.shape or real.shape != values.shape[:2]:
        raise InvalidInputError(
            f"{name} must have tokens of shape (n_samples, n_tokens, n_features) and a mask of shape (n_samples, "
            f"n_tokens). Got {values.shape} and {real.shape}."
        )
    if not real.any(axis=1).all():
        raise InvalidInputError(
            f"{name} has {int((~real.any(axis=1)).sum())} samples without any token; leave them out."
        )
    if not np.isfinite(values[real]).all():
        raise InvalidInputError(f"{name} has tokens that are not finite; leave their samples out.")
    return Tokens(values, real, tokens.by_place)


@dataclass(frozen=True)
class Scaling:
    """Mean and deviation of what is fitted on, by feature, and by place where places mean something.

    Attributes
    ----------
    mean, deviation : float32 ndarray of shape (n_tokens or 1, n_features)
        A feature that never varies has deviation 1.
    """

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, tokens: Tokens) -> Scaling:
        """Return the scaling of these tokens; padding does not count."""
        if tokens.by_place:
            mean, deviation = tokens.values.mean(axis=0), tokens.values.std(axis=0)
        else:
            real = tokens.values[tokens.real]
            mean, deviation = real.mean(axis=0, keepdims=True), real.std(axis=0, keepdims=True)
        return cls(mean, np.where(deviation > 1e-6 * (1 + np.abs(mean)), deviation, 1).astype(np.float32))

    def of_values(self, tokens: Tokens) -> np.ndarray:
        """Return standardised tokens, zero where there is only padding."""
        return np.where(tokens.real[..., None], (tokens.values - self.mean) / self.deviation, 0).astype(np.float32)
