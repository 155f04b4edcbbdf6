"""Videos: playlists in disguise, headers that lie about sizes, lengths and counts, packed tables of contents."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction
from pathlib import Path

import makers
import numpy as np

from hostile import handled, refused
from hostile.media import written


def box(kind: bytes, *content: bytes) -> bytes:
    body = b"".join(content)
    return struct.pack(">L", 8 + len(body)) + kind + body


def film(folder: Path, n: int = 8, **container: str) -> Path:
    return makers.film(folder / "a.mp4", makers.numbered_frames(n), **container)


def patched(path: Path, kind: bytes, offset: int, value: bytes) -> Path:
    """Write into the box of a kind, so many bytes after its name."""
    data = path.read_bytes()
    place = data.index(kind) + 4 + offset
    return written(path, data[:place] + value + data[place + len(value) :])


@refused("video", "not an MP4")
def playlist_of_an_address(folder):
    return written(folder / "a.mp4", b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:9/secret.ts\n")


@refused("video", "not an MP4")
def playlist_of_a_password_file(folder):
    return written(folder / "a.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n")


@refused("video", "not an MP4")
def session_description(folder):
    return written(folder / "a.mp4", b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n")


@refused("video", "not an MP4")
def dash_manifest(folder):
    return written(folder / "a.webm", b'<?xml version="1.0"?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>')


@refused("video", "damaged|no frames|no picture track")
def nothing_but_a_mark(folder):
    return written(folder / "a.mp4", box(b"ftyp", b"isom", bytes(4), b"isom"))


@handled("video", "8 frames of 64 x 48")
def mp4_that_says_a_month(folder):
    path = patched(film(folder), b"mvhd", 16, struct.pack(">L", 2**32 - 2))
    for kind, place in ((b"tkhd", 20), (b"elst", 8)):
        path = patched(path, kind, place, struct.pack(">L", 2**31 - 1))
    return patched(path, b"mdhd", 16, struct.pack(">L", 2**32 - 2))


@refused("video", "damaged|over 10 million pixels|no frames", megabytes=400)
def mp4_of_four_billion_frames(folder):
    """All of one size, as the table says in twelve bytes: a list of them would take a hundred gigabytes."""
    return patched(film(folder), b"stsz", 4, struct.pack(">LL", 1, 2**32 - 1))


@refused("video", "table of contents of this video is packed")
def mp4_whose_contents_unpack_to_gigabytes(folder):
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(500)) + packer.flush()
    unpacked = struct.pack(">L", 500 << 20)
    contents = box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", unpacked, packed))
    return written(folder / "a.mov", box(b"ftyp", b"qt  ", bytes(4)) + box(b"moov", contents) + box(b"mdat", bytes(8)))


@refused("video", "damaged|no picture track|no frames")
def mp4_of_a_thousand_boxes_in_boxes(folder):
    nested = b""
    for _ in range(1_000):
        nested = box(b"moov", nested)
    return written(folder / "a.mp4", box(b"ftyp", b"isom", bytes(4)) + nested)


@handled("video", "8 frames of 64 x 48")
def a_hundred_million_pixels_that_are_not_there(folder):
    path = makers.film(folder / "a.avi", makers.numbered_frames(3), "mjpeg")
    size, huge = struct.pack("<LL", 64, 48), struct.pack("<LL", 10_000, 10_000)
    return written(path, path.read_bytes().replace(size, huge))


@refused("video", "over 10 million pixels", megabytes=400)
def frames_that_really_are_too_large(folder):
    return makers.film(folder / "a.mkv", [np.zeros((3_200, 3_200, 3), np.uint8)] * 2, "mpeg4")


@handled("video", "8 frames of 64 x 48")
def frames_that_grow_on_the_way(folder):
    """The header tells of small frames, and those that follow have 16 million pixels."""
    import av

    with av.open(str(folder / "a.mkv"), "w") as out:
        track = out.add_stream("mjpeg", rate=10)
        track.width, track.height, track.pix_fmt = 64, 48, "yuvj420p"
        larger = av.CodecContext.create("mjpeg", "w")
        larger.width, larger.height, larger.pix_fmt, larger.framerate = 4_000, 4_000, "yuvj420p", 10
        larger.time_base = Fraction(1, 10)
        for k, picture in enumerate(makers.numbered_frames(6)):
            picture = picture if k < 3 else np.zeros((4_000, 4_000, 3), np.uint8)
            for packet in (track if k < 3 else larger).encode(av.VideoFrame.from_ndarray(picture, "rgb24")):
                packet.pts = packet.dts = k
                packet.stream = track
                out.mux(packet)
    return folder / "a.mkv"


@refused("video", "over 10,000 frames")
def ten_thousand_frames_in_a_second(folder):
    frames = [np.zeros((16, 16, 3), np.uint8)] * 10_100
    return makers.film(folder / "a.mp4", frames, "mpeg4", rate=10_100)


@refused("video", "damaged|no frames|no picture track")
def matroska_of_endless_elements(folder):
    return written(folder / "a.mkv", b"\x1aE\xdf\xa3" + b"\x01\xff\xff\xff\xff\xff\xff\xff" * 500)


@refused("video", "damaged|no frames|no picture track|over 10 million")
def avi_of_noise(folder):
    return written(folder / "a.avi", b"RIFF\xff\xff\xff\x7fAVI " + np.random.default_rng(0).bytes(200_000))
