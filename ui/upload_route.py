"""The route that receives uploads: checked before the first byte, counted while streaming, on disk all the time."""

from __future__ import annotations

import errno
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from streamlit.runtime import Runtime
from streamlit.web.server.server_util import is_xsrf_enabled
from streamlit.web.server.starlette.starlette_app_utils import validate_xsrf_token
from streamlit.web.server.starlette.starlette_server_config import XSRF_COOKIE_NAME

from ui.disk_uploads import SESSION_FILES, DiskUploads, QuotaError
from ui.people import request_is_signed_in, sign_in_required

__all__ = ["UploadRoute"]

FRAMING = 64 * 1024  # what a body may hold besides the file
FILE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class UploadRoute:
    """Answers PUT of one file, in place of Streamlit's own route, which collects the file in memory."""

    def __init__(self, runtime: Runtime, uploads: DiskUploads) -> None:
        self._runtime = runtime
        self._uploads = uploads

    async def put(self, request: Request) -> Response:
        """Store the file of a request; leave nothing behind when it does not arrive whole."""
        session_id, file_id = request.path_params["session_id"], request.path_params["file_id"]
        self._check(request, session_id, file_id)
        part, body = self._uploads.begin(session_id, file_id), _Body(request, self._uploads, session_id)
        try:
            with _told_to_the_client():
                name, kind = await _store(request, body, part)
                self._uploads.complete(session_id, file_id, name, kind, part)
        except BaseException:
            self._uploads.give_up(session_id, part, body.counted)
            raise
        return Response(status_code=204)

    def _check(self, request: Request, session_id: str, file_id: str) -> None:
        token, cookie = request.headers.get("X-Xsrftoken"), request.cookies.get(XSRF_COOKIE_NAME)
        if is_xsrf_enabled() and not validate_xsrf_token(token, cookie):
            raise HTTPException(403, "XSRF token missing or invalid")
        if sign_in_required() and not request_is_signed_in(request):
            raise HTTPException(403, "Sign in first")
        if not self._runtime.is_active_session(session_id):
            raise HTTPException(400, "No such session; reload the page")
        if not FILE_ID.fullmatch(file_id):
            raise HTTPException(400, "Not a file identifier")


class _Body:
    """The body of a request, counted as it arrives against the largest file and the share of the session."""

    def __init__(self, request: Request, uploads: DiskUploads, session_id: str) -> None:
        self._request, self._uploads, self._session_id = request, uploads, session_id
        self.most = st.get_option("server.maxUploadSize") * 2**20
        self.counted = 0
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self.most + FRAMING:
            raise HTTPException(413, "File too large")

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._request.stream():
            self._uploads.count(self._session_id, len(chunk), self.most * SESSION_FILES)
            self.counted += len(chunk)
            if self.counted > self.most + FRAMING:
                raise QuotaError
            yield chunk


class _DiskParser(MultiPartParser):
    """Starlette's parser with the file of the form in the place that we name, not in a temporary folder."""

    def __init__(self, request: Request, body: _Body, part: Path) -> None:
        super().__init__(request.headers, body.chunks(), max_files=1, max_fields=8)
        self._part = part

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        if self._current_part.file is not None:
            self._current_part.file.file.close()
            self._current_part.file.file = self._part.open("xb+")
            self._files_to_close_on_error.append(self._current_part.file.file)


async def _store(request: Request, body: _Body, part: Path) -> tuple[str, str]:
    """Write the form's one file and return its name and type."""
    form = await _DiskParser(request, body, part).parse()
    await form.close()
    files = [value for value in form.values() if isinstance(value, UploadFile)]
    if len(files) != 1:
        raise HTTPException(400, f"Expected 1 file, but got {len(files)}")
    if files[0].size > body.most:
        raise QuotaError
    return files[0].filename or "", files[0].content_type or "application/octet-stream"


@contextmanager
def _told_to_the_client() -> Iterator[None]:
    """Turn what can go wrong while a file arrives into an answer with its status."""
    try:
        yield
    except QuotaError:
        raise HTTPException(413, "File too large, or too many files; remove some that are uploaded already") from None
    except (MultiPartException, KeyError):
        raise HTTPException(400, "Not a form with a file") from None
    except (ClientDisconnect, FileNotFoundError):  # nobody is listening, or the session ended and took its folder along
        raise HTTPException(400, "Interrupted") from None
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise HTTPException(507, "The server's disk is full") from None
