"""Finding files, and archives that should not be trusted."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from curation.errors import DataError
from curation.importing import ModalityRole, Roles, archives, build_dataset, open_media


@pytest.fixture
def folder(tmp_path) -> Path:
    root = tmp_path / "photos"
    for name in ["a.png", "sub/b.PNG", "sub/twice.png", "other/twice.png", "sub/Ärger.png"]:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4), "red").save(root / name, format="PNG")
    Image.new("RGB", (4, 4)).save(tmp_path / "secret.png")
    return root


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("a.png", "a.png"),
        ("./a.png", "a.png"),
        (" .//a.png ", "a.png"),
        ("sub\\b.PNG", "sub/b.PNG"),
        ("SUB/B.png", "sub/b.PNG"),
        ("b.png", "sub/b.PNG"),
        ("sub/twice.png", "sub/twice.png"),
        ("photos/sub/twice.png", "sub/twice.png"),
        ("A\u0308rger.png", "sub/Ärger.png"),
    ],
)
def test_cells_that_are_found(folder, cell, expected):
    media = open_media(folder)
    assert media.find(cell) == folder.resolve() / expected
    assert expected in media.explain(cell)


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("twice.png", "fits 2 files"),
        ("no.png", "was not found"),
        ("train/a.png", "was not found"),
        ("../secret.png", "leads out"),
        ("sub/../../secret.png", "leads out"),
        ("..\\secret.png", "leads out"),
        ("/etc/passwd", "absolute path"),
        ("C:\\a.png", "absolute path"),
        ("", "names no file"),
        (".", "leads out"),
        ("a\0.png", "names no file"),
        ("sub", "was not found"),
        ("x" * 5000, "was not found"),
    ],
)
def test_cells_that_are_not(folder, cell, why):
    media = open_media(folder)
    assert media.find(cell) is None
    assert why in media.explain(cell)


def test_links_that_lead_out_are_not_followed(folder):
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    (folder / "up").symlink_to(folder.parent)
    (folder / "inner.png").symlink_to(folder / "a.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    media = open_media(folder)
    for cell in ["link.png", "up/secret.png", "secret.png", "loop.png"]:
        assert media.find(cell) is None
    assert media.find("inner.png") is not None


def pack(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_a_zip_with_one_folder_around_everything(tmp_path, folder):
    content = (folder / "a.png").read_bytes()
    files = {"data/img/a.png": content, "__MACOSX/data/img/a.png": b"x", "data/inner.zip": b"PK"}
    media = open_media(pack(tmp_path / "a.zip", files), tmp_path / "out")
    assert media.find("img/a.png").read_bytes() == content
    assert media.find("a.png") == (tmp_path / "out/data/img/a.png").resolve()
    assert (tmp_path / "out/data/inner.zip").is_file()


def test_a_path_that_repeats_the_folder_without_end(folder):
    media = open_media(folder)
    assert media.find("photos/" * 5_000 + "a.png") is None
    assert media.find("photos/a.png") is not None


def test_archives_in_an_archive_are_said_to_stay_packed(tmp_path, folder):
    content = (folder / "a.png").read_bytes()
    media = open_media(pack(tmp_path / "a.zip", {"a.png": content, "deep/b.TAR.GZ": b"x"}), tmp_path / "out")
    frame = pd.DataFrame({"image": ["a.png"] * 4, "text": list("abcd"), "y": list("ppqq")})
    sides = (ModalityRole("image", ("image",), "picture"), ModalityRole("text", ("text",), "text"))
    said = build_dataset(frame, Roles(sides, "y"), media).problems.summary()
    assert said == "No row was left out. Note: 1 archive inside 'a.zip' stayed packed, like 'b.TAR.GZ'."


def refused(source: Path, said: str) -> None:
    into = source.parent / "out"
    before = set(source.parent.parent.rglob("*"))
    with pytest.raises(DataError, match=said):
        open_media(source, into)
    assert set(source.parent.parent.rglob("*")) == before  # nothing is left behind, in or out of the folder


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../evil.txt", "leads out"),
        ("a/../../evil.txt", "leads out"),
        ("..\\evil.txt", "leads out"),
        ("/tmp/evil.txt", "an absolute path"),
        ("C:/evil.txt", "an absolute path"),
    ],
)
def test_paths_out_of_the_archive(tmp_path, name, said):
    (tmp_path / "in").mkdir()
    refused(pack(tmp_path / "in/a.zip", {"good.txt": b"x", name: b"x"}), said)


def test_links_in_archives(tmp_path):
    entry = zipfile.ZipInfo("link")
    entry.create_system = 3
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in/a.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    refused(tmp_path / "in/a.zip", "a link or a device")


def test_encrypted(tmp_path):
    (tmp_path / "in").mkdir()
    data = bytearray(pack(tmp_path / "in/a.zip", {"a.txt": b"x"}).read_bytes())
    start = data.index(b"PK\x01\x02") + 8
    data[start : start + 2] = struct.pack("<H", 1)
    (tmp_path / "in/a.zip").write_bytes(data)
    refused(tmp_path / "in/a.zip", "encrypted")


def test_bombs(tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    source = pack(tmp_path / "in/a.zip", {"a": bytes(300_000), "b": b"x"})
    monkeypatch.setattr(archives, "RATIO_FREE", 100_000)
    refused(source, "packed more than 200 to 1")
    monkeypatch.setattr(archives, "MAX_TOTAL", 200_000)
    refused(source, "unpacks to 300,001 bytes")
    monkeypatch.setattr(archives, "MAX_ENTRIES", 1)
    refused(source, "holds 2 files")


def test_a_declared_size_that_lies(tmp_path):
    (tmp_path / "in").mkdir()
    data = bytearray(pack(tmp_path / "in/a.zip", {"a": bytes(5_000_000)}).read_bytes())
    start = data.index(b"PK\x01\x02") + 24
    data[start : start + 4] = struct.pack("<I", 10)
    (tmp_path / "in/a.zip").write_bytes(data)
    refused(tmp_path / "in/a.zip", "damaged")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("names", "said"), [(["a", "a"], "occurs twice"), (["a", "a/b"], "cannot be unpacked"), (["x" * 300], "too long")]
)
def test_names_that_clash_or_cannot_be(tmp_path, names, said):
    (tmp_path / "in").mkdir()
    with zipfile.ZipFile(tmp_path / "in/a.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    refused(tmp_path / "in/a.zip", said)


def test_damaged_and_cut_short(tmp_path):
    (tmp_path / "in").mkdir()
    whole = pack(tmp_path / "in/a.zip", {"a": os.urandom(5000)}).read_bytes()
    for content in (whole[:-30], whole[:200], b"nothing", whole[:100] + b"\0" * 20 + whole[120:]):
        (tmp_path / "in/a.zip").write_bytes(content)
        refused(tmp_path / "in/a.zip", "damaged or not a .zip")


def test_other_sources(tmp_path):
    with pytest.raises(DataError, match="There is no folder or .zip 'no'"):
        open_media(tmp_path / "no")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(DataError, match="neither a folder nor a .zip"):
        open_media(tmp_path / "a.txt")
    source = pack(tmp_path / "a.zip", {"a": b"x"})
    with pytest.raises(DataError, match="needs a folder to unpack"):
        open_media(source)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("mine")
    with pytest.raises(DataError, match="is not empty"):
        open_media(source, tmp_path / "full")
    assert (tmp_path / "full/x").read_text() == "mine"
