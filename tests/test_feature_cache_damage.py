"""The cache of features under damage, without room, and with results too large for memory."""

from __future__ import annotations

import errno
import os
import shutil
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from fake_encoders import TEXTS, FakeFileEncoder, FakeTextEncoder, assert_same, shards, written

import feature_extractors as fx
from feature_extractors import cache as cache_module
from feature_extractors import contracts, sealed

# --- damage ------------------------------------------------------------------------------------------------


def damage(path: Path, how: str) -> None:
    raw = path.read_bytes()
    changed = {"empty": b"", "cut": raw[:-2], "other": b"not safetensors", "longer": raw + b"x"}
    path.write_bytes(changed[how])


@pytest.mark.parametrize("how", ["empty", "cut", "other", "longer"])
def test_a_damaged_shard_is_computed_again_with_a_warning(cache, how):
    first = fx.encode_items(FakeTextEncoder(), TEXTS, cache)
    damage(shards(cache.folder)[0], how)
    assert [path for path, _ in cache.check()] == shards(cache.folder)[:1]
    encoder = FakeTextEncoder()
    with pytest.warns(UserWarning, match="computed again"):
        assert_same(fx.encode_items(encoder, TEXTS, cache), first)
    assert 0 < len(encoder.seen) <= 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_same(fx.encode_items(encoder, TEXTS, cache), first)
    assert cache.check() == [] and len(encoder.seen) <= 3


def test_a_flipped_bit_is_noticed_wherever_it_is(cache):
    first = fx.encode_items(FakeTextEncoder(), ["ab"], cache)
    (path,) = shards(cache.folder)
    raw = path.read_bytes()
    for at in range(len(raw)):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << at % 8]) + raw[at + 1 :])
        assert len(cache.check()) == 1, at
        with pytest.warns(UserWarning, match="computed again"):
            assert_same(fx.encode_items(FakeTextEncoder(), ["ab"], cache), first)
        assert cache.check() == [] and path.read_bytes() == raw


def test_a_foreign_shard_is_not_believed_and_stays(cache):
    other = FakeTextEncoder("other/1", company=True)
    fx.encode_items(other, TEXTS, cache)
    foreign = shards(cache.folder)
    encoder = FakeTextEncoder()
    folder = cache.folder / cache_module._folder_name(f"{cache_module._FORMAT} {encoder.fingerprint}")
    folder.mkdir()
    copies = [Path(shutil.copy(path, folder)) for path in foreign]
    told = cache.check()
    assert [path for path, _ in told] == sorted(copies) and "another encoder" in told[0][1]
    with pytest.warns(UserWarning, match="another encoder"):
        assert_same(fx.encode_items(encoder, TEXTS, cache), FakeTextEncoder().encode(TEXTS))
    assert all(path.exists() for path in [*foreign, *copies])


@pytest.mark.parametrize("wrong", ["rows", "kept", "dtype", "problems", "digests", "nothing"])
def test_a_shard_with_a_good_checksum_and_contradictions_is_refused(cache, wrong, tmp_path):
    encoder = FakeTextEncoder()
    fx.encode_items(encoder, ["ab", ""], cache)
    (path,) = shards(cache.folder)
    arrays, told = sealed.peek(path, ("features", "kept", "digests"))
    path.unlink()
    changed = {
        "rows": {"features": np.ones((2, 4), np.float32)},
        "kept": {"kept": np.ones(1, bool)},
        "dtype": {"features": np.ones((1, 4))},
        "digests": {"digests": arrays["digests"][:, :16]},
    }.get(wrong, {})
    told |= {"problems": []} if wrong == "problems" else {}
    sealed.write_sealed(path.parent, {} if wrong == "nothing" else arrays | changed, told)
    with pytest.warns(UserWarning, match="computed again"):
        assert_same(fx.encode_items(encoder, ["ab", ""], cache), FakeTextEncoder().encode(["ab", ""]))


def test_other_files_are_left_alone_without_a_word(cache, no_warnings):
    cache.folder.mkdir(parents=True)
    fx.encode_items(FakeTextEncoder(), TEXTS, cache)
    old = cache.folder / f"{'0' * 64}.safetensors"  # where earlier versions kept their files
    notes = shards(cache.folder)[0].parent / "notes.txt"
    for path in (old, notes):
        path.write_text("mine", encoding="utf-8")
    encoder = FakeTextEncoder()
    fx.encode_items(encoder, TEXTS, cache)
    assert encoder.seen == [] and old.read_text() == notes.read_text() == "mine" and cache.check() == []


