"""A browser tab without a browser: Streamlit's own protocol over a real WebSocket, media and uploads over HTTP."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

__all__ = ["Visit", "xsrf_token"]

PATIENCE = 180  # seconds to wait for an answer
BOUNDARY = "the-boundary"
VALUES = {
    "selectbox": "string_value", "radio": "string_value", "text_input": "string_value", "checkbox": "bool_value",
    "number_input": "double_value", "plotly_chart": "string_value", "dataframe": "string_value",
}  # fmt: skip
LISTS = {"slider": "double_array_value", "multiselect": "string_array_value", "button_group": "string_array_value"}
EARLY = ForwardMsg.FINISHED_EARLY_FOR_RERUN
BROKEN = ForwardMsg.FINISHED_WITH_COMPILE_ERROR


def xsrf_token(address: str) -> str:
    """Return the token that the server gives to every visitor."""
    cookies = urlopen(f"{address}/_stcore/health").headers.get_all("Set-Cookie")
    return next(c for c in cookies if c.startswith("_streamlit_xsrf=")).split("=", 1)[1].split(";")[0].strip('"')


class Visit:
    """One tab: it holds what is on the page, and sends what a click or a choice would send.

    Parameters
    ----------
    address : str
    cookies : mapping of str to str
        Besides the one against forged requests.
    hear : callable
        Gets every byte that arrives: frames of the WebSocket, bodies of HTTP answers.
    """

    def __init__(self, address: str, cookies: Mapping[str, str], hear: Callable[[bytes], None]) -> None:
        self.address, self.hear = address, hear
        self.cookies, self.token = dict(cookies), ""
        self.query, self.page, self.session = "", "", ""
        self.pages: dict[str, str] = {}
        self.elements: dict[tuple[int, ...], Element] = {}
        self.errors: list[str] = []
        self.times: list[float] = []
        self.again: dict[str, float] = {}
        self._states: dict[str, WidgetState] = {}
        self._socket = None

    def open(self, page: str = "", query: str | None = None) -> None:
        """Load the page at an address, as a click on a link or a reload does: a new session."""
        self.close()
        self.query = self.query if query is None else query
        self._states.clear()
        self.token = self.token or xsrf_token(self.address)
        self._socket = connect(
            f"{self.address.replace('http', 'ws')}/_stcore/stream", origin=self.address, max_size=None,
            open_timeout=PATIENCE, ping_interval=None, additional_headers={"Cookie": self.cookie},
            subprotocols=["streamlit", self.token],
        )  # fmt: skip
        self._run("", page)

    @property
    def cookie(self) -> str:
        """The header that the browser would send."""
        return "; ".join(f"{k}={v}" for k, v in {"_streamlit_xsrf": self.token, **self.cookies}.items())

    def close(self) -> None:
        """Close the tab."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def go(self, page: str) -> None:
        """Follow a link of the navigation; widgets of the page that is left are forgotten, as in the browser."""
        self._states.clear()
        self._run(self.pages[page])

    def choose(self, kind: str, label: str, value: object) -> None:
        """Give a widget a value."""
        self.give(kind, self.find(kind, label).id, value)

    def give(self, kind: str, identifier: str, value: object) -> None:
        """Give the widget with an identifier a value."""
        state = WidgetState(id=identifier)
        if kind in LISTS:
            getattr(state, LISTS[kind]).data.extend(value)
        else:
            setattr(state, VALUES[kind], value)
        self._states[state.id] = state
        self._run(self.page)

    def click(self, label: str) -> None:
        """Press a button."""
        self.press(self.find("button", label).id)

    def press(self, identifier: str) -> None:
        """Press the button with an identifier."""
        self._run(self.page, trigger=WidgetState(id=identifier, trigger_value=True))

    def upload(self, name: str, content: bytes) -> None:
        """Hand a file to the first uploader of the page."""
        asked = BackMsg()
        asked.file_urls_request.request_id, asked.file_urls_request.session_id = uuid.uuid4().hex, self.session
        asked.file_urls_request.file_names.append(name)
        (place,) = self._ask(asked, "file_urls_response").file_urls
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        sent = {"X-Xsrftoken": self.token, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        self.fetch(place.upload_url, body, sent)
        state = WidgetState(id=self.find("file_uploader").id)
        state.file_uploader_state_value.uploaded_file_info.add(
            file_id=place.file_id, name=name, size=len(content), file_urls=place
        )
        self._states[state.id] = state
        self._run(self.page)

    def download(self) -> bytes:
        """Press the download button and return the file."""
        return self.fetch(self.download_url())

    def download_url(self) -> str:
        """Press the download button and return where the file is."""
        asked = BackMsg()
        asked.backend_operation_request.request_id = uuid.uuid4().hex
        asked.backend_operation_request.session_id = self.session
        asked.backend_operation_request.deferred_file.file_id = self.find("download_button").deferred_file_id
        answer = self._ask(asked, "backend_operation_response")
        if answer.error_msg:
            raise OSError(answer.error_msg)
        return answer.deferred_file.url

    def fetch(self, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> bytes:
        """Return what an address of the server answers; raise OSError for anything but success."""
        sent = {"Cookie": self.cookie, **(headers or {})}
        method = "GET" if body is None else "PUT"
        try:
            with urlopen(Request(self.address + quote(url), body, sent, method=method), timeout=PATIENCE) as answer:
                content = answer.read()
        except HTTPError as error:
            raise OSError(f"{url} answers {error.code}") from None
        self.hear(content)
        return content

    def find(self, kind: str, label: str = "") -> object:
        """Return the first element of a kind whose label or description begins so, or whose key it is.

        Raises
        ------
        LookupError
            When there is none.
        """
        for element in self.elements.values():
            found = getattr(element, kind) if element.WhichOneof("type") == kind else None
            if found is not None and _is_called(found, label):
                return found
        raise LookupError(f"no {kind} '{label}' on the page {self.page_name}: {self.told()}")

    def has(self, kind: str, label: str = "") -> bool:
        """Return whether there is such an element."""
        with suppress(LookupError):
            return self.find(kind, label) is not None
        return False

    def pictures(self) -> list[str]:
        """Return the addresses of all pictures on the page."""
        return [i.url for e in self.elements.values() if e.WhichOneof("type") == "imgs" for i in e.imgs.imgs]

    def told(self) -> list[str]:
        """Return the errors on the page, and what failed for good."""
        alerts = [e.alert.body for e in self.elements.values() if e.WhichOneof("type") == "alert"
                  and e.alert.format == Alert.ERROR]  # fmt: skip
        broken = [str(e.exception) for e in self.elements.values() if e.WhichOneof("type") == "exception"]
        return alerts + broken

    @property
    def page_name(self) -> str:
        """Name of the open page in addresses; empty for the first."""
        return next((name for name, page in self.pages.items() if page == self.page), "")

    def wait(self) -> None:
        """Wait as the browser does for the part of the page that asks to be run again and again, and run it."""
        fragment, interval = next(iter(self.again.items()))
        time.sleep(interval)
        self._run(self.page, fragment=fragment)

    def _run(self, page: str, name: str = "", fragment: str = "", trigger: WidgetState | None = None) -> None:
        begun = time.monotonic()
        asked = BackMsg()
        state = asked.rerun_script
        state.query_string, state.page_script_hash, state.page_name = self.query, page, name
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        state.widget_states.widgets.extend([*self._states.values(), *([trigger] if trigger else [])])
        self._socket.send(asked.SerializeToString())
        while (finished := self._receive("script_finished")) == EARLY:
            pass
        if finished == BROKEN:
            self.errors.append(f"the script of {self.page_name} is broken")
        self.errors += [f"{self.page_name}: {told}" for told in self.told()]
        self.times.append(time.monotonic() - begun)

    def _ask(self, asked: BackMsg, answer: str) -> object:
        self._socket.send(asked.SerializeToString())
        return self._receive(answer)

    def _receive(self, awaited: str) -> object:
        """Take in messages until one of the kind has come."""
        while True:
            try:
                frame = self._socket.recv(PATIENCE)
            except ConnectionClosed as error:
                raise OSError(f"the server closed the connection: {error}") from None
            self.hear(frame)
            message = ForwardMsg.FromString(frame)
            kind = message.WhichOneof("type")
            self._take_in(message, kind)
            if kind == awaited:
                return getattr(message, kind)

    def _take_in(self, message: ForwardMsg, kind: str) -> None:
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._place(tuple(message.metadata.delta_path), message.delta.new_element)
        elif kind == "new_session" and not message.metadata.run.fragment_ids:
            self.session = message.new_session.initialize.session_id
            self.elements, self.again = {}, {}
        elif kind == "navigation":
            self.page = message.navigation.page_script_hash
            self.pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.again[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "page_not_found":
            self.errors.append("page not found")

    def _place(self, path: tuple[int, ...], element: Element) -> None:
        self.elements[path] = element
        widget = getattr(element, element.WhichOneof("type") or "", None)
        if getattr(widget, "set_value", False):
            self._states.pop(widget.id, None)  # the script has changed it: the server's value counts


def _is_called(element: object, name: str) -> bool:
    told = [getattr(element, field, "") for field in ("label", "alt")]
    return any(text.startswith(name) for text in told) or getattr(element, "id", "").endswith(f"-{name}")
