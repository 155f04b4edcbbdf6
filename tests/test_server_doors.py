"""Who may speak to the real server: names, sites, addresses, and what is said when it cannot start as asked."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from visitors import visitor
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from benchmarks import browser
from benchmarks.visit import xsrf_token
from ui import people

SECRETS = """
[auth]
redirect_uri = "https://curate.example.org/oauth2callback"
cookie_secret = "0123456789abcdef0123456789abcdef"
client_id = "a"
client_secret = "b"
server_metadata_url = "https://id.example.org/.well-known/openid-configuration"
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    home = tmp_path_factory.mktemp("doors")
    with browser.running_server(
        home, home / "log", "--host", "my.server.org", INTERPLAY_HOSTS="b.org,*.c.org"
    ) as served:
        yield served


def status(served, host: str, path: str = "/") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.putrequest("GET", path, skip_host=True)
    if host:
        connection.putheader("Host", host)
    connection.endheaders()
    return connection.getresponse().status


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:1", "127.0.0.1", "127.0.0.1:8501", "[::1]", "[::1]:8501", "my.server.org",
     "MY.server.org:80", "b.org", "x.c.org"],
)  # fmt: skip
def test_names_of_the_server_are_answered(served, host):
    assert status(served, host) == 200
    assert status(served, host, "/_stcore/health") == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "my.server.org.evil.example", "192.168.0.1",
     "c.org.evil", "xmy.server.org", "localhost@evil.example", "evil.example#localhost", "[::2]", "", "0.0.0.0"],
)  # fmt: skip
def test_other_names_are_refused_on_every_route(served, host):
    for path in (
        "/",
        "/_stcore/health",
        "/_stcore/host-config",
        "/_stcore/upload_file/a/b",
        "/media/x",
        "/import_data",
    ):
        assert status(served, host, path) == 400, path


def open_socket(served, host: str, origin: str | None) -> None:
    """Shake hands with a Host header of our own, and close again."""
    token = xsrf_token(served.address)
    headers = {"Cookie": f"_streamlit_xsrf={token}"}
    address = f"ws://{host}/_stcore/stream"
    plain = socket.create_connection(("127.0.0.1", served.port), timeout=60)
    with connect(address, origin=origin, sock=plain, additional_headers=headers, subprotocols=["streamlit", token]):
        pass


def test_the_websocket_opens_for_its_own_pages(served):
    here = f"127.0.0.1:{served.port}"
    open_socket(served, here, f"http://{here}")
    open_socket(served, "my.server.org", "https://my.server.org")
    open_socket(served, here, "https://my.server.org")  # a proxy that rewrites the Host header
    with visitor(served.address) as guest:
        assert guest.session


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example", "http://evil.example"),  # a name that was made to lead here
        ("localhost:{port}", "http://evil.example"),
        ("localhost:{port}", "http://localhost:1"),  # another program on this computer
        ("localhost:{port}", "http://evil.example:{port}"),
        ("localhost:{port}", "null"),
        ("localhost:{port}", "http://localhost:{port}.evil.example"),
        ("localhost:{port}", "http://[broken"),
        ("my.server.org", "https://my.server.org.evil.example"),
    ],
)
def test_the_websocket_stays_shut_for_others(served, host, origin):
    with pytest.raises(InvalidStatus) as refused:
        open_socket(served, host.format(port=served.port), origin.format(port=served.port))
    assert refused.value.response.status_code in (400, 403)


def listening(served) -> set[str]:
    """Addresses on which somebody listens on the server's port, as the kernel writes them."""
    table = Path(f"/proc/{served.process.pid}/net/tcp").read_text().splitlines()[1:]
    local = [line.split()[1].split(":") for line in table if line.split()[3] == "0A"]
    return {address for address, port in local if int(port, 16) == served.port}


def test_the_server_listens_on_this_computer_only(served):
    assert listening(served) == {"0100007F"}  # 127.0.0.1


def test_told_to_it_listens_everywhere_and_warns_once(tmp_path):
    log = tmp_path / "log"
    with browser.running_server(tmp_path, log, "--address", "0.0.0.0") as served:
        assert listening(served) == {"00000000"}
        assert status(served, f"192.168.0.1:{served.port}") == 400
    said = log.read_text()
    assert said.count("WARNING: everybody who reaches this computer may use this server") == 1
    assert "give the names that others use with --host NAME" in said