def test_a_damaged_memory_of_files_only_makes_them_be_read(cache, tmp_path, settled_files, no_warnings):
    paths = [written(tmp_path / name, name.encode()) for name in "abc"]
    fx.encode_items(FakeFileEncoder(), paths, cache)
    (memory,) = (cache.folder / "files").iterdir()
    damage(memory, "cut")
    assert [path for path, _ in cache.check()] == [memory]
    encoder = FakeFileEncoder()
    assert_same(fx.encode_items(encoder, paths, cache), FakeFileEncoder().encode(paths))
    assert encoder.seen == []


def test_a_cache_deleted_during_a_run_costs_time_and_no_features(cache):
    items = [str(i) for i in range(8)]
    count = iter(range(100))

    def delete():
        if next(count) == 7:
            shutil.rmtree(cache.folder, ignore_errors=True)

    with pytest.warns(UserWarning, match="computed again"):
        encoded = fx.encode_items(FakeTextEncoder(on_item=delete), items, cache)
    assert_same(encoded, FakeTextEncoder().encode(items))


def test_what_killed_writers_leave_is_swept_but_not_what_is_being_written(cache):
    fx.encode_items(FakeTextEncoder(), ["a"], cache)
    folder = shards(cache.folder)[0].parent
    old, young = written(folder / ".writing-old", b"half"), written(folder / ".writing-young", b"half")
    os.utime(old, (time.time() - 7200,) * 2)
    fx.encode_items(FakeTextEncoder(), ["a"], cache)
    assert young.exists() and not old.exists()


# --- no room -----------------------------------------------------------------------------------------------


def test_a_failed_write_leaves_nothing_behind_and_keeps_the_features(cache, monkeypatch):
    failing = lambda self, target: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device"))
    monkeypatch.setattr(Path, "replace", failing)
    with pytest.warns(UserWarning, match="No space left") as told:
        encoded = fx.encode_items(FakeTextEncoder(), TEXTS, cache)
    assert_same(encoded, FakeTextEncoder().encode(TEXTS))
    assert len(told) == 1, "one warning, not one a shard"
    assert [p for p in cache.folder.rglob("*") if p.is_file()] == []


def test_a_folder_that_cannot_be_made_costs_no_features(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    cache = fx.FeatureCache(tmp_path / "file" / "below", in_memory=0)
    with pytest.warns(UserWarning) as told:
        encoded = fx.encode_items(FakeTextEncoder(), TEXTS, cache)
    assert_same(encoded, FakeTextEncoder().encode(TEXTS))
    for says, warning in zip(("could not be stored", "held in memory"), told, strict=True):
        assert says in str(warning.message)


# --- large results -----------------------------------------------------------------------------------------


def test_large_results_are_read_only_maps_that_leave_nothing_behind(cache, tmp_path):
    cache.in_memory = 10
    items = [str(i % 11) for i in range(40)] + [""]
    for _ in range(2):
        encoded = fx.encode_items(FakeTextEncoder(), items, cache)
        assert isinstance(encoded.features, np.memmap) and not encoded.features.flags.writeable
        assert_same(encoded, FakeTextEncoder().encode(items))
    assert {p.parent for p in cache.folder.rglob("*") if p.is_file()} == {shards(cache.folder)[0].parent}
    assert not isinstance(fx.encode_items(FakeTextEncoder(), items[:1], fx.FeatureCache(tmp_path)).features, np.memmap)


def test_row_blocks_cover_arrays_and_maps(cache):
    cache.in_memory = 10
    encoded = fx.encode_items(FakeTextEncoder(), [str(i) for i in range(10)], cache)
    for features in (encoded.features, np.array(encoded.features)):
        blocks = list(fx.row_blocks(features, block_bytes=3 * 16))
        assert [start for start, _ in blocks] == [0, 3, 6, 9]
        np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), encoded.features)


def test_the_estimator_takes_a_map(cache):
    from lsmi_core import LSMIEstimator

    cache.in_memory = 10
    encoded = fx.encode_items(FakeTextEncoder(), [f"{'x' * (i % 5)}{i}" for i in range(60)], cache)
    labels = np.arange(60) % 2
    scores = [LSMIEstimator().fit_score(x, x[:, :2], labels) for x in (encoded.features, np.array(encoded.features))]
    np.testing.assert_array_equal(scores[0].i12, scores[1].i12)


def test_rows_of_different_lengths_are_the_encoders_fault(cache):
    class FakeUnevenEncoder(FakeTextEncoder):
        def encode(self, items, progress=None):
            rows = {i: np.ones(1 + len(items), np.float32) for i in range(len(items))}
            return contracts.collect(rows, {}, None)

    with pytest.raises(fx.EncoderError, match="different lengths"):
        fx.encode_items(FakeUnevenEncoder(), list("abcd"), cache)
