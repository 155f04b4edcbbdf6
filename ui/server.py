"""The server around ``app.py``: Streamlit's own, with uploads on disk and strangers kept out."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose
from streamlit.runtime import Runtime
from streamlit.web.server import server as streamlit_server
from streamlit.web.server.starlette import starlette_server

from ui.disk_uploads import DiskUploads, show_disk_files
from ui.download_route import DownloadRoute
from ui.downloads import LastingDownloads
from ui.upload_route import UploadRoute

__all__ = ["LOCAL", "OwnPagesOnly", "guarded", "wire"]

LOCAL = ("localhost", "127.0.0.1", "[::1]")
PATIENCE = 5  # seconds that a stopping server gives to uploads under way
MEDIA_PATH = f"{streamlit_server.MEDIA_ENDPOINT}/{{file_id:path}}"
UPLOAD_PATH = f"{streamlit_server.UPLOAD_FILE_ENDPOINT}/{{session_id}}/{{file_id}}"


def wire(uploads_folder: Path, hosts: Callable[[], Sequence[str]]) -> None:
    """Make the server that Streamlit starts next in this process ours.

    Parameters
    ----------
    uploads_folder : pathlib.Path
        Where uploads of running sessions are kept.
    hosts : callable
        Returns the names under which this server may be addressed; asked when Streamlit knows its settings.
    """
    show_disk_files()
    usual_app, usual_settings = starlette_server.create_starlette_app, starlette_server._get_uvicorn_config_kwargs
    streamlit_server.MemoryUploadedFileManager = partial(_disk_uploads, uploads_folder)
    streamlit_server.MemoryMediaFileStorage = LastingDownloads
    starlette_server.create_starlette_app = lambda runtime: guarded(usual_app(runtime), runtime, hosts())
    # Without a limit, one upload that hangs keeps a server that was told to stop from stopping.
    starlette_server._get_uvicorn_config_kwargs = lambda: usual_settings() | {"timeout_graceful_shutdown": PATIENCE}


def _disk_uploads(folder: Path, endpoint: str) -> DiskUploads:
    uploads = DiskUploads(endpoint, folder)
    atexit.register(uploads.close)
    return uploads


def guarded(app: Starlette, runtime: Runtime, hosts: Sequence[str]) -> Starlette:
    """Put our upload route into the place of Streamlit's, and the guards around everything.

    Raises
    ------
    RuntimeError
        When this Streamlit keeps or receives uploads in another way than the one this was written for.
    """
    if not isinstance(runtime.uploaded_file_mgr, DiskUploads):
        raise RuntimeError("This version of Streamlit makes its file manager elsewhere: see ui/server.py.")
    if not isinstance(runtime.media_file_mgr._storage, LastingDownloads):
        raise RuntimeError("This version of Streamlit keeps its downloads elsewhere: see ui/server.py.")
    put = UploadRoute(runtime, runtime.uploaded_file_mgr).put
    _replace(app, Route(UPLOAD_PATH, put, methods=["PUT"]), "receives uploads")
    downloads = DownloadRoute(runtime.media_file_mgr._storage)
    downloads.usual = _replace(app, Route(MEDIA_PATH, downloads.get, methods=["GET", "HEAD"]), "sends media").endpoint
    app.add_middleware(OwnPagesOnly, names=[host for host in hosts if host not in LOCAL])
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOCAL, *hosts], www_redirect=False)
    return app


def _replace(app: Starlette, mine: Route, does: str) -> Route:
    """Put our route into the place of Streamlit's of the same path and methods; return Streamlit's."""
    places = [i for i, route in enumerate(app.routes) if isinstance(route, Route) and _same(route, mine)]
    if len(places) != 1:
        raise RuntimeError(f"This version of Streamlit {does} elsewhere: see ui/server.py.")
    usual, app.routes[places[0]] = app.routes[places[0]], mine
    return usual


def _same(route: Route, mine: Route) -> bool:
    return route.path_regex == mine.path_regex and route.methods == mine.methods


class OwnPagesOnly:
    """Refuse what a page of another site asks for, connections of WebSockets included.

    A page may speak to the server it came from. Behind a proxy that rewrites the Host header the two names differ;
    the page's must then be one of the server's configured names.

    Parameters
    ----------
    app : ASGI application
    names : sequence of str
        Configured names of this server.
    """

    def __init__(self, app: ASGIApp, names: Sequence[str]) -> None:
        self.app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 to a foreign page; pass everything else on."""
        if scope["type"] in ("http", "websocket") and self._is_foreign(Headers(scope=scope)):
            refusal = PlainTextResponse("A page of another site may not use this server", 403)
            await (refusal if scope["type"] == "http" else WebSocketClose(1008))(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _is_foreign(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None:
            return False
        try:
            came_from = urlsplit(origin)
        except ValueError:
            return True
        return came_from.netloc != headers.get("host") and came_from.hostname not in self._names
