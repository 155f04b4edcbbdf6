"""The baseline: the estimator as published, defects included, for comparison of accuracy and of speed.

Own code, from the description of Yang, Wang and Hu 2025, arXiv:2506.17248. What ``lsmi_core.published`` mends is left
as it was found: gradients pile up over the whole density training, densities start from scale 1.0 and see features
that are not standardised, log(softmax) loses probabilities that underflow, samples are scored by the model that trained
on them, the label's prior is uniform. Two things are better than in the published code, or there would be nothing per
sample to compare: the terms of a sample belong to that sample, and a probability that underflows counts as the smallest
normal float32, 1.2e-38 (i = log C - 87.3 nats), instead of none.
"""

from __future__ import annotations

from math import log

import numpy as np
import torch
from torch import nn

from lsmi_core.knife import DECAY_EPOCH, GaussianKernels, minibatches
from lsmi_core.published import as_float32, train_classifier

__all__ = ["published_fit_score"]

N_COMPONENTS, INITIAL_SCALE = 5, 1.0
EPOCHS, BATCH_SIZE, LEARNING_RATE = 30, 32, 1e-3


def published_fit_score(
    x1: np.ndarray, x2: np.ndarray, codes: np.ndarray, n_classes: int, random_state: int = 0
) -> dict[str, np.ndarray]:
    """Fit on all samples and return their terms under that fit, in nats.

    Parameters
    ----------
    x1, x2 : ndarray of shape (n_samples, n_features_k)
    codes : int ndarray of shape (n_samples,)
    n_classes, random_state : int

    Returns
    -------
    dict with keys "i1", "i2", "i12", "h1", "h2"
        float64 arrays of shape (n_samples,).
    """
    generator = torch.Generator().manual_seed(random_state)
    first, second, labels = as_float32(x1), as_float32(x2), torch.as_tensor(codes, dtype=torch.int64)
    scored = {}
    for view, x in (("1", first), ("2", second), ("12", torch.hstack([first, second]))):
        network = train_classifier(x, labels, n_classes, generator)
        scored[f"i{view}"] = log(n_classes) + _log_of_softmax(network, x, labels)
    for view, x in (("1", first), ("2", second)):
        scored[f"h{view}"] = _surprisal(_pile_up_gradients(x, generator), x)
    return scored


@torch.no_grad()
def _log_of_softmax(network: nn.Module, x: torch.Tensor, labels: torch.Tensor) -> np.ndarray:
    p = network(x).softmax(1).gather(1, labels[:, None])[:, 0]
    return p.clamp(min=torch.finfo(torch.float32).tiny).log().numpy().astype(np.float64)


@torch.no_grad()
def _surprisal(kernels: GaussianKernels, x: torch.Tensor) -> np.ndarray:
    return -torch.cat([kernels(part) for part in x.split(4096)]).numpy().astype(np.float64)


def _pile_up_gradients(x: torch.Tensor, generator: torch.Generator) -> GaussianKernels:
    kernels = GaussianKernels(N_COMPONENTS, x.shape[1], INITIAL_SCALE, generator)
    optimiser = torch.optim.Adam(kernels.parameters(), lr=LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimiser, [DECAY_EPOCH])
    for _ in range(EPOCHS):
        for rows in minibatches(len(x), BATCH_SIZE, generator, x.device):
            (-kernels(x[rows]).mean()).backward()  # no zero_grad: the defect
            optimiser.step()
        schedule.step()
    return kernels