def test_with_sign_in_there_is_no_warning_and_the_name_is_known(tmp_path):
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(SECRETS)
    variables = {"STREAMLIT_SECRETS_FILES": str(secrets)}
    with browser.running_server(tmp_path, tmp_path / "log", "--address", "0.0.0.0", **variables) as served:
        assert status(served, "curate.example.org") == 200
        assert status(served, "evil.example") == 400
    assert "WARNING" not in (tmp_path / "log").read_text()


def start(*options: str, **variables: str) -> tuple[int, str]:
    """Start a server that cannot start; return its exit code and what it said."""
    command = [sys.executable, "-m", "ui.serve", "--port", str(browser.free_port()), *options]
    environment = {**os.environ, "STREAMLIT_SERVER_HEADLESS": "true", **variables}
    done = subprocess.run(command, cwd=browser.ROOT, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--roots", "/no/such/folder"), "/no/such/folder is not a folder; give folders that exist"),
        (("--host", "http://my.server.org"), "is not a host name; give it without http://"),
        (("--host", "a*b"), "is not a host name"),
        (("--address", "203.0.113.7"), "Cannot listen on 203.0.113.7"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(options, said):
    code, told = start(*options)
    assert code == 2
    assert said in told
    assert "Traceback" not in told and len(told.strip().splitlines()) == 1


def test_a_busy_port_is_said(served):
    code, told = start("--port", str(served.port))
    assert (code, f"Port {served.port} is busy" in told) == (2, True)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("[auth", "cannot be read"),
        ("auth = 1", "auth must be a section"),
        (SECRETS.replace("client_secret", "x"), r"[auth] lacks client_secret"),
        (SECRETS.replace("0123456789abcdef", "0"), "cookie_secret in [auth] needs 32 random characters"),
        (SECRETS.replace("oauth2callback", "elsewhere"), "redirect_uri in [auth] must be"),
        (SECRETS + "[auth.other]\nclient_id='a'\nclient_secret='b'\n", "[auth.other] lacks server_metadata_url"),
    ],
)
def test_sign_in_that_is_not_whole_lets_no_server_start(tmp_path, broken, said):
    """Streamlit would go on without sign-in, and everybody would be let in."""
    secrets = tmp_path / "secrets.toml"
    secrets.write_text(broken)
    with pytest.raises(people.DataError) as error:
        people.check_sign_in([str(secrets)])
    assert said in str(error.value)
    if broken == "[auth":
        code, told = start(STREAMLIT_SECRETS_FILES=str(secrets))
        assert (code, said in told, "Traceback" in told) == (2, True, False)


def test_without_a_secrets_file_there_is_no_sign_in(tmp_path):
    assert people.check_sign_in([str(tmp_path / "none.toml")]) is None
    (tmp_path / "other.toml").write_text("[database]\nurl = 'x'\n")
    assert people.check_sign_in([str(tmp_path / "other.toml")]) is None


def gate() -> None:
    import streamlit as st

    from ui import people

    people.sign_in_gate()
    st.write(f"inside: {people.person()}")


def said_inside(monkeypatch, secrets: dict, user: dict) -> list[str]:
    app = AppTest.from_function(gate)
    for name, value in secrets.items():
        app.secrets[name] = value
    monkeypatch.setattr("streamlit.user_info._get_user_info", lambda: user)
    app.run()
    assert not app.exception
    return [m.value for m in app.markdown] + [b.label for b in app.button]


def test_without_sign_in_everybody_is_inside_and_nobody_in_particular(monkeypatch):
    assert said_inside(monkeypatch, {}, {}) == ["inside: None"]


def test_each_provider_has_its_button(monkeypatch):
    section = {"client_id": "x", "client_secret": "y", "server_metadata_url": "z"}
    said = said_inside(monkeypatch, {"auth": {"one": section, "two": section}}, {"is_logged_in": False})
    assert said[1:] == ["Sign in with one", "Sign in with two"]


def test_a_person_is_known_by_issuer_and_subject(monkeypatch):
    user = {"is_logged_in": True, "iss": "https://id.example.org", "sub": "42", "name": "A *b*", "email": "a@b.c"}
    said = said_inside(monkeypatch, {"auth": {"client_id": "x"}}, user)
    assert said == ["inside: https://id.example.org#42", "Sign out"]
    again = user | {"name": "Married", "email": "new@b.c"}
    assert said_inside(monkeypatch, {"auth": {"client_id": "x"}}, again) == said
