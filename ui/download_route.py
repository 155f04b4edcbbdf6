"""The route that sends downloads: piece by piece from the disk where they lie there, else as Streamlit does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from streamlit.runtime.media_file_storage import MediaFileStorageError

from ui.downloads import LastingDownloads, OnDisk
from ui.people import request_is_signed_in, sign_in_required

__all__ = ["DownloadRoute"]


class DownloadRoute:
    """Answers GET of media, in place of Streamlit's own route, which sends what is in memory.

    Parameters
    ----------
    storage : LastingDownloads

    Attributes
    ----------
    usual : callable
        Streamlit's own answer.
    """

    usual: Callable[[Request], Awaitable[Response]]

    def __init__(self, storage: LastingDownloads) -> None:
        self._storage = storage

    async def get(self, request: Request) -> Response:
        """Send a file."""
        try:
            file = self._storage.get_file(request.path_params["file_id"])
        except MediaFileStorageError:
            raise HTTPException(404, "File not found") from None
        if not isinstance(file.content, OnDisk):
            return await self.usual(request)
        if sign_in_required() and not request_is_signed_in(request):
            raise HTTPException(403, "Sign in first")
        if not file.content.path.is_file():
            raise HTTPException(404, "This file is gone; make it again")
        return FileResponse(file.content.path, media_type=file.mimetype, filename=file.filename)
