"""What every encoder promises: the entry that describes it, the result it returns, and its one method."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

__all__ = ["EncodedItems", "Encoder", "EncoderSpec", "ItemProblem", "Kind", "Progress", "collect"]

Kind = Literal["picture", "text", "sound", "video", "numbers", "vectors"]
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
        Pinned version and checksum of the weights.
    source : {"package", "hub", "folder", "built in"}
        Where the weights come from.
    when_to_use : str
        One plain sentence.
    """

    name: str
    kind: Kind
    width: int | None
    licence: str
    size_mb: int
    revision: str
    source: Literal["package", "hub", "folder", "built in"]
    when_to_use: str


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


def _ordered(pairs: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    return tuple(sorted((int(i), why) for i, why in pairs))
