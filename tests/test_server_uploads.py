"""Uploads to the real server over real sockets: on disk, bounded, and gone when they were interrupted."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import time
import uuid
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from starlette.applications import Starlette
from streamlit.elements.widgets import file_uploader
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from visitors import framed, visitor

from benchmarks import browser
from ui import server, uploads
from ui.disk_uploads import SESSION_FILES, DiskFile, DiskUploads, StoredBytes
from ui.downloads import LastingDownloads

MB = 2**20
LARGEST = 2  # MB, as these servers are started
TWO_FILES = framed(b"a")[: -len("--the-boundary--\r\n")] + framed(b"b")
SMALL = {"STREAMLIT_SERVER_MAX_UPLOAD_SIZE": str(LARGEST), "STREAMLIT_SERVER_DISCONNECTED_SESSION_TTL": "1"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("uploads-home")


@pytest.fixture(scope="module")
def address(home):
    with browser.running_server(home, home / "server.log", **SMALL) as served:
        yield served.address


@pytest.fixture
def guest(address):
    with visitor(address) as guest:
        yield guest


def on_disk(home: Path, session: str | None = None) -> list[Path]:
    """Files of uploads, half-arrived ones included."""
    return [p for p in (home / "uploads").rglob("*") if p.is_file() and p.name != ".lock" and (session or "") in str(p)]


def soon(what) -> bool:
    """Whether it becomes so within a minute; the server answers before it has cleaned up."""
    until = time.monotonic() + 60
    while not what() and time.monotonic() < until:
        time.sleep(0.1)
    return bool(what())


def test_a_file_arrives_on_disk_unchanged(guest, home):
    body, file_id = os.urandom(MB) + b"\r\n--the-boundary-no\r\n", str(uuid.uuid4())
    assert guest.send(framed(body), file_id=file_id) == 204
    (path,) = on_disk(home, guest.session)
    assert path.name == file_id
    assert path.read_bytes() == body
    assert path.parent.parent.stat().st_mode & 0o077 == 0  # nobody else on this computer may look
    assert guest.send(framed(b"again"), file_id=file_id) == 204
    assert path.read_bytes() == b"again"
    assert guest.send(b"", method="DELETE", file_id=file_id) == 204
    assert on_disk(home, guest.session) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"X_Xsrftoken": None},
        {"X_Xsrftoken": "2|00000000|00000000000000000000000000000000|1700000000"},
        {"Cookie": None},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_an_upload_that_another_site_sends_is_refused(guest, home, changed):
    assert guest.send(framed(b"x"), **changed) == 403
    assert guest.send(b"", method="DELETE", **changed) == 403
    assert on_disk(home, guest.session) == []


def test_only_running_sessions_and_proper_identifiers_get_a_file(guest, home):
    assert guest.send(framed(b"x"), file_id="..") in (400, 404)
    assert guest.send(framed(b"x"), file_id="%2e%2e%2fx") in (400, 404)
    guest.session = str(uuid.uuid4())
    assert guest.send(framed(b"x")) == 400
    assert on_disk(home, guest.session) == []


@pytest.mark.parametrize("body", [b"", b"no form", framed(b"x")[:-9], TWO_FILES])
def test_what_is_no_form_with_one_file_is_refused(guest, home, body):
    assert guest.send(body) == 400
    assert soon(lambda: on_disk(home, guest.session) == [])


def test_a_file_too_large_is_refused_before_it_is_sent(guest, home):
    connection = guest.begin(guest.headers() | {"Content-Length": str(LARGEST * MB + 100_000)})
    assert connection.getresponse().status == 413
    assert on_disk(home, guest.session) == []


def test_a_file_too_large_that_does_not_say_so_is_stopped_on_the_way(guest, home):
    connection = guest.begin(guest.headers() | {"Transfer-Encoding": "chunked"})
    block = framed(bytes(MB))
    for _ in range(LARGEST + 2):  # and no end: it is stopped before
        connection.send(b"%x\r\n" % len(block) + block + b"\r\n")
    assert connection.getresponse().status == 413
    assert on_disk(home, guest.session) == []


def test_a_file_just_too_large_is_refused_and_the_largest_is_taken(guest, home):
    assert guest.send(framed(bytes(LARGEST * MB + 1))) == 413
    assert on_disk(home, guest.session) == []
    assert guest.send(framed(bytes(LARGEST * MB))) == 204


def test_a_session_has_its_share_and_gets_it_back(guest, home):
    body, first = framed(bytes(LARGEST * MB - 1000)), str(uuid.uuid4())
    assert guest.send(body, file_id=first) == 204
    assert [guest.send(body) for _ in range(SESSION_FILES - 1)] == [204] * (SESSION_FILES - 1)
    assert guest.send(body) == 413
    assert len(on_disk(home, guest.session)) == SESSION_FILES
    assert guest.send(b"", method="DELETE", file_id=first) == 204
    assert guest.send(body) == 204


def imported(home: Path) -> list[Path]:
    """What any workspace has taken over of uploads or made of them."""
    return [p for p in home.glob("workspaces/*/*/**/*") if p.is_file()]


def test_a_broken_connection_leaves_nothing(guest, home):
    connection = guest.begin(guest.headers() | {"Content-Length": str(MB)})
    connection.send(framed(bytes(MB))[: MB // 2])
    assert soon(lambda: on_disk(home, guest.session))
    connection.sock.close()
    connection.close()
    assert soon(lambda: on_disk(home, guest.session) == [])
    assert imported(home) == []


@pytest.mark.browser
def test_a_browser_that_is_killed_leaves_nothing(tmp_path, chromium):
    large = tmp_path / "large.zip"
    large.touch()
    os.truncate(large, 2_000_000_000)
    with browser.running_server(tmp_path, tmp_path / "log") as served:
        with browser.browser_page(chromium) as page:
            page.goto(f"{served.address}/import_data")
            page.get_by_text("What do you bring?").wait_for()
            page.locator("input[type=file]").nth(1).set_input_files(large)
            assert soon(lambda: on_disk(tmp_path))
            assert [p.suffix for p in on_disk(tmp_path)] == [".part"]
        assert soon(lambda: on_disk(tmp_path) == [])
    assert imported(tmp_path) == []


def test_files_go_with_their_session(address, home):
    with visitor(address) as guest:
        assert guest.send(framed(b"x")) == 204
        assert on_disk(home, guest.session)

    def gone() -> bool:
        with visitor(address):  # Streamlit lets go of sessions that have ended when another one comes and goes
            time.sleep(1)
        return on_disk(home, guest.session) == []

    assert soon(gone)


def test_a_killed_server_leaves_nothing_behind_for_long(tmp_path, address, home):
    """The next one sweeps up after it, and does not touch what a neighbour holds."""
    with browser.running_server(tmp_path, tmp_path / "log", **SMALL) as served, visitor(served.address) as guest:
        assert guest.send(framed(b"whole")) == 204
        connection = guest.begin(guest.headers() | {"Content-Length": str(MB)})
        connection.send(framed(bytes(MB))[: MB // 2])
        assert soon(lambda: len(on_disk(tmp_path)) == 2)
        served.process.kill()
        served.process.wait()
    assert len(on_disk(tmp_path)) == 2
    assert imported(tmp_path) == []
    with browser.running_server(tmp_path, tmp_path / "log", **SMALL) as first, visitor(first.address) as guest:
        assert on_disk(tmp_path) == []
        assert guest.send(framed(b"kept")) == 204
        with browser.running_server(tmp_path, tmp_path / "log", **SMALL):
            assert [p.read_bytes() for p in on_disk(tmp_path)] == [b"kept"]
    assert list((tmp_path / "uploads").iterdir()) == []  # a server that is stopped sweeps up itself


def test_a_server_stopped_in_the_middle_of_an_upload_stops(tmp_path):
    with browser.running_server(tmp_path, tmp_path / "log", **SMALL) as served, visitor(served.address) as guest:
        connection = guest.begin(guest.headers() | {"Content-Length": str(MB)})
        connection.send(framed(bytes(MB))[: MB // 2])
        assert soon(lambda: on_disk(tmp_path))
        served.process.send_signal(signal.SIGTERM)
        try:
            served.process.wait(30)
        except subprocess.TimeoutExpired:
            served.process.kill()
            raise
    assert on_disk(tmp_path) == []


def test_a_full_disk_is_said(guest, home):
    """Not the disk itself: a folder that cannot take the file, as every user but root sees it."""
    from starlette.exceptions import HTTPException

    from ui.upload_route import _told_to_the_client

    with pytest.raises(HTTPException) as told, _told_to_the_client():
        raise OSError(28, "No space left on device")
    assert told.value.status_code == 507


@pytest.fixture
def stored(tmp_path):
    def store(name: str, body: bytes) -> DiskFile:
        (tmp_path / name).write_bytes(body)
        return DiskFile(UploadedFileRec(name, name, "x/y", StoredBytes(tmp_path / name, len(body))), None)

    return store


def test_a_stored_file_reads_like_any_other(stored):
    table = pd.DataFrame({"a": range(5000), "b": "ü"})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("t.csv", table.to_csv(index=False))
    assert pd.read_csv(stored("t.csv", table.to_csv(index=False).encode())).equals(table)
    with zipfile.ZipFile(stored("t.zip", packed.getvalue())) as archive:
        assert pd.read_csv(archive.open("t.csv")).equals(table)
    file = stored("x", b"0123456789")
    assert (file.read(3), file.tell(), file.seek(-2, io.SEEK_END), file.read(), file.read()) == (
        b"012",
        3,
        8,
        b"89",
        b"",
    )
    assert (file.getvalue(), file.size, file.seek(2), file.seek(1, io.SEEK_CUR), file.read(1)) == (
        b"0123456789", 10, 2, 3, b"3",
    )  # fmt: skip
    assert file == stored("x", b"") and hash(file) == hash(stored("x", b"")) and file != stored("y", b"")


def test_many_stored_files_hold_nothing_open(stored):
    files = [stored(f"{i}", b"x") for i in range(2000)]
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert all(f.read() == b"x" for f in files)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_an_import_is_a_second_name_for_the_upload(stored, tmp_path, monkeypatch):
    (tmp_path / "import").mkdir()
    monkeypatch.setattr(uploads.state, "upload_folder", lambda: tmp_path / "import")
    kept = uploads.keep_upload(stored("a.csv", b"a,b\n"))
    assert kept.stat().st_ino == (tmp_path / "a.csv").stat().st_ino
    (tmp_path / "a.csv").unlink()  # as at the end of the session
    assert kept.read_bytes() == b"a,b\n"
    together = uploads.keep_together([stored("x.png", b"x"), stored("y.png", b"y")])
    assert sorted(p.name for p in together.iterdir()) == ["x.png", "y.png"]
    assert uploads.keep_together([stored("y.png", b"y"), stored("x.png", b"x")]) == together
    assert uploads.keep_together([stored("x.png", b"x"), stored("z.png", b"z")]) != together


def test_a_folder_of_uploads_is_whole_or_not_there(stored, tmp_path, monkeypatch):
    (tmp_path / "import").mkdir()
    monkeypatch.setattr(uploads.state, "upload_folder", lambda: tmp_path / "import")
    files = [stored("x.png", b"x"), stored("y.png", b"y")]
    (tmp_path / "y.png").unlink()
    with pytest.raises(OSError):
        uploads.keep_together(files)
    assert list((tmp_path / "import").iterdir()) == []


def test_two_uploads_of_one_name_are_told(stored, tmp_path, monkeypatch):
    (tmp_path / "import").mkdir()
    monkeypatch.setattr(uploads.state, "upload_folder", lambda: tmp_path / "import")
    with pytest.raises(uploads.DataError, match="2 of the uploaded files are called x.png"):
        uploads.keep_together([stored("x.png", b"x"), stored("x.png", b"x")])


def test_a_streamlit_that_moved_its_uploads_is_noticed(tmp_path):
    class Media:
        _storage = None

    class Runtime:
        uploaded_file_mgr = MemoryUploadedFileManager("/x")
        media_file_mgr = Media

    with pytest.raises(RuntimeError, match="makes its file manager elsewhere"):
        server.guarded(Starlette(), Runtime(), [])
    Runtime.uploaded_file_mgr = DiskUploads("/x", tmp_path)
    with pytest.raises(RuntimeError, match="keeps its downloads elsewhere"):
        server.guarded(Starlette(), Runtime(), [])
    Media._storage = LastingDownloads("/media")
    with pytest.raises(RuntimeError, match="receives uploads elsewhere"):
        server.guarded(Starlette(), Runtime(), [])


def test_the_class_that_pages_get_is_where_we_put_ours():
    """`show_disk_files` replaces a name; were it to go, uploads would arrive empty."""
    assert hasattr(file_uploader, "UploadedFile")
    assert "UploadedFile(" in Path(file_uploader.__file__).read_text(encoding="utf-8")
