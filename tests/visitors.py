"""A visitor without a browser: one real session over a WebSocket, and uploads over plain sockets."""

from __future__ import annotations

import http.client
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from benchmarks.visit import xsrf_token

BOUNDARY = "the-boundary"


def framed(body: bytes, name: str = "file.bin") -> bytes:
    """A form with one file."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'
    return head.encode() + body + f"\r\n--{BOUNDARY}--\r\n".encode()


class Visitor:
    """Somebody with a session.

    Parameters
    ----------
    address : str
    token : str
        Against forged requests; cookie and header.
    session : str
    """

    def __init__(self, address: str, token: str, session: str) -> None:
        self.address, self.token, self.session = address, token, session

    def headers(self) -> dict[str, str]:
        return {
            "Cookie": f"_streamlit_xsrf={self.token}",
            "X-Xsrftoken": self.token,
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        }

    def begin(self, headers: dict, method: str = "PUT", file_id: str | None = None) -> http.client.HTTPConnection:
        """Open a connection and send the head of an upload."""
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=60)
        path = f"/_stcore/upload_file/{self.session}/{file_id or uuid.uuid4()}"
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        return connection

    def send(self, body: bytes, method: str = "PUT", file_id: str | None = None, **changed: str | None) -> int:
        """Upload in one go; return the status. ``changed`` headers replace, or with None leave out, the usual ones."""
        headers = self.headers() | {"Content-Length": str(len(body))}
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        connection = self.begin({k: v for k, v in headers.items() if v is not None}, method, file_id)
        connection.send(body)
        return connection.getresponse().status


@contextmanager
def visitor(address: str) -> Iterator[Visitor]:
    """A visitor with the first page open, until the block ends."""
    token = xsrf_token(address)
    with connect(
        f"{address.replace('http', 'ws')}/_stcore/stream", origin=address, max_size=None,
        additional_headers={"Cookie": f"_streamlit_xsrf={token}"}, subprotocols=["streamlit", token],
    ) as socket:  # fmt: skip
        asked = BackMsg()
        asked.rerun_script.SetInParent()
        socket.send(asked.SerializeToString())
        while True:
            message = ForwardMsg.FromString(socket.recv(60))
            if message.WhichOneof("type") == "new_session":
                yield Visitor(address, token, message.new_session.initialize.session_id)
                return
