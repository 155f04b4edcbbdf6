"""The cache of features: what is encoded again and what is not, and that it changes no result."""

from __future__ import annotations

import errno
import os
import time
from contextlib import nullcontext

import numpy as np
import pytest
from fake_encoders import TEXTS, FakeFileEncoder, FakeTextEncoder, assert_same, shards, written
from hypothesis import given, settings
from hypothesis import strategies as st

import feature_extractors as fx
from feature_extractors import cache as cache_module
from feature_extractors import content, contracts

# --- exact: the cache changes nothing ----------------------------------------------------------------------

texts = st.lists(st.one_of(st.text("ab", max_size=3), st.none()), max_size=12)


@settings(max_examples=60, deadline=None)
@given(earlier=texts, items=texts, size=st.integers(1, 5), in_memory=st.sampled_from([0, 10**9]))
def test_whatever_was_stored_the_answer_is_the_encoders_own(tmp_path_factory, earlier, items, size, in_memory):
    cache = fx.FeatureCache(tmp_path_factory.mktemp("c"), shard_items=size, in_memory=in_memory)
    encoder = FakeTextEncoder()
    fx.encode_items(encoder, earlier, cache)
    del encoder.seen[:]
    assert_same(fx.encode_items(encoder, items, cache), FakeTextEncoder().encode(items))
    again = [text for text in encoder.seen if text is not None]
    assert sorted(again) == sorted(set(items) - set(earlier) - {None}), "each new text once, no stored one"


def test_a_second_run_encodes_nothing_and_is_done_at_once(cache, no_warnings):
    encoder, seen = FakeTextEncoder(), []
    first = fx.encode_items(encoder, TEXTS, cache)
    assert_same(first, FakeTextEncoder().encode(TEXTS))
    assert len(encoder.seen) == 6, "equal texts once"
    again = fx.encode_items(encoder, TEXTS, cache, lambda *a: seen.append(a))
    assert len(encoder.seen) == 6 and seen == [(0, 8), (8, 8)]
    assert_same(first, again)


def test_only_what_is_new_is_encoded_whatever_the_order(cache):
    encoder, seen = FakeTextEncoder(), []
    fx.encode_items(encoder, ["a", "bb", "ccc", "dddd"], cache)
    del encoder.seen[:]
    items = ["dddd", "new", "a", "ccc", "bb", "new", "newer"]
    assert_same(fx.encode_items(encoder, items, cache, lambda *a: seen.append(a)), FakeTextEncoder().encode(items))
    assert encoder.seen == ["new", "newer"]
    assert seen[:2] == [(0, 7), (4, 7)] and seen[-1] == (7, 7) and seen == sorted(set(seen))


