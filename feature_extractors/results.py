"""Puts the features of a list of items together, in memory or, where they are many, in a file mapped into memory."""

from __future__ import annotations

import mmap
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from feature_extractors.contracts import EncodedItems
from feature_extractors.errors import EncoderError
from feature_extractors.shelf import Part, Shelf

__all__ = ["LostShardError", "assemble", "row_blocks"]

_BLOCK_BYTES = 64 * 2**20


class LostShardError(RuntimeError):
    """A shard has gone, or changed, between its verification and its use."""


def assemble(shelf: Shelf, places: np.ndarray, width: int | None, folder: Path, in_memory: int) -> EncodedItems:
    """Gather items from their places, one part after the other.

    Parameters
    ----------
    shelf : Shelf
        Whose parts are verified.
    places : ndarray of shape (n,), int64
        Where each item is; items may share a place.
    width : int or None
        Number of columns to report when no item has features.
    folder : Path
        Where a large result lies. Its file has no name, so nothing is left behind, whatever ends the process.
    in_memory : int
        Bytes above which a result is large.

    Returns
    -------
    EncodedItems
        With `features` of shape (n_kept, d).

    Raises
    ------
    EncoderError
        If the encoder gave rows of different lengths.
    LostShardError
        If a shard has gone since it was verified.
    """
    owners = np.searchsorted(shelf.starts, places, side="right") - 1
    kept = np.concatenate([part.kept for part in shelf.parts])[places]
    rows = np.cumsum(kept) - 1  # where in the result, of those that are kept
    table = _table(int(kept.sum()), _width([shelf.parts[p] for p in np.unique(owners)], width), folder, in_memory)
    problems: dict[int, str] = {}
    order = np.argsort(owners, kind="stable")
    for items in np.split(order, np.flatnonzero(np.diff(owners[order])) + 1):
        p = int(owners[items[0]])
        encoded, inside = _loaded(shelf.parts[p]), places[items] - shelf.starts[p]
        good = kept[items]
        table.put(rows[items[good]], encoded.features[np.searchsorted(encoded.kept, inside[good])])
        why = dict(encoded.problems)
        problems |= {i: why[row] for i, row in zip(items[~good].tolist(), inside[~good].tolist(), strict=True)}
    return EncodedItems(table.finished(), np.flatnonzero(kept), tuple(sorted(problems.items())))


def _loaded(part: Part) -> EncodedItems:
    try:
        return part.load()
    except (OSError, ValueError) as error:
        raise LostShardError(str(error)) from error


def _width(used: list[Part], width: int | None) -> int:
    widths = {part.width for part in used if part.kept.any()} or {width or 0}
    if len(widths) > 1:
        raise EncoderError(f"The encoder gave features of different lengths, {sorted(widths)}; choose another encoder.")
    return widths.pop()


def _table(count: int, width: int, folder: Path, in_memory: int) -> _InMemory | _InFile:
    if count * width * 4 > in_memory:
        try:
            return _InFile(count, width, folder)
        except OSError as error:
            text = f"There is no room for the features in {folder}, so they are held in memory: {error}"
            warnings.warn(text, stacklevel=4)
    return _InMemory(count, width)


class _InMemory:
    def __init__(self, count: int, width: int):
        self._features = np.empty((count, width), np.float32)

    def put(self, rows: np.ndarray, features: np.ndarray) -> None:
        self._features[rows] = features

    def finished(self) -> np.ndarray:
        return self._features


class _InFile:
    """Written to as a file and only then mapped: pages written through a map would count as memory of the process."""

    def __init__(self, count: int, width: int, folder: Path):
        self._shape, self._folder = (count, width), folder
        folder.mkdir(parents=True, exist_ok=True)
        self._stream = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  (the map outlives any block)
        try:
            _reserve(self._stream.fileno(), count * width * 4)
        except OSError:
            self._stream.close()
            raise

    def put(self, rows: np.ndarray, features: np.ndarray) -> None:
        runs = np.flatnonzero(np.diff(rows) != 1) + 1
        try:
            for where, block in zip(np.split(rows, runs), np.split(features, runs), strict=True):
                if len(where):
                    self._stream.seek(int(where[0]) * self._shape[1] * 4)
                    self._stream.write(np.ascontiguousarray(block))
        except OSError as error:
            raise EncoderError(
                f"The features cannot be written to {self._folder}: {error}; make room there."
            ) from error

    def finished(self) -> np.memmap:
        with self._stream:
            self._stream.flush()
            return np.memmap(self._stream, np.float32, "r", shape=self._shape)


def _reserve(handle: int, size: int) -> None:
    """Claim the space beforehand: a disk that fills up under a map ends the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, size)
    else:
        os.truncate(handle, size)


def row_blocks(features: np.ndarray, block_bytes: int = _BLOCK_BYTES) -> Iterator[tuple[int, np.ndarray]]:
    """Read features block by block, giving back the memory of a map as it goes.

    Pages of a map that were read count as memory of the process until the system needs them.

    Parameters
    ----------
    features : ndarray of shape (n, d)
        An array, or a map.
    block_bytes : int
        Size of a block.

    Yields
    ------
    start : int
        Position of the first row of the block.
    block : ndarray of shape (m, d)
        A view.
    """
    size = max(1, block_bytes // max(1, features.itemsize * features.shape[1]))
    source = features
    while isinstance(source, np.ndarray):
        source = source.base
    for start in range(0, len(features), size):
        yield start, features[start : start + size]
        if isinstance(source, mmap.mmap) and hasattr(source, "madvise"):
            source.madvise(mmap.MADV_DONTNEED)
