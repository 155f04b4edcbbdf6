"""Downloads that stay until the browser has come for them."""

from __future__ import annotations

import threading
import time

from streamlit.runtime.media_file_storage import MediaFileKind
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

__all__ = ["GRACE", "LastingDownloads"]

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