@pytest.mark.parametrize("stop_after", range(11))
def test_a_stopped_run_resumes_with_the_same_bits_and_repeats_less_than_a_shard(tmp_path, stop_after):
    items = [None, *map(str, range(8)), "", "3"]  # what is never stored must not shift the rest into other batches
    whole = fx.encode_items(FakeTextEncoder(company=True), items, fx.FeatureCache(tmp_path / "whole", 3))
    cache, left = fx.FeatureCache(tmp_path / "stopped", 3), iter(range(stop_after))

    def stop():
        if next(left, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) if stop_after < 10 else nullcontext():
        fx.encode_items(FakeTextEncoder(company=True, on_item=stop), items, cache)
    resumed = FakeTextEncoder(company=True)
    assert_same(fx.encode_items(resumed, items, cache), whole)
    stored = (0, 2, 5, 8)[stop_after // 3] if stop_after < 10 else 9
    assert len([text for text in resumed.seen if text is not None]) == 9 - stored
    assert len(np.unique(whole.features[:, 2])) > 1, "the fake sees its companions: else this test could not fail"


@pytest.mark.parametrize("lost", [(0,), (1,), (2,), (0, 2), (0, 1, 2)])
def test_lost_shards_come_back_with_the_same_bits(cache, lost):
    items = [str(i) for i in range(8)]
    whole = fx.encode_items(FakeTextEncoder(company=True), items, cache)
    for i in lost:
        shards(cache.folder)[0 if len(lost) == 3 else i - len([k for k in lost if k < i])].unlink()
    again = FakeTextEncoder(company=True)
    assert_same(fx.encode_items(again, items, cache), whole)
    assert 0 < len(again.seen) <= 3 * len(lost)


# --- what makes another key --------------------------------------------------------------------------------


def test_another_fingerprint_or_format_is_another_key_and_both_stay(cache, monkeypatch):
    for fingerprint, form in (("fake/1", "features/2"), ("fake/2", "features/2"), ("fake/1", "features/3")):
        monkeypatch.setattr(cache_module, "_FORMAT", form)
        for encoded in (2, 0):
            encoder = FakeTextEncoder(fingerprint)
            fx.encode_items(encoder, ["a", "b"], cache)
            assert len(encoder.seen) == encoded
    assert len(shards(cache.folder)) == 3 and cache.check() == []


def test_numbers_and_vectors_are_not_cached(cache):
    table = np.arange(6.0).reshape(3, 2)
    for name, kind in (("columns", "numbers"), ("as-is", "vectors")):
        encoder = fx.load_encoder(name, kind)
        assert_same(fx.encode_items(encoder, table, cache), encoder.encode(table))
    assert not cache.folder.exists()


def test_no_items_and_a_single_text_go_to_the_encoder(cache):
    assert fx.encode_items(FakeTextEncoder(), [], cache).features.shape == (0, 4)
    seen = []

    class FakeStrictEncoder(FakeTextEncoder):
        def encode(self, items, progress=None):
            seen.append(items)
            raise fx.EncoderError("one text")

    with pytest.raises(fx.EncoderError):
        fx.encode_items(FakeStrictEncoder(), "one text", cache)
    assert seen == ["one text"] and not cache.folder.exists()


def test_no_usable_item_gives_the_width_of_the_encoder(cache):
    for _ in range(2):
        encoded = fx.encode_items(FakeTextEncoder(), ["", None], cache)
        assert encoded.features.shape == (0, 4) and [i for i, _ in encoded.problems] == [0, 1]


# --- files -------------------------------------------------------------------------------------------------


def test_a_file_counts_by_its_content_and_equal_files_once(cache, tmp_path):
    a, b, c = (written(tmp_path / n, raw) for n, raw in (("a", b"same"), ("b", b"same"), ("c", b"else")))
    encoder = FakeFileEncoder()
    fx.encode_items(encoder, [a, c], cache)
    assert encoder.seen == [a, c]
    assert_same(fx.encode_items(encoder, [b, str(c), a], cache), FakeFileEncoder().encode([b, c, a]))
    assert len(encoder.seen) == 2
    written(b, b"other")
    assert_same(fx.encode_items(encoder, [a, b, c], cache), FakeFileEncoder().encode([a, b, c]))
    assert encoder.seen == [a, c, b]


def test_a_bad_file_is_remembered_a_missing_one_may_come_back(cache, tmp_path):
    bad, missing, good = written(tmp_path / "bad", b"bad"), tmp_path / "missing", written(tmp_path / "good", b"good")
    items = [bad, missing, None, good, tmp_path]
    encoder = FakeFileEncoder()
    first = fx.encode_items(encoder, items, cache)
    assert first.kept.tolist() == [3] and [i for i, _ in first.problems] == [0, 1, 2, 4]
    del encoder.seen[:]
    assert_same(fx.encode_items(encoder, items, cache), first)
    assert encoder.seen == [missing, None, tmp_path]
    written(missing, b"here")
    assert_same(fx.encode_items(encoder, items, cache), FakeFileEncoder().encode(items))


@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "too many open files"), MemoryError()])
def test_a_failure_of_the_system_is_not_remembered(cache, tmp_path, error):
    paths = [written(tmp_path / name, name.encode()) for name in "ab"]

    def fail(path):
        if path == paths[1]:
            raise contracts.ItemProblem("damaged, it seems") from error

    first = fx.encode_items(FakeFileEncoder(fail), paths, cache)
    assert first.problems == ((1, "damaged, it seems"),)
    encoder = FakeFileEncoder()
    assert_same(fx.encode_items(encoder, paths, cache), FakeFileEncoder().encode(paths))
    assert encoder.seen == paths[1:]


def test_a_file_is_not_read_again_to_find_its_features(cache, tmp_path, settled_files, monkeypatch):
    paths = [written(tmp_path / f"{i}", b"%d" % i) for i in range(7)]
    first = fx.encode_items(FakeFileEncoder(), paths, cache)
    monkeypatch.setattr(content, "_file_digest", lambda item: pytest.fail(f"{item} was read"))
    encoder = FakeFileEncoder()
    assert_same(fx.encode_items(encoder, paths[::-1] + paths, cache), FakeFileEncoder().encode(paths[::-1] + paths))
    assert encoder.seen == [] and len(first.kept) == 7


def test_a_file_changed_in_place_is_noticed_though_size_and_time_are_put_back(cache, tmp_path, settled_files):
    path = written(tmp_path / "a", b"first")
    before = path.stat()
    fx.encode_items(FakeFileEncoder(), [path], cache)
    time.sleep(0.05)  # more than a tick of the file system's clock
    written(path, b"other")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size and path.stat().st_mtime_ns == before.st_mtime_ns
    assert fx.encode_items(FakeFileEncoder(), [path], cache).features.tolist() == [[ord("o")]]


def test_young_files_are_read_again(cache, tmp_path, monkeypatch):
    path, read, digest = written(tmp_path / "a", b"first"), [], content._file_digest
    monkeypatch.setattr(content, "_file_digest", lambda item: read.append(item) or digest(item))
    for _ in range(2):
        fx.encode_items(FakeFileEncoder(), [path], cache)
    assert read == [path] * 3, "before and after encoding, because its times say nothing yet, and in the second run"
    assert not (cache.folder / "files").exists()


def test_a_file_changed_while_it_is_encoded_is_not_stored_under_its_old_content(cache, tmp_path):
    paths = [written(tmp_path / name, name.encode()) for name in ("one", "two")]
    copy = written(tmp_path / "copy", b"one")
    changes = iter([b"changed"])

    def change(path):
        if path == paths[0]:
            written(path, next(changes, b"changed"))

    items = [*paths, copy]
    encoded = fx.encode_items(FakeFileEncoder(change), items, cache)
    assert encoded.features[:, 0].tolist() == [ord("c"), ord("t"), ord("o")]
    encoder = FakeFileEncoder()
    assert_same(
        fx.encode_items(encoder, [written(tmp_path / "old", b"one"), *paths], cache), encoder.encode([copy, *paths])
    )
