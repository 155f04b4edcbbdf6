"""Small valid files of every kind that is read: what the fuzzing spoils."""

from __future__ import annotations

import tempfile
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
from PIL import Image

__all__ = ["seeds"]


@cache
def seeds(reader: str) -> list[tuple[str, bytes]]:
    """Return small valid files of every kind that a reader takes, by name."""
    with tempfile.TemporaryDirectory() as folder:
        SEEDS[reader](Path(folder))
        return [(path.name, path.read_bytes()) for path in sorted(Path(folder).iterdir())]


def _tables(folder: Path) -> None:
    frame = pd.DataFrame(
        {"id": range(12), "text": [f"wörd {i % 5}" for i in range(12)], "size": np.arange(12) / 3,
         "note": [f"n{i % 3}" for i in range(12)], "v": [f"[{i}, 0.5]" for i in range(12)], "label": ["a", "b"] * 6}
    )  # fmt: skip
    frame.to_csv(folder / "t.csv", index=False)
    frame.to_csv(folder / "t.tsv", index=False, sep="\t")
    frame.to_json(folder / "t.jsonl", orient="records", lines=True)
    lists = frame.assign(v=[[i, 0.5] for i in range(12)], label=frame["label"].astype("category"))
    for number, options in enumerate(
        [{}, {"use_dictionary": False, "compression": "none"}, {"compression": "zstd", "row_group_size": 5},
         {"data_page_version": "2.0", "compression": "gzip"},
         {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY", "id": "DELTA_BINARY_PACKED"}}]
    ):  # fmt: skip
        table = pa.Table.from_pandas(lists.astype({"label": "str"}) if number == 4 else lists)
        pq.write_table(table, folder / f"t{number}.parquet", **options)


def _archives(folder: Path) -> None:
    for number, method in enumerate([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]):
        with zipfile.ZipFile(folder / f"a{number}.zip", "w", method) as packed:
            packed.comment = b"a comment" * number
            for name in ("one.png", "sub/two.png", "sub/deep/ä.png"):
                packed.writestr(name, bytes(range(200)))


def _arrays(folder: Path) -> None:
    import torch
    from safetensors.numpy import save_file

    rows = np.arange(12.0)
    arrays = {"x1": np.stack([rows, rows**2], axis=1), "x2": rows[:, None] + 1, "y": np.array([0, 1] * 6)}
    np.savez(folder / "a.npz", **arrays)
    np.savez_compressed(folder / "b.npz", **(arrays | {"y": np.array(["p", "q"] * 6)}))
    save_file(arrays, folder / "a.safetensors")
    np.save(folder / "x1.npy", arrays["x1"])
    parts = {"modal_1_features": arrays["x1"], "modal_2_features": arrays["x2"], "targets": arrays["y"]}
    six = {f"{split}_{name}": torch.tensor(array) for split in ("train", "val") for name, array in parts.items()}
    torch.save(six, folder / "a.pt")
    torch.save(six, folder / "b.pt", _use_new_zipfile_serialization=False)


def _pictures(folder: Path) -> None:
    tones = np.arange(12 * 12 * 4, dtype=np.uint8).reshape(12, 12, 4)
    rgba, rgb = Image.fromarray(tones), Image.fromarray(tones[..., :3].copy())
    exif = Image.Exif()
    exif[0x112] = 6
    rgba.save(folder / "a.png")
    rgb.quantize(8).save(folder / "b.png", transparency=3, interlace=True)
    Image.fromarray(np.arange(144, dtype=np.uint16).reshape(12, 12) * 400).save(folder / "c.png")
    rgb.save(folder / "a.jpg", exif=exif)
    rgb.convert("CMYK").save(folder / "b.jpg", progressive=True)
    rgb.quantize(8).save(folder / "a.gif", save_all=True, append_images=[rgb.quantize(4)])
    rgba.save(folder / "a.webp")
    rgb.save(folder / "b.webp", lossless=True)
    rgb.save(folder / "a.bmp")
    for name in ("raw", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"):
        rgb.save(folder / f"{name}.tif", compression=name)
    Image.fromarray(np.linspace(0, 1, 144, dtype=np.float32).reshape(12, 12)).save(folder / "f.tif")
    rgb.convert("1").save(folder / "g.tif", compression="group4")


def _sounds(folder: Path) -> None:
    wave = np.sin(np.arange(2_000) / 20).astype(np.float32)[:, None] * np.ones(2, np.float32)
    for name, kind in (("a.wav", "PCM_16"), ("b.wav", "FLOAT"), ("c.wav", "IMA_ADPCM"), ("d.wav", "ALAW"),
                       ("a.flac", "PCM_16"), ("a.ogg", "VORBIS"), ("b.ogg", "OPUS"), ("a.mp3", "MPEG_LAYER_III"),
                       ("a.aiff", "PCM_24"), ("a.au", "ULAW"), ("a.caf", "ALAC_16")):  # fmt: skip
        soundfile.write(folder / name, wave, 8_000, kind)


def _videos(folder: Path) -> None:
    import av

    tones = np.arange(12 * 32 * 32 * 3, dtype=np.uint8).reshape(12, 32, 32, 3)
    for name, codec, shade in (("a.mp4", "libx264", "yuv420p"), ("b.mp4", "mpeg4", "yuv420p"),
                               ("a.webm", "libvpx", "yuv420p"), ("b.webm", "libvpx-vp9", "yuv420p"),
                               ("a.mkv", "ffv1", "yuv420p"), ("a.avi", "mjpeg", "yuvj420p")):  # fmt: skip
        with av.open(str(folder / name), "w") as out:
            track = out.add_stream(codec, rate=10)
            track.width, track.height, track.pix_fmt = 32, 32, shade
            for frame in tones:
                out.mux(track.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
            out.mux(track.encode(None))


SEEDS = {"table": _tables, "roles": _tables, "archive": _archives, "features": _arrays, "picture": _pictures,
         "sound": _sounds, "video": _videos}  # fmt: skip
