"""Loads any transformers encoder from a folder or by its Hugging Face id, and explains plainly when it cannot."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feature_extractors.errors import EncoderError

__all__ = ["LoadedModel", "load_transformers", "pooled"]

# Never read here: weights in other formats, and what is written for people.
_IGNORED = {".bin", ".h5", ".msgpack", ".onnx", ".ot", ".pt", ".pth", ".md", ".png", ".jpg", ".gitattributes"}


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A transformers network with the part that prepares its inputs.

    Parameters
    ----------
    model : torch.nn.Module
        In evaluation mode, in float32.
    processor : object
        Tokenizer, image processor or feature extractor.
    revision : str
        Commit of the repository, or digest of the folder.
    device : str
        Where the network lies.
    """

    model: Any
    processor: Any
    revision: str
    device: str


def load_transformers(name: str, processor_class: str, device: str) -> LoadedModel:
    """Load a network and its processor with the Auto classes, safetensors only, never running foreign code.

    Parameters
    ----------
    name : str
        A folder, or ``org/name``.
    processor_class : str
        "AutoTokenizer", "AutoImageProcessor" or "AutoFeatureExtractor".
    device : str
        A torch device.

    Returns
    -------
    LoadedModel
        Ready to use.

    Raises
    ------
    EncoderError
        If it cannot be loaded, with the reason and the way to mend it.
    """
    try:
        return _load(name, processor_class, device)
    except Exception as error:  # the libraries below raise a dozen unrelated types for one cause
        raise EncoderError(_explain(name, error)) from error


def _load(name: str, processor_class: str, device: str) -> LoadedModel:
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(name, trust_remote_code=False)
    # Asking for the resolved commit keeps all files of one version, and keeps transformers from
    # sending a repository without safetensors to an outside conversion service.
    commit = getattr(config, "_commit_hash", None)
    pinned = {"trust_remote_code": False} | ({"revision": commit} if commit else {})
    processor = getattr(transformers, processor_class).from_pretrained(name, **pinned)
    model = transformers.AutoModel.from_pretrained(
        name, config=config, use_safetensors=True, dtype=torch.float32, **pinned
    )
    revision = commit or _folder_digest(Path(name))
    return LoadedModel(model.eval().to(device), processor, revision, device)


def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.is_file() and (p.suffix or p.name) not in _IGNORED):
        with path.open("rb") as stream:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _explain(name: str, error: Exception) -> str:
    text = " ".join(f"{type(e).__name__} {e}" for e in _chain(error))
    where = f"in the folder {name}" if Path(name).is_dir() else f"on the hub under {name!r}"
    causes = (
        (("GatedRepo", "gated"), "its licence must be accepted on its page first, then log in with: hf auth login"),
        (("trust_remote_code",), "it wants to run its own code, which is never allowed here; choose another model"),
        (("RepositoryNotFound", "not a valid model identifier"), "there is no such model; check its spelling"),
        (("safetensors",), "its weights are not in safetensors format; choose a model that has model.safetensors"),
        (("OfflineMode", "Connect", "couldn't connect", "Timeout", "offline"),
         "there is no connection; download the model elsewhere and give the path of its folder instead"),
        (("preprocessor_config", "feature extractor", "image processor", "okenizer"),
         "it has no usable input description for this kind of item; choose a model made for this kind"),
    )  # fmt: skip
    for marks, sentence in causes:
        if any(mark in text for mark in marks):
            return f"The encoder {where} cannot be loaded: {sentence}."
    return f"The encoder {where} cannot be loaded ({type(error).__name__}: {_first_line(error)}); choose another one."


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[0][:200]


def pooled(model: Any, kind: str, pool: Callable[[Any], Any], inputs: dict[str, Any]) -> Any:
    """Run a network and give one row per item.

    Parameters
    ----------
    model : torch.nn.Module
        A transformers network; of a two-tower network (CLIP, CLAP) only the tower of this kind runs, and of
        an encoder-decoder only the encoder.
    kind : {"text", "image", "audio"}
        The tower to run.
    pool : callable
        Output of a plain network to a tensor of shape (m, d).
    inputs : dict of str to tensor
        What the processor prepared.

    Returns
    -------
    Tensor of shape (m, d)
        Features.
    """
    tower = getattr(model, f"get_{kind}_features", None)
    if tower is not None:
        out = tower(**inputs)
        return out if hasattr(out, "shape") else out.pooler_output
    network = model.get_encoder() if model.config.is_encoder_decoder else model
    return pool(network(**inputs))
