"""Similarity to landmarks: features in which a linear head is a smooth curved one, computed once for all folds."""

from __future__ import annotations

import numpy as np
import torch

from lsmi_core.linear import eigh

__all__ = ["Landmarks"]

N_LANDMARKS = 320
ENOUGH = 2_000
LANDMARKS = 0x1A  # keeps this draw apart from others of the same seed


class Landmarks:
    r"""Nyström features of the Gaussian kernel :math:`k(x, x') = \exp(-\|x - x'\|^2 / m)`.

    m is the median squared distance between landmarks. The inner product of two samples' features is the kernel
    between them, as far as the landmarks, samples drawn at random, span it. Labels are never looked at.

    Parameters
    ----------
    n_landmarks : int
    random_state : int

    References
    ----------
    Williams and Seeger 2001, "Using the Nyström method to speed up kernel machines".
    """

    def __init__(self, n_landmarks: int = N_LANDMARKS, random_state: int = 0) -> None:
        self.n_landmarks = n_landmarks
        self.random_state = random_state

    def fit(self, x: torch.Tensor) -> Landmarks:
        """Draw landmarks from x, float tensor of shape (n_samples, n_features); return self."""
        rows = np.random.default_rng([self.random_state, LANDMARKS]).permutation(len(x))[: self.n_landmarks]
        self.landmarks_ = x[torch.as_tensor(np.sort(rows), device=x.device)]
        self.middle_ = self.landmarks_.mean(dim=0)
        squared = torch.cdist(self.landmarks_, self.landmarks_).square()
        apart = squared[squared > 0]
        self.width_ = float(apart.median()) if len(apart) else 1.0
        values, vectors = eigh(torch.exp(-squared / self.width_))
        kept = values > 1e-5 * values[-1]
        self.whitener_ = vectors[:, kept] / values[kept].sqrt()
        whitened = self._similarities(x[:: max(1, len(x) // ENOUGH)]) @ self.whitener_
        self.centre_ = whitened.mean(dim=0)
        self.size_ = (whitened - self.centre_).square().sum(dim=1).mean().sqrt().clamp(min=1e-6)
        return self

    def transform(self, x: torch.Tensor) -> torch.Tensor:
        """Return features of shape (n_samples, at most n_landmarks), centred, their mean squared norm 1."""
        return (self._similarities(x) @ self.whitener_).sub_(self.centre_).div_(self.size_)

    def _similarities(self, x: torch.Tensor) -> torch.Tensor:
        # -|x - l|^2 / m by one product, everything else in place: memory is what takes the time here.
        ahead = (self.landmarks_ - self.middle_) * (2 / self.width_)
        here = x - self.middle_
        exponent = torch.addmm(-(self.landmarks_ - self.middle_).square().sum(dim=1) / self.width_, here, ahead.T)
        return exponent.sub_(here.square_().sum(dim=1, keepdim=True).div_(self.width_)).clamp_(max=0).exp_()
