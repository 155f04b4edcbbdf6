"""Large downloads on a real server: sent from the disk, piece by piece, to those who may have them."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace
from urllib.request import Request, urlopen

import makers
import pandas as pd
import pytest

from benchmarks import browser
from benchmarks.uploads import peak_memory
from benchmarks.visit import Visit, _is_called
from curation.workspace.files import PART
from ui import exports
from ui.downloads import Drawer, LastingDownloads, OnDisk


class _Made(SimpleNamespace):
    """Stands where the result of an export does."""


def test_a_drawer_keeps_what_was_made_last_and_goes_with_its_session(tmp_path):
    drawer, made = Drawer(tmp_path / "downloads"), []

    def make(path: Path) -> _Made:
        path.write_text(path.name)
        made.append(path)
        return _Made(path=path)

    first = drawer.get("a", "one.csv", make)
    assert drawer.get("a", "one.csv", make) is first is drawer.made("a") and len(made) == 1
    assert drawer.made("b") is None
    drawer.get("b", "two.csv", make)
    assert not first.path.exists() and made[1].exists()
    made[1].unlink()
    assert drawer.made("b") is None, "somebody tidied up"
    with pytest.raises(ZeroDivisionError):
        drawer.get("c", "x", lambda path: 1 / 0)
    assert drawer.made("c") is None
    drawer.get("a", "one.csv", make)
    del drawer
    assert list((tmp_path / "downloads").iterdir()) == []


def test_what_a_killed_server_left_goes_after_a_day(tmp_path):
    for name, age in (("old", 90_000), ("young", 60)):
        folder = tmp_path / f"{PART}{name}"
        folder.mkdir()
        os.utime(folder, (time.time() - age,) * 2)
    (tmp_path / "mine").mkdir()
    os.utime(tmp_path / "mine", (0, 0))
    drawer = Drawer(tmp_path)
    drawer.get("k", "x", lambda path: _Made(path=path))
    assert {p.name for p in tmp_path.iterdir()} >= {f"{PART}young", "mine"} and len(list(tmp_path.iterdir())) == 3


def test_the_bytes_of_a_file_on_disk_tell_it_apart(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    first = OnDisk(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"22")
    assert first != OnDisk(tmp_path / "a") and first.path == tmp_path / "a"
    storage = LastingDownloads("/media")
    name = storage.load_and_get_id(first, "text/plain", "downloadable", "a.txt")
    assert storage.get_file(name).content is first


LARGE = 300 * 2**20


@pytest.fixture(scope="module")
def served(tmp_path_factory, picture_run):
    """A real server, and the address of a run whose eighth drawing is said to have 300 MB."""
    home = tmp_path_factory.mktemp("export-home")
    folder = Path(shutil.copytree(picture_run, home / "workspaces" / ("e" * 16)))
    run = makers.run_folder(folder)
    with (folder / pd.read_parquet(run / "scores.parquet")["item.picture"][7]).open("r+b") as handle:
        handle.truncate(LARGE)
    with browser.running_server(home, home / "log") as server:
        yield server, f"workspace={'e' * 16}&run={run.name}", home / "downloads"


@pytest.fixture
def visit(served):
    server, run, _ = served
    visit = Visit(server.address, {}, lambda content: None)
    visit.open("export", run)
    yield visit
    visit.close()
    assert visit.errors == []


def test_a_large_archive_takes_no_memory_of_the_server(served, visit, tmp_path):
    server, _, downloads = served
    before = peak_memory(server.process.pid)
    visit.choose("radio", "Format", "ZIP with media")
    visit.click("Prepare 75 samples as ZIP with media")
    url = visit.download_url()
    sent = Request(server.address + url, headers={"Cookie": visit.cookie})
    with urlopen(sent) as answer, (tmp_path / "all.zip").open("wb") as out:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="shapes.zip"'
        shutil.copyfileobj(answer, out)
    with zipfile.ZipFile(tmp_path / "all.zip") as pack:
        told = json.loads(pack.read("manifest.json"))
        assert pack.getinfo("media/0000008-1.png").file_size == LARGE and told["n_samples"] == 75
    assert peak_memory(server.process.pid) - before < LARGE / 3e6
    part = Request(server.address + url, headers={"Cookie": visit.cookie, "Range": "bytes=0-1"})
    with urlopen(part) as answer:  # a download that was interrupted goes on where it was
        assert (answer.status, answer.read()) == (206, b"PK")
    (kept,) = downloads.glob(f"{PART}*/*.zip")
    kept.unlink()
    with pytest.raises(OSError, match="404"):
        visit.fetch(url)


def test_a_table_and_its_manifest_belong_together(visit):
    table = visit.download()
    visit.elements = {k: e for k, e in visit.elements.items() if not _is_called(e.download_button, "Download 75")}
    told = json.loads(visit.download())
    assert len(pd.read_csv(io.BytesIO(table))) == 75
    assert told["files"] == [{"name": "shapes.csv", "bytes": len(table), "sha256": hashlib.sha256(table).hexdigest()}]


def test_the_report_comes_as_it_is(visit):
    others = ("Download 75", "Its")
    visit.elements = {
        key: e for key, e in visit.elements.items() if not any(_is_called(e.download_button, o) for o in others)
    }
    report = visit.download()
    assert report.startswith(b"<!DOCTYPE html>") and report.count(b"data:image/webp") >= 8


def test_pictures_are_sent_as_ever(served, visit):
    with pytest.raises(OSError, match="404"):
        visit.fetch("/media/no-such-file.png")


def test_without_our_server_a_download_is_sent_from_memory(tmp_path):
    (tmp_path / "a").write_bytes(b"all of it")
    assert exports._content(tmp_path / "a") == b"all of it"


def test_files_go_with_their_session(served):
    server, run, downloads = served
    visit = Visit(server.address, {}, lambda content: None)
    visit.open("export", run)
    visit.download_url()
    assert list(downloads.glob(f"{PART}*/*.csv"))
    server.process.terminate()
    server.process.wait(20)
    assert list(downloads.glob(f"{PART}*")) == []
