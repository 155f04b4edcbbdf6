"""Makers of real files: pictures, sounds, films, tables and features that tests draw themselves."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from PIL import Image, ImageDraw

SHAPES = ("circle", "square", "triangle", "cross")
COLOURS = ("red", "green", "blue", "orange", "purple")
RATE = 16_000


@dataclass(frozen=True)
class MediaTable:
    """A table with its media, and which rows of it (counted from 1) are spoilt, with a word of the reason."""

    table: Path
    media: Path
    n_rows: int
    bad: dict[int, str]


def draw_shape(shape: str, colour: str, size: int, path: Path) -> None:
    picture = Image.new("RGB", (96, 96), "white")
    pen, low, high = ImageDraw.Draw(picture), 48 - size, 48 + size
    if shape == "circle":
        pen.ellipse((low, low, high, high), fill=colour)
    elif shape == "square":
        pen.rectangle((low, low, high, high), fill=colour)
    elif shape == "triangle":
        pen.polygon(((48, low), (low, high), (high, high)), fill=colour)
    else:
        pen.line((low, low, high, high), fill=colour, width=9)
        pen.line((low, high, high, low), fill=colour, width=9)
    picture.save(path)


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def picture_table(folder: Path, n: int = 80) -> MediaTable:
    """A CSV of drawings in four categories with captions; five rows are spoilt, each in its own way."""
    media = folder / "drawings"
    media.mkdir(parents=True)
    rng = np.random.default_rng(3)
    rows = []
    for i in range(n):
        shape, colour, size = SHAPES[i % 4], COLOURS[int(rng.integers(5))], int(rng.integers(20, 42))
        draw_shape(shape, colour, size, media / f"{i:03d}.png")
        caption = f"a {colour} {shape}, {size} wide" if i % 3 else f"something {colour}, “{size}” wide\nby hand"
        rows.append({"drawing": f"{i:03d}.png", "caption": caption, "category": shape, "price": size / 7})
    rows[4]["drawing"] = "nowhere.png"
    truncate(media / "011.png")
    rows[19]["caption"] = "  "
    rows[32]["category"] = ""
    rows[40]["category"] = "star"
    table = folder / "shapes.csv"
    pd.DataFrame(rows).to_csv(table, index=False)
    bad = {5: "not found", 12: "not usable", 20: "text missing", 33: "label missing", 41: "alone in its category"}
    return MediaTable(table, media, n, bad)


def sound_table(folder: Path, n: int = 24) -> MediaTable:
    """A table of hums, hisses and clicks in words; one sound is broken, one is missing."""
    media = folder / "sounds"
    media.mkdir(parents=True)
    rng, t = np.random.default_rng(5), np.arange(RATE // 2) / RATE
    words = {"hum": "a steady tone", "hiss": "noise like rain"}
    rows = []
    for i in range(n):
        kind = ("hum", "hiss")[i % 2]
        wave = np.sin(2 * np.pi * rng.uniform(200, 800) * t) if kind == "hum" else rng.normal(size=len(t))
        soundfile.write(media / f"{i}.wav", 0.3 * wave / np.abs(wave).max(), RATE)
        rows.append({"clip": f"{i}.wav", "words": f"{words[kind]} number {i}", "kind": kind})
    (media / "7.wav").write_bytes(b"RIFF but nothing of the kind")
    rows[9]["clip"] = ""
    table = folder / "noises.csv"
    pd.DataFrame(rows).to_csv(table, index=False)
    return MediaTable(table, media, n, {8: "not usable", 10: "sound missing"})


def film(
    path: Path,
    frames: Sequence[np.ndarray],
    codec: str = "libx264",
    rate: int = 10,
    coding: dict[str, str] | None = None,
    **container: str,
) -> Path:
    """A film of frames of shape (height, width, 3), with FFmpeg's own options of the codec and of the container."""
    import av

    shades = {"mjpeg": "yuvj420p", "huffyuv": "yuv422p"}
    with av.open(str(path), "w", options=container) as out:
        track = out.add_stream(codec, rate=rate, options=coding or {})
        track.pix_fmt, track.thread_count = shades.get(codec, "yuv420p"), 1
        track.height, track.width = frames[0].shape[:2]
        for frame in frames:
            out.mux(track.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")))
        out.mux(track.encode(None))
    return path


def numbered_frames(n: int) -> list[np.ndarray]:
    """Frame k shows k < 256 as two grey levels, 16 (k // 16) and 16 (k % 16), above a strip of noise."""
    frames = np.random.default_rng(0).integers(0, 256, (n, 48, 64, 3), dtype=np.uint8)
    for k, frame in enumerate(frames):
        frame[:32, :32], frame[:32, 32:] = 16 * (k // 16), 16 * (k % 16)
    return list(frames)


def film_table(folder: Path, n: int = 24) -> MediaTable:
    """A table of films in which something rises or falls, in three containers; one is broken, one is missing."""
    media = folder / "films"
    media.mkdir(parents=True)
    rng = np.random.default_rng(7)
    rows = []
    for i in range(n):
        kind, ending = ("rising", "falling")[i % 2], ("mp4", "webm", "avi")[i % 3]
        frames = np.full((12, 64, 64, 3), 30 if kind == "rising" else 220, np.uint8)
        left = int(rng.integers(4, 40))
        for k, frame in enumerate(frames):
            top = 4 * (11 - k if kind == "rising" else k)
            frame[top : top + 16, left : left + 16] = rng.integers(80, 180, 3)
        film(media / f"{i}.{ending}", frames, {"mp4": "libx264", "webm": "libvpx", "avi": "mjpeg"}[ending])
        rows.append({"clip": f"{i}.{ending}", "words": f"something {kind}, take {i}", "kind": kind})
    truncate(media / "6.mp4")
    rows[9]["clip"] = ""
    table = folder / "takes.csv"
    pd.DataFrame(rows).to_csv(table, index=False)
    return MediaTable(table, media, n, {7: "not usable", 10: "video missing"})


def zipped(folder: Path, archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as pack:
        for path in sorted(folder.rglob("*")):
            pack.write(path, path.relative_to(folder))
    return archive


def pair(n: int = 60, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features of two modalities, the first clear, the second vague, and text labels."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n) % classes
    x1 = 3 * np.eye(classes)[codes] + rng.normal(size=(n, classes))
    x2 = np.hstack([np.eye(classes)[codes] + rng.normal(size=(n, classes)), rng.normal(size=(n, 2))])
    return x1, x2, np.array([f"kind {c}" for c in codes])


def run_folder(workspace: Path) -> Path:
    """Return the folder of the only run of a workspace."""
    (folder,) = (p for p in (workspace / "runs").iterdir() if not p.name.startswith("."))
    return folder


def features_npz(path: Path, n: int = 60, seed: int = 0, **extra: np.ndarray) -> Path:
    x1, x2, y = pair(n, seed=seed)
    np.savez(path, image=x1, text=x2, y=y, **extra)
    return path


def published_pt(path: Path, n: int = 40) -> Path:
    """The six tensors of the published layout."""
    import torch

    x1, x2, y = pair(n)
    codes = np.unique(y, return_inverse=True)[1]
    saved = {}
    for split, rows in (("train", slice(0, n - 10)), ("val", slice(n - 10, n))):
        saved[f"{split}_modal_1_features"] = torch.tensor(x1[rows], dtype=torch.float32)
        saved[f"{split}_modal_2_features"] = torch.tensor(x2[rows], dtype=torch.float32)
        saved[f"{split}_targets"] = torch.tensor(codes[rows])
    torch.save(saved, path)
    return path


def numbers_csv(path: Path, n: int = 60) -> Path:
    """Two groups of number columns, a label, an identifier and a column of text on the side."""
    x1, x2, y = pair(n)
    frame = pd.DataFrame(x1.round(4), columns=["arm", "leg", "back"])
    frame[["salt", "iron"]] = x2[:, :2].round(4)
    frame["label"], frame["note"] = y, "=risky, ünïcode"
    frame.insert(0, "id", [f"p{i:03d}" for i in range(n)])
    frame.to_csv(path, index=False)
    return path
