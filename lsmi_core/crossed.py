"""Directions of two modalities that say something about the label only together."""

from __future__ import annotations

import numpy as np
import torch

from lsmi_core.folds import Folds
from lsmi_core.kernel import Landmarks
from lsmi_core.linear import eigh, linear_scores, softmax_coefficients

__all__ = ["MAX_COORDINATES", "CrossedHead", "could_be_seen", "crossed_directions"]

MAX_COORDINATES = 64
MAX_DIRECTIONS = 3
N_LANDMARKS = 96
CLEAR = 1.2


class CrossedHead:
    """Softmax regression on a few crossed directions of one training part.

    Parameters
    ----------
    z1, z2 : float tensor of shape (n_samples, d_k)
        Whitened coordinates of the part's samples.
    codes : int64 tensor of shape (n_samples,)
    n_classes : int
    directions : pair of float tensor of shape (d_k, n_directions)
    random_state : int
    """

    def __init__(
        self,
        z1: torch.Tensor,
        z2: torch.Tensor,
        codes: torch.Tensor,
        n_classes: int,
        directions: tuple[torch.Tensor, torch.Tensor],
        random_state: int,
    ) -> None:
        self.directions = directions
        places = self._places(z1, z2)
        self.landmarks = Landmarks(N_LANDMARKS, random_state).fit(places)
        features = self.landmarks.transform(places)
        everybody = Folds(np.zeros(len(codes), dtype=np.int64), 0, with_all=True)
        self.coefficients = softmax_coefficients(features, codes, everybody, n_classes, (0.03,), max_iter=10)[0]

    def scores(self, z1: torch.Tensor, z2: torch.Tensor) -> torch.Tensor:
        """Return class scores of shape (1, n_samples, n_classes)."""
        return linear_scores(self.landmarks.transform(self._places(z1, z2)), self.coefficients)

    def _places(self, z1: torch.Tensor, z2: torch.Tensor) -> torch.Tensor:
        return torch.cat([z1 @ self.directions[0], z2 @ self.directions[1]], dim=1)


def crossed_directions(
    z1: torch.Tensor, z2: torch.Tensor, codes: torch.Tensor, n_classes: int
) -> tuple[torch.Tensor, torch.Tensor] | None:
    r"""Return the directions whose correlation differs most between classes, or None where none differs clearly.

    With :math:`\Delta_c = \sqrt{n_c}\,(\mathrm{Cov}(z_1, z_2|c) - \sum_c \frac{n_c}{n} \mathrm{Cov}(z_1, z_2|c))` they
    are the leading eigenvectors of :math:`\sum_c \Delta_c \Delta_c^\top` and of :math:`\sum_c \Delta_c^\top \Delta_c`.
    The exclusive or of two directions is found this way long before a network sees it: what is due to chance stays
    below :math:`(\sqrt{d_1} + \sqrt{(C - 1) d_2})^2`.

    Parameters
    ----------
    z1, z2 : float tensor of shape (n_samples, d_k)
        Whitened coordinates.
    codes : int64 tensor of shape (n_samples,)
    n_classes : int

    Returns
    -------
    pair of float tensor of shape (d_k, n_directions), or None

    References
    ----------
    Bai and Silverstein 2010, "Spectral Analysis of Large Dimensional Random Matrices" (the edge).
    """
    shares = torch.bincount(codes, minlength=n_classes).to(z1.dtype) / len(codes)
    by_class = torch.stack([_covariance(z1[rows], z2[rows]) for rows in _rows_by_class(codes, n_classes)])
    away = by_class - (shares[:, None, None] * by_class).sum(dim=0)
    away *= (shares * len(codes)).sqrt()[:, None, None]
    found = [_leading(torch.einsum("cij,ckj->ik", a, a), a.shape[2], n_classes) for a in (away, away.mT)]
    n_directions = min(f.shape[1] for f in found)
    return (found[0][:, :n_directions], found[1][:, :n_directions]) if n_directions else None


def _rows_by_class(codes: torch.Tensor, n_classes: int) -> tuple[torch.Tensor, ...]:
    counts = torch.bincount(codes, minlength=n_classes).tolist()
    return torch.argsort(codes, stable=True).split(counts)


def _covariance(z1: torch.Tensor, z2: torch.Tensor) -> torch.Tensor:
    if len(z1) < 2:
        return torch.zeros(z1.shape[1], z2.shape[1], dtype=z1.dtype, device=z1.device)
    return (z1 - z1.mean(dim=0)).T @ z2 / len(z1)


def _leading(gram: torch.Tensor, across: int, n_classes: int) -> torch.Tensor:
    """Return the eigenvectors that stand out from chance, the clearest first."""
    values, vectors = eigh(gram)
    clear = int((values[-MAX_DIRECTIONS:] > CLEAR * _edge(len(gram), across, n_classes)).sum())
    return vectors[:, len(gram) - clear :].flip(1)


def _edge(d: int, across: int, n_classes: int) -> float:
    return (d**0.5 + ((n_classes - 1) * across) ** 0.5) ** 2


def could_be_seen(n_samples: int, widths: tuple[int, int]) -> bool:
    r"""Return whether two labels that are the exclusive or of two random directions would stand out from chance.

    For the sides of a normal variable the leading eigenvalue is :math:`n (2/\pi)^2`.

    Parameters
    ----------
    n_samples : int
    widths : pair of int
        Numbers of features.
    """
    d1, d2 = (min(width, MAX_COORDINATES) for width in widths)
    return n_samples * (2 / np.pi) ** 2 > CLEAR * _edge(d1, d2, 2)
