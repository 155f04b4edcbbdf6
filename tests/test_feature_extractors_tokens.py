"""Token sequences of the packaged encoders, and how ragged sequences are kept and padded."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from PIL import Image

import feature_extractors as fx
from feature_extractors.contracts import collect_tokens


def _states(*lengths: int) -> list[np.ndarray]:
    return [np.full((length, 2), i + 1, np.float32) for i, length in enumerate(lengths)]


def test_sequences_are_kept_in_item_order_and_padded_with_zeros():
    short, long = _states(1, 3)
    tokens = collect_tokens({4: short, 1: long}, {2: "bad"}, None, [2])
    assert tokens.kept.tolist() == [1, 4] and tokens.lengths.tolist() == [3, 1]
    assert tokens.problems == ((2, "bad"),) and tokens.passing == {2}
    for got, expected in zip(tokens.sequences(), (long, short), strict=True):
        np.testing.assert_array_equal(got, expected)
    states, mask = tokens.padded()
    assert states.dtype == np.float32 and mask.dtype == bool
    np.testing.assert_array_equal(mask, [[1, 1, 1], [1, 0, 0]])
    np.testing.assert_array_equal(states, [[[2, 2]] * 3, [[1, 1], [0, 0], [0, 0]]])


def test_no_sequences_have_a_shape_as_well():
    tokens = collect_tokens({}, {0: "bad"}, 5)
    states, mask = tokens.padded()
    assert tokens.sequences() == [] and tokens.states.shape == (0, 5)
    assert states.shape == (0, 0, 5) and mask.shape == (0, 0)


def test_the_mean_of_minilms_tokens_is_its_feature():
    encoder = fx.load_encoder("minilm-l6", "text", device="cpu")
    texts = ["a cat", "", "many words " * 60, "tax law"]
    features, tokens = encoder.encode(texts), encoder.encode_tokens(texts)
    assert tokens.kept.tolist() == features.kept.tolist() == [0, 2, 3] and tokens.problems == features.problems
    assert tokens.lengths.tolist() == [4, 122, 4]  # a start, an end, and a token a word
    means = np.stack([states.mean(axis=0) for states in tokens.sequences()])
    expected = means / np.linalg.norm(means, axis=1, keepdims=True)
    np.testing.assert_allclose(features.features, expected, atol=1e-5)


def test_the_mean_of_efficientnets_places_is_its_feature(tmp_path):
    encoder = fx.load_encoder("efficientnet-lite0", "picture", device="cpu")
    pixels = np.random.default_rng(0).integers(0, 256, (80, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    features, tokens = encoder.encode([tmp_path / "a.png"]), encoder.encode_tokens([tmp_path / "a.png"])
    (states,) = tokens.sequences()
    assert states.shape == (16, encoder.spec.width)  # 128 pixels, each place 32 wide
    np.testing.assert_allclose(states.mean(axis=0), features.features[0], atol=1e-5)


@pytest.mark.parametrize("seconds", [0.01, 0.5, 5.0, 7.3])
def test_the_mean_of_whispers_real_frames_is_its_feature(tmp_path, seconds):
    encoder = fx.load_encoder("whisper-tiny", "sound", device="cpu")
    samples = int(16_000 * seconds)
    soundfile.write(tmp_path / "a.wav", 0.1 * np.random.default_rng(0).standard_normal(samples), 16_000)
    features, tokens = encoder.encode([tmp_path / "a.wav"]), encoder.encode_tokens([tmp_path / "a.wav"])
    (states,) = tokens.sequences()
    assert len(states) == -(-samples // 320)
    np.testing.assert_allclose(states.mean(axis=0), features.features[0], atol=1e-5)
