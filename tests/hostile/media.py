"""Pictures and sounds: scripts in drawings, a billion pixels, headers that lie, warnings that libraries print."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from hostile import SENTINEL, handled, refused

SVG = """<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg" onload="fetch('http://127.0.0.1:9')"><script>alert(1)</script><text>&x;</text>
<image href="http://127.0.0.1:9/x.png"/></svg>"""


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes, depth: int = 8, colour: int = 0) -> bytes:
    header = chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


@refused("picture", "SVG drawing")
def svg_with_scripts(folder):
    return written(folder / "a.svg", SVG.encode())


@refused("picture", "SVG drawing")
def svg_named_png(folder):
    return written(folder / "a.png", SVG.encode())


@refused("picture", "over 100 million pixels")
def a_billion_pixels_claimed(folder):
    return written(folder / "a.png", png(40_000, 25_000, chunk(b"IDAT", zlib.compress(b"0"))))


@refused("picture", "over 100 million pixels")
def a_billion_pixels_that_are_there(folder):
    """A real picture in one bit a pixel: a hundred kilobytes become gigabytes of colour."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(4_001 * 500)) for _ in range(64)) + packer.flush()
    return written(folder / "a.png", png(32_000, 32_000, chunk(b"IDAT", rows), depth=1))


@handled("picture", "10000 x 9900", megabytes=900)
def just_below_the_cap(folder):
    """Pillow warns of such a picture; nobody must see a library's warning."""
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(bytes(1_251 * 100)) for _ in range(99)) + packer.flush()
    return written(folder / "a.png", png(10_000, 9_900, chunk(b"IDAT", rows), depth=1))


@refused("picture", "over 100 million pixels|damaged", megabytes=300)
def webp_of_the_largest_size(folder):
    header = b"\x2f" + struct.pack("<L", 16_382 | 16_382 << 14)
    body = b"VP8L" + struct.pack("<L", len(header) + 1) + header + bytes(1)
    return written(folder / "a.webp", b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body)


@refused("picture", "over 100 million pixels|damaged")
def bmp_whose_header_lies(folder):
    good = io.BytesIO()
    Image.new("RGB", (4, 4)).save(good, "BMP")
    data = bytearray(good.getvalue())
    data[18:26] = struct.pack("<ll", 2**31 - 1, 2**31 - 1)
    return written(folder / "a.bmp", bytes(data))


@refused("picture", "damaged|not a PNG|million pixels")
def tiff_whose_tags_lie(folder):
    tags = [(256, 4, 1, 30_000), (257, 4, 1, 30_000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(273, 4, 2**30, 8), (278, 4, 1, 1), (279, 4, 2**30, 8)]
    body = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHLL", *t) for t in tags)
    return written(folder / "a.tif", body + bytes(4))


@refused("picture", "damaged|pixels")
def png_with_a_text_of_gigabytes(folder):
    text = chunk(b"zTXt", b"note\0\0" + zlib.compress(bytes(200 << 20), 9))
    return written(folder / "a.png", png(4, 4, text, chunk(b"IDAT", zlib.compress(bytes(20)))))


@handled("picture", "4 x 4")
def gif_of_a_thousand_frames(folder):
    frames = [Image.new("P", (4, 4), i % 2) for i in range(1_000)]
    frames[0].save(folder / "a.gif", save_all=True, append_images=frames[1:])
    return folder / "a.gif"


@refused("picture", "not a PNG")
def a_script_for_ghostscript(folder):
    return written(folder / "a.png", f"%!PS-Adobe-3.0 EPSF-3.0\n(touch {folder.parent / SENTINEL}) system\n".encode())


@refused("picture", "does not exist")
def a_folder_named_png(folder):
    (folder / "a.png").mkdir()
    return folder / "a.png"


@handled("picture", "4 x 4")
def a_name_with_line_ends(folder):
    Image.new("RGB", (4, 4)).save(folder / "a\nTraceback\x1b[2J.png")
    return folder / "a\nTraceback\x1b[2J.png"


def wav(folder: Path, **lies: tuple[int, str, int]) -> Path:
    soundfile.write(folder / "a.wav", np.zeros(800, dtype=np.float32), 8_000, "PCM_16")
    data = bytearray((folder / "a.wav").read_bytes())
    for place, form, value in lies.values():
        struct.pack_into(form, data, place, value)
    return written(folder / "a.wav", bytes(data))


@handled("sound", "1600 samples")
def wav_that_says_four_gigabytes(folder):
    return wav(folder, riff=(4, "<L", 2**32 - 1), data=(40, "<L", 2**32 - 1))


@refused("sound", "unusual sample rate|not a sound")
def wav_of_two_billion_hertz(folder):
    return wav(folder, rate=(24, "<L", 2**31 - 1))


@refused("sound", "unusual sample rate|not a sound|no length")
def wav_of_no_hertz(folder):
    return wav(folder, rate=(24, "<L", 0))


@refused("sound", "channels|not a sound")
def wav_of_sixty_thousand_channels(folder):
    return wav(folder, channels=(22, "<H", 65_535), align=(32, "<H", 2))


@refused("sound", "not a sound")
def flac_that_says_a_year(folder):
    soundfile.write(folder / "a.flac", np.zeros(800, dtype=np.float32), 8_000)
    data = bytearray((folder / "a.flac").read_bytes())
    data[21] |= 0x0F
    data[22:26] = b"\xff" * 4
    return written(folder / "a.flac", bytes(data))


@refused("sound", "not a sound")
def raw_samples(folder):
    return written(folder / "a.raw", np.random.default_rng(0).bytes(5_000))


@refused("sound", "not numbers")
def wav_of_infinite_loudness(folder):
    soundfile.write(folder / "a.wav", np.full(800, np.inf, dtype=np.float32), 8_000, "FLOAT")
    return folder / "a.wav"


@refused("sound", "not a sound|no length")
def mp3_of_nothing_but_its_title(folder):
    return written(folder / "a.mp3", b"ID3\x04\0\0\x7f\x7f\x7f\x7f" + b"TIT2" + bytes(2_000))
