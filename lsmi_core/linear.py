"""Linear class scores for all training parts at once: shrunk discriminant and softmax regression.

Every fit returns coefficients of shape (n_features + 1, n_classes), the last row being the intercept.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.stats import f as f_distribution

from lsmi_core.folds import Folds

__all__ = ["discriminant_coefficients", "eigh", "linear_scores", "softmax_coefficients", "telling_features"]


def linear_scores(x: torch.Tensor, coefficients: torch.Tensor) -> torch.Tensor:
    """Return class scores: x (n, d) against coefficients (..., d + 1, C) gives (..., n, C)."""
    return x @ coefficients[..., :-1, :] + coefficients[..., -1:, :]


def eigh(symmetric: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return eigenvalues, rising, and eigenvectors; in double precision on the processor, where it always succeeds."""
    values, vectors = torch.linalg.eigh(symmetric.cpu().double())
    return values.to(symmetric), vectors.to(symmetric)


def discriminant_coefficients(
    x: torch.Tensor,
    codes: torch.Tensor,
    folds: Folds,
    n_classes: int,
    shrinkages: tuple[float, ...],
    kept: torch.Tensor | None = None,
) -> torch.Tensor:
    r"""Fit linear discriminants whose within-class covariance is shrunk towards a sphere.

    :math:`\Sigma_a = (1 - a) \Sigma + a\, \mathrm{tr}(\Sigma)/d \cdot I`.

    Parameters
    ----------
    x : float tensor of shape (n_samples, n_features)
    codes : int64 tensor of shape (n_samples,)
    folds : Folds
    n_classes : int
    shrinkages : tuple of float in (0, 1]
    kept : bool tensor of shape (n_parts, n_features), optional
        The features each part may use; the others get no weight.

    Returns
    -------
    float tensor of shape (n_parts, n_shrinkages, n_features + 1, n_classes)
    """
    one_hot = torch.nn.functional.one_hot(codes.to(x.device), n_classes).to(x.dtype)
    own = [_moments(x[rows], one_hot[rows]) for rows in (r.to(x.device) for r in folds.outside)]
    parts = _sums_of_others(own, folds.with_all)
    if kept is None:
        return torch.stack([_discriminants_of(*moments, shrinkages) for moments in parts])
    return torch.stack([_discriminants_on(k, *moments, shrinkages) for k, moments in zip(kept, parts, strict=True)])


def _sums_of_others(own: list[tuple[torch.Tensor, ...]], with_all: bool) -> list[list[torch.Tensor]]:
    """Return for every part the sums over its folds: added, for what is taken away again leaves a trace of rounding."""
    parts = [[m for j, m in enumerate(own) if j != k] for k in range(len(own))] + [own] * with_all
    return [[sum(m) for m in zip(*folds, strict=True)] for folds in parts]


def telling_features(x: torch.Tensor, codes: torch.Tensor, folds: Folds, n_classes: int) -> torch.Tensor:
    """Return which features differ between classes beyond chance, by the samples of each part.

    One analysis of variance a feature, at a level of one in a hundred.

    Parameters
    ----------
    x : float tensor of shape (n_samples, n_features)
    codes : int64 tensor of shape (n_samples,)
    folds : Folds
    n_classes : int

    Returns
    -------
    bool tensor of shape (n_parts, n_features)
    """
    one_hot = torch.nn.functional.one_hot(codes.to(x.device), n_classes).to(x.dtype)
    own = [((x[r] ** 2).sum(dim=0), one_hot[r].T @ x[r], one_hot[r].sum(dim=0)) for r in folds.outside]
    parts = _sums_of_others(own, folds.with_all)
    return torch.stack([_differs(*moments) for moments in parts])


