"""Odd sounds, made here: each is read as what people hear in its first 30 seconds, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_models

import feature_extractors as fx
from feature_extractors.contracts import ItemProblem
from feature_extractors.sounds import goes_on, read_sound

RATE = 16_000
EDGE = RATE // 10  # codecs and filters need a moment


def tone(hertz: float, seconds: float = 1, rate: int = RATE) -> np.ndarray:
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def written(path: Path, samples: np.ndarray, rate: int = RATE, subtype: str | None = None) -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def off(heard: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference, the edges left out."""
    n = min(len(heard), len(expected))
    return float(np.abs(heard[:n] - expected[:n])[EDGE:-EDGE].max())


# --- rates, widths, channels, formats -------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 47_999])
def test_a_tone_is_the_same_tone_at_every_rate(tmp_path, rate):
    heard = read_sound(written(tmp_path / "a.wav", tone(440, rate=rate), rate), RATE)
    assert abs(len(heard) - RATE) <= 1 and heard.dtype == np.float32
    assert off(heard, tone(440)) < 0.003  # a hundredth of its loudness


@pytest.mark.parametrize("rate", [44_100, 96_000])
def test_what_the_lower_rate_cannot_hold_is_gone_not_folded(tmp_path, rate):
    """Without a filter, 11 kHz would be heard as 5 kHz at 16,000 samples a second."""
    heard = read_sound(written(tmp_path / "a.wav", tone(11_000, rate=rate), rate), RATE)
    assert off(heard, np.zeros(RATE)) < 0.003


@pytest.mark.parametrize(
    ("ending", "subtype", "within"),
    [
        ("wav", "PCM_U8", 0.01), ("wav", "PCM_24", 1e-4), ("wav", "PCM_32", 1e-4), ("wav", "FLOAT", 1e-6),
        ("wav", "DOUBLE", 1e-6), ("wav", "ULAW", 0.01), ("wav", "IMA_ADPCM", 0.02), ("flac", "PCM_24", 1e-4),
        ("aiff", "PCM_16", 1e-4), ("au", "PCM_16", 1e-4), ("caf", "PCM_16", 1e-4), ("ogg", "VORBIS", 0.02),
        ("ogg", "OPUS", 0.03), ("mp3", "MPEG_LAYER_III", 0.03),
    ],
)  # fmt: skip
def test_a_tone_is_the_same_tone_in_every_format(tmp_path, ending, subtype, within):
    heard = read_sound(written(tmp_path / f"a.{ending}", tone(440), subtype=subtype), RATE)
    assert off(heard, tone(440)) < within


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_averaged(tmp_path, channels):
    waves = np.stack([tone(300 + 100 * i) for i in range(channels)], axis=1)
    heard = read_sound(written(tmp_path / "a.wav", waves, subtype="FLOAT"), RATE)
    np.testing.assert_allclose(heard, waves.mean(axis=1), atol=1e-6)


@pytest.fixture(scope="module")
def whisper():
    return fx.load_encoder("whisper-tiny", "sound", device="cpu")


def test_the_same_tone_has_nearly_the_same_features(whisper, tmp_path):
    paths = [
        written(tmp_path / "0.wav", tone(440)),
        written(tmp_path / "1.wav", tone(440, rate=44_100), 44_100),
        written(tmp_path / "2.wav", np.stack([tone(440, rate=96_000)] * 6, axis=1), 96_000, "PCM_24"),
        written(tmp_path / "3.wav", tone(440, rate=11_025), 11_025, "PCM_U8"),
        written(tmp_path / "4.ogg", tone(440, rate=48_000), 48_000, "OPUS"),
        written(tmp_path / "5.wav", tone(880)),
    ]
    encoded = whisper.encode(paths)
    same_44100, surround, coarse, opus, octave = np.corrcoef(encoded.features)[0, 1:]
    assert encoded.problems == () and octave < 0.95
    assert min(same_44100, surround) > 0.98
    assert min(coarse, opus) > 0.85  # noise of eight bits, and of the codec


# --- loud, silent, short ----------------------------------------------------------------------------------------


