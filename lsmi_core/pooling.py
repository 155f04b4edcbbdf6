"""Calibrate class scores by temperature, choose settings, and pool predictors, all by held-out likelihood.

What is chosen for the samples of one fold is chosen on the held-out predictions of the other folds.
"""

from __future__ import annotations

import numpy as np
import torch

from lsmi_core.folds import Folds

__all__ = ["Calibration", "calibrate", "pool", "pool_weights"]

LOG_TEMPERATURES = np.linspace(-1.5, 3.0, 10)
ENOUGH = 1_000_000
LEARN_FROM = 40_000


class Calibration:
    """A setting and a temperature for every part.

    Attributes
    ----------
    setting : int ndarray of shape (n_parts,)
    temperature : float ndarray of shape (n_parts,)
    """

    def __init__(self, setting: np.ndarray, temperature: np.ndarray) -> None:
        self.setting = setting
        self.temperature = temperature

    @property
    def n_parts(self) -> int:
        """Number of training parts."""
        return len(self.setting)

    def apply(self, part: int, scores: torch.Tensor) -> np.ndarray:
        """Return the part's log-probabilities, float64 (n, C), from scores of all settings, (n_settings, n, C)."""
        chosen = scores[self.setting[part]].double()
        return torch.log_softmax(chosen / self.temperature[part], dim=1).numpy()


def calibrate(scores: torch.Tensor, codes: torch.Tensor, folds: Folds) -> Calibration:
    """Choose for every part the setting and the temperature that make the labels of its own samples likeliest.

    Parameters
    ----------
    scores : float tensor of shape (n_settings, n_samples, n_classes)
        Held-out class scores (any constant per sample is free).
    codes : int64 tensor of shape (n_samples,)
    folds : Folds

    Returns
    -------
    Calibration
        Temperatures lie between 1/4.5 and 20.

    References
    ----------
    Guo et al. 2017, arXiv:1706.04599 (temperature).
    """
    loss = np.stack([folds.sums(_losses(s, codes)) for s in scores])  # (settings, parts, temperatures)
    best = loss.min(axis=2).argmin(axis=0)
    temperature = [np.exp(_lowest(loss[setting, part])) for part, setting in enumerate(best)]
    return Calibration(best, np.array(temperature))


def _losses(scores: torch.Tensor, codes: torch.Tensor) -> np.ndarray:
    """Return -log p of the label at every temperature, shape (n_samples, n_temperatures)."""
    out = torch.zeros(len(scores), len(LOG_TEMPERATURES), dtype=torch.float64)
    # Of very many samples some are enough to choose by; the others count nothing.
    some = slice(None, None, max(1, scores.numel() // ENOUGH))
    scores, codes = scores[some], codes[some, None]
    scores = scores - scores.max(dim=1, keepdim=True).values
    own = scores.gather(1, codes)[:, 0]
    for j, log_t in enumerate(LOG_TEMPERATURES):
        out[some, j] = (torch.logsumexp(scores * np.exp(-log_t), dim=1) - own * np.exp(-log_t)).double().cpu()
    return out.numpy()


def _lowest(loss: np.ndarray) -> float:
    """Return the log-temperature at the lowest loss, refined by the parabola through its neighbours."""
    j = int(np.clip(loss.argmin(), 1, len(loss) - 2))
    left, here, right = loss[j - 1 : j + 2]
    bend = left - 2 * here + right
    offset = 0.5 * (left - right) / bend if bend > 0 else 0.0
    return LOG_TEMPERATURES[j] + float(np.clip(offset, -1, 1)) * (LOG_TEMPERATURES[1] - LOG_TEMPERATURES[0])


def pool_weights(own: np.ndarray, folds: Folds, n_iter: int = 100) -> np.ndarray:
    r"""Return for every part the mixture weights that make the labels of its own samples likeliest.

    The pooled prediction is :math:`\sum_k w_k p_k(y|x)`; its likelihood is concave in w and expectation
    maximisation climbs it without a step size. The first predictor must be the class prior: it always keeps the
    weight of one sample in n, which bounds how wrong the pool can be about anything. Where one predictor alone is as
    good as the pool, within one standard error, it stands alone; and where the prior is as good as that one, the prior.

    Parameters
    ----------
    own : ndarray of shape (n_predictors, n_samples)
        Held-out log-probability of the label.
    folds : Folds
    n_iter : int

    Returns
    -------
    ndarray of shape (n_parts, n_predictors), rows summing to 1
    """
    p = np.exp(own - own.max(axis=0))
    out = []
    for rows in folds.inside:
        mine = p[:, rows.numpy()[:: -(-len(rows) // LEARN_FROM)]]
        weights = np.full(len(p), 1 / len(p))
        for _ in range(n_iter):
            before, weights = weights, weights * (mine @ (1 / (weights @ mine))) / mine.shape[1]
            if np.abs(weights - before).max() < 1e-4:
                break
        weights = _simplest(mine, weights)
        weights[0] += 1 / mine.shape[1]
        out.append(weights / weights.sum())
    return np.stack(out)


def _simplest(p: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the pool where it is better than the best predictor by one standard error; else that one, or the prior."""
    told = np.log(np.maximum(p, 1e-300))
    alone = int(told.mean(axis=1).argmax())
    if _clearly_better(np.log(weights @ p), told[alone]):
        return weights
    return np.eye(len(p))[alone if _clearly_better(told[alone], told[0]) else 0]


def _clearly_better(one: np.ndarray, other: np.ndarray) -> bool:
    gain = one - other
    return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))


def pool(log_p: list[np.ndarray], weights: np.ndarray) -> np.ndarray:
    """Return the pooled log-probabilities of shape (n_samples, n_classes)."""
    total = np.zeros_like(log_p[0])
    for one, weight in zip(log_p, weights, strict=True):
        if weight > 0:
            total += weight * np.exp(one)
    return np.log(np.maximum(total, 1e-300))
