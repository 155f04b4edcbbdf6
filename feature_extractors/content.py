"""What items hold, as digests: the part of the cache's key that stands for an item."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feature_extractors.contracts import Kind
from feature_extractors.sealed import read_sealed, sealed_files, sweep, write_sealed

__all__ = ["DIGEST_BYTES", "Content", "FileMemory"]

DIGEST_BYTES = 32
_STAMP = 6
# A file may change twice within one tick of its clock, the second time unseen. The coarsest clock, FAT's, ticks every
# two seconds: to what was younger than this when it was read, its times say nothing.
_SETTLED_NS = 3_000_000_000


class FileMemory:
    """Digests of files read earlier, so that photographs are not read again only to find their features.

    A file is believed to be the same when its path, device, inode, size and both its times (of the last change of
    the content, and of anything about it) are the same to the nanosecond. No program can set the second time, so
    a file changed in place with the first time and the size put back is noticed as well. To be fooled, it takes the
    same size and a computer whose clock was set back, or a network drive that makes these times up. On Windows the
    second time is something else: there every file is read every time.

    Parameters
    ----------
    folder : Path
        Made when something is remembered.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def recall(self, stamps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Look files up.

        Parameters
        ----------
        stamps : ndarray of shape (n, 6), int64
            Of the files as they are now.

        Returns
        -------
        digests : ndarray of shape (n, 32), uint8
            Zeros where not found.
        found : ndarray of shape (n,), bool
            Where there is one.
        """
        sweep(self.folder)
        digests, found = np.zeros((len(stamps), DIGEST_BYTES), np.uint8), np.zeros(len(stamps), bool)
        keys = _keys(stamps)
        known, known_digests = self._among(np.sort(keys))
        if len(known):
            order = np.argsort(known, kind="stable")
            known, known_digests = known[order], known_digests[order]
            at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
            found = known[at] == keys
            digests[found] = known_digests[at[found]]
        return digests, found

    def _among(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Entries whose key is wanted: memory for what is asked, not for everything ever read."""
        keys, digests = [np.empty(0, wanted.dtype)], [np.empty((0, DIGEST_BYTES), np.uint8)]
        for path in self._files() if len(wanted) else []:
            try:
                arrays, _ = read_sealed(path, ("stamps", "digests"))
            except (OSError, ValueError):  # then the files are read again, which is all that is lost
                continue
            theirs = _keys(arrays["stamps"])
            same = wanted[np.minimum(np.searchsorted(wanted, theirs), len(wanted) - 1)] == theirs
            keys.append(theirs[same])
            digests.append(arrays["digests"][same])
        return np.concatenate(keys), np.concatenate(digests)

    def _files(self) -> list[Path]:
        try:
            return sealed_files(self.folder) if os.name != "nt" else []
        except OSError:
            return []

    def remember(self, stamps: np.ndarray, digests: np.ndarray) -> None:
        """Keep digests; without a warning when that fails, because the files can be read again.

        Parameters
        ----------
        stamps : ndarray of shape (n, 6), int64
            Taken before the files were read.
        digests : ndarray of shape (n, 32), uint8
            Of what was read.
        """
        if len(stamps) == 0 or os.name == "nt":
            return
        try:
            write_sealed(self.folder, {"stamps": stamps, "digests": digests}, {})
        except OSError:
            return


def _keys(stamps: np.ndarray) -> np.ndarray:
    """Rows as texts of fixed length, which numpy sorts and compares as a whole."""
    return np.ascontiguousarray(stamps, dtype=np.int64).view(f"S{8 * _STAMP}")[:, 0]


def _stamp(item: Any) -> tuple[int, ...] | None:
    """Everything that tells a file from others and from itself after a change, short of reading it."""
    if not isinstance(item, (str, Path)):
        return None
    try:
        told = os.stat(item)  # noqa: PTH116  (a million times: no Path object each)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(told.st_mode):
        return None
    name = int.from_bytes(hashlib.blake2b(os.fsencode(item), digest_size=8).digest(), "little", signed=True)
    return name, _signed(told.st_dev), _signed(told.st_ino), told.st_size, told.st_mtime_ns, told.st_ctime_ns


def _signed(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63


class Content:
    """Digests of the items of one list, taken when they are asked for.

    Texts and files that were read before are known at once; other files are read by `read`, so that the first
    picture is encoded before the last one is read.

    Parameters
    ----------
    items : sequence
        As the encoder gets them.
    kind : {"picture", "text", "sound", "video"}
        Of a picture, a sound and a video the bytes of the file count; its name does not.
    memory : FileMemory
        Of files read earlier.

    Attributes
    ----------
    digests : ndarray of shape (n, 32), uint8
        Zeros where not known.
    known : ndarray of shape (n,), bool
        Where the digest is known. An item without content (no text, a file that is not there) never is.
    """

    def __init__(self, items: Sequence[Any], kind: Kind, memory: FileMemory):
        self._items, self._memory = items, memory
        if kind == "text":
            self._stamps = None
            self.digests, self.known = _text_digests(items)
        else:
            self._stamps, self._there = _stamps(items)
            self.digests, self.known = memory.recall(self._stamps)
            self._young = np.zeros(len(items), bool)

    def read(self, positions: np.ndarray) -> None:
        """Read the files among these whose digests are not known.

        Parameters
        ----------
        positions : ndarray of shape (m,), int64
            Of the items.
        """
        if self._stamps is None:
            return
        new = positions[self._there[positions] & ~self.known[positions]]
        begun = time.time_ns()
        for i in new.tolist():
            self._read_file(i)
        self._young[new] = self._stamps[new, -2:].max(axis=1, initial=0) > begun - _SETTLED_NS
        settled = new[self.known[new] & ~self._young[new]]
        self._memory.remember(self._stamps[settled], self.digests[settled])

    def _read_file(self, i: int) -> None:
        digest = _file_digest(self._items[i])
        if digest is not None and self._stamp_holds(i):
            self.digests[i], self.known[i] = np.frombuffer(digest, np.uint8), True

    def changed(self, positions: np.ndarray) -> np.ndarray:
        """Find files that have changed since their digests were taken, and forget their digests for good.

        Parameters
        ----------
        positions : ndarray of shape (m,), int64
            Of the items.

        Returns
        -------
        ndarray of shape (m_changed,), int64
            Positions of those that have.
        """
        if self._stamps is None:
            return positions[:0]
        gone = [i for i in positions.tolist() if self.known[i] and not self._is_as_read(i)]
        self.known[gone] = self._there[gone] = False
        return np.array(gone, dtype=np.int64)

    def _is_as_read(self, i: int) -> bool:
        if not self._stamp_holds(i):
            return False
        return not self._young[i] or _file_digest(self._items[i]) == self.digests[i].tobytes()

    def _stamp_holds(self, i: int) -> bool:
        return _stamp(self._items[i]) == tuple(self._stamps[i].tolist())


def _file_digest(item: str | Path) -> bytes | None:
    try:
        with Path(item).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").digest()
    except OSError:
        return None


def _text_digests(items: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    known = np.array([isinstance(item, str) for item in items], dtype=bool)
    digests = np.zeros((len(items), DIGEST_BYTES), np.uint8)
    for i in np.flatnonzero(known).tolist():
        digest = hashlib.sha256(items[i].encode("utf-8", "surrogatepass")).digest()
        digests[i] = np.frombuffer(digest, np.uint8)
    return digests, known


def _stamps(items: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    stamps, there = np.zeros((len(items), _STAMP), np.int64), np.zeros(len(items), bool)
    for i, item in enumerate(items):
        told = _stamp(item)
        if told is not None:
            stamps[i], there[i] = told, True
    return stamps, there
