"""Runs sound networks on waveforms and keeps the frames that are real, in batches where padding changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from feature_extractors.devices import inference
from feature_extractors.hub import LoadedModel, run_network

__all__ = ["Frames", "frames_of", "in_windows", "mean_frames", "whisper_states"]


class Frames(NamedTuple):
    """What a network says of one sound.

    Parameters
    ----------
    states : ndarray of shape (t, d), float32
        Last states of the real frames.
    row : ndarray of shape (k,), float32
        The features.
    """

    states: np.ndarray
    row: np.ndarray


_Run = Callable[[list[np.ndarray]], list[Frames]]


def frames_of(loaded: LoadedModel) -> _Run:
    """Choose how a sound network is run.

    Batches need padding. Whisper and CLAP read windows of one length anyway. wav2vec 2.0 and HuBERT leave the padding
    out by a mask, but only those whose first layers normalise every frame by itself ("layer"); those that normalise
    over the whole length ("group", the base sizes) see it, and so may networks that are not known here: one at a time.

    Parameters
    ----------
    loaded : LoadedModel
        The network.

    Returns
    -------
    callable
        List of m waveforms to m Frames.
    """
    config, processor = loaded.model.config, loaded.processor
    if config.model_type == "clap":
        # Its own way with more than one window is to take a random one.
        return lambda waves: in_windows(waves, processor.nb_max_samples, partial(_clap_frames, loaded), _weighed)
    if config.model_type == "whisper":
        run = partial(whisper_states, loaded.model.get_encoder(), processor, loaded.device)
        return lambda waves: in_windows(waves, processor.n_samples, run, mean_frames)
    by_frame = getattr(config, "feat_extract_norm", "") == "layer" and not getattr(config, "add_adapter", False)
    if config.model_type in ("wav2vec2", "hubert") and by_frame:
        return partial(_masked_frames, loaded)
    return lambda waves: [_frames_alone(loaded, wave) for wave in waves]


def in_windows(waves: list[np.ndarray], size: int, run: Callable, join: Callable) -> list[Frames]:
    """Cut waveforms into windows, run all of them, and put them together again.

    Parameters
    ----------
    waves : list of ndarray of shape (n_samples,)
        None of them empty.
    size : int
        Samples a window; the last one of a waveform may be shorter.
    run : callable
        List of windows to a list of what the network says of them.
    join : callable
        What it says of one waveform's windows to Frames.

    Returns
    -------
    list of Frames
        One for each waveform.
    """
    windows = [wave[start : start + size] for wave in waves for start in range(0, len(wave), size)]
    counts = [-(-len(wave) // size) for wave in waves]
    done = iter(run(windows))
    return [join([next(done) for _ in range(count)]) for count in counts]


def mean_frames(parts: list[np.ndarray]) -> Frames:
    """Put the states of one sound's windows together; their mean is its row.

    Parameters
    ----------
    parts : list of ndarray of shape (t, d)
        Real frames only: a rest of a tenth of a second must not count like a whole window.

    Returns
    -------
    Frames
        All of them.
    """
    states = np.concatenate(parts)
    return Frames(states, states.mean(axis=0, dtype=np.float64).astype(np.float32))


def _weighed(parts: list[Frames]) -> Frames:
    """Put windows with rows of their own together, by their real frames."""
    row = np.average([part.row for part in parts], axis=0, weights=[len(part.states) for part in parts])
    return Frames(np.concatenate([part.states for part in parts]), row.astype(np.float32))


def _numpy(states: Any) -> np.ndarray:
    return states.float().cpu().numpy()


def whisper_states(encoder: Any, processor: Any, device: str, windows: list[np.ndarray]) -> list[np.ndarray]:
    """Run Whisper's encoder on windows, which it pads to their full length.

    Parameters
    ----------
    encoder : torch.nn.Module
        A WhisperEncoder.
    processor : transformers.WhisperFeatureExtractor
        Its front end.
    device : str
        Where the encoder lies.
    windows : list of ndarray of shape (n_samples,)
        At most `processor.n_samples` each.

    Returns
    -------
    list of ndarray of shape (t, d), float32
        Without the frames of the padding.
    """
    mels = processor(windows, sampling_rate=processor.sampling_rate, return_tensors="pt")["input_features"]
    with inference(device):
        states = _numpy(encoder(mels.to(device)).last_hidden_state)
    real = [-(-len(window) * states.shape[1] // processor.n_samples) for window in windows]
    return [rows[:count] for rows, count in zip(states, real, strict=True)]


def _clap_frames(loaded: LoadedModel, windows: list[np.ndarray]) -> list[Frames]:
    """Time after time, all frequencies of each; a short sound is repeated to fill the window, as CLAP was trained."""
    import torch

    rate, size = loaded.processor.sampling_rate, loaded.processor.nb_max_samples
    inputs = loaded.processor(windows, sampling_rate=rate, return_tensors="pt").to(loaded.device)
    inputs["is_longer"] = torch.zeros_like(inputs["is_longer"])  # the front end picks one of the batch at random
    with inference(loaded.device):
        out = run_network(loaded, "sound", inputs)
    states, rows = _numpy(out.last_hidden_state.permute(0, 3, 2, 1)), _numpy(out.pooler_output)
    real = [-(-len(window) * states.shape[1] // size) for window in windows]
    return [
        Frames(grid[:times].reshape(-1, grid.shape[2]), row)
        for grid, times, row in zip(states, real, rows, strict=True)
    ]


def _masked_frames(loaded: LoadedModel, waves: list[np.ndarray]) -> list[Frames]:
    config, rate = loaded.model.config, loaded.processor.sampling_rate
    waves = [_long_enough(wave, config) for wave in waves]
    prepared = loaded.processor(
        waves, sampling_rate=rate, padding=True, return_attention_mask=True, return_tensors="pt"
    ).to(loaded.device)
    with inference(loaded.device):
        states = _numpy(run_network(loaded, "sound", prepared).last_hidden_state)
    real = [_frame_count(len(wave), config) for wave in waves]
    return [mean_frames([rows[:count]]) for rows, count in zip(states, real, strict=True)]


def _frames_alone(loaded: LoadedModel, wave: np.ndarray) -> Frames:
    wave = _long_enough(wave, loaded.model.config)
    inputs = loaded.processor(wave, sampling_rate=loaded.processor.sampling_rate, return_tensors="pt")
    window = getattr(loaded.processor, "n_samples", len(wave))  # front ends like Whisper's pad to a fixed window
    with inference(loaded.device):
        out = run_network(loaded, "sound", inputs.to(loaded.device))
    states = _numpy(out.last_hidden_state)[0]
    real = states[: max(1, int(np.ceil(min(1.0, len(wave) / window) * len(states))))]
    return Frames(real, _numpy(out.pooler_output)[0]) if loaded.has_tower("sound") else mean_frames([real])


def _layers(config: Any) -> list[tuple[int, int]]:
    """Kernel and stride of the layers that read samples; none where the network reads a spectrogram."""
    return list(zip(getattr(config, "conv_kernel", ()), getattr(config, "conv_stride", ()), strict=False))


def _frame_count(samples: int, config: Any) -> int:
    for kernel, stride in _layers(config):
        samples = (samples - kernel) // stride + 1
    return samples


def _long_enough(wave: np.ndarray, config: Any) -> np.ndarray:
    """Fill up with silence what is shorter than one frame, 25 ms with wav2vec 2.0."""
    least = 1
    for kernel, stride in reversed(_layers(config)):
        least = (least - 1) * stride + kernel
    return np.pad(wave, (0, max(0, least - len(wave))))
