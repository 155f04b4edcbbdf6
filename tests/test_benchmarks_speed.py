"""The race of the encoders measures what it says it does."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
import torch
from makers import picture_table

import feature_extractors as fx
from benchmarks import encoders_race as track
from benchmarks.encoders_speed import paragraphs


def features_of(kind, items):
    encoder = fx.load_encoder(fx.default_encoder(kind), kind, "cpu")
    network = track.network_of(encoder)
    batches = track.recorded(network.gate, lambda: encoder.encode(items))
    found = [
        np.concatenate([track.features(network.call, b) for b in track.rebatched(batches, f)]) for f in (1, 0.5, 2)
    ]
    return encoder.encode(items).features, found


def same_rows(found, expected):
    """Whatever the order: sorted by distance from the first row."""
    by_distance = lambda rows: rows[np.argsort(np.linalg.norm(rows - expected[0], axis=1))]
    np.testing.assert_allclose(by_distance(found), by_distance(expected), atol=2e-5 * np.abs(expected).max())


def test_the_bare_network_gives_the_features_of_the_text_encoder():
    texts = [text[: 10 + 2 * i] for i, text in enumerate(paragraphs(70))]  # two batches
    expected, found = features_of("text", texts)
    for rows in found:
        same_rows(rows, expected)


def test_the_bare_network_gives_the_features_of_the_picture_encoder(tmp_path):
    made = picture_table(tmp_path)
    expected, found = features_of("picture", sorted(str(path) for path in made.media.rglob("*.png"))[:20])
    for rows in found:
        same_rows(rows, expected)


def test_the_bare_network_of_the_sound_encoder_is_found(tmp_path):
    rng, paths = np.random.default_rng(0), [tmp_path / f"{i}.wav" for i in range(3)]
    for path in paths:
        soundfile.write(path, 0.1 * rng.standard_normal(8000), 16_000)
    expected, found = features_of("sound", paths)
    for states in found:
        assert states.shape == (3, 250, 384)
        same_rows(states[:, :25].mean(axis=1), expected)  # half a second is 25 frames


def test_the_quickest_of_each_group_runs_again_and_is_compared_round_by_round():
    rates = {"a": iter([8, 6, 4, 9]), "b": iter([3, 2, 4, 3]), "c": iter([2])}
    arms = [track.Arm(group, name, lambda n=name: next(rates[n])) for group, name in ("xa", "yb", "yc")]
    # ratios 6/2, 4/4 and 9/3; neither the first pass nor "c" counts
    assert track.race(arms, 3) == {"x": ("a", 9, 1), "y": ("b", 4, 3)}


def test_paragraphs_are_different_and_long_enough():
    found = paragraphs(50)
    assert len(set(found)) == 50 and min(map(len, found)) > 80


def test_threads_are_given_back():
    with pytest.raises(KeyError), track.threads(1):
        assert torch.get_num_threads() == 1
        raise KeyError
    assert torch.get_num_threads() == track.CORES
