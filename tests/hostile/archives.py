"""Archives: paths that lead out, links, bombs, a million entries, lies about size and number."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from pathlib import Path

from hostile import handled, refused

LOCAL = struct.Struct("<4s5H3L2H")
ENTRY = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")


def packed(folder: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "pictures.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return path


def many_entries(folder: Path, count: int, told: int) -> Path:
    """A list of contents written by hand: every entry is the same empty file under a name of its own."""
    local = LOCAL.pack(b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 7, 0) + b"0000000"
    head = ENTRY.pack(b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0)
    path = folder / "pictures.zip"
    with path.open("wb") as stream:
        stream.write(local)
        for start in range(0, count, 100_000):
            stream.write(b"".join(head + b"%07d" % i for i in range(start, min(start + 100_000, count))))
        size = stream.tell() - len(local)
        stream.write(END.pack(b"PK\5\6", 0, 0, told, told, size, len(local), 0))
    return path


@refused("archive", "leads out of the archive")
def dots_in_a_path(folder):
    return packed(folder, {"a/../../../evil.txt": b"x"})


@refused("archive", "an absolute path")
def an_absolute_path(folder):
    return packed(folder, {str(folder.parent / "evil.txt"): b"x"})


@refused("archive", "a link or a device")
def a_link_and_a_file_through_it(folder):
    link = zipfile.ZipInfo("up")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    path = folder / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, str(folder.parent))
        archive.writestr("up/evil.txt", b"x")
    return path


@refused("archive", "a link or a device")
def a_device(folder):
    device = zipfile.ZipInfo("null")
    device.create_system, device.external_attr = 3, (stat.S_IFCHR | 0o666) << 16
    path = folder / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(device, b"")
    return path


@refused("archive", "packed more than 200 to 1")
def a_thousand_to_one(folder):
    return packed(folder, {"a.png": bytes(60 << 20)})


@refused("archive", "packed more than 200 to 1")
def ten_thousand_to_one(folder):
    return packed(folder, {"a.png": bytes(60 << 20)}, zipfile.ZIP_BZIP2)


@refused("archive", "packed in a way other than the usual one")
def packed_so_that_all_comes_at_once(folder):
    """Forty million zeros in forty bytes: this decompressor gives them all in one go, however few are asked for."""
    return packed(folder, {"a.png": bytes(40 << 20)}, zipfile.ZIP_BZIP2)


@refused("archive", "packed more than 200 to 1")
def many_small_bombs(folder):
    return packed(folder, {f"{i}.png": bytes(10 << 20) for i in range(12)})


@refused("archive", "packed more than 200 to 1")
def entries_that_overlap(folder):
    """One packed file, listed ten thousand times."""
    path = packed(folder, {"aaaa.png": os.urandom(20_000)})
    data = path.read_bytes()
    start = data.index(b"PK\1\2")
    entry, end = data[start : data.index(b"PK\5\6")], data[data.index(b"PK\5\6") :]
    listing = b"".join(entry.replace(b"aaaa.png", b"%04d.png" % i) for i in range(10_000))
    lie = struct.pack("<L", len(listing))
    path.write_bytes(data[:start] + listing + end[:8] + struct.pack("<2H", 10_000, 10_000) + lie + end[16:])
    return path


@refused("archive", "more than 200,000")
def a_million_entries(folder):
    return many_entries(folder, 1_000_000, told=1_000_000 & 0xFFFF)


@refused("archive", "more than 200,000")
def a_million_entries_said_to_be_one(folder):
    return many_entries(folder, 1_000_000, told=1)


@handled("archive", "2 archives inside 'pictures.zip' stayed packed")
def archives_in_an_archive(folder):
    inner = packed(folder, {"../evil.txt": bytes(1 << 20)}).read_bytes()
    return packed(folder, {"a.png": b"x", "inner/one.zip": inner, "two.tar.gz": b"\x1f\x8b"})


@refused("archive", "encrypted")
def encrypted(folder):
    path = packed(folder, {"a.png": b"x" * 100})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    return path


@refused("archive", "damaged or not a .zip")
def cut_short(folder):
    path = packed(folder, {"a.png": os.urandom(5_000)})
    path.write_bytes(path.read_bytes()[:3_000])
    return path


@refused("archive", "damaged or not a .zip")
def a_size_that_lies(folder):
    path = packed(folder, {"a.png": bytes(3 << 20)})
    data = bytearray(path.read_bytes())
    place = data.index(b"PK\1\2") + 24
    data[place : place + 4] = struct.pack("<L", 7)
    path.write_bytes(data)
    return path


@refused("archive", "a name too long")
def a_name_of_300_characters(folder):
    return packed(folder, {"x" * 300 + ".png": b"x"})


@refused("archive", "a name too long")
def two_thousand_folders_in_each_other(folder):
    return packed(folder, {"d/" * 2_000 + "a.png": b"x"})


@handled("archive")
def names_with_line_ends_and_terminal_codes(folder):
    return packed(folder, {"a\nb\x1b[2J.png": b"x", "<script>alert(1)</script>.png": b"x", "\u202egnp.exe": b"x"})


@refused("archive", "leads out of the archive")
def line_ends_in_a_refused_name(folder):
    return packed(folder, {"../a\nanother line\x1b[31m\n.png": b"x"})


@refused("archive", "a name that occurs twice")
def two_names_for_one_file(folder):
    return packed(folder, {"a/b.png": b"x", "a/./b.png": b"y"})


@refused("archive", "is neither a folder nor a .zip")
def no_archive_at_all(folder):
    path = folder / "pictures.rar"
    path.write_bytes(b"Rar!\x1a\7\0 something")
    return path
