"""Who is signed in: Streamlit's own OpenID Connect sign-in, asked in one place, and drawn in one place."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.requests import Request
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from curation.errors import DataError
from ui.text import plain

__all__ = [
    "check_sign_in", "person", "person_line", "request_is_signed_in", "require_sign_in", "sign_in_configured",
    "sign_in_gate", "sign_in_required",
]  # fmt: skip

CALLBACK = "/oauth2callback"
PROVIDER_KEYS = ("client_id", "client_secret", "server_metadata_url")
SECRET_LENGTH = 32

_required = False


def require_sign_in() -> None:
    """Let nobody in who is not signed in, for as long as this server runs.

    Streamlit reads its secrets again when the file changes. A file that is broken or gone then must not open the door.
    """
    global _required
    _required = True


def sign_in_required() -> bool:
    """Return whether this server was started with sign-in."""
    return _required


def sign_in_configured() -> bool:
    """Return whether people sign in here."""
    return _required or "is_logged_in" in st.user


def person() -> str | None:
    """Return who is signed in, by a key that stays the same: issuer and subject. None without sign-in.

    Names and addresses change and may be given to somebody else later; the pair of issuer and subject never is.
    An issuer holds no ``#``, so two people never share a key.
    """
    if not sign_in_configured() or not st.user.get("is_logged_in"):
        return None
    return f"{st.user['iss']}#{st.user['sub']}"


def sign_in_gate() -> None:
    """Show nothing but the way to sign in to somebody who has not, and their name to somebody who has."""
    if not sign_in_configured():
        return
    if person() is None:
        _sign_in_page()
        st.stop()
    person_line()


def person_line() -> None:
    """Say who is signed in, with the way out."""
    shown = next(filter(None, map(st.user.get, ("name", "preferred_username", "email", "sub"))))
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", key="person"):
        st.caption(f":material/person: {plain(shown)}", width="content")
        st.button("Sign out", on_click=st.logout, type="tertiary", key="sign_out")


def _sign_in_page() -> None:
    st.title("Interplay", anchor=False)
    st.markdown("This server knows its people. Sign in to go on.")
    for name in _providers(st.secrets.get("auth", {})) or [None]:
        label = f"Sign in with {name}" if name else "Sign in"
        st.button(label, on_click=st.login, args=(name,), type="primary", icon=":material/login:", key=f"login_{name}")


def _providers(auth: Mapping) -> list[str]:
    """Return the names of the providers that have a section of their own."""
    return [name for name, section in auth.items() if isinstance(section, Mapping) and "client_id" in section]


def request_is_signed_in(request: Request) -> bool:
    """Return whether a request carries the cookie that Streamlit signs when somebody has signed in."""
    return _get_signed_cookie_with_chunks(dict(request.cookies), USER_COOKIE_NAME) is not None


def check_sign_in(files: list[str]) -> str | None:
    """Return the host name of this server in the sign-in configuration, or None when there is none.

    Parameters
    ----------
    files : list of str
        Where ``secrets.toml`` may be.

    Raises
    ------
    DataError
        When a file cannot be read or lacks something: better no server than one that lets everybody in.
    """
    host = None
    for path in filter(Path.is_file, map(Path, files)):
        auth = _read(path).get("auth")
        if auth is not None:
            host = _checked(auth, path)
    return host


def _read(path: Path) -> dict:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}); mend it or move it away.") from None


def _checked(auth: object, path: Path) -> str:
    if not isinstance(auth, Mapping):
        raise DataError(f"{path}: auth must be a section, [auth]; see docs/server.md.")
    for name in _providers(auth) or [None]:
        missing = [key for key in PROVIDER_KEYS if not (auth[name] if name else auth).get(key)]
        if missing:
            section = f"auth.{name}" if name else "auth"
            raise DataError(f"{path}: [{section}] lacks {', '.join(missing)}; see docs/server.md.")
    if len(str(auth.get("cookie_secret", ""))) < SECRET_LENGTH:
        raise DataError(f"{path}: cookie_secret in [auth] needs {SECRET_LENGTH} random characters or more.")
    address = urlsplit(str(auth.get("redirect_uri", "")))
    if not address.hostname or not address.path.endswith(CALLBACK):
        raise DataError(f"{path}: redirect_uri in [auth] must be the address of this server followed by {CALLBACK}.")
    return address.hostname
