"""The probe that measures the encoders, on features whose worth is known, and the sets by their file names."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.debian import fetch_package
from benchmarks.drums import instrument, load_drums
from benchmarks.encoders_quality import probe


def test_a_probe_finds_what_is_there_and_nothing_else():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], [60, 30, 30])
    clear = (y[:, None] == ["a", "b", "c"]) + 0.05 * rng.normal(size=(120, 3))
    noise = rng.normal(size=(120, 40))
    told = probe([clear], y, np.arange(120))
    assert (told.accuracy == 1).all() and (told.balanced == 1).all() and len(told.accuracy) == 5
    assert (told.majority, told.n, told.n_labels) == (0.5, 120, 3)
    assert probe([noise, clear], y, np.arange(120)).accuracy.mean() > 0.95
    # Noise: at best always the majority, half right; the balanced accuracy of a guess is a third, deviation .05.
    guess = probe([noise], y, np.arange(120))
    assert guess.accuracy.mean() < 0.6 and abs(guess.balanced.mean() - 1 / 3) < 0.15


def test_two_halves_of_an_exclusive_or_tell_a_linear_probe_nothing():
    bits = np.random.default_rng(0).integers(0, 2, (200, 2))
    told = probe([bits[:, :1], bits[:, 1:]], bits[:, 0] ^ bits[:, 1], np.arange(200))
    assert told.accuracy.mean() < 0.65


def test_copies_of_one_group_are_not_learned_by_heart():
    """Thirty voices, each copied ten times, labels at random: right only if copies were in both parts."""
    rng = np.random.default_rng(0)
    voices, labels = rng.normal(size=(30, 20)), np.arange(30) % 2
    rows = np.repeat(np.arange(30), 10)
    x = voices[rows] + 0.01 * rng.normal(size=(300, 20))
    assert probe([x], labels[rows], rows).accuracy.mean() < 0.75
    assert probe([x], labels[rows], np.arange(300)).accuracy.mean() > 0.95


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SabianHatChoke-Hard", "hi-hat"), ("29800__stomachache", None), ("beats_01-10", None), ("ft_02", "tom"),
        ("PearlSnareRimshot-Soft", "snare"), ("crashride18bell-1", "cymbal"), ("EE_Kick_Low", "kick"),
        ("Djembe1 Bass", None), ("mc_cb_01", "percussion"),
    ],
)  # fmt: skip
def test_instruments_by_name(name, kind):
    assert instrument(name) == kind


def test_takes_of_one_drum_are_one_drum(tmp_path):
    for name in ("kit/Snare-Soft.wav", "kit/Snare-Hard 2.wav", "other/Snare_01.flac", "kit/notes.txt", "kit/x_1.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = load_drums(tmp_path)
    assert found["drum"].tolist() == ["kit/snare", "kit/snare", "other/snare"] and set(found["label"]) == {"snare"}


def test_a_package_whose_archive_is_still_there_was_not_unpacked_whole(tmp_path, monkeypatch):
    (tmp_path / "usr").mkdir()
    assert fetch_package("some-package", tmp_path) == tmp_path
    (tmp_path / "some-package_1_all.deb").touch()
    monkeypatch.setattr("shutil.which", lambda tool: None)
    with pytest.raises(FileNotFoundError, match="Debian package some-package.*no apt-get and no dpkg"):
        fetch_package("some-package", tmp_path)
