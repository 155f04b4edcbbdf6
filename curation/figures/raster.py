"""Any number of samples as one small picture: counted and coloured here, so that the browser gets no points."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image
from plotly.colors import hex_to_rgb

from curation.figures.cloud import Cloud, Names, Score
from curation.figures.style import FAINT

__all__ = ["paint", "picture"]

WIDTH, HEIGHT = 720, 480
MANY, VERY_MANY = 20_000, 300_000
"""From so many samples on a dot is three cells wide instead of five, and then one."""
_AWAY = (40, 90)  # opacity, of 255, of one and of the most samples in a cell
_LIT = (190, 255)
_UNSURE = 0.6  # part of its opacity that a cell loses where all of its samples are uncertain


def paint(cloud: Cloud, colours: Names | Score, extent: Sequence[float]) -> np.ndarray:
    """Return the samples as pixels: the selected in their colours, the others below them in faint grey.

    Parameters
    ----------
    cloud : Cloud
    colours : Names or Score
        A cell has the colour of its most frequent name, or of its mean score.
    extent : sequence of float
        Left, right, bottom and top in the units of the cloud; samples outside are left out.

    Returns
    -------
    uint8 ndarray of shape (480, 720, 4)
        Red, green, blue and opacity, the top row first.
    """
    cell, inside = _cells(cloud, extent)
    lit = cloud.lit[inside]
    front = _layer(cell[lit], _LIT, lambda cells, n: colours.blend(cells, inside[lit], n))
    if cloud.uncertain is not None:
        _fade(front, cell[lit], cloud.uncertain[inside][lit])
    back = _layer(cell[~lit], _AWAY, lambda _, n: np.tile(np.array(hex_to_rgb(FAINT), dtype=np.uint8), (n, 1)))
    front, back = (_spread(layer, len(cloud)) for layer in (front, back))
    return np.where(front[..., 3:] > 0, front, back)[::-1]


def picture(pixels: np.ndarray) -> str:
    """Return pixels as an address that holds them, to be shown with sharp edges however far one zooms in.

    Plotly gives no say in how a layout image is scaled, but an SVG around the PNG has one.
    """
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "PNG", compress_level=1)
    height, width = pixels.shape[:2]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" preserveAspectRatio="none">'
        f'<image width="{width}" height="{height}" preserveAspectRatio="none" style="image-rendering:pixelated" '
        f'href="data:image/png;base64,{base64.b64encode(held.getvalue()).decode()}"/></svg>'
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()}"


def _cells(cloud: Cloud, extent: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Return cell and position of every sample within the extent; the cell at the lower left is the first."""
    left, right, bottom, top = extent
    inside = np.flatnonzero((cloud.x >= left) & (cloud.x <= right) & (cloud.y >= bottom) & (cloud.y <= top))
    column = np.minimum((cloud.x[inside] - left) * (WIDTH / (right - left)), WIDTH - 1).astype(np.intp)
    row = np.minimum((cloud.y[inside] - bottom) * (HEIGHT / (top - bottom)), HEIGHT - 1).astype(np.intp)
    return row * WIDTH + column, inside


def _layer(cell: np.ndarray, opacity: tuple[int, int], blend: object) -> np.ndarray:
    """Return the cells that hold samples in their colours, more opaque the more they hold."""
    count = np.bincount(cell, minlength=WIDTH * HEIGHT)
    used = np.flatnonzero(count)
    pixels = np.zeros((WIDTH * HEIGHT, 4), np.uint8)
    if len(used):
        short = np.zeros(WIDTH * HEIGHT, np.intp)
        short[used] = np.arange(len(used))  # colours are found for the used cells only
        pixels[used, :3] = blend(short[cell], len(used))
        share = np.log1p(count[used] - 1) / np.log1p(max(count.max() - 1, 1))
        pixels[used, 3] = opacity[0] + (opacity[1] - opacity[0]) * share
    return pixels.reshape(HEIGHT, WIDTH, 4)


def _fade(pixels: np.ndarray, cell: np.ndarray, uncertain: np.ndarray) -> None:
    flat = pixels.reshape(-1, 4)
    count = np.maximum(np.bincount(cell, minlength=len(flat)), 1)
    share = np.bincount(cell[uncertain], minlength=len(flat)) / count
    flat[:, 3] = flat[:, 3] * (1 - _UNSURE * share)


def _spread(pixels: np.ndarray, n: int) -> np.ndarray:
    """Return the picture with dots as wide as few samples need to be seen; empty cells take the colour beside them."""
    whole = pixels.view(np.uint32)[..., 0]  # one number a cell, 0 where it is empty
    for _ in range(2 if n < MANY else 1 if n < VERY_MANY else 0):
        grown = whole.copy()
        for to, come in ((np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:])):
            np.copyto(grown[to], whole[come], where=grown[to] == 0)
            np.copyto(grown[:, to], whole[:, come], where=grown[:, to] == 0)
        whole = grown
    return whole.view(np.uint8).reshape(pixels.shape)
