"""All shards of one encoder: which items they hold, and whether they can be believed."""

from __future__ import annotations

import hashlib
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from feature_extractors.content import DIGEST_BYTES
from feature_extractors.contracts import EncodedItems
from feature_extractors.sealed import Told, peek, sealed_files, sweep, verify, write_sealed

__all__ = ["Part", "Shelf", "check_shard"]


@dataclass(eq=False)
class Part:
    """Items encoded together: a shard on disk, or what did not become one.

    Parameters
    ----------
    kept : ndarray of shape (n,), bool
        Which of its items have features.
    path : Path or None
        The shard.
    encoded : EncodedItems or None
        The features themselves, where there is no shard.
    width : int or None
        Number of features per item; None as long as the shard was not held against its checksum.
    """

    kept: np.ndarray
    path: Path | None = None
    encoded: EncodedItems | None = None
    width: int | None = None

    def load(self) -> EncodedItems:
        """Return features and problems, by position within this part.

        Returns
        -------
        EncodedItems
            With `features` of shape (m, d).

        Raises
        ------
        ValueError
            If the shard does not hold what it should.
        OSError
            If it cannot be read.
        """
        return self.encoded if self.path is None else _read_shard(self.path)


class Shelf:
    """The shards of one encoder, with a place for every item in them.

    Parameters
    ----------
    folder : Path
        Made when the first shard is written; files of other names in it are left alone.
    key : str
        Everything, besides the items, that the features depend on.

    Attributes
    ----------
    parts : list of Part
        Item r of part p has the place `starts[p] + r`.
    starts : list of int
        Ascending, with one more entry than there are parts.
    """

    def __init__(self, folder: Path, key: str):
        self.parts: list[Part] = []
        self.starts = [0]
        self._folder, self._key = folder, key
        self._places: dict[bytes, int] = {}
        self._warned = False
        sweep(folder)
        for path in _listed(folder):
            self._open(path)

    def _open(self, path: Path) -> None:
        try:
            digests, kept, key = _read_index(path)
            if key != self._key:
                raise ValueError("they belong to another encoder, or to another version of it")
        except (OSError, ValueError) as error:
            _refuse(path, error)
        else:
            self._register(self.add(Part(kept, path)), digests)

    def _register(self, start: int, digests: np.ndarray) -> None:
        for place, digest in enumerate(_as_bytes(digests), start):
            self._places.setdefault(digest, place)

    def add(self, part: Part) -> int:
        """Take a part in without making its items findable.

        Parameters
        ----------
        part : Part
            With n items.

        Returns
        -------
        int
            Place of its first item.
        """
        self.parts.append(part)
        self.starts.append(self.starts[-1] + len(part.kept))
        return self.starts[-2]

    def find(self, digests: np.ndarray) -> np.ndarray:
        """Look items up; every shard that holds one of them is verified first.

        Parameters
        ----------
        digests : ndarray of shape (n, 32), uint8
            Of the items.

        Returns
        -------
        ndarray of shape (n,), int64
            Their places; -1 where there is none, or none that can be believed (then with a warning).
        """
        keys = _as_bytes(digests)
        while True:
            places = np.array([self._places.get(key, -1) for key in keys], dtype=np.int64)
            touched = np.unique(np.searchsorted(self.starts, places[places >= 0], side="right") - 1)
            refused = [p for p in touched.tolist() if not self._holds(self.parts[p])]
            if not refused:
                return places
            self._forget(refused)

    @staticmethod
    def _holds(part: Part) -> bool:
        if part.width is None:
            try:
                verify(part.path)
                part.width = part.load().features.shape[1]
            except (OSError, ValueError) as error:
                _refuse(part.path, error)
        return part.width is not None

    def _forget(self, refused: list[int]) -> None:
        gone = {place for p in refused for place in range(self.starts[p], self.starts[p + 1])}
        self._places = {key: place for key, place in self._places.items() if place not in gone}

    def store(self, digests: np.ndarray, encoded: EncodedItems) -> int:
        """Write a shard; when that fails, keep the features in memory for this run, with one warning.

        Parameters
        ----------
        digests : ndarray of shape (n, 32), uint8
            Of the items.
        encoded : EncodedItems
            Features and problems of all n, by position.

        Returns
        -------
        int
            Place of the first item.
        """
        kept = kept_flags(encoded, len(digests))
        arrays = {"digests": digests, "kept": kept, "features": encoded.features}
        part = Part(kept, width=encoded.features.shape[1])
        try:
            told = {"key": self._key, "problems": encoded.problems, "index": _index_checksum(digests, kept)}
            part.path = write_sealed(self._folder, arrays, told)
        except OSError as error:  # a full disk must not cost the user the features just computed
            part.encoded = encoded
            self._warn_unstored(error)
        start = self.add(part)
        self._register(start, digests)
        return start

    def _warn_unstored(self, error: OSError) -> None:
        if not self._warned:
            text = f"The features could not be stored in {self._folder}, so they serve this run only: {error}"
            warnings.warn(text, stacklevel=5)
        self._warned = True


