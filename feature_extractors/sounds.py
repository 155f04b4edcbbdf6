"""Reads sound files safely into one channel at the rate asked for, or says plainly why a file cannot be used."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from feature_extractors.checks import existing_file
from feature_extractors.contracts import ItemProblem

__all__ = ["USED_SECONDS", "goes_on", "read_sound"]

USED_SECONDS = 30
_MAX_CHANNELS = 16
_RATES = (1_000, 400_000)
_SYSTEM_FAILED = 2  # libsndfile's code for an error of the system beneath it
# A closed list: libsndfile would try two dozen formats, some of them without any mark of their own.
_STARTS = (b"RIFF", b"RIFX", b"RF64", b"riff", b"FORM", b"fLaC", b"OggS", b"ID3", b".snd", b"caff")
_OTHER = "save it as WAV, FLAC, OGG or MP3, or leave the row out"


def read_sound(path: Any, rate: int) -> np.ndarray:
    """Decode at most the first 30 seconds, however long the sound is, take the mean of the channels and resample.

    Parameters
    ----------
    path : Path
        A file that libsndfile reads.
    rate : int
        Samples per second to return.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        Never empty.

    Raises
    ------
    ItemProblem
        If the file is missing, damaged, empty or not a sound.
    """
    import soundfile

    file = _known(existing_file(path, "sound"))
    try:
        with soundfile.SoundFile(file) as sound:
            _check(sound)
            mono, own_rate = _mixed(sound), sound.samplerate
    except ItemProblem:
        raise
    except Exception as error:  # libsndfile's errors, and those of files whose header lies
        why = f"This file is not a sound that can be decoded, or is damaged; {_OTHER}."
        raise ItemProblem(why, passing=getattr(error, "code", None) == _SYSTEM_FAILED) from error
    return _resampled(mono, own_rate, rate)


def goes_on(path: Any) -> bool:
    """Return whether a sound goes on after the seconds that are used, as its header tells.

    Parameters
    ----------
    path : Path
        A file that :func:`read_sound` reads; of any other the answer is no.

    Returns
    -------
    bool
    """
    import soundfile

    try:
        with soundfile.SoundFile(_known(existing_file(path, "sound"))) as sound:
            return sound.frames > USED_SECONDS * sound.samplerate
    except (ItemProblem, OSError, RuntimeError):  # libsndfile's errors are runtime errors
        return False


def _known(file: Path) -> Path:
    with file.open("rb") as stream:
        start = stream.read(4)
    bare_mp3 = start[:1] == b"\xff" and start[1:2] >= b"\xe0"
    if not (start.startswith(_STARTS) or bare_mp3):
        raise ItemProblem(f"This file is not a sound that can be decoded, or is damaged; {_OTHER}.")
    return file


def _check(sound: Any) -> None:
    """Refuse by the header alone, before any memory is taken."""
    if not _RATES[0] <= sound.samplerate <= _RATES[1] or sound.channels > _MAX_CHANNELS:
        raise ItemProblem(f"This sound has an unusual sample rate or more than {_MAX_CHANNELS} channels; {_OTHER}.")


def _mixed(sound: Any) -> np.ndarray:
    # In one piece: soundfile seeks after every read, and in an MP3 that lands some milliseconds beside the place.
    samples = sound.read(USED_SECONDS * sound.samplerate, dtype="float32", always_2d=True)
    # Channel by channel: a mean over rows of two takes ten times as long.
    mono = (sum(samples.T, np.float64(0)) / samples.shape[1]).astype(np.float32)
    if len(mono) == 0:
        raise ItemProblem("This sound has no length; record it again, or leave the row out.")
    if not np.isfinite(mono).all():
        raise ItemProblem(f"This sound holds values that are not numbers; {_OTHER}.")
    return mono


def _resampled(mono: np.ndarray, own_rate: int, rate: int) -> np.ndarray:
    from scipy.signal import resample_poly

    if own_rate == rate:
        return mono
    common = math.gcd(own_rate, rate)
    up, down = rate // common, own_rate // common
    return resample_poly(mono, up, down, window=_low_pass(max(up, down))).astype(np.float32)


@lru_cache(maxsize=8)
def _low_pass(factor: int) -> np.ndarray:
    """The filter that resample_poly would design anew for every sound, which took as long as filtering."""
    from scipy.signal import firwin

    return firwin(20 * factor + 1, 1 / factor, window=("kaiser", 5.0)).astype(np.float32)