def test_silence_and_clipping_have_features_of_their_own(whisper, tmp_path):
    silence = written(tmp_path / "silence.wav", np.zeros(RATE))
    clipped = written(tmp_path / "clipped.wav", np.clip(20 * tone(440), -1, 1))
    beyond = written(tmp_path / "beyond.wav", 5 * tone(440), subtype="FLOAT")
    assert read_sound(silence, RATE).max() == 0 and read_sound(beyond, RATE).max() == pytest.approx(1.5, abs=0.01)
    encoded = whisper.encode([silence, clipped, beyond, written(tmp_path / "tone.wav", tone(440))])
    assert encoded.problems == () and np.isfinite(encoded.features).all()
    alike = np.corrcoef(encoded.features)
    assert alike[3, 2] > alike[3, 1] > alike[3, 0]


def test_sums_that_overflow_are_not_taken_for_damage(tmp_path):
    loud = written(tmp_path / "a.wav", np.full((800, 2), 3e38), subtype="FLOAT")
    np.testing.assert_allclose(read_sound(loud, RATE), 3e38, rtol=1e-6)


@pytest.fixture(scope="module")
def wav2vec2(tmp_path_factory):
    folder = tiny_models.save_sound_model(tmp_path_factory.mktemp("w2v"))
    return fx.load_encoder(str(folder), "sound", device="cpu")


@pytest.mark.parametrize("samples", [1, 20, 100])
def test_a_click_is_a_sound_to_every_encoder(whisper, wav2vec2, tmp_path, samples):
    click = written(tmp_path / "a.wav", np.full(samples, 0.3), 8_000)
    for encoder in (whisper, wav2vec2):
        encoded = encoder.encode([click])
        assert encoded.problems == () and np.isfinite(encoded.features).all() and len(encoded.features) == 1


# --- long, cut off ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "subtype"), [("wav", "PCM_16"), ("flac", "PCM_16"), ("ogg", "VORBIS"), ("mp3", "MPEG_LAYER_III")]
)
def test_of_a_long_sound_the_first_thirty_seconds_are_used(tmp_path, monkeypatch, ending, subtype):
    """An hour in WAV and FLAC, two minutes where packing takes long. No more is decoded than is used."""
    rate, minutes = 8_000, 60 if ending in ("wav", "flac") else 2
    start = np.concatenate([tone(440, 20, rate), tone(660, 10, rate)])
    with soundfile.SoundFile(tmp_path / f"a.{ending}", "w", rate, 1, subtype=subtype) as sound:
        for second in start.reshape(30, rate):  # libsndfile may crash on a minute of Vorbis in one piece
            sound.write(second)
        for _ in range(minutes * 60 - 30):
            sound.write(np.full(rate, 0.9))
    decoded, read = [], soundfile.SoundFile.read
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda self, n, **more: decoded.append(n) or read(self, n, **more))
    heard = read_sound(tmp_path / f"a.{ending}", RATE)
    assert len(heard) == 30 * RATE and goes_on(tmp_path / f"a.{ending}")
    tones = [np.abs(np.fft.rfft(part)).argmax() for part in heard.reshape(30, RATE)]
    assert tones == [440] * 20 + [660] * 10, "hertz in each second"
    assert decoded == [30 * rate]


def test_thirty_seconds_are_not_long(tmp_path):
    assert not goes_on(written(tmp_path / "a.wav", np.zeros(30 * 8_000), 8_000))
    assert goes_on(written(tmp_path / "b.wav", np.zeros(30 * 8_000 + 1), 8_000))
    assert not goes_on(tmp_path / "missing.wav")
    (tmp_path / "text.wav").write_text("RIFF and nothing more", encoding="utf-8")
    assert not goes_on(tmp_path / "text.wav")


@pytest.mark.parametrize("ending", ["wav", "aiff", "ogg"])
def test_a_recording_that_broke_off_is_heard_as_far_as_it_goes(tmp_path, ending):
    rng = np.random.default_rng(0)
    with soundfile.SoundFile(tmp_path / f"a.{ending}", "w", RATE, 1) as sound:
        for _ in range(8):
            sound.write(tone(440) + 0.01 * rng.standard_normal(RATE))
    raw = (tmp_path / f"a.{ending}").read_bytes()
    (tmp_path / f"half.{ending}").write_bytes(raw[: len(raw) // 2])
    heard = read_sound(tmp_path / f"half.{ending}", RATE)
    assert 3 * RATE < len(heard) < 5 * RATE
    assert off(heard[:RATE], tone(440)) < 0.1


def test_half_a_flac_is_refused(tmp_path):
    """Its blocks are checked: what comes after the last whole one is known to be missing."""
    raw = written(tmp_path / "a.flac", tone(440)).read_bytes()
    (tmp_path / "half.flac").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(ItemProblem, match="damaged"):
        read_sound(tmp_path / "half.flac", RATE)
