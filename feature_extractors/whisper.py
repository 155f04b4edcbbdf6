"""Builds the encoder half of Whisper tiny from the packaged CTranslate2 weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from feature_extractors.ctranslate2 import read_variables
from feature_extractors.errors import EncoderError

__all__ = ["WINDOW_SECONDS", "build_whisper", "encoder_weights"]

WINDOW_SECONDS = 5
_FRAMES_PER_SECOND = 50
_WIDTH = 384
_LAYERS = 4
_PLAIN = {  # CTranslate2's name within a layer -> transformers' name
    "self_attention/layer_norm/gamma": "self_attn_layer_norm.weight",
    "self_attention/layer_norm/beta": "self_attn_layer_norm.bias",
    "self_attention/linear_1/weight": "self_attn.out_proj.weight",
    "self_attention/linear_1/bias": "self_attn.out_proj.bias",
    "ffn/layer_norm/gamma": "final_layer_norm.weight",
    "ffn/layer_norm/beta": "final_layer_norm.bias",
    "ffn/linear_0/weight": "fc1.weight",
    "ffn/linear_0/bias": "fc1.bias",
    "ffn/linear_1/weight": "fc2.weight",
    "ffn/linear_1/bias": "fc2.bias",
}
_OUTER = {
    "conv1/weight": "conv1.weight",
    "conv1/bias": "conv1.bias",
    "conv2/weight": "conv2.weight",
    "conv2/bias": "conv2.bias",
    "layer_norm/gamma": "layer_norm.weight",
    "layer_norm/beta": "layer_norm.bias",
}


def encoder_weights(variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rename and split the packaged variables into the state of a transformers WhisperEncoder.

    Parameters
    ----------
    variables : dict of str to ndarray
        All variables whose name starts with ``encoder/``; used up by this function.

    Returns
    -------
    dict of str to ndarray, float32
        Position embeddings are cut to one window.

    Raises
    ------
    EncoderError
        If a variable is missing or left over.
    """
    left = {name.removeprefix("encoder/"): value for name, value in variables.items()}
    try:
        left.pop("num_heads")
        state = {new: left.pop(old) for old, new in _OUTER.items()}
        positions = left.pop("position_encodings/encodings")
        state["embed_positions.weight"] = positions[: WINDOW_SECONDS * _FRAMES_PER_SECOND]
        for layer in range(_LAYERS):
            state |= _layer(left, layer)
    except KeyError as error:
        raise EncoderError(f"The sound model lacks the weights {error}; install the pinned version again.") from error
    if left:
        raise EncoderError(f"The sound model has unknown weights {sorted(left)[:3]}; install the pinned version again.")
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in state.items()}


def _layer(left: dict[str, np.ndarray], layer: int) -> dict[str, np.ndarray]:
    old, new = f"layer_{layer}/", f"layers.{layer}."
    state = {new + theirs: left.pop(old + ours) for ours, theirs in _PLAIN.items()}
    attention = new + "self_attn."
    q, k, v = np.split(left.pop(old + "self_attention/linear_0/weight"), 3)
    state |= {attention + "q_proj.weight": q, attention + "k_proj.weight": k, attention + "v_proj.weight": v}
    q, k, v = np.split(left.pop(old + "self_attention/linear_0/bias"), 3)
    if np.any(k):  # Whisper's keys have no bias: zeros fill their place in the joined array
        raise EncoderError("The sound model has a bias where Whisper has none; install the pinned version again.")
    return state | {attention + "q_proj.bias": q, attention + "v_proj.bias": v}


def build_whisper(path: Path) -> tuple[Any, Any]:
    """Build the network and its log-mel front end for windows of five seconds.

    Parameters
    ----------
    path : Path
        The CTranslate2 model file.

    Returns
    -------
    model : transformers.models.whisper.modeling_whisper.WhisperEncoder
        In evaluation mode, every weight loaded.
    front_end : transformers.WhisperFeatureExtractor
        Waveforms at 16 kHz to log-mel windows.

    Raises
    ------
    EncoderError
        If the file is damaged or holds another network.
    """
    import torch
    from transformers import WhisperConfig, WhisperFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    config = WhisperConfig(
        d_model=_WIDTH,
        encoder_layers=_LAYERS,
        encoder_attention_heads=6,
        encoder_ffn_dim=4 * _WIDTH,
        num_mel_bins=80,
        max_source_positions=WINDOW_SECONDS * _FRAMES_PER_SECOND,
    )
    model = WhisperEncoder(config)
    state = encoder_weights(read_variables(path, "encoder/"))
    model.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()}, strict=True)
    return model.eval(), WhisperFeatureExtractor(feature_size=80, chunk_length=WINDOW_SECONDS)
