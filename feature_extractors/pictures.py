"""Reads picture files safely into upright RGB on white, or says plainly why a file cannot be used."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from feature_extractors.checks import existing_file
from feature_extractors.contracts import ItemProblem

__all__ = ["MAX_PIXELS", "read_picture"]

MAX_PIXELS = 100_000_000
# A closed list: Pillow would hand some other formats to outside programs.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_ROWS = 256  # worked on at a time
_OTHER = "save it as PNG or JPEG, or leave the row out"


def read_picture(path: Any, enough: int | None = None) -> Any:
    """Decode the first frame, turn it upright, and put transparent parts on white.

    Parameters
    ----------
    path : Path
        A PNG, JPEG, WebP, GIF, BMP or TIFF file.
    enough : int, optional
        A side length that is enough for the caller; large JPEG files are then decoded at a lower resolution.

    Returns
    -------
    PIL.Image.Image
        In mode RGB.

    Raises
    ------
    ItemProblem
        If the file is missing, damaged, too large or not a picture.
    """
    Image = _pillow()
    file = _existing(path)
    try:
        with Image.open(file, formats=_FORMATS) as image:
            _check_size(image)
            if enough:
                image.draft(None, (enough, enough))
            return _flat(image)
    except ItemProblem:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ItemProblem(_too_large()) from error
    except Image.UnidentifiedImageError as error:
        raise ItemProblem(_unknown(file)) from error
    except Exception as error:  # damaged files raise OSError, SyntaxError, ValueError, struct.error, zlib.error, …
        raise ItemProblem(f"This picture is damaged or cut off and cannot be decoded; {_OTHER}.") from error


@cache
def _pillow() -> Any:
    """Return Pillow's Image, made to keep its remarks about odd files to itself: the caller is told in our words."""
    from PIL import Image

    warnings.filterwarnings("ignore", module=r"PIL\.")
    return Image


def _existing(path: Any) -> Path:
    file = existing_file(path, "picture")
    if file.stat().st_size == 0:
        raise ItemProblem("This picture file is empty; copy it again, or leave the row out.")
    return file


def _check_size(image: Any) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ItemProblem(_too_large())


def _too_large() -> str:
    return f"This picture has over {MAX_PIXELS // 1_000_000} million pixels; make it smaller, or leave the row out."


def _unknown(file: Path) -> str:
    with file.open("rb") as stream:
        start = stream.read(1024).lower()
    if b"<svg" in start or (start.lstrip().startswith(b"<?xml") and b"svg" in start):
        return "This is an SVG drawing, which is not read here; render it to PNG first."
    return f"This file is not a PNG, JPEG, WebP, GIF, BMP or TIFF picture, whatever its name says; {_OTHER}."


def _flat(image: Any) -> Any:
    from PIL import ImageOps

    image.seek(0)
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode.startswith(("I", "F")):
        return _eight_bits(image).convert("RGB")
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        return _on_white(image)
    return image.convert("RGB")


def _on_white(image: Any) -> Any:
    """Lay a picture on white, some rows at a time: whole copies of the largest would take gigabytes."""
    from PIL import Image

    flat = Image.new("RGB", image.size)
    for top in range(0, image.height, _ROWS):
        strip = image.crop((0, top, image.width, min(top + _ROWS, image.height))).convert("RGBA")
        white = Image.new("RGBA", strip.size, "white")
        flat.paste(Image.alpha_composite(white, strip).convert("RGB"), (0, top))
    return flat


def _eight_bits(image: Any) -> Any:
    """Scale deep grey values down; Pillow's own conversion would clip them to white."""
    from PIL import Image

    values = np.asarray(image)
    if not np.isfinite(values).all():
        raise ItemProblem(f"This picture holds values that are not numbers; {_OTHER}.")
    low, high = (0.0, 65535.0) if image.mode.startswith("I;16") else (float(values.min()), float(values.max()))
    grey = np.empty(values.shape, dtype=np.uint8)
    for top in range(0, len(values), _ROWS):
        scaled = (values[top : top + _ROWS].astype(np.float64) - low) * (255.0 / ((high - low) or 1.0))
        grey[top : top + _ROWS] = np.clip(scaled.round(), 0, 255)
    return Image.fromarray(grey)
