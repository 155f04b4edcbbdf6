"""Encoders from model folders against plain transformers forwards, and the reader of CTranslate2 files."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_models

import feature_extractors as fx
from feature_extractors.ctranslate2 import read_variables
from feature_extractors.sounds import read_sound

KINDS = ("picture", "text", "sound", "numbers", "vectors")


# --- tiny transformers models, against a plain forward ------------------------------------------------------


def test_a_text_folder_gives_the_mean_over_real_tokens(tmp_path):
    import torch
    from transformers import BertModel, BertTokenizer

    folder = tiny_models.save_text_model(tmp_path / "bert")
    texts = ["a cat", "the tax law the kitten sat", "kitten"]
    encoded = fx.load_encoder(str(folder), "text").encode(texts)
    model, tokenizer = BertModel.from_pretrained(folder).eval(), BertTokenizer.from_pretrained(folder)
    for row, text in zip(encoded.features, texts, strict=True):
        with torch.inference_mode():
            expected = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].mean(0)
        np.testing.assert_allclose(row, expected.numpy(), atol=1e-5)
    assert np.abs(encoded.features[0] - encoded.features[1]).max() > 1e-3


def test_a_picture_folder_gives_the_class_token(tmp_path):
    import torch
    from PIL import Image
    from transformers import ViTModel

    folder = tiny_models.save_picture_model(tmp_path / "vit")
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    paths = [tmp_path / f"{i}.png" for i in range(2)]
    for path, array in zip(paths, pixels, strict=True):
        Image.fromarray(array).save(path)
    encoded = fx.load_encoder(str(folder), "picture").encode(paths)
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1  # ViT's normalisation, mean and std 0.5
    with torch.inference_mode():
        expected = ViTModel.from_pretrained(folder).eval()(x).last_hidden_state[:, 0].numpy()
    np.testing.assert_allclose(encoded.features, expected, atol=1e-5)
    assert np.abs(expected[0] - expected[1]).max() > 1e-3


def test_a_sound_folder_gives_the_mean_over_frames(tmp_path):
    import soundfile
    import torch
    from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2Model

    folder = tiny_models.save_sound_model(tmp_path / "w2v")
    rng = np.random.default_rng(0)
    paths = [tmp_path / f"{i}.wav" for i in range(2)]
    for path, seconds in zip(paths, (0.3, 0.5), strict=True):
        soundfile.write(path, 0.1 * rng.standard_normal(int(8000 * seconds)), 8000)
    encoded = fx.load_encoder(str(folder), "sound").encode(paths)
    model = Wav2Vec2Model.from_pretrained(folder).eval()
    prepare = Wav2Vec2FeatureExtractor.from_pretrained(folder)
    for row, path in zip(encoded.features, paths, strict=True):
        inputs = prepare(read_sound(path, 8000), sampling_rate=8000, return_tensors="pt")
        with torch.inference_mode():
            expected = model(**inputs).last_hidden_state[0].mean(0).numpy()
        np.testing.assert_allclose(row, expected, atol=1e-5)


def test_a_folder_changes_its_fingerprint_with_its_weights_and_must_hold_safetensors(tmp_path):
    folder = tiny_models.save_text_model(tmp_path / "bert")
    before = fx.load_encoder(str(folder), "text").fingerprint
    assert fx.load_encoder(str(folder), "text").fingerprint == before
    weights = folder / "model.safetensors"
    raw = bytearray(weights.read_bytes())
    raw[-1] ^= 1
    weights.write_bytes(raw)
    assert fx.load_encoder(str(folder), "text").fingerprint != before
    weights.rename(folder / "pytorch_model.bin")
    with pytest.raises(fx.EncoderError, match="safetensors"):
        fx.load_encoder(str(folder), "text")


def test_a_folder_changes_its_fingerprint_with_every_file_that_may_be_read(tmp_path):
    folder = tiny_models.save_text_model(tmp_path / "bert")
    told = [fx.load_encoder(str(folder), "text").fingerprint]
    for name in ("config.json", "tokenizer_config.json", "vocab.txt", "ranks.tiktoken"):
        with (folder / name).open("a", encoding="utf-8") as stream:
            stream.write("\n")
        told.append(fx.load_encoder(str(folder), "text").fingerprint)
    assert len(set(told)) == 5
    (folder / "README.md").write_text("for people", encoding="utf-8")
    assert fx.load_encoder(str(folder), "text").fingerprint == told[-1]


def test_an_empty_folder_is_an_encoder_error(tmp_path):
    with pytest.raises(fx.EncoderError, match="in the folder"):
        fx.load_encoder(str(tmp_path), "picture")


# --- the reader of CTranslate2 files ------------------------------------------------------------------------

VARIABLES = {
    "encoder/a": np.arange(6, dtype=np.float16).reshape(2, 3),
    "decoder/b": np.arange(4, dtype=np.int32),
    "encoder/c": np.array(6, dtype=np.int16),
    "encoder/d": np.array([[-1, 2]], dtype=np.int8),
    "encoder/e": np.array([0.5], dtype=np.float32),
}


def test_the_reader_gives_back_what_was_written(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(tiny_models.ctranslate2_bytes(VARIABLES))
    found = read_variables(path, "encoder/")
    assert sorted(found) == ["encoder/a", "encoder/c", "encoder/d", "encoder/e"]
    for name, value in found.items():
        np.testing.assert_array_equal(value, VARIABLES[name])
        assert value.dtype == VARIABLES[name].dtype and value.shape == VARIABLES[name].shape


def test_the_reader_refuses_every_truncation(tmp_path):
    path, raw = tmp_path / "model.bin", tiny_models.ctranslate2_bytes(VARIABLES)
    for length in range(len(raw)):
        path.write_bytes(raw[:length])
        with pytest.raises(fx.EncoderError):
            read_variables(path)


@pytest.mark.parametrize(("at", "value"), [(0, 99), (0, 3)])
def test_the_reader_refuses_unknown_versions(tmp_path, at, value):
    path, raw = tmp_path / "model.bin", bytearray(tiny_models.ctranslate2_bytes(VARIABLES))
    raw[at] = value
    path.write_bytes(raw)
    with pytest.raises(fx.EncoderError, match="version"):
        read_variables(path)


def test_the_reader_refuses_contradictions(tmp_path):
    path, good = tmp_path / "model.bin", tiny_models.ctranslate2_bytes({"v": np.zeros(3, np.float32)})
    head = good.index(b"v\0") + 2  # rank, dimension (4 bytes), type, byte count (4 bytes), content
    for offset, value, says in (
        (0, 200, "dimensions"),
        (1, 4, "wrong size"),
        (5, 9, "unknown type"),
        (6, 255, "cut off"),
    ):
        raw = bytearray(good)
        raw[head + offset] = value
        path.write_bytes(raw)
        with pytest.raises(fx.EncoderError, match=says):
            read_variables(path)
