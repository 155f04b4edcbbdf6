"""Uploads kept on disk for as long as their session lives, and read from there piece by piece.

Streamlit keeps every upload in memory. Here a file manager of the same interface keeps files in a folder of the
running server; :mod:`ui.upload_route` fills it.
"""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import threading
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from streamlit.elements.widgets import file_uploader
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

__all__ = ["SESSION_FILES", "DiskFile", "DiskUploads", "QuotaError", "StoredBytes", "show_disk_files"]

SESSION_FILES = 4  # a session may hold as many bytes as this many files of the largest size allowed
LOCK = ".lock"


class QuotaError(Exception):
    """A session has uploaded more than it may."""


class StoredBytes(NamedTuple):
    """The contents of an upload: where they are and how many. Stands where Streamlit expects ``bytes``."""

    path: Path
    size: int

    def __len__(self) -> int:
        return self.size


class DiskFile(io.RawIOBase):
    """What a page gets from ``st.file_uploader``: reads from disk when asked, and holds nothing open in between.

    Thousands of these exist at once, one for every file of a drop, each time the page runs.
    """

    def __init__(self, record: UploadedFileRec, file_urls: object) -> None:
        super().__init__()
        self.file_id, self.name, self.type = record.file_id, record.name, record.type
        self.path, self.size = record.data.path, record.data.size
        self._file_urls = file_urls
        self._place = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a place, as files do."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = max(start + offset, 0)
        return self._place

    def tell(self) -> int:
        """Return the place of the next read."""
        return self._place

    def readinto(self, buffer: memoryview) -> int:
        """Fill the buffer from disk and return how many bytes were there."""
        with self.path.open("rb", buffering=0) as handle:
            handle.seek(self._place)
            count = handle.readinto(buffer)
        self._place += count
        return count

    def getvalue(self) -> bytes:
        """Return the whole file."""
        return self.path.read_bytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DiskFile) and self.file_id == other.file_id

    def __hash__(self) -> int:
        return hash(self.file_id)


def show_disk_files() -> None:
    """Let ``st.file_uploader`` hand out :class:`DiskFile`; Streamlit's own class copies the bytes into memory."""
    file_uploader.UploadedFile = DiskFile


class DiskUploads(MemoryUploadedFileManager):
    """Streamlit's file manager with the contents on disk.

    Each running server has a folder of its own and holds a lock in it. The kernel frees the lock when the server dies,
    however it dies, which is how the next one tells leftovers from the files of a neighbour.

    Parameters
    ----------
    endpoint : str
        Route that receives the files.
    parent : pathlib.Path
        Folder for the folders of all servers.
    """

    def __init__(self, endpoint: str, parent: Path) -> None:
        super().__init__(endpoint)
        parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(parent)
        self.folder = parent / uuid.uuid4().hex
        self.folder.mkdir(mode=0o700)
        self._alive = _locked(self.folder)
        self._bytes: Counter[str] = Counter()
        self._bytes_lock = threading.Lock()

    def begin(self, session_id: str, file_id: str) -> Path:
        """Return where the body of an upload is written until it is whole."""
        folder = self.folder / session_id
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / f"{file_id}.{uuid.uuid4().hex}.part"

    def count(self, session_id: str, size: int, most: int) -> None:
        """Count bytes that have arrived.

        Raises
        ------
        QuotaError
            When the session would hold more than ``most`` bytes; these are then not counted.
        """
        with self._bytes_lock:
            if self._bytes[session_id] + size > most:
                raise QuotaError
            self._bytes[session_id] += size

    def give_up(self, session_id: str, part: Path, counted: int) -> None:
        """Remove what arrived of an upload that will never be whole, or is not wanted any more."""
        part.unlink(missing_ok=True)
        with self._bytes_lock:
            left = self._bytes.pop(session_id, 0) - counted
            if left > 0:
                self._bytes[session_id] = left

    def complete(self, session_id: str, file_id: str, name: str, kind: str, part: Path) -> None:
        """Make an upload that arrived in full one of the session's files; sent again, it replaces the first."""
        self.remove_file(session_id, file_id)
        path = part.with_name(file_id)
        part.replace(path)
        contents = StoredBytes(path, path.stat().st_size)
        self.add_file(session_id, UploadedFileRec(file_id=file_id, name=name, type=kind, data=contents))

    def remove_file(self, session_id: str, file_id: str) -> None:
        """Forget one file and remove it from the disk."""
        for record in self.get_files(session_id, [file_id]):
            self.give_up(session_id, record.data.path, record.data.size)
        super().remove_file(session_id, file_id)

    def remove_session_files(self, session_id: str) -> None:
        """Forget all files of a session that has ended, half-arrived ones included."""
        super().remove_session_files(session_id)
        shutil.rmtree(self.folder / session_id, ignore_errors=True)
        with self._bytes_lock:
            self._bytes.pop(session_id, None)

    def get_stats(self, family_names: object = None) -> dict:
        """Return nothing: these files take no memory."""
        return {}

    def close(self) -> None:
        """Remove everything when the server stops."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._alive)


def _remove_leftovers(parent: Path) -> None:
    """Remove the folders of servers that no longer run."""
    for folder in parent.iterdir():
        with suppress(OSError):  # a running server holds the lock, or another one is removing the same leftovers
            lock = _locked(folder)
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _locked(folder: Path) -> int:
    """Return a handle that holds the folder's lock; raise OSError when another process holds it."""
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle
