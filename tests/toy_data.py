"""Small labelled arrays for the tests of the estimator's parts."""

from __future__ import annotations

import numpy as np
import torch


def classes_in_space(n: int, n_features: int = 4, n_classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.choice(n_classes, size=n, p=np.arange(1, n_classes + 1) / np.arange(1, n_classes + 1).sum())
    centres = 1.5 * rng.standard_normal((n_classes, n_features))
    return centres[codes] + rng.standard_normal((n, n_features)) @ rng.standard_normal((n_features,) * 2), codes


def two_subsets(n: int) -> torch.Tensor:
    members = np.ones((2, n), dtype=bool)
    members[0, ::3] = False
    return torch.as_tensor(members)