def _differs(squares: torch.Tensor, sums: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    n, n_classes = float(counts.sum()), len(counts)
    between = (sums**2 / counts.clamp(min=1)[:, None]).sum(dim=0)
    within = (squares - between).clamp(min=1e-12) / max(n - n_classes, 1)
    variance = (between - sums.sum(dim=0) ** 2 / n) / max(n_classes - 1, 1)
    return variance > float(f_distribution.ppf(0.99, n_classes - 1, max(n - n_classes, 1))) * within


def _discriminants_on(
    kept: torch.Tensor, gram: torch.Tensor, sums: torch.Tensor, counts: torch.Tensor, shrinkages: tuple[float, ...]
) -> torch.Tensor:
    some = torch.nonzero(kept)[:, 0]
    fits = torch.zeros(len(shrinkages), len(gram) + 1, len(counts), dtype=gram.dtype, device=gram.device)
    if len(some):
        found = _discriminants_of(gram[some][:, some], sums[:, some], counts, shrinkages)
        fits[:, some], fits[:, -1] = found[:, :-1], found[:, -1]
    return fits


def _moments(x: torch.Tensor, one_hot: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return x.T @ x, one_hot.T @ x, one_hot.sum(dim=0)


def _discriminants_of(
    gram: torch.Tensor, sums: torch.Tensor, counts: torch.Tensor, shrinkages: tuple[float, ...]
) -> torch.Tensor:
    means = sums / counts.clamp(min=1)[:, None]
    freedom = max(float(counts.sum()) - len(counts), 1)
    values, vectors = eigh((gram - sums.T @ means) / freedom)
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
    folds: Folds,
    n_classes: int,
    penalties: tuple[float, ...],
    max_iter: int = 60,
    tol: float = 1e-3,
) -> torch.Tensor:
    r"""Fit ridge-penalised softmax regression for every part and penalty together.

    Minimises :math:`-\sum_i \log p(y_i|x_i) + \frac{\lambda}{2} \|W\|^2` with the fixed curvature bound
    :math:`\frac12 X^\top X + \lambda I`, which majorises the true one, and Nesterov momentum with restarts:
    each step is one product with the data and one with the data transposed, shared by all fits.

    Parameters
    ----------
    x : float tensor of shape (n_samples, n_features)
    codes : int64 tensor of shape (n_samples,)
    folds : Folds
    n_classes : int
    penalties : tuple of float > 0
    max_iter : int
    tol : float
        Stop when no coefficient moved by more than this share of the largest one. The loose default is enough
        where a temperature is fitted to the scores afterwards.

    Returns
    -------
    float tensor of shape (n_parts, n_penalties, n_features + 1, n_classes)

    References
    ----------
    Böhning 1992, Annals of the Institute of Statistical Mathematics 44:197 (the curvature bound).
    O'Donoghue and Candès 2015, arXiv:1204.3982 (restarted momentum).
    """
    # Samples fold by fold, so that those a part must not see lie side by side.
    order = torch.cat(folds.outside).to(x.device) if folds.n_splits else torch.arange(len(x), device=x.device)
    ends = np.cumsum([len(rows) for rows in folds.outside])
    unseen = [slice(end - len(rows), end) for end, rows in zip(ends.tolist(), folds.outside, strict=True)]
    z = torch.ones(len(x), x.shape[1] + 1, dtype=x.dtype, device=x.device)
    z[:, :-1] = x[order]
    # Classes come before samples, so that one matrix product and one softmax serve all fits.
    target = torch.nn.functional.one_hot(codes.to(x.device)[order], n_classes).to(x.dtype).T.contiguous()  # (C, n)
    ridge = torch.tensor(penalties, dtype=x.dtype, device=x.device).repeat(folds.n_parts)[:, None, None]
    ridge = ridge.repeat(1, 1, z.shape[1])
    ridge[:, :, -1] = 1e-3  # the intercept is all but free
    step = _inverse_curvature(z, unseen, folds.with_all, ridge)
    here = ahead = torch.zeros(len(ridge), n_classes, z.shape[1], dtype=x.dtype, device=x.device)
    momentum = torch.ones(len(ridge), 1, 1, dtype=x.dtype, device=x.device)
    for _ in range(max_iter):
        residual = _softmax_of_classes(ahead @ z.T).sub_(target)
        for k, rows in enumerate(unseen):
            residual[k * len(penalties) : (k + 1) * len(penalties), :, rows] = 0
        there = ahead - (residual @ z + ridge * ahead) @ step
        # Momentum that points uphill is dropped, fit by fit.
        uphill = ((ahead - there) * (there - here)).sum(dim=(1, 2), keepdim=True) > 0
        grown = torch.where(uphill, torch.ones_like(momentum), (1 + torch.sqrt(1 + 4 * momentum**2)) / 2)
        ahead = there + torch.where(uphill, torch.zeros_like(momentum), (momentum - 1) / grown) * (there - here)
        moved = (there - here).abs().max() / there.abs().max().clamp(min=1e-12)
        here, momentum = there, grown
        if moved < tol:
            break
    return here.mT.reshape(folds.n_parts, len(penalties), z.shape[1], n_classes)


def _softmax_of_classes(scores: torch.Tensor) -> torch.Tensor:
    """Return softmax over the middle axis, in place."""
    scores.sub_(scores.amax(dim=1, keepdim=True)).clamp_(min=-80).exp_()
    return scores.div_(scores.sum(dim=1, keepdim=True))


def _inverse_curvature(z: torch.Tensor, unseen: list[slice], with_all: bool, ridge: torch.Tensor) -> torch.Tensor:
    own = [z[rows].T @ z[rows] for rows in unseen]
    total = sum(own) if own else z.T @ z
    grams = torch.stack([total - g for g in own] + [total] * with_all)
    curvature = grams.repeat_interleave(len(ridge) // len(grams), dim=0) / 2 + torch.diag_embed(ridge[:, 0])
    return torch.cholesky_inverse(torch.linalg.cholesky(curvature.cpu())).to(z.device)
