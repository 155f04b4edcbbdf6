"""Small copies of pictures for the screen, kept for as long as others look at them."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from curation.thumbnails import small_picture

__all__ = ["thumbnail"]

_SIDE = 360
_SMALL = 100_000  # bytes: sent as it is


def thumbnail(path: str) -> bytes | str:
    """Return a picture file small enough to be shown by the dozen; the path itself where the file is small."""
    file = Path(path)
    told = file.stat()
    return path if told.st_size <= _SMALL else _reduced(path, told.st_mtime_ns, told.st_size)


@st.cache_data(max_entries=2_000, show_spinner=False)
def _reduced(path: str, changed: int, size: int) -> bytes | str:
    # Streamlit sends JPEG and PNG as they are, and would write WebP anew.
    return small_picture(path, _SIDE, web=False) or path  # what the encoder refused, a browser may still show
