"""The packaged encoders with their real weights, and real files of every bad sort."""

from __future__ import annotations

import errno
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageDraw

import feature_extractors as fx
from feature_extractors import pictures
from feature_extractors.audio import WHISPER
from feature_extractors.contracts import ItemProblem
from feature_extractors.ctranslate2 import read_variables
from feature_extractors.pictures import read_picture
from feature_extractors.sounds import read_sound
from feature_extractors.weights import surroundings
from feature_extractors.whisper import build_whisper, encoder_weights


@pytest.fixture(scope="module")
def minilm():
    return fx.load_encoder("minilm-l6", "text", device="cpu")


@pytest.fixture(scope="module")
def efficientnet():
    return fx.load_encoder("efficientnet-lite0", "picture", device="cpu")


@pytest.fixture(scope="module")
def whisper():
    return fx.load_encoder("whisper-tiny", "sound", device="cpu")


# --- text -------------------------------------------------------------------------------------------------


def test_minilm_puts_like_meanings_together(minilm):
    cat, kitten, law = minilm.encode(["a cat", "a kitten", "tax law"]).features
    assert cat @ kitten > 0.6 > 0.3 > cat @ law
    np.testing.assert_allclose(np.linalg.norm([cat, kitten, law], axis=1), 1, atol=1e-5)


def test_minilm_does_not_depend_on_the_batch(minilm):
    texts = ["a cat", "many words " * 60, "tax law", *(f"text number {i}" * (1 + i % 7) for i in range(70))]
    together = minilm.encode(texts)
    assert together.features.shape == (len(texts), minilm.spec.width)
    for i in (0, 1, 2, 40):
        np.testing.assert_allclose(together.features[i], minilm.encode([texts[i]]).features[0], atol=1e-4)


def test_minilm_reads_256_tokens_and_no_more(minilm):
    start = "cat " * 254  # with the two special tokens, 256
    rows = minilm.encode([start, start + "tax law " * 50, "cat " * 200 + "tax law " * 20]).features
    np.testing.assert_allclose(rows[0], rows[1], atol=1e-5)
    assert np.abs(rows[0] - rows[2]).max() > 1e-3


def test_empty_texts_and_other_things_are_problems(minilm):
    seen = []
    encoded = minilm.encode(["a cat", "", " \n\t", None, float("nan"), "a dog"], lambda *a: seen.append(a))
    assert encoded.kept.tolist() == [0, 5] and [i for i, _ in encoded.problems] == [1, 2, 3, 4]
    assert "empty" in encoded.problems[0][1] and "no text" in encoded.problems[2][1]
    assert seen[0] == (0, 6) and seen[-1] == (6, 6)


def test_one_text_instead_of_a_list_is_refused(minilm):
    with pytest.raises(fx.EncoderError, match="list of texts"):
        minilm.encode("a cat")
    assert minilm.encode([]).features.shape == (0, 384)


# --- pictures ---------------------------------------------------------------------------------------------


