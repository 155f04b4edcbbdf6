"""Linear class scores for many training subsets and penalties at once: shrunk discriminant and softmax regression.

Every fit returns coefficients of shape (n_features + 1, n_classes), the last row being the intercept.
"""

from __future__ import annotations

import numpy as np
import torch

__all__ = ["discriminant_coefficients", "linear_scores", "softmax_coefficients"]


def linear_scores(x: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    """Return class scores: x (n, d) against coefficients (..., d + 1, C) gives (..., n, C)."""
    return x @ coefficients[..., :-1, :] + coefficients[..., -1:, :]


def discriminant_coefficients(
    x: torch.Tensor, codes: torch.Tensor, members: torch.Tensor, n_classes: int, shrinkages: tuple[float, ...]
) -> torch.Tensor:
    r"""Fit linear discriminants whose within-class covariance is shrunk towards a sphere.

    :math:`\Sigma_a = (1 - a) \Sigma + a\, \mathrm{tr}(\Sigma)/d \cdot I`.

    Parameters
    ----------
    x : float tensor of shape (n_samples, n_features)
    codes : int64 tensor of shape (n_samples,)
    members : bool tensor of shape (n_subsets, n_samples)
        Which samples each fit may see.
    n_classes : int
    shrinkages : tuple of float in (0, 1]

    Returns
    -------
    float tensor of shape (n_subsets, n_shrinkages, n_features + 1, n_classes)
    """
    return torch.stack([_discriminants_of(x[m], codes[m], n_classes, shrinkages) for m in members])


def _discriminants_of(
    x: torch.Tensor, codes: torch.Tensor, n_classes: int, shrinkages: tuple[float, ...]
) -> torch.Tensor:
    counts = torch.bincount(codes, minlength=n_classes).to(x.dtype)
    means = torch.zeros(n_classes, x.shape[1], dtype=x.dtype, device=x.device)
    means.index_add_(0, codes, x)
    means /= counts.clamp(min=1)[:, None]
    within = x - means[codes]
    freedom = max(len(x) - n_classes, 1)
    values, vectors = torch.linalg.eigh((within.T @ within) / freedom)
    values = values.clamp(min=0)
    log_prior = torch.log((counts + 0.5) / (counts + 0.5).sum())
    projected = vectors.T @ means.T
    fits = []
    for a in shrinkages:
        scale = 1 / ((1 - a) * values + a * values.mean().clamp(min=1e-12))
        weights = vectors @ (scale[:, None] * projected)
        intercept = log_prior - 0.5 * (means.T * weights).sum(dim=0)
        fits.append(torch.cat([weights, intercept[None]]))
    return torch.stack(fits)


def softmax_coefficients(
    x: torch.Tensor,
    codes: torch.Tensor,
    members: torch.Tensor,
    n_classes: int,
    penalties: tuple[float, ...],
    max_iter: int = 60,
    tol: float = 1e-3,
) -> torch.Tensor:
    r"""Fit ridge-penalised softmax regression for every subset and penalty together.

    Minimises :math:`-\sum_i \log p(y_i|x_i) + \frac{\lambda}{2} \|W\|^2` with the fixed curvature bound
    :math:`\frac12 X^\top X + \lambda I`, which majorises the true one, and Nesterov momentum with restarts:
    each step is one product with the data and one with the data transposed, shared by all fits.

    Parameters
    ----------
    x : float tensor of shape (n_samples, n_features)
    codes : int64 tensor of shape (n_samples,)
    members : bool tensor of shape (n_subsets, n_samples)
    n_classes : int
    penalties : tuple of float > 0
    max_iter : int
    tol : float
        Stop when no coefficient moved by more than this share of the largest one. The loose default is enough
        where a temperature is fitted to the scores afterwards.

    Returns
    -------
    float tensor of shape (n_subsets, n_penalties, n_features + 1, n_classes)

    References
    ----------
    Böhning 1992, Annals of the Institute of Statistical Mathematics 44:197 (the curvature bound).
    O'Donoghue and Candès 2015, arXiv:1204.3982 (restarted momentum).
    """
    n_subsets, n_penalties = len(members), len(penalties)
    z = torch.cat([x, torch.ones(len(x), 1, dtype=x.dtype, device=x.device)], dim=1)
    ridge = torch.tensor(penalties, dtype=x.dtype, device=x.device).repeat(n_subsets)[:, None, None]
    ridge = ridge.repeat(1, 1, z.shape[1])
    ridge[:, :, -1] = 1e-3  # the intercept is all but free
    step = _inverse_curvature(z, members, ridge, n_penalties)
    weights = members.to(x.dtype).repeat_interleave(n_penalties, dim=0)[:, None]  # (fits, 1, n)
    target = torch.nn.functional.one_hot(codes, n_classes).to(x.dtype).T  # (C, n)
    # Classes come before samples, so that one matrix product and one softmax serve all fits.
    here = ahead = torch.zeros(len(weights), n_classes, z.shape[1], dtype=x.dtype, device=x.device)
    momentum = torch.ones(len(weights), 1, 1, dtype=x.dtype, device=x.device)
    for _ in range(max_iter):
        residual = (torch.softmax(ahead @ z.T, dim=1) - target) * weights
        there = ahead - (residual @ z + ridge * ahead) @ step
        # Momentum that points uphill is dropped, fit by fit.
        uphill = ((ahead - there) * (there - here)).sum(dim=(1, 2), keepdim=True) > 0
        grown = torch.where(uphill, torch.ones_like(momentum), (1 + torch.sqrt(1 + 4 * momentum**2)) / 2)
        ahead = there + torch.where(uphill, torch.zeros_like(momentum), (momentum - 1) / grown) * (there - here)
        moved = (there - here).abs().max() / there.abs().max().clamp(min=1e-12)
        here, momentum = there, grown
        if moved < tol:
            break
    return here.mT.reshape(n_subsets, n_penalties, z.shape[1], n_classes)


def _inverse_curvature(z: torch.Tensor, members: torch.Tensor, ridge: torch.Tensor, n_penalties: int) -> torch.Tensor:
    grams = torch.stack([z[m].T @ z[m] for m in members]).repeat_interleave(n_penalties, dim=0)
    return torch.cholesky_inverse(torch.linalg.cholesky(grams / 2 + torch.diag_embed(ridge[:, 0])))


def numpy_to(x: np.ndarray, device: torch.device) -> torch.Tensor:
    """Return a float32 copy of ``x`` on the device."""
    return torch.as_tensor(np.ascontiguousarray(x, dtype=np.float32), device=device)
