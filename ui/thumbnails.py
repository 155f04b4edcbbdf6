"""Small copies of pictures: a gallery of photographs must not send megabytes for squares of a finger's width."""

from __future__ import annotations

import io
from pathlib import Path

import streamlit as st
from PIL import Image, ImageOps

__all__ = ["thumbnail"]

_SIDE = 360
_SMALL = 100_000  # bytes: sent as it is
_MOST_PIXELS = 100_000_000


def thumbnail(path: str) -> bytes | str:
    """Return a picture file small enough to be shown by the dozen; the path itself where the file is small."""
    file = Path(path)
    told = file.stat()
    return path if told.st_size <= _SMALL else _reduced(path, told.st_mtime_ns, told.st_size)


@st.cache_data(max_entries=2_000, show_spinner=False)
def _reduced(path: str, changed: int, size: int) -> bytes | str:
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                return path
            picture.draft("RGB", (_SIDE, _SIDE))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((_SIDE, _SIDE))
            buffer = io.BytesIO()
            if upright.has_transparency_data:
                upright.convert("RGBA").save(buffer, "PNG", optimize=True)
            else:  # of both formats Streamlit sends the bytes as they are
                upright.convert("RGB").save(buffer, "JPEG", quality=82)
    except (OSError, ValueError, SyntaxError):  # a picture that the encoder refused is shown as far as the browser can
        return path
    return buffer.getvalue()