def _drawn(path: Path, kind: str, seed: int) -> Path:
    """A circle or a grid of lines, of random place, size and colour."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (150, 150), "white")
    draw, colour = ImageDraw.Draw(image), tuple(int(c) for c in rng.integers(0, 180, 3))
    x, y, r = rng.integers(45, 105), rng.integers(45, 105), rng.integers(25, 45)
    if kind == "circle":
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    else:
        for step in range(0, 2 * r, 8):
            draw.line((x - r + step, y - r, x - r + step, y + r), fill=colour, width=3)
            draw.line((x - r, y - r + step, x + r, y - r + step), fill=colour, width=3)
    image.save(path)
    return path


def test_efficientnet_separates_drawn_classes(efficientnet, tmp_path):
    labels = np.arange(24) % 2
    paths = [_drawn(tmp_path / f"{i}.png", ("circle", "grid")[k], i) for i, k in enumerate(labels)]
    rows = efficientnet.encode(paths).features
    assert rows.shape == (24, efficientnet.spec.width)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    alike = unit @ unit.T - 2 * np.eye(24)
    assert (labels[alike.argmax(1)] == labels).mean() > 0.9
    np.testing.assert_allclose(rows[5], efficientnet.encode([paths[5]]).features[0], atol=1e-4)


def test_bad_pictures_become_problems_by_row(efficientnet, tmp_path):
    good = _drawn(tmp_path / "good.png", "circle", 0)
    noise = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:3000])
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:60])
    (tmp_path / "text.png").write_text("I am no picture", encoding="utf-8")
    (tmp_path / "drawing.png").write_text('<?xml version="1.0"?><svg xmlns="x"/>', encoding="utf-8")
    (tmp_path / "script.png").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", encoding="utf-8")
    (tmp_path / "empty.png").write_bytes(b"")
    good.rename(tmp_path / "renamed.jpg")
    bad = {
        "cut.jpg": "damaged",
        "cut.png": "damaged",
        "text.png": "not a PNG",
        "drawing.png": "SVG",
        "script.png": "not a PNG",
        "empty.png": "is empty",
        "missing.png": "does not exist",
        ".": "does not exist",
    }
    items = [tmp_path / "renamed.jpg", *(tmp_path / name for name in bad), None, str(tmp_path / "renamed.jpg")]
    encoded = efficientnet.encode(items)
    assert encoded.kept.tolist() == [0, len(items) - 1]
    np.testing.assert_allclose(encoded.features[0], encoded.features[1], atol=1e-5)
    for (_, why), says in zip(encoded.problems, [*bad.values(), "names no picture"], strict=True):
        assert says in why and why.endswith(".")


def test_too_many_pixels_are_refused_before_decoding(tmp_path, monkeypatch):
    Image.new("1", (15_000, 15_000)).save(tmp_path / "bomb.png")  # a few kilobytes, 225 million pixels
    with pytest.raises(ItemProblem, match="100 million pixels"):
        read_picture(tmp_path / "bomb.png")
    Image.new("L", (101, 100)).save(tmp_path / "small.png")
    monkeypatch.setattr(pictures, "MAX_PIXELS", 10_000)
    with pytest.raises(ItemProblem, match="pixels"):
        read_picture(tmp_path / "small.png")


def _pixel(path: Path, x=0, y=0):
    image = read_picture(path)
    assert image.mode == "RGB"
    return image.getpixel((x, y))


def test_transparency_lies_on_white(tmp_path):
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "rgba.png")
    Image.new("LA", (4, 4), (0, 127)).save(tmp_path / "la.png")
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 255, 0, 255, 0])
    palette.save(tmp_path / "palette.png", transparency=1)
    palette.save(tmp_path / "opaque.png")
    assert _pixel(tmp_path / "rgba.png") == (255, 255, 255)
    assert _pixel(tmp_path / "la.png") == (128, 128, 128)
    assert _pixel(tmp_path / "palette.png") == (255, 255, 255)
    assert _pixel(tmp_path / "opaque.png") == (0, 255, 0)


def test_deep_grey_keeps_its_range(tmp_path):
    for name in ("deep.png", "deep.tif"):
        Image.fromarray(np.array([[0, 65535], [32896, 257]], dtype=np.uint16)).save(tmp_path / name)
        assert [_pixel(tmp_path / name, x, y)[0] for x, y in ((0, 0), (1, 0), (0, 1), (1, 1))] == [0, 255, 128, 1]
    Image.fromarray(np.array([[0.0, 0.5, 1.0]], dtype=np.float32)).save(tmp_path / "float.tif")
    assert [_pixel(tmp_path / "float.tif", x)[0] for x in range(3)] == [0, 128, 255]
    Image.fromarray(np.array([[0.0, np.nan]], dtype=np.float32)).save(tmp_path / "nan.tif")
    with pytest.raises(ItemProblem, match="not numbers"):
        read_picture(tmp_path / "nan.tif")


def test_large_pictures_are_worked_on_in_strips(tmp_path):
    """The same as in one go, and a picture of one tone is no division by zero."""
    tones = np.random.default_rng(0).integers(0, 256, (600, 20, 4), dtype=np.uint8)
    Image.fromarray(tones).save(tmp_path / "a.png")
    whole = Image.alpha_composite(Image.new("RGBA", (20, 600), "white"), Image.fromarray(tones)).convert("RGB")
    np.testing.assert_array_equal(np.asarray(read_picture(tmp_path / "a.png")), np.asarray(whole))
    deep = np.random.default_rng(0).integers(0, 65536, (600, 20)).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "b.png")
    np.testing.assert_array_equal(np.asarray(read_picture(tmp_path / "b.png"))[..., 0], np.round(deep / 257.0))
    Image.fromarray(np.full((4, 4), 0.25, dtype=np.float32)).save(tmp_path / "c.tif")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.asarray(read_picture(tmp_path / "c.tif")).max() == 0


def test_only_the_beginning_of_a_novel_is_tokenized(minilm):
    start = "a word and another " * 5_300
    assert len(start) > 100_000
    rows = minilm.encode([start, start + "different " * 1_000_000]).features
    np.testing.assert_array_equal(rows[0], rows[1])


def test_cmyk_animations_and_rotated_pictures(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "cmyk.jpg", quality=95)
    red, green, blue = _pixel(tmp_path / "cmyk.jpg")
    assert red > 230 and green < 40 and blue < 40
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("blue", "red")]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    assert _pixel(tmp_path / "moving.gif") == (0, 0, 255)
    sideways, exif = Image.new("RGB", (20, 10)), Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    sideways.save(tmp_path / "turned.jpg", exif=exif)
    assert read_picture(tmp_path / "turned.jpg").size == (10, 20)


def test_large_jpegs_are_decoded_smaller_where_that_is_enough(tmp_path):
    Image.new("RGB", (2000, 1600), "green").save(tmp_path / "large.jpg")
    assert read_picture(tmp_path / "large.jpg").size == (2000, 1600)
    width, height = read_picture(tmp_path / "large.jpg", enough=256).size
    assert 256 <= height < width < 1000


# --- sound ------------------------------------------------------------------------------------------------


def _tone(hertz: float, seconds: float, rate: int = 16_000) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def _written(path: Path, samples: np.ndarray, rate: int = 16_000) -> Path:
    soundfile.write(path, samples, rate)
    return path


def test_every_whisper_encoder_weight_is_matched_exactly():
    model, _ = build_whisper(WHISPER.verified_path())
    weights = encoder_weights(read_variables(WHISPER.path(), "encoder/"))
    assert set(weights) == set(model.state_dict())
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), weights[name])


def test_missing_and_unknown_whisper_weights_are_refused():
    variables = read_variables(WHISPER.path(), "encoder/")
    with pytest.raises(fx.EncoderError, match="unknown weights"):
        encoder_weights(variables | {"encoder/extra": np.zeros(1)})
    del variables["encoder/conv1/bias"]
    with pytest.raises(fx.EncoderError, match="lacks"):
        encoder_weights(variables)


def test_whisper_tells_tones_from_noise_and_does_not_depend_on_the_batch(whisper, tmp_path):
    rng = np.random.default_rng(0)
    paths = [_written(tmp_path / f"t{i}.wav", _tone(400 + 30 * i, 1 + 0.3 * i)) for i in range(3)]
    paths += [_written(tmp_path / f"n{i}.wav", 0.1 * rng.standard_normal(16_000 + 4_000 * i)) for i in range(3)]
    rows = whisper.encode(paths).features
    assert rows.shape == (6, whisper.spec.width)
    alike = np.corrcoef(rows)
    assert min(alike[0, 1], alike[1, 2], alike[3, 4], alike[4, 5]) > max(alike[0, 3], alike[1, 4], alike[2, 5])
    np.testing.assert_allclose(rows[2], whisper.encode([paths[2]]).features[0], atol=1e-4)


def test_whisper_pools_windows_by_their_length_and_stops_after_thirty_seconds(whisper, tmp_path):
    long = np.concatenate([_tone(300, 5), 0.1 * np.random.default_rng(0).standard_normal(80_000), _tone(900, 2)])
    pieces = (long[:80_000], long[80_000:160_000], long[160_000:])
    paths = [_written(tmp_path / f"{i}.wav", part) for i, part in enumerate((long, *pieces))]
    whole, *parts = whisper.encode(paths).features
    np.testing.assert_allclose(whole, (5 * parts[0] + 5 * parts[1] + 2 * parts[2]) / 12, atol=1e-4)
    repeated = np.tile(_tone(300, 5), 7)
    thirty = _written(tmp_path / "30.wav", repeated[: 30 * 16_000])
    more = _written(tmp_path / "35.wav", np.concatenate([repeated[: 30 * 16_000], 0.9 * np.ones(80_000)]))
    first, second = whisper.encode([thirty, more]).features
    np.testing.assert_allclose(first, second, atol=1e-4)


def test_formats_rates_and_channels_give_nearly_the_same_features(whisper, tmp_path):
    wave = _tone(440, 2, 44_100)
    paths = [_written(tmp_path / f"a.{ending}", wave, 44_100) for ending in ("wav", "flac", "ogg", "mp3")]
    paths.append(_written(tmp_path / "stereo.wav", np.stack([2 * wave, 0 * wave], axis=1), 44_100))
    paths.append(_written(tmp_path / "low.wav", _tone(440, 2, 22_050), 22_050))
    encoded = whisper.encode(paths)
    assert encoded.problems == ()
    assert np.corrcoef(encoded.features)[0].min() > 0.9


def test_reading_mixes_and_resamples(tmp_path):
    left, right = _tone(440, 0.5, 48_000), _tone(660, 0.5, 48_000)
    path = _written(tmp_path / "s.wav", np.stack([left, right], axis=1), 48_000)
    mono = read_sound(path, 16_000)
    expected = (_tone(440, 0.5) + _tone(660, 0.5)) / 2
    assert mono.shape == (8_000,) and mono.dtype == np.float32
    np.testing.assert_allclose(mono[200:-200], expected[200:-200], atol=2e-3)


def test_bad_sounds_become_problems_by_row(whisper, tmp_path):
    good = _written(tmp_path / "good.wav", _tone(440, 0.5))
    _written(tmp_path / "none.wav", np.zeros(0))
    soundfile.write(tmp_path / "nan.wav", np.full(800, np.nan), 16_000, subtype="FLOAT")
    _written(tmp_path / "many.wav", np.zeros((100, 20)))
    (tmp_path / "text.wav").write_text("I am no sound", encoding="utf-8")
    (tmp_path / "cut.wav").write_bytes(good.read_bytes()[:20])
    (tmp_path / "empty.mp3").write_bytes(b"")
    bad = {
        "none.wav": "no length",
        "nan.wav": "not numbers",
        "many.wav": "channels",
        "text.wav": "not a sound",
        "cut.wav": "not a sound",
        "empty.mp3": "not a sound",
        "missing.wav": "does not exist",
    }
    encoded = whisper.encode([good, *(tmp_path / name for name in bad), 3, good])
    assert encoded.kept.tolist() == [0, len(bad) + 2]
    for (_, why), says in zip(encoded.problems, [*bad.values(), "names no sound"], strict=True):
        assert says in why and why.endswith(".")


@pytest.mark.parametrize("name", ["minilm", "efficientnet", "whisper"])
def test_a_fingerprint_names_weights_device_and_libraries(request, name):
    from importlib.metadata import version

    encoder = request.getfixturevalue(name)
    assert encoder.spec.revision in encoder.fingerprint and "sha256:" in encoder.spec.revision
    assert "on cpu with" in encoder.fingerprint and f"torch={version('torch')}" in encoder.fingerprint
    assert surroundings("cuda:1", "torch").startswith("on cuda in torch.")
    assert surroundings("cpu", "no-such-package") == "on cpu with no-such-package=unknown"


@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "too many open files"), MemoryError()])
def test_a_failing_system_is_told_from_a_damaged_file(efficientnet, whisper, tmp_path, monkeypatch, error):
    good, cut = _drawn(tmp_path / "good.png", "grid", 1), tmp_path / "cut.png"
    cut.write_bytes(good.read_bytes()[:60])
    assert efficientnet.encode([cut, tmp_path / "missing.png"]).passing == {1}
    fail = lambda *a, **k: (_ for _ in ()).throw(error)
    monkeypatch.setattr(Image, "open", fail)
    assert efficientnet.encode([good]).passing == {0}
    noise = tmp_path / "text.wav"
    noise.write_text("I am no sound", encoding="utf-8")
    assert whisper.encode([noise, tmp_path / "missing.wav"]).passing == {1}
    tone = _written(tmp_path / "good.wav", _tone(440, 0.5))
    monkeypatch.setattr(soundfile, "SoundFile", lambda *a: (_ for _ in ()).throw(soundfile.LibsndfileError(2)))
    assert whisper.encode([tone]).passing == {0}


def test_real_encoders_through_the_cache(efficientnet, tmp_path):
    paths = [_drawn(tmp_path / "a.png", "grid", 1), tmp_path / "missing.png"]
    cache = fx.FeatureCache(tmp_path / "cache")
    first = fx.encode_items(efficientnet, paths, cache)
    again = fx.encode_items(efficientnet, paths, cache)
    np.testing.assert_array_equal(first.features, again.features)
    assert first.problems == again.problems and len(list(cache.folder.glob("*/*.safetensors"))) == 1
    _drawn(tmp_path / "missing.png", "circle", 2)
    assert fx.encode_items(efficientnet, paths, cache).problems == ()
