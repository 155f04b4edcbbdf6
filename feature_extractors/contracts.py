"""What every encoder promises: the entry that describes it, the result it returns, and its one method."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

__all__ = [
    "EncodedItems",
    "EncodedTokens",
    "Encoder",
    "EncoderSpec",
    "ItemProblem",
    "Kind",
    "Pooling",
    "Progress",
    "TokenEncoder",
    "collect",
    "collect_tokens",
]

Kind = Literal["picture", "text", "sound", "video", "numbers", "vectors"]
Pooling = Literal["projection", "cls", "mean", "last token", "pooler or mean"]
_COMMIT = re.compile(r"[0-9a-f]{40}")
Progress = Callable[[int, int], None]


class ItemProblem(ValueError):
    """One item cannot be encoded. The message is one plain sentence: what is wrong, how to mend it.

    Parameters
    ----------
    why : str
        The sentence.
    passing : bool
        Whether the same content may work another time: the file was not there, the disk or the memory failed.
    """

    def __init__(self, why: str, passing: bool = False):
        super().__init__(why)
        self.passing = passing


@dataclass(frozen=True)
class EncoderSpec:
    """What a user needs to know before choosing an encoder.

    Parameters
    ----------
    name : str
        How to ask for it: a short name of the table, a folder, or ``org/name``.
    kind : {"picture", "text", "sound", "video", "numbers", "vectors"}
        The kind of item it reads.
    width : int or None
        Number of features per item; None when only the data or the model can tell.
    licence : str
        Licence of the weights.
    size_mb : int
        Size of the weights in megabytes; 0 where there are none or it is not known beforehand.
    revision : str
        Pinned version and checksum of the weights; of the hub the commit.
    source : {"package", "hub", "folder", "built in"}
        Where the weights come from.
    when_to_use : str
        One plain sentence.
    id : str
        ``org/name`` on the hub; empty for others.
    pooling : {"projection", "cls", "mean", "last token", "pooler or mean"} or None
        What makes one row of the states; None when the model's own files and its architecture decide.
    unit_length : bool or None
        Whether rows are scaled to length 1; None likewise.
    prefix : str or None
        What is put before every text; None likewise.
    max_tokens : int or None
        Tokens after which a text is cut, special ones included; None likewise.
    """

    name: str
    kind: Kind
    width: int | None
    licence: str
    size_mb: int
    revision: str
    source: Literal["package", "hub", "folder", "built in"]
    when_to_use: str
    id: str = ""
    pooling: Pooling | None = None
    unit_length: bool | None = None
    prefix: str | None = None
    max_tokens: int | None = None

    @property
    def commit(self) -> str:
        """The pinned commit of a model on the hub; empty where the latest is taken, and for all others."""
        return self.revision if self.source == "hub" and _COMMIT.fullmatch(self.revision) else ""


@dataclass(frozen=True, eq=False)
class EncodedItems:
    """Features of the items that worked, and a sentence for each that did not.

    Parameters
    ----------
    features : ndarray of shape (n_kept, d), float32
        One row per item that worked, in the order of the items; a read-only memory map where they are many.
    kept : ndarray of shape (n_kept,), int64
        Positions of those items, ascending.
    problems : tuple of (int, str)
        Position and plain sentence of every other item, ascending.
    passing : frozenset of int
        Positions of those problems that may be gone another time though the item is the same.
    """

    features: np.ndarray
    kept: np.ndarray
    problems: tuple[tuple[int, str], ...]
    passing: frozenset[int] = frozenset()


@dataclass(frozen=True, eq=False)
class EncodedTokens:
    """The sequence of states of each item that worked, one after the other without padding.

    Sounds differ in length by a factor of a thousand, so that padded storage would hold mostly padding.

    Parameters
    ----------
    states : ndarray of shape (n_tokens, d), float32
        All sequences, in the order of the items. What a batch was padded with is left out.
    lengths : ndarray of shape (n_kept,), int64
        Tokens of each item that worked.
    kept : ndarray of shape (n_kept,), int64
        Positions of those items, ascending.
    problems : tuple of (int, str)
        Position and plain sentence of every other item, ascending.
    passing : frozenset of int
        Positions of those problems that may be gone another time though the item is the same.
    """

    states: np.ndarray
    lengths: np.ndarray
    kept: np.ndarray
    problems: tuple[tuple[int, str], ...]
    passing: frozenset[int] = frozenset()

    def sequences(self) -> list[np.ndarray]:
        """Cut the states into items.

        Returns
        -------
        list of ndarray of shape (t, d)
            Views, one for each item that worked.
        """
        return np.split(self.states, np.cumsum(self.lengths)[:-1]) if len(self.lengths) else []

    def padded(self) -> tuple[np.ndarray, np.ndarray]:
        """Pad to the longest sequence with zeros.

        Returns
        -------
        states : ndarray of shape (n_kept, t, d), float32
            Zero where nothing is.
        mask : ndarray of shape (n_kept, t), bool
            True where a token is.
        """
        mask = np.arange(self.lengths.max(initial=0)) < self.lengths[:, None]
        states = np.zeros((*mask.shape, self.states.shape[1]), dtype=np.float32)
        states[mask] = self.states
        return states, mask


class Encoder(Protocol):
    """A loaded encoder.

    Attributes
    ----------
    spec : EncoderSpec
        Its entry.
    fingerprint : str
        Everything, besides the items, that the features depend on.
    """

    spec: EncoderSpec
    fingerprint: str

    def encode(self, items: Any, progress: Progress | None = None) -> EncodedItems:
        """Encode the items; an item that cannot be encoded becomes a problem, never an exception.

        Parameters
        ----------
        items : sequence of Path, sequence of str, or ndarray of shape (n, k)
            As the kind asks: picture, sound and video files, texts, or numbers.
        progress : callable, optional
            Called with (done, total), from (0, total) to (total, total); an exception it raises stops the work.

        Returns
        -------
        EncodedItems
            With `features` of shape (n_kept, d).
        """
        ...


class TokenEncoder(Encoder, Protocol):
    """A loaded encoder of texts, pictures or sounds, which also gives what it pools."""

    def encode_tokens(self, items: Any, progress: Progress | None = None) -> EncodedTokens:
        """Give the states of every token, patch or frame; an item that cannot be encoded becomes a problem.

        Parameters
        ----------
        items : sequence of Path or sequence of str
            As for `encode`.
        progress : callable, optional
            As for `encode`.

        Returns
        -------
        EncodedTokens
            With `states` of shape (n_tokens, d); d may differ from that of the features.
        """
        ...


def collect(
    rows: dict[int, np.ndarray], problems: dict[int, str], width: int | None, passing: Iterable[int] = ()
) -> EncodedItems:
    """Put rows that arrived in any order into item order.

    Parameters
    ----------
    rows : dict of int to ndarray of shape (d,)
        Features by item position.
    problems : dict of int to str
        Sentences by item position.
    width : int or None
        Number of columns to report when no row worked.
    passing : iterable of int
        Positions of problems that may be gone another time.

    Returns
    -------
    EncodedItems
        With `features` of shape (n_kept, d).
    """
    kept = np.array(sorted(rows), dtype=np.int64)
    features = np.zeros((len(kept), width or 0), dtype=np.float32)
    if len(kept):
        features = np.stack([rows[i] for i in kept.tolist()]).astype(np.float32, copy=False)
    return EncodedItems(features, kept, _ordered(problems.items()), frozenset(passing))


def collect_tokens(
    rows: dict[int, np.ndarray], problems: dict[int, str], width: int | None, passing: Iterable[int] = ()
) -> EncodedTokens:
    """Put sequences that arrived in any order into item order.

    Parameters
    ----------
    rows : dict of int to ndarray of shape (t, d)
        States by item position.
    problems : dict of int to str
        Sentences by item position.
    width : int or None
        Number of columns to report when no item worked.
    passing : iterable of int
        Positions of problems that may be gone another time.

    Returns
    -------
    EncodedTokens
        With `states` of shape (n_tokens, d).
    """
    kept = np.array(sorted(rows), dtype=np.int64)
    states = np.zeros((0, width or 0), dtype=np.float32)
    if len(kept):
        states = np.concatenate([rows[i] for i in kept.tolist()]).astype(np.float32, copy=False)
    lengths = np.array([len(rows[i]) for i in kept.tolist()], dtype=np.int64)
    return EncodedTokens(states, lengths, kept, _ordered(problems.items()), frozenset(passing))


def _ordered(pairs: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    return tuple(sorted((int(i), why) for i, why in pairs))
