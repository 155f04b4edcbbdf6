"""Keeps computed features in shards on disk and encodes only what is not there yet."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feature_extractors.content import Content, FileMemory
from feature_extractors.contracts import EncodedItems, Encoder, Kind, Progress
from feature_extractors.results import LostShardError, assemble
from feature_extractors.sealed import sealed_files, verify
from feature_extractors.shelf import Part, Shelf, check_shard, kept_flags

__all__ = ["FeatureCache", "encode_items"]

_FORMAT = "features/2"
_FILES = "files"
# Items a shard. What a kill can cost is the time of one: some ten seconds on two cores. Whole batches of each encoder.
_SHARD_ITEMS: dict[Kind, int] = {"text": 1024, "picture": 512, "sound": 64, "video": 16}
_IN_MEMORY = 256 * 2**20


class FeatureCache:
    """A folder with the features of every item encoded so far, one folder in it for each encoder.

    The key of a feature is the content of the item, the encoder's fingerprint (weights, preprocessing, libraries,
    device) and the version of the format. Any number of processes may use the folder at once. It may be deleted.

    Parameters
    ----------
    folder : Path
        Made when the first result is stored. Files that are not the cache's own are left alone, those of earlier
        versions of it too.
    shard_items : int, optional
        Most items in a shard; a number that suits the kind of item when None.
    in_memory : int
        Bytes above which features are returned as a read-only memory map.
    """

    def __init__(self, folder: str | Path, shard_items: int | None = None, in_memory: int = _IN_MEMORY):
        self.folder = Path(folder)
        self.shard_items = shard_items
        self.in_memory = in_memory

    def shelf(self, fingerprint: str) -> Shelf:
        """Open what is stored for one encoder.

        Parameters
        ----------
        fingerprint : str
            Of the encoder.

        Returns
        -------
        Shelf
            Its shards; those that cannot be read are left out with a warning.
        """
        key = f"{_FORMAT} {fingerprint}"
        return Shelf(self.folder / _folder_name(key), key)

    @property
    def memory(self) -> FileMemory:
        """Of files read earlier, whatever the encoder."""
        return FileMemory(self.folder / _FILES)

    def check(self) -> list[tuple[Path, str]]:
        """Hold everything stored against its checksum; nothing is changed.

        Returns
        -------
        list of (Path, str)
            Every file that cannot be believed, and what is wrong with it. Its items will be encoded again.

        Raises
        ------
        OSError
            If a folder cannot be listed.
        """
        folders = sorted(path for path in self.folder.iterdir() if path.is_dir()) if self.folder.is_dir() else []
        found = [(path, _wrong_with(path)) for folder in folders for path in sealed_files(folder)]
        return [(path, wrong) for path, wrong in found if wrong]


def _folder_name(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _wrong_with(path: Path) -> str:
    try:
        if path.parent.name == _FILES:
            verify(path)
        elif _folder_name(check_shard(path)) != path.parent.name:
            return "it belongs to another encoder, or to another version of it"
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def encode_items(
    encoder: Encoder, items: Any, cache: FeatureCache | None = None, progress: Progress | None = None
) -> EncodedItems:
    """Encode items, taking from the cache what an earlier run has encoded, finished or not.

    A run that was ended at any moment and is started again on the same items gives the same bits as one that was not.
    Items that were first encoded beside others (in another list) may differ in the last bits, as batches do.

    Parameters
    ----------
    encoder : Encoder
        A loaded encoder.
    items : sequence or ndarray of shape (n, k)
        As the encoder's kind asks. Numbers and vectors are not cached: they are only checked or rescaled, and a
        rescaled row depends on the others.
    cache : FeatureCache, optional
        Where results are kept.
    progress : callable, optional
        Called with (done, total), from (0, total) to (total, total); what is cached is done at once.

    Returns
    -------
    EncodedItems
        With `features` of shape (n_kept, d): an array, or a read-only memory map when larger than `cache.in_memory`.

    Raises
    ------
    EncoderError
        If the items are not of the encoder's kind.
    """
    if cache is None or encoder.spec.kind not in _SHARD_ITEMS or not _is_list(items) or len(items) == 0:
        return encoder.encode(items, progress)
    while True:
        shelf = cache.shelf(encoder.fingerprint)
        run = _Run(encoder, items, cache, shelf, progress)
        places = run.places()
        try:
            return assemble(shelf, places, encoder.spec.width, cache.folder, cache.in_memory)
        except LostShardError as error:
            warnings.warn(f"Stored features went while they were in use, so computed again: {error}", stacklevel=2)


def _is_list(items: Any) -> bool:
    return hasattr(items, "__len__") and hasattr(items, "__getitem__") and not isinstance(items, (str, bytes))


class _Run:
    """Finds a place on the shelf for every item of a list.

    Where the list is cut depends on its length alone. Of a cut, what is not stored is encoded together and stored
    together: a run that starts again finds all of it or nothing, and so encodes the same batches.
    """

    def __init__(
        self, encoder: Encoder, items: Sequence[Any], cache: FeatureCache, shelf: Shelf, progress: Progress | None
    ):
        self._encoder, self._items, self._shelf = encoder, items, shelf
        self._size = cache.shard_items or _SHARD_ITEMS[encoder.spec.kind]
        self._progress, self._told = progress, -1
        self._report(0)
        self._content = Content(items, encoder.spec.kind, cache.memory)
        self._places = np.full(len(items), -1, dtype=np.int64)

    def places(self) -> np.ndarray:
        """Encode what is missing.

        Returns
        -------
        ndarray of shape (n,), int64
            A place for every item.
        """
        cuts = [np.arange(i, min(i + self._size, len(self._items))) for i in range(0, len(self._items), self._size)]
        for cut in cuts:
            self._look_up(cut)
        self._report(self._done())
        for cut in cuts:
            missing = cut[self._places[cut] < 0]
            if len(missing):
                self._content.read(missing)
                self._look_up(missing)
                self._encode(missing[self._places[missing] < 0])
                self._report(self._done())
        return self._places

    def _done(self) -> int:
        return int((self._places >= 0).sum())

    def _report(self, done: int) -> None:
        if self._progress is not None and done > self._told:
            self._told = done
            self._progress(done, len(self._items))

    def _look_up(self, positions: np.ndarray) -> None:
        known = positions[self._content.known[positions]]
        self._places[known] = self._shelf.find(self._content.digests[known])

    def _encode(self, missing: np.ndarray) -> None:
        done = self._done()
        while len(missing):
            firsts, owners = self._unique(missing)
            items = [self._items[i] for i in firsts]
            encoded = self._encoder.encode(items, lambda now, total: self._report(done + now))
            # A file that was changed meanwhile must not stand for what it held before: all over again, and not stored.
            if len(self._content.changed(missing)) == 0:
                self._places[missing] = self._shelve(firsts, encoded)[owners]
                return

    def _unique(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions to encode, one for each content, and for every position which of them."""
        slots: dict[bytes | int, int] = {}
        keys = [self._content.digests[i].tobytes() if self._content.known[i] else i for i in positions.tolist()]
        owners = np.array([slots.setdefault(key, len(slots)) for key in keys])
        return positions[np.unique(owners, return_index=True)[1]], owners

    def _shelve(self, positions: np.ndarray, encoded: EncodedItems) -> np.ndarray:
        """Store what may be stored; the rest serves this run only."""
        places = np.empty(len(positions), np.int64)
        lasting = self._content.known[positions]
        lasting[list(encoded.passing)] = False
        stays, goes = np.flatnonzero(lasting), np.flatnonzero(~lasting)
        if len(stays):
            start = self._shelf.store(self._content.digests[positions[stays]], _only(encoded, stays))
            places[stays] = start + np.arange(len(stays))
        if len(goes):
            part = _only(encoded, goes)
            start = self._shelf.add(Part(kept_flags(part, len(goes)), encoded=part, width=part.features.shape[1]))
            places[goes] = start + np.arange(len(goes))
        return places


def _only(encoded: EncodedItems, positions: np.ndarray) -> EncodedItems:
    """The encoded items at some ascending positions, counted anew."""
    chosen = np.isin(encoded.kept, positions)
    why = dict(encoded.problems)
    problems = tuple((row, why[i]) for row, i in enumerate(positions.tolist()) if i in why)
    return EncodedItems(encoded.features[chosen], np.searchsorted(positions, encoded.kept[chosen]), problems)
