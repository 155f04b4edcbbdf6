"""What the cache of features costs and saves: a million items in bounded memory, and a second run against the first."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.report import in_own_process, table
from curation.demos import load_demo

N, D = 1_000_000, 512
_PHOTOGRAPHS = 48

# A process of its own for each run, as the user has it; the peak is that of the whole process, Python included.
MANY = """
import json, sys, time
import numpy as np
import feature_extractors as fx
from benchmarks.encoders_cache import DrawnEncoder, peak_gb
n, d, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
encoder, items = DrawnEncoder(d), [f"item {i}" for i in range(n)]
begun = time.perf_counter()
done = fx.encode_items(encoder, items, fx.FeatureCache(folder))
stored = time.perf_counter()
blocks = fx.row_blocks(done.features, 2**23)
wrong = sum((block != encoder.rows(range(start, start + len(block)))).sum() for start, block in blocks)
print(json.dumps({
    "encoded": encoder.encoded, "seconds": stored - begun, "read": time.perf_counter() - stored, "wrong": int(wrong),
    "peak": peak_gb(), "map": isinstance(done.features, np.memmap), "shape": list(done.features.shape),
}))
"""
REAL = """
import json, sys, time
import feature_extractors as fx
kind, items, folder = sys.argv[1], json.load(open(sys.argv[2])), sys.argv[3]
begun = time.perf_counter()
encoder = fx.load_encoder(fx.default_encoder(kind), kind)
encoder.encode(items[:1])
loaded = time.perf_counter()
done = fx.encode_items(encoder, items, fx.FeatureCache(folder) if folder != "none" else None)
print(json.dumps([time.perf_counter() - loaded, loaded - begun, len(done.kept), done.features.shape[1]]))
"""


class DrawnEncoder:
    """No encoder: draws d numbers for an item from its position, so that what comes back can be checked."""

    fingerprint = "drawn/1"

    def __init__(self, width: int):
        from feature_extractors import EncoderSpec

        self.spec = EncoderSpec("drawn", "text", width, "none", 0, "1", "built in", "To measure the cache.")
        self.encoded = 0

    def rows(self, numbers: range) -> np.ndarray:
        """Return the features of some items, of shape (len(numbers), d)."""
        return np.outer(np.array(numbers) % 65_521 + 1, np.sqrt(np.arange(self.spec.width) + 2)).astype(np.float32)

    def encode(self, items: list[str], progress: object = None) -> object:
        """Return the features of items called "item 0" and so on."""
        from feature_extractors import EncodedItems

        self.encoded += len(items)
        first = int(items[0].split()[1])
        return EncodedItems(self.rows(range(first, first + len(items))), np.arange(len(items)), ())


def peak_gb() -> float:
    """Return the peak memory of this process in GB, pages of mapped files included."""
    (line,) = [t for t in Path("/proc/self/status").read_text(encoding="ascii").splitlines() if t.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e9


def cache() -> str:
    """Return the section on the cache."""
    with tempfile.TemporaryDirectory() as folder:
        parts = [_many(Path(folder) / "many"), _real(Path(folder))]
    return "\n\n".join([*parts, f"Load average of the last 15 minutes: {os.getloadavg()[2]:.1f}."])


def _many(folder: Path) -> str:
    runs = [in_own_process(MANY, N, D, folder) for _ in range(2)]
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9
    shutil.rmtree(folder)
    rows = [
        [name, f"{r['encoded']:,}", f"{r['seconds']:.1f} s", f"{r['read']:.1f} s", f"{r['peak']:.2f} GB", r["wrong"]]
        for name, r in zip(("first", "second"), runs, strict=True)
    ]
    assert all(r["map"] and r["shape"] == [N, D] for r in runs)
    return (
        f"{N:,} items of {D} float32 features each ({N * D * 4 / 1e9:.2f} GB; {size:.2f} GB on disk), in shards, "
        "put together behind a memory map and read back through it block by block. Each run is a process of its own; "
        "its peak is VmHWM, mapped pages, Python and the million texts included. The features are drawn, not encoded: "
        "all of the time is the cache's.\n\n"
        + table(["run", "encoded", "until the map is there", "reading it back", "peak", "wrong values"], rows)
    )


def _real(folder: Path) -> str:
    demo = load_demo("emoji")
    drawings, names = (list(map(str, m.items)) for m in demo.modalities)
    lists = [
        ("text", "emoji names", names),
        ("picture", "emoji drawings, 160 pixels", drawings),
        ("picture", "made-up photographs, 12 megapixels", photographs(folder / "photographs", _PHOTOGRAPHS)),
    ]
    return (
        "The packaged encoders on real items (the emoji demo) and on JPEG files as large as a camera's. Each run is a "
        "process of its own; loading the encoder is told apart. Share: of the second run in the first.\n\n"
        + table(
            ["items", "encoder's width", "loading", "without cache", "first run", "second run", "share"],
            [_twice(folder / f"{i}", *one) for i, one in enumerate(lists)],
        )
    )


def _twice(folder: Path, kind: str, what: str, items: list[str]) -> list[str]:
    folder.mkdir()
    listed = folder / "items.json"
    listed.write_text(json.dumps(items), encoding="utf-8")
    plain, first, *again = (in_own_process(REAL, kind, listed, where) for where in ("none", *[folder / "cache"] * 4))
    second = min(seconds for seconds, *_ in again)
    return [
        f"{len(items):,} {what}", first[3], f"{first[1]:.1f} s", f"{plain[0]:.2f} s", f"{first[0]:.2f} s",
        f"{1000 * second:.1f} ms", f"{100 * second / first[0]:.2f} %",
    ]  # fmt: skip


def photographs(folder: Path, count: int) -> list[str]:
    """Make pictures: noise over smooth colours, which packs into about as many bytes as a photograph does."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).resize((4000, 3000))
        noisy = np.asarray(coarse, np.int16) + rng.integers(-12, 13, (3000, 4000, 1), dtype=np.int16)
        Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).save(folder / f"{i}.jpg", quality=90)
    time.sleep(4)  # files younger than three seconds are read again: not what is measured here
    return sorted(str(path) for path in folder.iterdir())