def kept_flags(encoded: EncodedItems, count: int) -> np.ndarray:
    """Mark the items that have features.

    Parameters
    ----------
    encoded : EncodedItems
        Of `count` items.
    count : int
        Number of items.

    Returns
    -------
    ndarray of shape (count,), bool
        True for those.
    """
    kept = np.zeros(count, dtype=bool)
    kept[encoded.kept] = True
    return kept


def check_shard(path: Path) -> str:
    """Hold a shard against its checksum and read all of it.

    Parameters
    ----------
    path : Path
        Of the shard.

    Returns
    -------
    str
        The key it was written for.

    Raises
    ------
    ValueError
        If it is damaged or does not hold what it should.
    OSError
        If it cannot be read.
    """
    verify(path)
    _read_shard(path)
    return _read_index(path)[2]


def _listed(folder: Path) -> list[Path]:
    try:
        return sealed_files(folder)
    except OSError as error:
        warnings.warn(f"The stored features are unreadable, so computed again: {error}", stacklevel=5)
        return []


def _as_bytes(digests: np.ndarray) -> list[bytes]:
    return np.ascontiguousarray(digests).view(f"V{DIGEST_BYTES}")[:, 0].tolist()


def _refuse(path: Path, error: Exception) -> None:
    """Warn, and remove the file if its bytes are damaged: they are worthless, and every later run would warn again."""
    try:
        verify(path)
    except ValueError as damage:
        error = damage
        with suppress(OSError):
            path.unlink()
    except OSError:
        pass
    warnings.warn(f"The stored features {path.name} are unreadable, so computed again: {error}", stacklevel=6)


def _index_checksum(digests: np.ndarray, kept: np.ndarray) -> str:
    """Of what is read at once: the checksum of the whole shard is taken when one of its items is wanted."""
    return hashlib.sha256(digests.tobytes() + kept.tobytes()).hexdigest()


def _read_index(path: Path) -> tuple[np.ndarray, np.ndarray, str]:
    arrays, told = peek(path, ("digests", "kept"))
    digests, kept = arrays["digests"], arrays["kept"]
    if digests.dtype != np.uint8 or digests.shape != (len(kept), DIGEST_BYTES) or kept.dtype != bool or kept.ndim != 1:
        raise ValueError("its arrays do not fit together")
    if told.get("index") != _index_checksum(digests, kept):
        raise ValueError("its list of items is damaged")
    return digests, kept, str(told.get("key"))


def _read_shard(path: Path) -> EncodedItems:
    arrays, told = peek(path, ("features", "kept"))
    features, kept = arrays["features"], np.flatnonzero(arrays["kept"])
    problems = _problems(told)
    if features.dtype != np.float32 or features.ndim != 2 or len(features) != len(kept):
        raise ValueError("its arrays do not fit together")
    if [row for row, _ in problems] != np.flatnonzero(~arrays["kept"]).tolist():
        raise ValueError("its problems are not those of the items without features")
    return EncodedItems(features, kept, problems)


def _problems(told: Told) -> tuple[tuple[int, str], ...]:
    try:
        return tuple((int(row), str(why)) for row, why in told["problems"])
    except (KeyError, TypeError) as error:
        raise ValueError("its list of problems is missing") from error
