"""Small copies of pictures: neither a gallery nor a report should carry megabytes for squares of a finger's width."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageOps

__all__ = ["small_picture"]

_MOST_PIXELS = 100_000_000


def small_picture(path: Path | str, side: int, quality: int = 82, web: bool = True) -> bytes | None:
    """Return a picture with sides of at most ``side`` pixels; None where it cannot be read or is too large.

    Parameters
    ----------
    path : path
    side : int
    quality : int
        From 0 to 100.
    web : bool
        Whether it becomes a WebP; else a JPEG, or a PNG where something is transparent.
    """
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                return None
            picture.draft("RGB", (side, side))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((side, side))
            held = io.BytesIO()
            clear = upright.has_transparency_data
            form = "WEBP" if web else "PNG" if clear else "JPEG"
            upright.convert("RGBA" if clear else "RGB").save(held, form, quality=quality, optimize=True)
    except (OSError, ValueError, SyntaxError):  # what the encoder read otherwise, a browser may still show
        return None
    return held.getvalue()
