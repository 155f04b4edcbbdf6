"""Batches side by side, sorted by length, fitted into memory; folded networks; the precision of graphics cards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import tiny_models
import torch
from hypothesis import given
from hypothesis import strategies as st

import feature_extractors as fx
from feature_extractors import devices
from feature_extractors.batching import chunks, encode_in_batches, like_lengths
from feature_extractors.folding import fold
from feature_extractors.image import EFFICIENTNET, _efficientnet
from feature_extractors.weights import surroundings


@contextmanager
def cores(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


# --- side by side -----------------------------------------------------------------------------------------


def test_batches_run_side_by_side_and_progress_comes_from_the_callers_thread():
    together, told = threading.Barrier(3), []

    def forward(values):
        together.wait(timeout=60)  # broken unless three batches are at work at once
        return np.array([[float(v)] for v in values])

    with cores(3):
        encoded = encode_in_batches(
            range(6),
            chunks(range(6), 1),
            int,
            forward,
            1,
            lambda done, total: told.append((threading.get_ident(), done)),
        )
    assert encoded.features[:, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert told == [(threading.get_ident(), done) for done in range(7)]


def test_features_are_the_same_to_the_bit_whatever_the_number_of_cores(tmp_path):
    encoder = fx.load_encoder(str(tiny_models.save_text_model(tmp_path)), "text")
    texts = ["the cat sat " * (1 + i * 7 % 60) for i in range(300)]
    found = []
    for count in (1, 2, 3):
        with cores(count):
            found.append(encoder.encode(texts).features)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_an_error_in_one_batch_comes_to_the_caller_and_ends_the_others():
    def forward(values):
        if 3 in values:
            raise MemoryError("no room")
        return np.ones((len(values), 1))

    threads = threading.active_count()
    with cores(2), pytest.raises(MemoryError, match="no room"):
        encode_in_batches(range(9), chunks(range(9), 1), int, forward, 1)
    assert threading.active_count() == threads


# --- batches ----------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 300), max_size=80), st.integers(1, 9), st.integers(1, 700))
def test_batches_of_like_lengths_hold_every_item_once_and_keep_their_bounds(lengths, size, positions):
    batches = like_lengths(lengths, size, positions)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    ordered = [lengths[i] for batch in batches for i in batch]
    assert ordered == sorted(lengths, reverse=True)
    for batch in batches:
        assert len(batch) <= size
        assert len(batch) == 1 or len(batch) * lengths[batch[0]] <= positions


@pytest.mark.parametrize(
    ("free", "size"), [(2**40, 16), (2 * 25 * 16 * 1000 * 2, 16), (2 * 25 * 5 * 1000 * 2, 4), (0, 1)]
)
def test_a_batch_is_as_large_as_is_quickest_unless_memory_is_short(monkeypatch, free, size):
    monkeypatch.setattr(devices, "_free_bytes", lambda device: free)
    with cores(2):
        assert devices.fitting(16, 1000, "cpu") == size


def test_accelerators_get_larger_batches(monkeypatch):
    monkeypatch.setattr(devices, "_free_bytes", lambda device: 2**40)
    assert devices.fitting(16, 1000, "cuda:1") == 128


def test_the_free_memory_is_that_of_this_machine():
    assert 2**20 < devices._free_bytes("cpu") <= devices._all_bytes()


# --- precision --------------------------------------------------------------------------------------------


def test_graphics_cards_compute_in_half_precision_and_the_fingerprint_says_so(monkeypatch):
    for native, name in ((True, "bfloat16"), (False, "float16")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True, n=native: n)
        assert f"on cuda in torch.{name} with torch=" in surroundings("cuda:0", "torch")
    assert devices.precision("cpu") is None and surroundings("cpu").startswith("on cpu with")


def test_lower_precision_is_of_the_forward_pass_only(tmp_path, monkeypatch):
    """On the processor, because no graphics card is at hand: the same autocast."""
    encoder = fx.load_encoder(str(tiny_models.save_text_model(tmp_path)), "text", "cpu")
    texts = ["a cat", "the tax law the kitten sat", "kitten"]
    exact = encoder.encode(texts).features
    monkeypatch.setattr(devices, "precision", lambda device: torch.bfloat16)
    rough = encoder.encode(texts).features
    assert rough.dtype == np.float32
    assert 0 < np.abs(rough - exact).max() < 0.05 * np.abs(exact).max()


# --- folding ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "off"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_a_folded_network_gives_the_same_features(number, off):
    weights = torch.load(EFFICIENTNET.verified_path(), weights_only=True)
    plain, folded = _efficientnet(), _efficientnet()
    for network in (plain, folded):
        network.load_state_dict(weights)
        network.eval().to(number)
    fold(folded)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded.modules())
    pictures = torch.rand(4, 3, 128, 128, generator=torch.Generator().manual_seed(0), dtype=number) * 2 - 1
    with torch.inference_mode():
        expected, got = (network.extract_features(pictures).mean((2, 3)) for network in (plain, folded))
    largest = expected.abs().max()
    assert largest > 0.5 and (got - expected).abs().max() < off * largest
