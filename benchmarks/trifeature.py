"""Trifeature in pairs, drawn by our own code: ten shapes, ten colours, ten textures; what two pictures share is known.

The pictures of a pair show the same shape, each in a colour and a texture of its own. So the shape is redundant, the
texture of one picture is unique to it, and whether (texture of the first, colour of the second) is one of ten fixed
couples is known only to who sees both. After Hermann and Lampinen 2020, "What shapes feature representations?",
arXiv:2006.12433; the pairs are those of Dufumier et al. 2024, arXiv:2409.07402.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["N_KINDS", "SIDE", "Pairs", "draw", "draw_pairs", "matching"]

N_KINDS = 10
SIDE, FINER = 32, 4
COLOURS = np.array(
    [(230, 40, 40), (40, 160, 60), (50, 90, 230), (245, 205, 40), (160, 60, 190),
     (245, 135, 30), (70, 205, 215), (240, 130, 190), (130, 85, 50), (235, 235, 235)]
) / 255  # fmt: skip
GROUND, SHADE = 0.12, 0.25


@dataclass(frozen=True)
class Pairs:
    """Pictures in pairs, and what they show.

    Attributes
    ----------
    x1, x2 : float32 ndarray of shape (n_samples, 3, SIDE, SIDE)
        From 0 to 1.
    shape : int ndarray of shape (n_samples,)
        Of both pictures.
    texture1, colour2 : int ndarray of shape (n_samples,)
        Of the first picture, and of the second.
    """

    x1: np.ndarray
    x2: np.ndarray
    shape: np.ndarray
    texture1: np.ndarray
    colour2: np.ndarray


def matching(random_state: int) -> np.ndarray:
    """Return the colour that belongs to each texture, a permutation of ten."""
    return np.random.default_rng([random_state, 0x3A]).permutation(N_KINDS)


def draw_pairs(n_samples: int, random_state: int, couples: np.ndarray | None = None, share: float = 1.0) -> Pairs:
    """Draw pairs that share the shape.

    Parameters
    ----------
    n_samples, random_state : int
    couples : ndarray of shape (10,), optional
        The colour of the second picture is the one that belongs to the texture of the first.
    share : float
        Of the samples for which that holds; it surely does not for the others.

    Returns
    -------
    Pairs
    """
    rng = np.random.default_rng([random_state, n_samples])
    shape, texture1, texture2, colour1, colour2 = rng.integers(N_KINDS, size=(5, n_samples))
    if couples is not None:
        elsewhere = (couples[texture1] + rng.integers(1, N_KINDS, size=n_samples)) % N_KINDS
        colour2 = np.where(rng.random(n_samples) < share, couples[texture1], elsewhere)
    first = [draw(*kinds, rng) for kinds in zip(shape, colour1, texture1, strict=True)]
    second = [draw(*kinds, rng) for kinds in zip(shape, colour2, texture2, strict=True)]
    return Pairs(np.stack(first), np.stack(second), shape, texture1, colour2)


def draw(shape: int, colour: int, texture: int, rng: np.random.Generator) -> np.ndarray:
    """Return one picture, float32 of shape (3, SIDE, SIDE): place, size and turn by chance, the rest as told."""
    size, turn = rng.uniform(11, 14), rng.uniform(-0.2, 0.2)
    x, y = rng.uniform(size, SIDE - size, size=2) if 2 * size < SIDE else np.full(2, SIDE / 2)
    inside = _mask(_outline(shape), size, turn, x, y)
    pattern = _TEXTURES[texture](*_grid(turn, x, y))
    shaded = COLOURS[colour][:, None, None] * np.where(pattern, 1, SHADE)
    return (GROUND + (shaded - GROUND) * inside).astype(np.float32)


def _outline(shape: int) -> np.ndarray:
    """Return the corners of a shape within the unit circle, shape (n_corners, 2)."""

    def star(n: int, inner: float, start: float = -np.pi / 2) -> np.ndarray:
        angle = start + np.arange(2 * n) * np.pi / n
        return np.where(np.arange(2 * n) % 2, inner, 1)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def regular(n: int, start: float = -np.pi / 2) -> np.ndarray:
        return star(n, 1, start)[::2]

    t, thin = np.linspace(0, 2 * np.pi, 60, endpoint=False), 0.32
    cross = [(-thin, -1), (thin, -1), (thin, -thin), (1, -thin), (1, thin), (thin, thin)]
    cross = [*cross, (thin, 1), (-thin, 1), (-thin, thin), (-1, thin), (-1, -thin), (-thin, -thin)]
    heart = np.stack(
        [np.sin(t) ** 3, -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16], 1
    )
    moon = np.concatenate([
        np.stack([np.cos(t[8:53]), np.sin(t[8:53])], 1),
        np.stack([0.45 + 0.66 * np.cos(t[53:7:-1]), 0.75 * np.sin(t[53:7:-1])], 1),
    ])  # fmt: skip
    return [
        regular(3), regular(4, np.pi / 4), regular(60), regular(6), star(5, 0.42),
        np.array(cross), heart, np.array([(-1, -0.45), (1, -0.45), (1, 0.45), (-1, 0.45)]), moon, star(4, 0.3),
    ][shape]  # fmt: skip


def _mask(corners: np.ndarray, size: float, turn: float, x: float, y: float) -> np.ndarray:
    """Return how much of every pixel is inside, shape (SIDE, SIDE)."""
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    placed = FINER * (size * corners @ rotation.T + (x, y))
    canvas = Image.new("L", (FINER * SIDE,) * 2)
    ImageDraw.Draw(canvas).polygon([tuple(p) for p in placed], fill=255)
    return np.asarray(canvas.reduce(FINER)) / 255


def _grid(turn: float, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how far right and down every pixel is of the middle of the shape, turned with it."""
    down, right = np.mgrid[:SIDE, :SIDE] + 0.5
    right, down = right - x, down - y
    return np.cos(turn) * right + np.sin(turn) * down, np.cos(turn) * down - np.sin(turn) * right


def _stripes(along: np.ndarray, period: float) -> np.ndarray:
    return along % period < period / 2


_TEXTURES: list[Callable[[np.ndarray, np.ndarray], np.ndarray]] = [
    lambda u, v: np.ones_like(u, dtype=bool),
    lambda u, v: _stripes(v, 4),
    lambda u, v: _stripes(u, 4),
    lambda u, v: _stripes(u + v, 5.6),
    lambda u, v: _stripes(u - v, 5.6),
    lambda u, v: _stripes(u, 8) ^ _stripes(v, 8),
    lambda u, v: np.hypot(u % 5 - 2.5, v % 5 - 2.5) > 1.6,
    lambda u, v: _stripes(np.hypot(u, v), 5),
    lambda u, v: (u % 6 < 4) & (v % 6 < 4),
    lambda u, v: _stripes(v + 1.5 * np.sin(u), 8),
]
