"""Turns whatever a picture file holds into upright 8-bit sRGB on white."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np

from feature_extractors.contracts import ItemProblem

__all__ = ["MAX_RATIO", "OTHER", "flat"]

MAX_RATIO = 100
OTHER = "save it as PNG or JPEG, or leave the row out"
_ROWS = 256  # worked on at a time: whole copies of the largest pictures would take gigabytes
_SPACES = {"L": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}


def flat(image: Any) -> Any:
    """Return the first frame as people see it: upright, in sRGB, transparent parts on white.

    A picture more than 100 times as long as it is wide is made shorter: networks that scale by the shorter side would
    make a thousand times as many pixels of it.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened; is changed.

    Returns
    -------
    PIL.Image.Image
        In mode RGB.

    Raises
    ------
    ItemProblem
        If its values are no numbers.
    """
    from PIL import ImageOps

    image.seek(0)
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith(("I", "F")):
        return _shorter(_eight_bits(image).convert("RGB"))
    clear = image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info
    mode = "RGBA" if clear else image.mode if image.mode in _SPACES else "RGB"
    to_srgb = _to_srgb(image.info.get("icc_profile"), mode)
    if not clear and to_srgb is None:
        return _shorter(image.convert("RGB"))
    return _shorter(_by_strips(image, mode, to_srgb or (lambda strip: strip)))


def _shorter(picture: Any) -> Any:
    from PIL import Image

    width, height = picture.size
    fitting = (min(width, MAX_RATIO * height), min(height, MAX_RATIO * width))
    return picture if fitting == picture.size else picture.resize(fitting, Image.Resampling.BOX)


def _by_strips(image: Any, mode: str, to_srgb: Callable[[Any], Any]) -> Any:
    from PIL import Image

    whole = Image.new("RGB", image.size)
    for top in range(0, image.height, _ROWS):
        strip = image.crop((0, top, image.width, min(top + _ROWS, image.height))).convert(mode)
        whole.paste(_on_white(to_srgb(strip)), (0, top))
    return whole


def _on_white(strip: Any) -> Any:
    from PIL import Image

    if strip.mode != "RGBA":
        return strip
    white = Image.new("RGB", strip.size, "white")
    white.paste(strip, mask=strip.getchannel("A"))  # the same bits as alpha_composite, in half the time
    return white


def _to_srgb(profile: bytes | None, mode: str) -> Callable[[Any], Any] | None:
    """Return what brings colours from the space of an embedded profile to sRGB; None where there is nothing to do.

    A profile that cannot be read, or that is for another sort of picture, is passed over, as browsers do.
    """
    from PIL import ImageCms

    if not profile:
        return None
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if own.profile.xcolor_space.strip() != _SPACES[mode] or "sRGB" in (own.profile.profile_description or ""):
            return None
        target = "RGBA" if mode == "RGBA" else "RGB"
        transform = ImageCms.buildTransform(own, ImageCms.createProfile("sRGB"), mode, target)
    except (OSError, ImageCms.PyCMSError):
        return None
    return lambda strip: ImageCms.applyTransform(strip, transform)


def _eight_bits(image: Any) -> Any:
    """Scale deep grey values down; Pillow's own conversion would clip them to white."""
    from PIL import Image

    values = np.asarray(image)
    if not np.isfinite(values).all():
        raise ItemProblem(f"This picture holds values that are not numbers; {OTHER}.")
    low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else (float(values.min()), float(values.max()))
    grey = np.empty(values.shape, dtype=np.uint8)
    for top in range(0, len(values), _ROWS):
        scaled = (values[top : top + _ROWS].astype(np.float64) - low) * (255.0 / ((high - low) or 1.0))
        grey[top : top + _ROWS] = np.clip(scaled.round(), 0, 255)
    if "transparency" in image.info:  # one of the values
        grey[values == image.info["transparency"]] = 255
    return Image.fromarray(grey)
