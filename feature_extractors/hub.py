"""Loads any transformers encoder from a folder or by its Hugging Face id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feature_extractors.contracts import EncoderSpec, Kind
from feature_extractors.errors import EncoderError
from feature_extractors.failures import explained, where
from feature_extractors.weights import resolve_device

__all__ = ["LoadedModel", "load_entry", "load_transformers", "read_beside", "run_network"]

# Never read here: weights in other formats, and what is written for people.
_IGNORED = {".bin", ".h5", ".msgpack", ".onnx", ".ot", ".pt", ".pth", ".md", ".png", ".jpg", ".gitattributes"}
_PROCESSORS: dict[Kind, str] = {
    "text": "AutoTokenizer",
    "picture": "AutoImageProcessor",
    "sound": "AutoFeatureExtractor",
}
_TOWERS: dict[Kind, str] = {"text": "get_text_features", "picture": "get_image_features", "sound": "get_audio_features"}
# Parts that many good checkpoints lack and that no features come from.
_UNUSED = ("masked_spec_embed", "mask_token", "logit_")
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


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
    name : str
        Folder, or ``org/name``.
    has_pooler : bool
        Whether the weights hold a pooler, where the network has one; else it would be a random one.
    """

    model: Any
    processor: Any
    revision: str
    device: str
    name: str
    has_pooler: bool = True

    def has_tower(self, kind: Kind) -> bool:
        """Tell whether this is a network of two towers with one for this kind of item.

        Parameters
        ----------
        kind : {"text", "picture", "sound"}
            The kind of item.

        Returns
        -------
        bool
            True for CLIP, SigLIP, CLAP and the like.
        """
        return hasattr(self.model, _TOWERS[kind])


def load_transformers(name: str, kind: Kind, device: str, revision: str = "") -> LoadedModel:
    """Load a network and its processor with the Auto classes, safetensors only, never running foreign code.

    Parameters
    ----------
    name : str
        A folder, or ``org/name``.
    kind : {"text", "picture", "sound"}
        What it will get: decides between tokenizer, image processor and feature extractor.
    device : str
        A torch device.
    revision : str
        Pinned commit; the latest when empty.

    Returns
    -------
    LoadedModel
        Ready to use.

    Raises
    ------
    HubUnreachableError
        If it is not stored here and there is no connection.
    EncoderError
        If it cannot be loaded for any other reason, with the reason and the way to mend it.
    """
    try:
        with _quiet():
            return _load(name, kind, device, revision)
    except EncoderError:
        raise
    except Exception as error:  # the libraries below raise a dozen unrelated types for one cause
        raise explained(name, error) from error


def load_entry(spec: EncoderSpec, device: str) -> LoadedModel:
    """Load the network of an entry that is on the hub or in a folder of the user's.

    Parameters
    ----------
    spec : EncoderSpec
        The entry.
    device : str
        "auto" or a torch device.

    Returns
    -------
    LoadedModel
        Ready to use.

    Raises
    ------
    EncoderError
        If it cannot be loaded.
    """
    name = spec.id or str(Path(spec.name).expanduser())
    return load_transformers(name, spec.kind, resolve_device(device), spec.commit)


def _load(name: str, kind: Kind, device: str, revision: str) -> LoadedModel:
    import torch
    import transformers

    # One commit for all files keeps them of one version. It also keeps transformers from sending a repository
    # without safetensors to an outside conversion service, which it does for the newest one.
    commit = "" if Path(name).is_dir() else revision or _latest_commit(name)
    settings = {"trust_remote_code": False} | ({"revision": commit} if commit else {})
    config = transformers.AutoConfig.from_pretrained(name, **settings)
    processor = getattr(transformers, _PROCESSORS[kind]).from_pretrained(name, **settings)
    if commit:
        _check_reachable(name, commit)
    model, found = transformers.AutoModel.from_pretrained(
        name, config=config, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **settings
    )
    missing = sorted(found["missing_keys"])
    has_pooler = not any("pooler." in key for key in missing)
    loaded = LoadedModel(
        model.eval().to(device), processor, commit or _folder_digest(Path(name)), device, name, has_pooler
    )
    _check_complete(loaded, kind, missing)
    return loaded


def _latest_commit(name: str) -> str:
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(name, "config.json")).parent.name  # the cache keeps files below their commit


def _check_reachable(name: str, commit: str) -> None:
    """Raise where the weights are neither stored nor in reach: transformers would say that there are none."""
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import RemoteEntryNotFoundError

    if any(isinstance(try_to_load_from_cache(name, file, revision=commit), str) for file in _WEIGHTS):
        return
    for file in _WEIGHTS:
        try:
            hf_hub_download(name, file, revision=commit)
        except RemoteEntryNotFoundError:  # the other name, or none: that is for transformers to find out
            continue
        return


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back warnings that alarm for nothing: of heads that are not loaded, of pictures prepared by Pillow."""
    import transformers

    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.logging.set_verbosity(before)


def _check_complete(loaded: LoadedModel, kind: Kind, missing: list[str]) -> None:
    """Parts without weights are filled with random numbers, other ones at every start: no features to score by."""
    unused = [*_UNUSED]
    if not loaded.has_tower(kind):  # there the projection starts from a pooler
        unused.append("pooler.")
    if loaded.model.config.is_encoder_decoder:
        unused.append("decoder.")
    needed = [key for key in missing if not any(part in key for part in unused)]
    if needed:
        raise EncoderError(
            f"The encoder {where(loaded.name)} cannot be used: {len(needed)} of its weights are missing, such as "
            f"{needed[0]}; download it again, or choose another one."
        )


def _folder_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.iterdir() if p.is_file() and (p.suffix or p.name) not in _IGNORED):
        with path.open("rb") as stream:
            digest.update(path.name.encode() + b"\0" + hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def read_beside(loaded: LoadedModel, file: str) -> Path | None:
    """Find one more file of a loaded model.

    Parameters
    ----------
    loaded : LoadedModel
        The model.
    file : str
        Path inside its folder or repository.

    Returns
    -------
    Path or None
        The file, of the same revision; None when there is none, or none that can be reached.
    """
    folder = Path(loaded.name)
    if folder.is_dir():
        return folder / file if (folder / file).is_file() else None
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return Path(hf_hub_download(loaded.name, file, revision=loaded.revision))
    except EntryNotFoundError:
        return None


def run_network(loaded: LoadedModel, kind: Kind, inputs: dict[str, Any]) -> Any:
    """Run what is needed of a network for one kind of item.

    Parameters
    ----------
    loaded : LoadedModel
        The network; of two towers only the one of this kind runs, and of an encoder-decoder only the encoder.
    kind : {"text", "picture", "sound"}
        The kind of item.
    inputs : dict of str to tensor
        What the processor prepared.

    Returns
    -------
    transformers.utils.ModelOutput
        With `last_hidden_state`; of two towers `pooler_output` is the projection.
    """
    if loaded.has_tower(kind):
        return getattr(loaded.model, _TOWERS[kind])(**inputs)
    network = loaded.model.get_encoder() if loaded.model.config.is_encoder_decoder else loaded.model
    return network(**inputs)
