"""How near encoding comes to the bare network, and to what others use for the same: one race for each sort of items."""

from __future__ import annotations

import importlib.metadata
import json
import os
import tempfile
from pathlib import Path

from benchmarks import encoders_peers as peers
from benchmarks import encoders_race as track
from benchmarks.debian import fetch_package
from benchmarks.drums import INSIDE, PACKAGE, load_drums
from benchmarks.encoders_cache import photographs
from benchmarks.report import in_own_process, table
from curation.demos import load_demo
from feature_extractors import default_encoder, load_encoder

__all__ = ["paragraphs", "speed", "start"]

ROUNDS = 5
_PARAGRAPHS, _DRAWINGS, _SOUNDS, _PHOTOGRAPHS = 300, 512, 128, 16
_START = """
import json, sys
from benchmarks.encoders_speed import start
print(json.dumps(start(sys.argv[1], json.load(open(sys.argv[2])))))
"""
_LOAD = """
import json, sys, time
begun = time.perf_counter()
import feature_extractors as fx
encoder = fx.load_encoder(fx.default_encoder(sys.argv[1]), sys.argv[1], "cpu")
loaded = time.perf_counter()
encoder.encode(json.load(open(sys.argv[2]))[:1])
print(json.dumps([loaded - begun, time.perf_counter() - loaded]))
"""
_HOW = (
    "Items per second, the best of {rounds} rounds run in turn in one process; a ratio is that of ours to the column "
    "before it, the median of the rounds. *Ours* is `encode_items` into an empty cache: reading, decoding, preparing, "
    "the network, digests, writing. *Bare* is the same network on the batches that ours had prepared, already in "
    "memory, features collected as arrays, nothing else: as one stream (the better of 1 and {cores} torch threads, the "
    "best of three batch sizes, ours among them), and as {cores} streams of one torch thread. *Others* are "
    "`SentenceTransformer.encode` with the same weights, and a loop over torch's `DataLoader` with our decoding and "
    "our network, each at its best batch size and number of threads or workers. Photographs are bound by decoding: "
    "nothing is promised for them. Loading the encoder is told apart."
)
_GROUPS = ("one stream", "all cores", "peer")
_ABSENT = "sentence-transformers was not installed (`pip install -r requirements-bench.txt`): texts were not compared."


def speed() -> str:
    """Return the section on speed."""
    with tempfile.TemporaryDirectory() as folder:
        told = [_one(Path(folder), *named) for named in _lists(Path(folder))]
    head = ["items", "ours", "bare, one stream", "ratio", f"bare, {track.CORES} streams", "ratio", "others", "ratio"]
    how = _HOW.format(rounds=ROUNDS, cores=track.CORES)
    quickest = table(["items", "bare, one stream", "bare, all cores", "others"], [row for _, row, _ in told])
    loading = table(["items", "importing and loading", "the first item"], [row for _, _, row in told])
    load = f"Load average of the last 15 minutes: {os.getloadavg()[2]:.1f}."
    named = [f"The quickest of each, as named in the table above:\n\n{quickest}", loading, *_absent(), load]
    return "\n\n".join([how, table(head, [row for row, _, _ in told]), *named])


def start(kind: str, items: list[str]) -> dict[str, track.Result]:
    """Race all ways to encode these items in this process."""
    encoder = load_encoder(default_encoder(kind), kind, "cpu")
    network = track.network_of(encoder)
    batches = track.recorded(network.gate, lambda: encoder.encode(items))
    per_row = len(items) / sum(map(track.count_rows, batches))
    arms = [track.ours(encoder, items), *track.bare(network.call, batches, per_row)]
    if kind == "picture":
        arms += [*track.unfolded(batches, per_row), *peers.data_loaders(encoder, items)]
    if kind == "text":
        arms += peers.sentence_transformers(items)
    return track.race(arms, ROUNDS)


def _lists(folder: Path) -> list[tuple[str, str, list[str]]]:
    drawings, names = (list(map(str, modality.items)) for modality in load_demo("emoji").modalities)
    drums = load_drums(fetch_package(PACKAGE) / INSIDE)["sound"].tolist()
    return [
        ("text", "emoji names", names),
        ("text", "paragraphs of package descriptions", paragraphs(_PARAGRAPHS)),
        ("picture", "emoji drawings, 160 pixels", drawings[:_DRAWINGS]),
        ("sound", "drum sounds", drums[:: len(drums) // _SOUNDS][:_SOUNDS]),
        ("picture", "photographs, 12 megapixels", photographs(folder / "photographs", _PHOTOGRAPHS)),
    ]


def paragraphs(count: int) -> list[str]:
    """Return paragraphs that the installed packages describe themselves with, evenly drawn, none twice."""
    packages = sorted(importlib.metadata.distributions(), key=lambda package: package.name.lower())
    texts = (package.metadata.get_payload() or package.metadata["Description"] or "" for package in packages)
    found = dict.fromkeys(part.strip() for text in texts for part in text.split("\n\n") if len(part.strip()) > 80)
    return list(found)[:: max(1, len(found) // count)][:count]


def _one(folder: Path, kind: str, what: str, items: list[str]) -> tuple[list[str], list[str], list[str]]:
    listed = folder / "items.json"
    listed.write_text(json.dumps(items), encoding="utf-8")
    loading, first = in_own_process(_LOAD, kind, listed)
    told = in_own_process(_START, kind, listed)
    told = {group: track.Result(*result) for group, result in told.items()}
    row = [f"{len(items):,} {what}", f"{told['ours'].rate:.1f}"]
    for group in _GROUPS:
        row += [f"{told[group].rate:.1f}", f"{100 * told[group].ratio:.0f} %"] if group in told else ["absent", ""]
    names = [told[group].name if group in told else "" for group in _GROUPS]
    if "one stream, not folded" in told:
        names[0] += "; not folded {1:.1f}, ratio {2:.2f} ({0})".format(*told["one stream, not folded"])
    return row, [row[0], *names], [row[0], f"{loading:.1f} s", f"{first:.2f} s"]


def _absent() -> list[str]:
    try:
        importlib.metadata.version("sentence-transformers")
    except importlib.metadata.PackageNotFoundError:
        return [_ABSENT]
    return []
