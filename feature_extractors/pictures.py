"""Reads picture files safely, or says plainly why a file cannot be used."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

from feature_extractors.checks import existing_file
from feature_extractors.contracts import ItemProblem
from feature_extractors.pixels import OTHER, flat

__all__ = ["MAX_PIXELS", "read_picture"]

MAX_PIXELS = 100_000_000
# A closed list: Pillow would hand some other formats to outside programs.
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")


def read_picture(path: Any, enough: int | None = None) -> Any:
    """Decode the first frame, turn it upright, bring its colours to sRGB, and put transparent parts on white.

    Parameters
    ----------
    path : Path
        A PNG, JPEG, WebP, GIF, BMP or TIFF file.
    enough : int, optional
        A side length that is enough for the caller; large JPEG files are then decoded at a lower resolution.

    Returns
    -------
    PIL.Image.Image
        In mode RGB, at most 100 times as long as wide.

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
            return flat(image)
    except ItemProblem:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ItemProblem(_too_large()) from error
    except Image.UnidentifiedImageError as error:
        raise ItemProblem(_unknown(file)) from error
    except Exception as error:  # damaged files raise OSError, SyntaxError, ValueError, struct.error, zlib.error, …
        raise ItemProblem(f"This picture is damaged or cut off and cannot be decoded; {OTHER}.") from error


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
    return f"This file is not a PNG, JPEG, WebP, GIF, BMP or TIFF picture, whatever its name says; {OTHER}."
