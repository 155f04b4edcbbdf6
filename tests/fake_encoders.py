"""Encoders that are none, for the tests of the cache: quick, counted, and as sensitive to their batch as is wanted."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from feature_extractors import contracts
from feature_extractors.batching import encode_in_batches


class FakeTextEncoder:
    """Length and a digest of each text; with `company` also what batches can change: place and number of others."""

    spec = contracts.EncoderSpec("fake", "text", 4, "x", 0, "1", "built in", "For tests.")

    def __init__(self, fingerprint="fake/1", company=False, on_item=lambda: None):
        self.fingerprint, self._company, self._on_item = fingerprint, company, on_item
        self.seen: list[str] = []

    def encode(self, items, progress=None):
        rows, problems = {}, {}
        for i, text in enumerate(items):
            self._on_item()
            self.seen.append(text)
            if not text:
                problems[i] = "empty “text”"
                continue
            first = hashlib.md5(text.encode()).digest()[0]
            rows[i] = np.array([len(text), first, *((i, len(items)) if self._company else (0, 0))], np.float32)
            if progress:
                progress(i + 1, len(items))
        return contracts.collect(rows, problems, 4)


class FakeFileEncoder:
    """First bytes of each file; counts the files it reads."""

    spec = contracts.EncoderSpec("fake", "picture", 1, "x", 0, "1", "built in", "For tests.")
    fingerprint = "fake-files/1"

    def __init__(self, before_reading=lambda path: None):
        self.seen: list[Path] = []
        self._before_reading = before_reading

    def _read(self, path):
        self._before_reading(path)
        self.seen.append(path)
        try:
            raw = Path(path).read_bytes()
        except (OSError, TypeError) as error:
            raise contracts.ItemProblem("not readable", passing=isinstance(error, FileNotFoundError)) from error
        if raw == b"bad":
            raise contracts.ItemProblem("bad")
        return raw

    def encode(self, items, progress=None):
        forward = lambda raws: np.array([[raw[0]] for raw in raws], np.float32)
        return encode_in_batches(items, [range(len(items))], self._read, forward, 1, progress)


TEXTS = ["ab", "", "c", "abc", "de", "ab", "f", ""]


def assert_same(a, b):
    np.testing.assert_array_equal(np.asarray(a.features), np.asarray(b.features))
    np.testing.assert_array_equal(a.kept, b.kept)
    assert a.problems == b.problems
    assert a.features.dtype == b.features.dtype == np.float32 and a.kept.dtype == b.kept.dtype == np.int64


def shards(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("*/*.safetensors") if p.parent.name != "files")


def written(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path
