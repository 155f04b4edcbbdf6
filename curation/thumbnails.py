"""Small copies of pictures: neither a gallery nor a report should carry megabytes for squares of a finger's width."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageOps

__all__ = ["small_picture"]

_MOST_PIXELS = 100_000_000


def small_picture(path: Path | str, side: int, quality: int = 82) -> bytes | None:
    """Return a picture as a WebP with sides of at most ``side`` pixels; None where it cannot be read or is too large.

    Parameters
    ----------
    path : path
    side : int
    quality : int
        Of the WebP, from 0 to 100.
    """
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                return None
            picture.draft("RGB", (side, side))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((side, side))
            held = io.BytesIO()
            upright.convert("RGBA" if "A" in upright.getbands() else "RGB").save(held, "WEBP", quality=quality)
    except (OSError, ValueError, SyntaxError):  # what the encoder read otherwise, a browser may still show
        return None
    return held.getvalue()
