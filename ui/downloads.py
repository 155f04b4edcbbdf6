"""Downloads that stay until the browser has come for them, and are on disk where they are large."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from curation.export import Made
from curation.workspace.files import PART
from curation.workspace.folder import ABANDONED

__all__ = ["GRACE", "Drawer", "LastingDownloads", "OnDisk"]

GRACE = 60.0  # seconds that a file is there after it was made


class LastingDownloads(MemoryMediaFileStorage):
    """Streamlit's storage of pictures and downloads, with downloads kept for a while.

    A download is made when its button is pressed, and no session counts as its user. Streamlit removes it when any two
    scripts of the server have ended since: with several people that is often before the browser asks for it.

    Parameters
    ----------
    media_endpoint : str
        Route that serves the files.
    """

    def __init__(self, media_endpoint: str) -> None:
        super().__init__(media_endpoint)
        self._until: dict[str, float] = {}

    def load_and_get_id(
        self, path_or_data: str | bytes, mimetype: str, kind: MediaFileKind, filename: str | None = None
    ) -> str:
        """Keep a file and return its identifier."""
        file_id = super().load_and_get_id(path_or_data, mimetype, kind, filename)
        if kind is MediaFileKind.DOWNLOADABLE:
            self._until[file_id] = time.monotonic() + GRACE
        return file_id

    def delete_file(self, file_id: str) -> None:
        """Remove a file now, or a download once its time is over."""
        until = self._until.get(file_id)
        if until is None:
            super().delete_file(file_id)
            return
        late = threading.Timer(max(0.0, until - time.monotonic()), self._end, (file_id, until))
        late.daemon = True
        late.start()

    def _end(self, file_id: str, until: float) -> None:
        if self._until.get(file_id) == until:  # else it was made again, and will be removed again
            del self._until[file_id]
            super().delete_file(file_id)


class OnDisk(bytes):
    """Stands where Streamlit expects the bytes of a download; the route in :mod:`ui.download_route` sends the file.

    What it holds as bytes tells the file apart from others: Streamlit makes the address of them.

    Attributes
    ----------
    path : pathlib.Path
    """

    path: Path

    def __new__(cls, path: Path) -> OnDisk:
        """Tell where a file is that is there."""
        told = path.stat()
        self = super().__new__(cls, f"{path}\n{told.st_mtime_ns}\n{told.st_size}".encode())
        self.path = path
        return self


class Drawer:
    """The file that a session has made last, on the server's disk until the session ends.

    Parameters
    ----------
    parent : pathlib.Path
        Folder for the files of all sessions. What a server that was killed left there goes after a day.
    """

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._lock = threading.Lock()
        self._key, self._made, self._folder = "", None, None

    def made(self, key: str) -> Made | None:
        """Return what was made last, if it is what the key asks for and still there."""
        return self._made if self._key == key and self._made.path.exists() else None

    def get(self, key: str, name: str, make: Callable[[Path], Made]) -> Made:
        """Return what the key asks for, made now if need be; it takes the place of what was made before.

        Parameters
        ----------
        key : str
            Names everything the file depends on.
        name : str
            Of the file.
        make : callable
            Writes to the path it is given.
        """
        with self._lock:
            found = self.made(key)
            if found is None:
                self._key, self._made = "", None
                self._folder = _new_folder(self._parent)  # the one before goes with its last reference
                self._made, self._key = make(Path(self._folder.name) / name), key
            return self._made


def _new_folder(parent: Path) -> tempfile.TemporaryDirectory:
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"{PART}*"):
        if time.time() - left.stat().st_mtime > ABANDONED:
            shutil.rmtree(left, ignore_errors=True)
    return tempfile.TemporaryDirectory(dir=parent, prefix=PART, ignore_cleanup_errors=True)
