"""Chooses how states become one row: as the entry says, else as the model's own files say, else by its architecture."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from feature_extractors.contracts import EncoderSpec, Kind, Pooling
from feature_extractors.hub import LoadedModel, read_beside

__all__ = ["Recipe", "pool", "recipe_for"]

# These put a summary in their first state. Their own pooler is either the same or was made for labels.
_CLASS_TOKEN = frozenset({"vit", "deit", "vit_msn", "dinov2", "dinov2_with_registers", "dinov3_vit"})
_DECLARED: dict[str, Pooling] = {"cls": "cls", "cls_token": "cls", "mean": "mean", "mean_tokens": "mean"}
_DECLARED |= {"lasttoken": "last token"}


@dataclass(frozen=True)
class Recipe:
    """How one row is made of an item's states.

    Parameters
    ----------
    pooling : {"projection", "cls", "mean", "last token", "pooler or mean"}
        What is taken of the states.
    unit_length : bool
        Whether rows are scaled to length 1.
    prefix : str
        What is put before every text.
    max_tokens : int or None
        Tokens after which a text is cut; None when only the network limits it.
    """

    pooling: Pooling
    unit_length: bool = False
    prefix: str = ""
    max_tokens: int | None = None


def recipe_for(spec: EncoderSpec, loaded: LoadedModel) -> Recipe:
    """Choose the recipe of a loaded network.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry; what it says goes first.
    loaded : LoadedModel
        The network, and where its files are.

    Returns
    -------
    Recipe
        The same for a listed model and for a folder that holds it, unless its files keep back a prefix.
    """
    declared = _declared(loaded) if spec.kind == "text" else {}

    def chosen(field: str) -> Any:
        said = getattr(spec, field)
        return declared.get(field) if said is None else said

    pooling = "projection" if loaded.has_tower(spec.kind) else chosen("pooling")
    return Recipe(
        pooling or _of_architecture(spec.kind, loaded.model.config.model_type),
        bool(chosen("unit_length")),
        chosen("prefix") or "",
        chosen("max_tokens"),
    )


def _of_architecture(kind: Kind, model_type: str) -> Pooling:
    if kind != "picture":
        return "mean"
    return "cls" if model_type in _CLASS_TOKEN else "pooler or mean"


def _declared(loaded: LoadedModel) -> dict[str, Any]:
    """What a model for sentence-transformers says of itself; other modules than these three are left out."""
    modules = _json(loaded, "modules.json", [])
    if not modules:
        return {}
    kinds = {str(module.get("type", "")).rpartition(".")[2]: module.get("path", "") for module in modules}
    told = _json(loaded, "config_sentence_transformers.json", {})
    return {
        "pooling": _pooling(_json(loaded, f"{kinds['Pooling']}/config.json", {})) if "Pooling" in kinds else None,
        "unit_length": "Normalize" in kinds,
        "prefix": (told.get("prompts") or {}).get(told.get("default_prompt_name")),
        "max_tokens": _json(loaded, "sentence_bert_config.json", {}).get("max_seq_length"),
    }


def _pooling(said: dict[str, Any]) -> Pooling | None:
    """None for poolings other than these, and for several at once: the architecture's own is used."""
    old = [key.removeprefix("pooling_mode_") for key, on in said.items() if key.startswith("pooling_mode_") and on]
    name = said.get("pooling_mode") or (old[0] if len(old) == 1 else None)
    return _DECLARED.get(name) if isinstance(name, str) else None


def _json(loaded: LoadedModel, file: str, default: Any) -> Any:
    path = read_beside(loaded, file)
    return default if path is None else json.loads(path.read_text(encoding="utf-8"))


def pool(states: Any, mask: Any, pooling: Pooling) -> Any:
    """Make one row of each padded sequence.

    Parameters
    ----------
    states : Tensor of shape (m, t, d)
        Last states, padded at the end.
    mask : Tensor of shape (m, t)
        Not zero where a token is; every item has one at least.
    pooling : {"cls", "mean", "last token"}
        What to take.

    Returns
    -------
    Tensor of shape (m, d)
        Rows.
    """
    if pooling == "cls":
        return states[:, 0]
    if pooling == "last token":
        return states[range(len(states)), mask.sum(1).long() - 1]
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(1) / weights.sum(1).clamp(min=1)
